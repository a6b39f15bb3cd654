"""A small credit bank's log for the tests that break it: its statements and its checks."""

from __future__ import annotations

import functools
import os
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import Connection, Engine, func, select

from bank.lot_projection import LotFold, LotProjection
from bank.tables import derived, private
from bank.tables import lots as lots_table
from keys import PrivateKey, b64u_encode, did_web
from ledger import (
    Checkpoint,
    Entry,
    LotBook,
    Registry,
    SignedStatement,
    Statement,
    VerifierKey,
    leaf_hash,
    open_note,
)
from ledger.audit import AuditReport, audit
from ledger.checkpointer import Checkpointer
from ledger.log import Log, read_entries, read_head
from ledger.lot_rows import lot_row
from ledger.lots import identity_of
from ledger.note import ED25519
from ledger.sequencer import Placed, Sequencer
from ledger.store import create_tables, entries, open_store, reading
from ledger.tree import Frontier

DOMAIN = "bank.example"
ORIGIN = "bank.example/broken"
BANK = did_web(DOMAIN)
MEMBER = did_web(DOMAIN, "members", "north")
GOVERNANCE = PrivateKey.from_seed(b"g" * 32)
SIGNING = PrivateKey.from_seed(b"m" * 32)
APPROVING = PrivateKey.from_seed(b"a" * 32)
LOG_KEY = PrivateKey.from_seed(b"l" * 32)
VERIFIER = VerifierKey(ORIGIN, ED25519, LOG_KEY.public_key.raw)
SLOTS = 131_072
_ACK = struct.Struct(">QQ")


def clock() -> datetime:
    """A moment at which the member's grant holds."""
    return datetime(2026, 11, 23, 18, 18, 22, tzinfo=UTC)


@functools.cache
def opening() -> tuple[SignedStatement, ...]:
    """The log is opened; one member may award one unit of 4 credits."""
    names = {"en": "North", "zh": "北方"}
    governed = [
        (
            "log.open",
            {
                "domain": DOMAIN,
                "governance": {"keys": [GOVERNANCE.public_key.multikey], "threshold": 1},
                "log": [str(VERIFIER)],
                "name": names,
                "origin": ORIGIN,
            },
        ),
        (
            "framework.publish",
            {
                "framework": "national",
                "levels": [
                    {"level": str(n), "name": {"en": f"Level {n}", "zh": f"{n} 级"}}
                    for n in range(1, 10)
                ],
                "name": names,
                "version": 1,
            },
        ),
        ("scheme.publish", {"hours": "16", "name": names, "scheme": "national", "version": 1}),
        (
            "member.admit",
            {
                "capacities": ["awarding", "receiving"],
                "member": MEMBER,
                "name": names,
                "uscc": "91350100M000100Y43",
            },
        ),
        (
            "grant",
            {
                "fields": ["*"],
                "from": "2026-01-01",
                "level": "9",
                "member": MEMBER,
                "until": "2030-01-01",
            },
        ),
        (
            "key.add",
            {"key": SIGNING.public_key.multikey, "member": MEMBER, "person": "registrar"},
        ),
        (
            "key.add",
            {"key": APPROVING.public_key.multikey, "member": MEMBER, "person": "approver"},
        ),
    ]
    unit = {
        "credits": "4",
        "field": "computing",
        "framework": "national",
        "hours": "64",
        "level": "5",
        "scheme": "national",
        "title": {"en": "Programming", "zh": "程序设计"},
        "unit": "CS101",
        "version": 1,
    }
    return (
        *(Statement.make(BANK, kind, body).sign(GOVERNANCE) for kind, body in governed),
        Statement.make(MEMBER, "unit.publish", unit).sign(SIGNING),
    )


def lot(number: int) -> str:
    """The name of award `number`'s lot."""
    return b64u_encode(sha256(b"lot %d" % number).digest()[:16])


