"""RFC 6962's own example, the proofs of Certificate Transparency's tests, and each one damaged.

That every file of damaged proofs is refused is in test_merkle_proofs.py; here the good ones
among them are damaged further, one change at a time, so that none passes by another's fault.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger import (
    BadProofPath,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    node_hash,
)

# The entries and roots that Certificate Transparency's own tests use.
ENTRIES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SECOND = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
THIRD_FOURTH = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
RIGHT_HALF = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
FIFTH = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
FIFTH_SIXTH = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
LAST_TWO = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"

# (leaf, size) -> path; the leaf counted from 0.
PATHS = {
    (0, 1): [],
    (0, 8): [SECOND, THIRD_FOURTH, RIGHT_HALF],
    (5, 8): [FIFTH, LAST_TWO, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], THIRD_FOURTH, FIFTH],
}
PROOFS = {
    (1, 1): [],
    (1, 8): [SECOND, THIRD_FOURTH, RIGHT_HALF],
    (6, 8): [FIFTH_SIXTH, LAST_TWO, ROOTS[4]],
    (2, 5): [THIRD_FOURTH, FIFTH],
}
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]


def lookup(lo: int, hi: int) -> bytes:
    return root_hash(LEAVES[lo:hi])


def nodes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(node) for node in path]


def test_roots_as_the_tree_grows() -> None:
    tree = Frontier()
    assert tree.root.hex() == ROOTS[0]
    for size, leaf in enumerate(LEAVES, start=1):
        tree.append(leaf)
        assert (tree.size, tree.root.hex()) == (size, ROOTS[size])
        assert root_hash(LEAVES[:size]) == tree.root
        assert tree.copy().root == tree.root


def test_control_leaves_and_nodes_are_hashed_apart() -> None:
    """Without the two prefixes an inner node could be passed off as an entry."""
    pair = LEAVES[0] + LEAVES[1]
    assert leaf_hash(pair) != node_hash(LEAVES[0], LEAVES[1])
    with pytest.raises(BadProofPath):
        verify_inclusion(leaf_hash(pair), 0, 1, [], bytes.fromhex(ROOTS[2]))


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_known_inclusion_paths(index: int, size: int) -> None:
    path = inclusion_proof(index, size, lookup)
    assert path == nodes(PATHS[index, size])
    verify_inclusion(LEAVES[index], index, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), PROOFS)
def test_known_consistency_proofs(old: int, new: int) -> None:
    proof = consistency_proof(old, new, lookup)
    assert proof == nodes(PROOFS[old, new])
    verify_consistency(old, new, proof, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]))


def test_the_example_of_section_2_1_3() -> None:
    """A tree of seven leaves, its nodes named as in the text of the RFC."""
    node = {"a": (0, 1), "b": (1, 2), "c": (2, 3), "d": (3, 4), "e": (4, 5), "f": (5, 6)}
    node |= {"g": (0, 2), "h": (2, 4), "i": (4, 6), "j": (6, 7), "k": (0, 4), "l": (4, 7)}

    def named(ranges: list[tuple[int, int]]) -> str:
        names = {place: name for name, place in node.items()}
        return "".join(names[place] for place in ranges)

    assert named(inclusion_ranges(0, 7)) == "bhl"
    assert named(inclusion_ranges(3, 7)) == "cgl"
    assert named(inclusion_ranges(4, 7)) == "fjk"
    assert named(inclusion_ranges(6, 7)) == "ik"
    assert named(consistency_ranges(3, 7)) == "cdgl"
    assert named(consistency_ranges(4, 7)) == "l"
    assert named(consistency_ranges(6, 7)) == "ijk"


def test_there_is_no_proof_of_what_is_not_there() -> None:
    for index, size in ((0, 0), (-1, 1), (1, 1), (8, 8)):
        with pytest.raises(BadProofPath, match="has no entry"):
            inclusion_ranges(index, size)
        with pytest.raises(BadProofPath, match="has no entry"):
            verify_inclusion(LEAVES[0], index, size, [], EMPTY_ROOT)
    for old, new in ((2, 1), (-1, 3)):
        with pytest.raises(BadProofPath, match="cannot continue"):
            consistency_ranges(old, new)
        with pytest.raises(BadProofPath):
            verify_consistency(old, new, [], EMPTY_ROOT, EMPTY_ROOT)
    with pytest.raises(BadProofPath):
        Frontier(3, [EMPTY_ROOT])


def test_nothing_proves_that_a_log_continues_itself_or_an_empty_one() -> None:
    assert consistency_ranges(0, 8) == consistency_ranges(0, 0) == []
    assert consistency_ranges(5, 5) == consistency_ranges(8, 8) == []


def test_a_proof_from_a_larger_tree_is_too_long_for_a_smaller_one() -> None:
    """The hashes agree all the way up: only the sizes say that there is one too many."""
    pair = lookup(0, 2)
    with pytest.raises(BadProofPath, match="the inclusion path is too long"):
        verify_inclusion(LEAVES[1], 0, 1, [LEAVES[0]], pair)
    proof = consistency_proof(7, 8, lookup)
    verify_consistency(7, 8, proof, lookup(0, 7), lookup(0, 8))
    with pytest.raises(BadProofPath, match="the consistency proof is too long"):
        verify_consistency(3, 4, proof, lookup(0, 7), lookup(0, 8))


def good_cases(folder: Path) -> list[dict[str, object]]:
    found = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
    return [case for case in found if not case["wantErr"]]


def hashes(case: dict[str, object], name: str) -> list[bytes]:
    value = case[name] or []
    values = value if isinstance(value, list) else [value]
    return [base64.b64decode(str(one)) for one in values]


def number(case: dict[str, object], name: str) -> int:
    value = case[name]
    assert isinstance(value, int)
    return value


def damaged(path: list[bytes]) -> Iterator[list[bytes]]:
    """Each hash changed, cut, left out, doubled; neighbours swapped; one put before and behind."""
    for place, node in enumerate(path):
        for bit in (0, 100, 255):
            other = bytearray(node)
            other[bit // 8] ^= 1 << bit % 8
            yield [*path[:place], bytes(other), *path[place + 1 :]]
        yield [*path[:place], node[:-1], *path[place + 1 :]]
        yield path[:place] + path[place + 1 :]
        yield [*path[: place + 1], *path[place:]]
    for place in range(len(path) - 1):
        yield [*path[:place], path[place + 1], path[place], *path[place + 2 :]]
    yield [EMPTY_ROOT, *path]
    yield [*path, EMPTY_ROOT]


def test_good_inclusion_paths_damaged(shared_data: Callable[[str], Path]) -> None:
    cases = good_cases(shared_data("vectors/merkle/inclusion"))
    refused = 0
    for case in cases:
        index, size = number(case, "leafIdx"), number(case, "treeSize")
        (leaf,), (root,), path = (
            hashes(case, "leafHash"),
            hashes(case, "root"),
            hashes(case, "proof"),
        )
        verify_inclusion(leaf, index, size, path, root)
        for changed in damaged(path):
            with pytest.raises(BadProofPath):
                verify_inclusion(leaf, index, size, changed, root)
            refused += 1
        for wrong in (leaf[:-1] + bytes([leaf[-1] ^ 1]), leaf + b"\0", leaf[:31], b""):
            with pytest.raises(BadProofPath):
                verify_inclusion(wrong, index, size, path, root)
        with pytest.raises(BadProofPath):
            verify_inclusion(leaf, index, size, path, root[::-1])
    assert len(cases) >= 5
    assert refused >= 60


def test_good_consistency_proofs_damaged(shared_data: Callable[[str], Path]) -> None:
    cases = good_cases(shared_data("vectors/merkle/consistency"))
    refused = 0
    for case in cases:
        old, new = number(case, "size1"), number(case, "size2")
        (before,), (after,), proof = (
            hashes(case, "root1"),
            hashes(case, "root2"),
            hashes(case, "proof"),
        )
        verify_consistency(old, new, proof, before, after)
        for changed in damaged(proof):
            with pytest.raises(BadProofPath):
                verify_consistency(old, new, changed, before, after)
            refused += 1
        if old != new:
            with pytest.raises(BadProofPath):
                verify_consistency(old, new, proof, after, before)
    assert len(cases) >= 5
    assert refused >= 60
