"""A journal: a small log of records in the database that it speaks about, checkpointed at once.

Each record is the exact JCS of `{act, facts, index, prev, time}`, chained and Merkle-treed as the
entries of the log are, under an origin of its own. It is written, and the checkpoint that reaches
it signed, within the transaction of what it records: there is never one without the other.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from keys import Json, KeysError, Signer, encode, parse_exact
from ledger.checkpoint import Checkpoint
from ledger.clock import parse_time
from ledger.cosignature import Cosigner, cosign_all
from ledger.errors import BadEntry, LedgerError, NotFound
from ledger.note import ED25519, VerifierKey, open_note, sign_note
from ledger.store import journal, journal_checkpoints, journal_head
from ledger.tree import Frontier, leaf_hash

_FIELDS = {"act", "facts", "index", "prev", "time"}
_MAX_BYTES = 4096
_ACT = re.compile(r"[a-z][a-z.-]{0,40}\Z", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9._:@/-]{0,128}\Z", re.ASCII)
_HASH = 32

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Record:
    """One record. Facts are words without blanks and whole numbers: nobody's name fits in."""

    index: int
    prev: bytes
    time: str
    act: str
    facts: Facts
    data: bytes
    """Its exact bytes."""

    @classmethod
    def make(cls, index: int, prev: bytes, time: str, act: str, facts: Facts) -> "Record":
        """The record at `index` after the leaf hash `prev`; BadEntry where a fact is no word."""
        plain: dict[str, Json] = dict(facts)
        _check(index, act, plain, time)
        value: dict[str, Json] = {
            "act": act,
            "facts": plain,
            "index": index,
            "prev": prev.hex(),
            "time": time,
        }
        return cls(index, prev, time, act, facts, encode(value))

    @classmethod
    def parse(cls, data: bytes) -> "Record":
        """The record of its exact bytes; BadEntry if they are not canonical or none."""
        try:
            value = parse_exact(data, limit=_MAX_BYTES)
        except KeysError as error:
            raise BadEntry(f"the record: {error}") from error
        if not isinstance(value, dict) or set(value) != _FIELDS:
            raise BadEntry(f"a record has the fields {', '.join(sorted(_FIELDS))}")
        index, act, facts, prev, time = (
            value[name] for name in ("index", "act", "facts", "prev", "time")
        )
        if type(index) is not int or not isinstance(act, str) or not isinstance(time, str):
            raise BadEntry("a record's index is a number, its act and time are text")
        if not isinstance(prev, str) or not isinstance(facts, dict):
            raise BadEntry(f"record {index}: its prev is text and its facts an object")
        words = _check(index, act, facts, time)
        try:
            return cls(index, bytes.fromhex(prev), time, act, words, data)
        except ValueError:
            raise BadEntry(f"record {index}: its prev is not hexadecimal") from None


class Journal:
    """Writes records under an origin, with the keys of the log beside which it is kept."""

    def __init__(self, origin: str, signer: Signer, cosigners: Sequence[Cosigner]) -> None:
        self.origin = origin
        self._signer = signer
        self._cosigners = cosigners
        own = VerifierKey(origin, ED25519, signer.public_key.raw)
        self.keys = (own, *(cosigner.key for cosigner in cosigners))

    def append(self, connection: Connection, act: str, facts: Facts, time: str) -> Record:
        """Write a record within a transaction, and the checkpoint that reaches it."""
        # Held until the transaction ends, and asked for last in every one: so none waits in a ring.
        head = connection.execute(select(journal_head).with_for_update()).one()
        record = Record.make(head.size, bytes(head.leaf), max(time, head.time), act, facts)
        leaf = leaf_hash(record.data)
        tree = Frontier(head.size, _peaks(bytes(head.peaks)))
        tree.append(leaf)
        values = {"idx": record.index, "act": act, "data": record.data}
        connection.execute(journal.insert().values(**values))
        connection.execute(
            journal_head.update().values(
                size=tree.size, leaf=leaf, time=record.time, peaks=b"".join(tree.peaks)
            )
        )
        text = Checkpoint(self.origin, tree.size, tree.root).text
        note = sign_note(text, self.origin, self._signer)
        note += cosign_all(self._cosigners, text, int(parse_time(record.time).timestamp()))
        connection.execute(journal_checkpoints.insert().values(size=tree.size, note=note))
        return record


