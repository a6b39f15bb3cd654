"""An audit passes an honest log, and says in a sentence what is wrong with any other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from keys import PrivateKey, b64u_encode
from ledger import (
    BadNote,
    Checkpoint,
    Entry,
    SignedStatement,
    Statement,
    leaf_hash,
    root_hash,
    sign_note,
)
from ledger.audit import audit, audit_tree
from ledger.entry import GENESIS
from tests.log_kit import (
    BANK,
    GOVERNANCE,
    LOG_KEY,
    MEMBER,
    ORIGIN,
    SIGNING,
    VERIFIER,
    award,
    lot,
    lot_event,
    opening,
)

# The package shows the function of that name.
AUDIT = sys.modules["ledger.audit"]
TIME = "2026-11-23T18:18:22Z"
STRANGER = PrivateKey.from_seed(b"s" * 32)
HONEST = [
    *opening(),
    *(award(number) for number in range(4)),
    lot_event("suspend", 1),
    award(4),
    lot_event("reinstate", 1),
    lot_event("revoke", 2),
]
FIRST = len(opening())


def chained(statements: Sequence[SignedStatement], times: Sequence[str] = ()) -> list[bytes]:
    """A chain of entries, whatever they say: as an operator could write it."""
    found, prev = [], GENESIS
    for index, signed in enumerate(statements):
        entry = Entry.make(index, prev, times[index] if times else TIME, signed)
        found.append(entry.data)
        prev = entry.leaf
    return found


def noted(entries: Sequence[bytes], size: int | None = None, by: PrivateKey = LOG_KEY) -> str:
    """The checkpoint over the first `size` entries."""
    size = len(entries) if size is None else size
    root = root_hash(leaf_hash(data) for data in entries[:size])
    return sign_note(Checkpoint(ORIGIN, size, root).text, ORIGIN, by)


def problems(entries: Sequence[bytes], notes: Sequence[str] | None = None) -> tuple[str, ...]:
    """What an audit says, by one thread and by several alike."""
    notes = [noted(entries)] if notes is None else notes
    found = audit(entries, notes, workers=1)
    assert audit(iter(entries), notes, workers=3) == found
    assert found.passed is not bool(found.problems)
    return found.problems


def test_an_honest_log_passes() -> None:
    entries = chained(HONEST)
    done: list[int] = []
    notes = [noted(entries, size) for size in (0, 1, 5, 9, len(entries))]
    report = audit(entries, notes[1:], done.append)
    assert report.problems == ()
    assert report.passed
    assert (report.origin, report.size, report.checkpoints) == (ORIGIN, 16, 4)
    assert report.root == root_hash(leaf_hash(data) for data in entries)
    assert report.kinds["award"] == report.lots == 5
    assert sum(report.kinds.values()) == 16
    assert done[-1] == 16


def test_a_long_log_passes_and_its_last_forgery_is_named() -> None:
    """Over several chunks, each checked by another thread."""
    statements = [*opening(), *(award(number) for number in range(700))]
    entries = chained(statements)
    assert problems(entries, [noted(entries, 300), noted(entries)]) == ()
    last = statements[-1]
    statements[-1] = SignedStatement(last.statement, award(0).signatures)
    (problem,) = problems(chained(statements))
    assert problem.startswith("entry 707: the statement's signature by z6Mk")


BROKEN: dict[str, Callable[[list[SignedStatement]], None]] = {
    "nothing": lambda statements: None,
    "second award of a lot": lambda statements: statements.append(award(3, "3")),
    "second award of a status slot": lambda statements: statements.append(award(800, slot=3)),
    "move of no lot": lambda statements: statements.append(lot_event("suspend", 999)),
    "forged in the middle": lambda statements: statements.__setitem__(
        400, SignedStatement(statements[400].statement, award(0).signatures)
    ),
    "stranger in the middle": lambda statements: statements.__setitem__(
        401, award(900).statement.sign(STRANGER)
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_many_processes_find_what_one_finds(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Awards are taken in runs, lots in partitions; entry by entry the same comes out."""
    statements = [*opening(), *(award(number) for number in range(700)), lot_event("revoke", 2)]
    BROKEN[case](statements)
    entries = chained(statements)
    notes = [noted(entries, 650), noted(entries)]
    monkeypatch.setattr(AUDIT, "_CHUNK", 64)
    alone = audit(entries, notes, workers=1)
    monkeypatch.setattr(AUDIT, "_FEW", 2)
    assert audit(entries, notes, workers=2) == alone
    assert len(alone.problems) == (case != "nothing")
    monkeypatch.setattr(AUDIT.Walk, "run", lambda walk, run: False)
    assert audit(entries, notes, workers=1) == alone
    monkeypatch.undo()
    unsigned = audit(entries, notes, signatures=False)
    assert unsigned == (replace(alone, problems=()) if case.startswith("forged") else alone)