@functools.lru_cache(maxsize=4096)
def award(number: int, credits: str = "4", slot: int | None = None) -> SignedStatement:
    """Award `number`: always the same bytes for the same number."""
    place = number if slot is None else slot
    body = {
        "commitment": b64u_encode(sha256(b"credential %d" % number).digest()),
        "credits": credits,
        "level": "5",
        "lot": lot(number),
        "scheme": "national",
        "status": {"index": place % SLOTS, "list": 1 + place // SLOTS},
        "unit": "CS101@1",
    }
    return Statement.make(MEMBER, "award", body).sign(SIGNING)


def awards(start: int, count: int) -> list[SignedStatement]:
    """Awards `start` and the following, `count` of them."""
    return [award(number) for number in range(start, start + count)]


def lot_event(kind: str, number: int, reason: str = "test") -> SignedStatement:
    """Suspend, reinstate or revoke the lot of award `number`."""
    body = {"lot": lot(number), "reason": reason}
    if kind != "reinstate":
        body["appeal"] = "2026-12-31"
    signers = (SIGNING, APPROVING) if kind == "revoke" else (SIGNING,)
    return Statement.make(MEMBER, kind, body).sign(*signers)


class _OnePersonIsEnough(LotProjection):
    """How many awards take a second person is not what tests of the log are about."""

    def begin(
        self, connection: Connection, batch: Sequence[SignedStatement], registry: Registry
    ) -> LotFold:
        registry.catalogue.alone = sys.maxsize
        return super().begin(connection, batch, registry)


def sequencer_on(engine: Engine) -> Sequencer:
    """A sequencer that keeps the table of lots in step."""
    return Sequencer(engine, _OnePersonIsEnough(), clock)


def checkpointer_on(engine: Engine) -> Checkpointer:
    """What signs this log's checkpoints."""
    return Checkpointer(engine, ORIGIN, LOG_KEY, clock=clock)


def new_log(url: str) -> Engine:
    """A log in a new database, opened and under its first checkpoint."""
    engine = open_store(url)
    create_tables(engine, derived, private)
    outcomes = sequencer_on(engine).append(opening())
    placed = [outcome.index for outcome in outcomes if isinstance(outcome, Placed)]
    assert placed == list(range(len(opening()))), outcomes
    checkpointer_on(engine).sign()
    return engine


def acknowledge(pipe: int, numbers: Iterable[int], indices: Iterable[int]) -> None:
    """Tell the parent process that these awards stand at these places."""
    data = b"".join(_ACK.pack(*pair) for pair in zip(numbers, indices, strict=True))
    for start in range(0, len(data), 4096):  # pieces a pipe takes whole or not at all
        os.write(pipe, data[start : start + 4096])


def acknowledgements(data: bytes) -> dict[int, int]:
    """The place of each acknowledged award, from what came through the pipe."""
    whole = len(data) - len(data) % _ACK.size
    return dict(_ACK.iter_unpack(data[:whole]))


def append_and_acknowledge(sequencer: Sequencer, pipe: int, numbers: Sequence[int]) -> None:
    """Append awards; say so as soon, and only when, the sequencer returns."""
    outcomes = sequencer.append([award(number) for number in numbers])
    places = [outcome.index for outcome in outcomes if isinstance(outcome, Placed)]
    acknowledge(pipe, numbers, places)


def lost(engine: Engine, acknowledged: Mapping[int, int]) -> list[int]:
    """The acknowledged awards that are not, or not only, where they were said to be."""
    numbers = list(acknowledged)
    missing = []
    with reading(engine) as connection:
        size = read_head(connection).size
        for start in range(0, len(numbers), 500):
            wanted = {award(n).statement.hash: n for n in numbers[start : start + 500]}
            lists = {identity_of(award(n).statement)[0] for n in wanted.values()}
            query = select(entries.c.statement, entries.c.idx).where(
                entries.c.list.in_(lists), entries.c.statement.in_(list(wanted))
            )
            found: dict[int, list[int]] = {number: [] for number in wanted.values()}
            for row in connection.execute(query):
                found[wanted[bytes(row.statement)]].append(row.idx)
            missing += [
                number
                for number, places in found.items()
                if places != [acknowledged[number]] or places[0] >= size
            ]
    return missing


class Follower:
    """Follows a log from where it stood last time: entries, chain and tree, without signatures."""

    def __init__(self) -> None:
        self.tree = Frontier()
        self._leaf = bytes(32)

    def catch_up(self, engine: Engine) -> int:
        """Check what is new; how many entries that is."""
        before = self.tree.size
        with reading(engine) as connection:
            head = read_head(connection)
            assert head.size >= before, f"the log shrank from {before} to {head.size}"
            for data in read_entries(connection, before, head.size):
                start = b'{"index":%d,"prev":"%s",' % (self.tree.size, self._leaf.hex().encode())
                assert data.startswith(start), f"entry {self.tree.size} breaks the chain"
                self._leaf = leaf_hash(data)
                self.tree.append(self._leaf)
            past = select(func.count()).where(entries.c.idx >= head.size)
            assert connection.execute(past).scalar_one() == 0, "entries past the head"
        assert (self.tree.root, self._leaf) == (head.root, head.leaf), "the head is another tree's"
        return self.tree.size - before


def audited(engine: Engine, signing: Callable[[], object] | None = None) -> AuditReport:
    """The report of a full audit, passed, after a last checkpoint; the lots agree with the log."""
    (signing or checkpointer_on(engine).sign)()
    log = Log(engine)
    report = audit(log.entries(), log.checkpoints())
    assert report.passed, report.problems
    assert report.size == log.size()
    book = LotBook()
    for data in log.entries():
        book.take(Entry.parse(data))
    with reading(engine) as connection:
        stored = {row[0]: tuple(row) for row in connection.execute(select(lots_table))}
    assert stored == {name: lot_row(lot) for name, lot in book.lots.items()}
    return report


def sizes(notes: Iterable[str]) -> list[int]:
    """The sizes that signed checkpoints speak of, each signed by this log."""
    return [Checkpoint.parse(open_note(note, [VERIFIER]).text).size for note in notes]