@dataclass(frozen=True, slots=True)
class JournalReport:
    """What was found in a journal; `problems` are sentences, none where all is well."""

    size: int
    root: bytes
    problems: tuple[str, ...]


def records(connection: Connection, before: int, count: int) -> list[Record]:
    """At most `count` records that stand before one, the newest first."""
    query = select(journal.c.data).where(journal.c.idx < before)
    rows = connection.execute(query.order_by(journal.c.idx.desc()).limit(count))
    return [Record.parse(bytes(row.data)) for row in rows]


def latest(connection: Connection, act: str) -> Record | None:
    """The newest record of an act, or None."""
    query = select(journal.c.data).where(journal.c.act == act)
    row = connection.execute(query.order_by(journal.c.idx.desc()).limit(1)).first()
    return None if row is None else Record.parse(bytes(row.data))


def journal_checkpoint(connection: Connection) -> str:
    """The signed checkpoint that reaches the newest record; NotFound before the first."""
    query = select(journal_checkpoints.c.note).order_by(journal_checkpoints.c.size.desc()).limit(1)
    note = connection.execute(query).scalar_one_or_none()
    if note is None:
        raise NotFound("nothing was recorded yet")
    return str(note)


def audit_journal(
    connection: Connection, keys: Sequence[VerifierKey], known: Iterable[str] = ()
) -> JournalReport:
    """Recheck every record, the chain, and that each size has one checkpoint signed by `keys`.

    `known` are checkpoints seen before, kept by somebody else: this journal must continue them.
    """
    problems: list[str] = []
    tree, prev, time = Frontier(), bytes(_HASH), ""
    roots = [tree.root]
    for place, row in enumerate(connection.execute(select(journal).order_by(journal.c.idx))):
        data = bytes(row.data)
        try:
            record = Record.parse(data)
            if (row.idx, record.index, record.prev, row.act) != (place, place, prev, record.act):
                raise BadEntry("it does not continue the record before it")
            if record.time < time:
                raise BadEntry("its time lies before that of the record before it")
            time = record.time
        except BadEntry as error:
            problems.append(f"record {place}: {error}")
        prev = leaf_hash(data)
        tree.append(prev)
        roots.append(tree.root)
    notes = [row.note for row in connection.execute(select(journal_checkpoints.c.note))]
    sizes = [_check_note(note, keys, roots, problems) for note in notes]
    if sorted(sizes) != list(range(1, tree.size + 1)):
        problems.append(f"{tree.size} records have not one checkpoint each, but {len(notes)}")
    head = connection.execute(select(journal_head)).one()
    if (head.size, bytes(head.leaf), bytes(head.peaks)) != (tree.size, prev, b"".join(tree.peaks)):
        problems.append(f"the head speaks of {head.size} records, or of others than there are")
    for note in known:
        _check_note(note, keys, roots, problems)
    return JournalReport(tree.size, tree.root, tuple(problems))


def _check_note(
    note: str, keys: Sequence[VerifierKey], roots: Sequence[bytes], problems: list[str]
) -> int:
    """The size that a checkpoint speaks of, -1 where it is none of ours."""
    try:
        opened = open_note(note, keys)
        checkpoint = Checkpoint.parse(opened.text)
    except LedgerError as error:
        problems.append(str(error))
        return -1
    size = checkpoint.size
    if checkpoint.origin != keys[0].name or len(opened.signatures) < len(keys):
        problems.append(f"the checkpoint of {size} records is not signed by this journal's keys")
    elif size >= len(roots):
        problems.append(f"{size} records were signed for once, and {len(roots) - 1} are here")
    elif roots[size] != checkpoint.root:
        problems.append(f"the checkpoint of {size} records was signed over others than these")
    return size


def _peaks(data: bytes) -> list[bytes]:
    return [data[start : start + _HASH] for start in range(0, len(data), _HASH)]


def _check(index: int, act: str, facts: Mapping[str, Json], time: str) -> dict[str, str | int]:
    if not _ACT.match(act):
        raise BadEntry(f"record {index}: {act[:40]!r} is not the name of an act")
    try:
        parse_time(time)
    except LedgerError as error:
        raise BadEntry(f"record {index}: {error}") from error
    words: dict[str, str | int] = {}
    for name, value in facts.items():
        if (type(value) is int and abs(value) < 2**53) or (
            isinstance(value, str) and _WORD.match(value)
        ):
            words[name] = value
        else:
            raise BadEntry(f"record {index}: {name} is neither a word nor a number")
    return words