def test_lots_that_do_not_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.lot_partitions._PARTITIONS", 2)
    monkeypatch.setattr("ledger.lot_partitions._BUFFER", 64)
    monkeypatch.setattr("ledger.lot_partitions._IN_MEMORY", 128)
    events = [lot_event("suspend", 7), lot_event("reinstate", 7), lot_event("revoke", 7)]
    honest = [*opening(), *(award(number) for number in range(300)), *events]
    assert problems(chained(honest)) == ()
    (problem,) = problems(chained([*honest, lot_event("suspend", 7, "again"), award(301)]))
    assert problem == f"entry 311: the lot {lot(7)} is revoked; it cannot suspend"
    (problem,) = problems(chained([*honest, award(8, "3", slot=999)]))
    assert problem == f"entry 311: the lot {lot(8)} was awarded already"


def test_every_changed_byte_of_an_entry_is_named() -> None:
    entries = chained(HONEST)
    note = noted(entries)
    for index in (0, 2, FIRST, 9, len(entries) - 1):
        for place in range(0, len(entries[index]), 7):
            data = bytearray(entries[index])
            data[place] ^= 1
            changed = [*entries[:index], bytes(data), *entries[index + 1 :]]
            found = audit(changed, [note], workers=1).problems
            assert any(one.startswith(f"entry {index}: ") for one in found) or (
                # A change that is an entry still (its time, say) breaks the chain after it.
                any(one.startswith(f"entry {index + 1}: its prev") for one in found)
                or index == len(entries) - 1
            ), (index, place)
            # Where nobody could know the log's key any more, that is said of the checkpoint.
            about = ("has another root", "is not signed by the log", "is of another log")
            assert found[-1].startswith("the checkpoint"), found
            assert any(word in found[-1] for word in about), found


def test_swapped_entries() -> None:
    entries = chained(HONEST)
    entries[9], entries[10] = entries[10], entries[9]
    found = problems(entries)
    assert found[:2] == ("entry 9: says it is entry 10", "entry 10: says it is entry 9")
    assert found[2].startswith("entry 11: its prev is not the leaf hash")


def test_a_dropped_entry() -> None:
    entries = chained(HONEST)
    note = noted(entries)
    found = problems([*entries[:9], *entries[10:]], [note])
    assert found[0] == "entry 9: says it is entry 10"
    assert "the last checkpoint speaks of 16 entries, the log holds 15" in found
    (cut,) = (one for one in problems(entries[:-1], [note]) if "speaks" in one)
    assert cut == "the last checkpoint speaks of 16 entries, the log holds 15"


def test_an_entry_put_in_and_chained_again() -> None:
    """The operator himself rewrites the log: the earlier checkpoint convicts him."""
    entries = chained(HONEST)
    early = noted(entries, 11)
    other = chained([*HONEST[:9], award(50), *HONEST[9:]])
    assert problems(other) == ()
    (problem,) = problems(other, [early, noted(other)])
    assert problem == "the checkpoint of 11 entries has another root than they have"


def test_a_repeated_entry() -> None:
    (problem,) = problems(chained([*HONEST, lot_event("revoke", 2)]))
    assert problem == "entry 16: its statement is in the log already"


