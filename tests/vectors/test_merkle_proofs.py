"""RFC 6962 proofs that nobody here wrote, good and damaged; each file says what is wrong."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

from ledger import BadProofPath, leaf_hash, root_hash, verify_consistency, verify_inclusion
from ledger.tree import EMPTY_ROOT

# RFC 6962's reference tree: eight entries and the root after each.
ENTRIES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_of_the_reference_tree() -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
    for size, root in enumerate(ROOTS, start=1):
        assert root_hash(leaves[:size]).hex() == root
    assert root_hash([]) == EMPTY_ROOT


def cases(folder: Path) -> list[tuple[str, dict[str, object]]]:
    files = sorted(folder.rglob("*.json"))
    return [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in files]


def hashes(case: dict[str, object], name: str) -> list[bytes]:
    values = case[name]
    return [base64.b64decode(value) for value in (values if isinstance(values, list) else [])]


def one(case: dict[str, object], name: str) -> bytes:
    return base64.b64decode(str(case[name] or ""))


def passes(check: Callable[..., None], *arguments: object) -> bool:
    try:
        check(*arguments)
    except BadProofPath:
        return False
    return True


def test_inclusion(shared_data: Callable[[str], Path]) -> None:
    seen = {True: 0, False: 0}
    for name, case in cases(shared_data("vectors/merkle/inclusion")):
        good = passes(
            verify_inclusion,
            one(case, "leafHash"),
            case["leafIdx"],
            case["treeSize"],
            hashes(case, "proof"),
            one(case, "root"),
        )
        assert good is not case["wantErr"], name
        seen[good] += 1
    assert seen[True] >= 5
    assert seen[False] >= 50


def test_consistency(shared_data: Callable[[str], Path]) -> None:
    seen = {True: 0, False: 0}
    for name, case in cases(shared_data("vectors/merkle/consistency")):
        good = passes(
            verify_consistency,
            case["size1"],
            case["size2"],
            hashes(case, "proof"),
            one(case, "root1"),
            one(case, "root2"),
        )
        assert good is not case["wantErr"], name
        seen[good] += 1
    assert seen[True] >= 5
    assert seen[False] >= 50
