"""The governance root hands over: whom verifiers follow, and every attack on it by its name.

Each case goes through Python's verifier, with its memory of what was seen, and through the page's.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keys import PrivateKey, encode, parse
from ledger import SignedStatement, Statement, VerifierKey, format_time, sign_note
from ledger.checkpoint import Checkpoint
from ledger.governance import Governance
from ledger.landmarks import Landmarks
from ledger.note import ED25519
from verifier import BadTrust, Trust, open_trust
from verifier.memory import open_remembered
from verifier.trust_file import TrustFile
from verifier.verification import check_trust

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = format_time(NOW + timedelta(days=900))
BANK, ORIGIN = "did:web:cq.example", "cq.example/log"
KEYS = [PrivateKey.from_seed(bytes([n]) * 32) for n in range(60, 72)]
# Three of the keys govern at each version, and two of them sign; one key stays on from v1 to v2.
V1, V2, V3 = KEYS[0:3], KEYS[2:5], KEYS[5:8]
STRANGERS = KEYS[8:11]
LOG = KEYS[11]


def names(keys: list[PrivateKey]) -> list[str]:
    return [key.public_key.multikey for key in keys]


def root(keys: list[PrivateKey], threshold: int = 2) -> Governance:
    return Governance(tuple(names(keys)), threshold)


def rotation(
    version: int,
    to: list[PrivateKey],
    signers: list[PrivateKey],
    *,
    threshold: int = 2,
    author: str = BANK,
    expires: str = LATER,
) -> SignedStatement:
    body: dict[str, Any] = {
        "expires": expires,
        "governance": {"keys": names(to), "threshold": threshold},
        "version": version,
    }
    return Statement.make(author, "governance.rotate", body).sign(*signers)


TO_V2 = rotation(2, V2, [*V1[:2], *V2[1:]])
TO_V3 = rotation(3, V3, [*V2[:2], *V3[:2]])


def bundle(
    version: int,
    signers: list[PrivateKey],
    *rotations: SignedStatement,
    first: Governance | None = None,
    **changes: Any,
) -> bytes:
    """A bundle of the roots `first` and what the rotations lead to, whether they hold or not."""
    note = sign_note(Checkpoint(ORIGIN, 1, bytes(32)).text, ORIGIN, LOG)
    roots = [first or root(V1)]
    for signed in rotations:
        stated: Any = signed.statement.body
        keys, threshold = stated["governance"]["keys"], stated["governance"]["threshold"]
        made = Governance(tuple(keys), threshold, stated["version"], stated["expires"], signed)
        roots.append(made)
    trust = Trust(
        version=version,
        issued=NOW,
        next_update=NOW + timedelta(days=7),
        expires=NOW + timedelta(days=30),
        bank=BANK,
        domain="cq.example",
        origin=ORIGIN,
        names={"en": "CQ", "zh": "重庆"},
        bank_keys=tuple(names([KEYS[11]])),
        roots=tuple(roots),
        log_keys=(VerifierKey(ORIGIN, ED25519, LOG.public_key.raw),),
        checkpoint=note,
        members={},
        witnesses=(),
        quorum=0,
        status_lists={},
        landmarks=Landmarks((), (bytes(32),)),
    )
    return replace(trust, **changes).sign(signers)


AT_V1 = bundle(1, V1[:2])
AT_V2 = bundle(2, V2[:2], TO_V2)
NEWER_AT_V2 = bundle(9, V2[:2], TO_V2)
AT_V3 = bundle(3, V3[:2], TO_V2, TO_V3)
PIN_V1 = root(V1).fingerprint


@dataclass(frozen=True)
class Case:
    """A bundle that comes to someone who pinned `root` or has `kept` one before."""

    name: str
    data: bytes
    says: str
    """What the refusal holds, in Python; empty where it is taken."""
    root: str | None = None
    kept: bytes | None = field(default=None, repr=False)
    page: str = ""
    """What the page says, where it says it otherwise."""


def changed(data: bytes, **governance: Any) -> bytes:
    """The same bundle with its governance changed and signed anew by v1, whoever that helps."""
    value: Any = parse(data)
    value["trust"]["governance"] |= governance
    message = b"creditbank trust v1\n" + encode(value["trust"])
    value["signatures"] = [
        {"key": key.public_key.multikey, "value": _b64u(key.sign(message))} for key in V1[:2]
    ]
    return encode(value)


def _b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def doubled(data: bytes) -> bytes:
    """One signature of a bundle, twice, in place of two."""
    value: Any = parse(data)
    value["signatures"] = [value["signatures"][0]] * 2
    return encode(value)


FORKED_V2 = rotation(2, V3, [*V1[:2], *V3[:2]])
HANDED_OVER = [
    Case("pinned to v1, walks to v2", AT_V2, "", PIN_V1),
    Case("pinned to v1, walks to v3", AT_V3, "", PIN_V1),
    Case("pinned to v2, walks to v3", AT_V3, "", root(V2).fingerprint),
    Case("pinned to v3 itself", AT_V3, "", root(V3).fingerprint),
    Case("v1 seen, then v3", AT_V3, "", None, AT_V1),
    Case("v2 seen, then v3", AT_V3, "", None, AT_V2),
    Case("v2 seen, then v2 again", bundle(5, V2[1:], TO_V2), "", None, AT_V2),
    Case(
        "more keys than it takes sign",
        bundle(4, V3, rotation(2, V2, [*V1, *V2[1:]]), TO_V3),
        "",
        PIN_V1,
    ),
    Case(
        "the threshold rises with the keys",
        bundle(2, V2, rotation(2, V2, [*V1[:2], *V2[:2], V2[2]], threshold=3)),
        "",
        PIN_V1,
    ),
]
ATTACKS = [
    Case("rollback: v2 after v3 was seen", NEWER_AT_V2, "version 2, older", None, AT_V3),
    Case("rollback: v1 after v3 was seen", bundle(9, V1[:2]), "version 1, older", None, AT_V3),
    Case(
        "rollback under an explicit pin: v2 after v3 was seen",
        NEWER_AT_V2,
        "version 2, older",
        PIN_V1,
        AT_V3,
    ),
    Case(
        "rollback of the bundle under one root", AT_V1, "older than version 7", None, bundle(7, V1)
    ),
    Case("skip: v3 without v2", bundle(3, V3[:2], TO_V3), "next version of the root, 2", PIN_V1),
    Case(
        "fast-forward: the very next root calls itself v9999",
        bundle(2, V2[:2], rotation(9999, V2, [*V1[:2], *V2[:2]])),
        "next version of the root, 2",
        PIN_V1,
    ),
    Case(
        "order: v3 before v2", bundle(3, V2[:2], TO_V3, TO_V2), "next version of the root", PIN_V1
    ),
    Case(
        "mix of quorums: one of the old and one of the new",
        bundle(2, V2[:2], rotation(2, V2, [V1[0], V2[1]])),
        "2 of the old root's keys; this one has 1",
        PIN_V1,
        page="a threshold of signatures of the old root and one of the new",
    ),
    Case(
        "old quorum alone",
        bundle(2, V2[:2], rotation(2, V3, V1[:2])),
        "2 of the new root's keys; this one has 0",
        PIN_V1,
        page="a threshold of signatures of the old root and one of the new",
    ),
    Case(
        "new quorum alone",
        bundle(2, V3[:2], rotation(2, V3, V3[:2])),
        "2 of the old root's keys; this one has 0",
        PIN_V1,
        page="a threshold of signatures of the old root and one of the new",
    ),
    Case(
        "a stranger signs along",
        bundle(2, V2[:2], rotation(2, V2, [*V1[:2], *V2[:2], STRANGERS[0]])),
        "and nobody else",
        PIN_V1,
    ),
    Case(
        "old root signs the new bundle",
        bundle(2, V1[:2], TO_V2),
        "signed by a key that does not govern",
        PIN_V1,
    ),
    Case("threshold by one key twice, in signatures", doubled(AT_V1), "has 1 signatures", PIN_V1),
    Case(
        "threshold by one key twice, in the root",
        bundle(1, V1[:1], first=Governance(tuple(names(V1[:1]) * 2), 2)),
        "names a key twice",
    ),
    Case("a root that takes no signature", bundle(1, [], first=root(V1, 0)), "takes no signature"),
    Case("a root that nobody can reach", bundle(1, V1, first=root(V1, 4)), "takes no signature"),
    Case(
        "another bank's rotation",
        bundle(2, V2[:2], rotation(2, V2, [*V1[:2], *V2[:2]], author="did:web:js.example")),
        "a rotation of did:web:js.example's",
        PIN_V1,
        page="none of this bank's",
    ),
    Case(
        "fork: another v2 after v2 was seen",
        bundle(9, V3[:2], FORKED_V2),
        "two histories of them",
        None,
        AT_V2,
    ),
    Case(
        "a root of strangers",
        bundle(9, STRANGERS[:2], first=root(STRANGERS)),
        "another root than the pinned one",
        PIN_V1,
    ),
    Case(
        "a root of strangers, to someone who has seen ours",
        bundle(9, STRANGERS[:2], first=root(STRANGERS)),
        "signed by the wrong root",
        None,
        AT_V3,
    ),
    Case(
        "strangers who say that ours handed over to them",
        bundle(9, STRANGERS[:2], rotation(2, STRANGERS, STRANGERS[:2])),
        "2 of the old root's keys; this one has 0",
        PIN_V1,
        page="a threshold of signatures of the old root and one of the new",
    ),
    Case(
        "an empty list of rotations",
        changed(AT_V1, rotations=[]),
        "not understood",
        PIN_V1,
        page="rot",
    ),
    Case(
        "a statement of another type",
        changed(
            AT_V1,
            rotations=[
                json.loads(
                    Statement.make(BANK, "witness.retire", {"operator": "x", "quorum": 0})
                    .sign(*V1[:2])
                    .data
                )
            ],
        ),
        "changes no root",
        PIN_V1,
        page="rotation's body",
    ),
]
_SPOILED: Any = json.loads(TO_V2.data)
_SPOILED["statement"]["body"]["expires"] = format_time(NOW + timedelta(days=9000))
ATTACKS.append(
    Case(
        "the end of a root put off",
        changed(AT_V1, rotations=[_SPOILED]),
        "does not match",
        PIN_V1,
        page="signature",
    )
)


def by_python(case: Case, folder: Path) -> str:
    """Empty where the bundle is taken, else why it is not."""
    if case.kept is not None:
        open_remembered(case.kept, folder)
    try:
        opened = open_remembered(case.data, folder, case.root)
    except BadTrust as error:
        return str(error)
    assert open_trust(case.data).to_json() == opened.to_json()
    return ""


@pytest.fixture(scope="module")
def by_page(repo: Path) -> dict[str, str]:
    """The same of the page, for all cases at once."""
    if shutil.which("node") is None:
        pytest.skip("Node is not on this machine: scripts/peers installs it")
    cases = HANDED_OVER + ATTACKS
    tasks = [
        json.dumps(
            {
                "bytes": base64.b64encode(case.data).decode(),
                "root": case.root,
                "kept": None if case.kept is None else base64.b64encode(case.kept).decode(),
            }
        )
        for case in cases
    ]
    done = subprocess.run(
        ["node", str(repo / "tests" / "peers" / "page_trust.mjs")],
        input="\n".join(tasks),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert not [answer for answer in answers if "crash" in answer]
    return {
        case.name: answer.get("refused", "") for case, answer in zip(cases, answers, strict=True)
    }


@pytest.mark.parametrize("case", HANDED_OVER, ids=lambda case: case.name)
def test_a_root_hands_over(case: Case, tmp_path: Path, by_page: dict[str, str]) -> None:
    assert by_python(case, tmp_path) == ""
    assert by_page[case.name] == ""


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.name)
def test_attack(case: Case, tmp_path: Path, by_page: dict[str, str]) -> None:
    said = by_python(case, tmp_path)
    assert said != ""
    assert "\n" not in said
    assert case.says in said
    assert by_page[case.name] != ""
    assert (case.page or case.says) in by_page[case.name]


def test_what_was_refused_is_not_remembered(tmp_path: Path) -> None:
    open_remembered(AT_V3, tmp_path)
    before = (tmp_path / "trust-seen.json").read_bytes()
    for case in ATTACKS:
        with pytest.raises(BadTrust):
            open_remembered(case.data, tmp_path, case.root)
        assert (tmp_path / "trust-seen.json").read_bytes() == before


def test_a_server_never_goes_back_even_where_nothing_can_be_remembered(tmp_path: Path) -> None:
    file = tmp_path / "trust.json"
    file.write_bytes(AT_V3)
    served = TrustFile(file, Path("/proc/creditbank-state"), PIN_V1)
    for data, says in (
        (NEWER_AT_V2, "version 2, older than version 3"),
        (bundle(9, V3[:2], FORKED_V2), "two histories"),
    ):
        file.write_bytes(data)
        assert served.trust().governance.version == 3
        assert says in served.problem
    fourth = rotation(4, V1, [*V3[:2], *V1[:2]])
    file.write_bytes(bundle(9, V1[:2], TO_V2, TO_V3, fourth))
    assert (served.trust().governance.version, served.problem) == (4, "")


def test_freeze_is_seen_in_the_report() -> None:
    """A bundle kept back for ever: past its next update a caution, past its end nobody can say."""
    trust = open_trust(AT_V3)
    day = timedelta(days=1)
    codes = [check_trust(trust, NOW + days * day).code for days in (1, 8, 31)]
    assert codes == ["trust.good", "trust.due", "trust.expired"]
    assert check_trust(trust, NOW + 31 * day).unknown


def test_an_expired_root_is_a_caution_and_its_successor_none() -> None:
    soon = format_time(NOW + timedelta(days=3))
    first = Governance(tuple(names(V1)), 2, expires=soon)
    old = open_trust(bundle(1, V1[:2], first=first))
    new = open_trust(bundle(2, V2[:2], TO_V2, first=first))
    for moment, code in ((3, "trust.good"), (3 + 1 / 86400, "trust.root-expired")):
        check = check_trust(old, NOW + timedelta(days=moment))
        assert (check.code, check.caution) == (code, code != "trust.good")
        assert check_trust(new, NOW + timedelta(days=moment)).code == "trust.good"
    assert "(version 1) that expired on 2026-11-26" in check_trust(
        old, NOW + timedelta(days=5)
    ).sentence("en")