def test_a_prev_that_is_not_the_leaf_before() -> None:
    entries = chained(HONEST)
    last = Entry.parse(entries[-1])
    entries[-1] = Entry.make(last.index, bytes(32), last.time, last.signed).data
    assert problems(entries) == ("entry 15: its prev is not the leaf hash of the entry before",)


def test_time_that_runs_backwards() -> None:
    times = [TIME] * 16
    times[12:] = ["2026-11-23T18:18:21Z"] * 4
    found = problems(chained(HONEST, times))
    assert found[0].startswith("entry 12: its time 2026-11-23T18:18:21Z lies before")


def test_entries_that_are_none() -> None:
    for data in (b"", b"{}", b"\xff", b"x" * 70_000):
        entries = chained(HONEST)
        entries[11] = data
        found = problems(entries)
        assert found[0].startswith("entry 11: the entry") or found[0].startswith(
            "entry 11: an entry"
        )
        assert found[1].startswith("entry 12: its prev")


def appended(*signed: SignedStatement) -> tuple[str, ...]:
    """What an audit says of an honest log whose operator appended this without asking."""
    return problems(chained([*HONEST, *signed]))


def test_a_forged_signature() -> None:
    good = award(20)
    forged = SignedStatement(good.statement, award(21).signatures)
    (problem,) = appended(forged)
    key = SIGNING.public_key.multikey
    assert problem.startswith(f"entry 16: the statement's signature by {key}: ")
    quorum = HONEST[1]
    admitted = Statement.make(BANK, "member.suspend", {"member": MEMBER, "reason": "x"})
    (problem,) = appended(SignedStatement(admitted, quorum.signatures))
    assert problem.startswith("entry 16: the statement's signature by")


UNAUTHORISED: dict[str, tuple[Callable[[], SignedStatement], str]] = {
    "stranger's key": (lambda: award(20).statement.sign(STRANGER), "is not registered for"),
    "unknown member": (
        lambda: Statement.make("did:web:x.example", "award", dict(award(20).statement.body)).sign(
            STRANGER
        ),
        "is not a member",
    ),
    "the log's own key": (lambda: award(20).statement.sign(LOG_KEY), "is not registered for"),
    "governance key": (lambda: award(20).statement.sign(GOVERNANCE), "is not registered for"),
    "no quorum": (
        lambda: Statement.make(
            BANK, "key.add", {"key": STRANGER.public_key.multikey, "member": MEMBER}
        ).sign(STRANGER),
        "signatures by 1 of the governance",
    ),
    "too many credits": (lambda: award(20, "4.5"), "gives 4 credits"),
    "second award of a lot": (lambda: award(3, "3"), f"the lot {lot(3)} was awarded already"),
    "second award of a status slot": (
        lambda: award(20, slot=3),
        "the status slot 1#3 is taken",
    ),
    "move of no lot": (lambda: lot_event("suspend", 77), "there is no lot"),
    "move of a revoked lot": (lambda: lot_event("reinstate", 2), "is revoked"),
}


@pytest.mark.parametrize("case", UNAUTHORISED)
def test_what_nobody_had_the_authority_to_state(case: str) -> None:
    make, reason = UNAUTHORISED[case]
    (problem,) = appended(make())
    assert problem.startswith("entry 16: ")
    assert reason in problem
    # The audit goes on, and takes what follows.
    (again,) = appended(make(), award(30))
    assert again == problem


@pytest.mark.parametrize(
    ("kind", "more", "reason"),
    [
        ("key.retire", {}, "was retired"),
        ("key.suspect", {"from_index": 16}, "was reported as suspect"),
    ],
)
def test_a_key_that_is_no_longer_good(kind: str, more: dict[str, int], reason: str) -> None:
    body = {"key": SIGNING.public_key.multikey, "member": MEMBER, **more}
    ended = Statement.make(BANK, kind, body).sign(GOVERNANCE)
    found = appended(ended, award(20), lot_event("suspend", 1, "again"))
    assert len(found) == 2
    for index, problem in zip((17, 18), found, strict=True):
        assert problem.startswith(f"entry {index}: the key z6Mk")
        assert reason in problem
    # What it signed before stays good.
    assert appended(award(20), lot_event("suspend", 1, "again"), ended) == ()


def test_a_suspended_member() -> None:
    body = {"member": MEMBER, "reason": "audit"}
    ended = Statement.make(BANK, "member.suspend", body).sign(GOVERNANCE)
    (problem,) = appended(ended, award(20))
    assert problem == f"entry 17: {MEMBER} is suspended as a member"


def test_a_log_that_does_not_begin_with_its_opening() -> None:
    found = problems(chained(HONEST[1:]))
    assert found[0] == "entry 0: the first entry of a log is its log.open statement"
    assert found[-1] == "the checkpoint of 15 is not signed by the log"


def test_checkpoints_that_do_not_hold() -> None:
    entries = chained(HONEST)
    good = noted(entries)
    wrong_root = sign_note(Checkpoint(ORIGIN, 16, bytes(32)).text, ORIGIN, LOG_KEY)
    assert problems(entries, [wrong_root]) == (
        "the checkpoint of 16 entries has another root than they have",
    )
    assert problems(entries, [noted(entries, by=STRANGER)]) == (
        "the checkpoint of 16 is not signed by the log",
    )
    early = sign_note(Checkpoint(ORIGIN, 4, bytes(32)).text, ORIGIN, LOG_KEY)
    assert problems(entries, [early, good]) == (
        "the checkpoint of 4 entries has another root than they have",
    )
    ahead = sign_note(Checkpoint(ORIGIN, 17, bytes(32)).text, ORIGIN, LOG_KEY)
    assert problems(entries, [good, ahead]) == (
        "the checkpoint of 17 entries has another root than they have",
        "the last checkpoint speaks of 17 entries, the log holds 16",
    )
    other = sign_note(Checkpoint("x.example", 16, bytes(32)).text, ORIGIN, LOG_KEY)
    assert problems(entries, [good, other]) == ("the checkpoint is of another log, x.example",)
    forged = good[:-10] + "AAAAAAAA" + good[-2:]
    assert any("does not match" in one for one in problems(entries, [forged]))
    for note in ("", "x", "a\n\n— b AAAAAAA=\n"):
        assert problems(entries, [note, good])


def test_the_last_checkpoint_is_missing() -> None:
    entries = chained(HONEST)
    assert problems(entries, [noted(entries, 9)]) == (
        "the last checkpoint speaks of 9 entries, the log holds 16",
    )
    assert problems(entries, []) == ("there is no signed checkpoint",)
    assert problems([], []) == ("there is no signed checkpoint",)


def test_a_hundred_problems_are_enough() -> None:
    assert len(problems([b"x"] * 500, [])) == 100


def test_the_tree_of_any_log() -> None:
    """Whatever the entries mean: only that they hash to the signed root."""
    entries = [b"one", b"two", b"", b"x" * 70_000]
    done: list[int] = []
    report = audit_tree(entries, noted(entries), [VERIFIER], done.append)
    assert report.passed
    assert (report.origin, report.size, report.kinds) == (ORIGIN, 4, {"entry": 4})
    for other in (entries[:-1], [*entries, b""], [*entries[:-1], b"y"], entries[::-1]):
        (problem,) = audit_tree(other, noted(entries), [VERIFIER]).problems
        assert problem.endswith("do not hash to the root of the checkpoint of 4")
    (problem,) = audit_tree(entries, noted(entries), []).problems
    assert problem == "the checkpoint is signed by none of the keys given"
    with pytest.raises(BadNote):
        audit_tree(entries, noted(entries).replace("\n4\n", "\n5\n"), [VERIFIER])


def test_the_commitment_is_what_the_statement_says() -> None:
    """No part of an award may be changed under its signature."""
    for field, wrong in (
        ("commitment", b64u_encode(bytes(32))),
        ("credits", "3"),
        ("lot", b64u_encode(bytes(16))),
        ("status", {"index": 99, "list": 1}),
        ("expires", "2030-01-01"),
    ):
        body = {**award(20).statement.body, field: wrong}
        changed = Statement.make(MEMBER, "award", body)
        (problem,) = appended(SignedStatement(changed, award(20).signatures))
        assert problem.startswith("entry 16: the statement's signature by")
