"""Credit lots of an audit, folded in flat memory: a lot's events concern that lot alone.

What happens to a lot is written, as the log is read, to the partition its name belongs to;
at the end each partition is folded by itself. Partitions grow on disk, not in memory.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from heapq import merge
from operator import itemgetter
from struct import Struct
from typing import IO

from keys import Json, b64u_decode, b64u_encode, encode, parse
from ledger.award_run import NO_DAY, AwardRun
from ledger.body import GOVERNANCE_TYPES, STATUS_LIST_LENGTH
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.lot_map import BUCKETS, LEAF, LotRecord, bucket_of, bucket_subtree, root_of
from ledger.lots import (
    Slot,
    awarded_already,
    concerns_lot,
    made_by,
    missing,
    moved_by,
    slot_of,
    slot_taken,
)
from ledger.standing import Event, LotState, Standing, move

_PARTITIONS = 256
_IN_MEMORY = 256 * 1024
_BUFFER = 16 * 1024
_MOST_WAITING = 32_768
"""Records of new lots that wait, to be put into their partitions together."""
_RECORD = Struct(">16sQIB16s10s")
"""A new lot: its name, entry, keeper, state, facts' digest and last day."""
_Birth = tuple[bytes, int, int, int, bytes, bytes]
_LENGTH = Struct(">I")
_STATES = (LotState.ACTIVE, LotState.CONFERRED, LotState.REFUSED)


class LotPartitions:
    """All lots of an audit; close it to let go of its files."""

    def __init__(self) -> None:
        self._files = ExitStack()
        self._parts = [_Partition(self._files) for _ in range(_PARTITIONS)]
        self._fresh: list[list[bytes]] = [[] for _ in range(_PARTITIONS)]
        self._waiting = 0
        self._authors: dict[str, int] = {}
        self._taken: dict[int, bytearray] = {}
        self._slot_faults: dict[int, str] = {}
        self._count = 0
        self._size: int | None = None
        self._leaves = [_Spool(self._files) for _ in range(_PARTITIONS)]

    def close(self) -> None:
        """Delete the files."""
        self._files.close()

    def __len__(self) -> int:
        """How many lots there are, once `faults` was read to its end."""
        return self._count

    def take(self, entry: Entry) -> None:
        """Take in one entry, its authority checked before."""
        statement = entry.signed.statement
        if statement.kind in GOVERNANCE_TYPES or not concerns_lot(statement.kind):
            return
        event, made = moved_by(entry), made_by(entry)
        if event is not None:
            self._part(b64u_decode(event.lot, 16)).happened(event)
        if made is not None:
            name, standing = b64u_decode(made.lot, 16), made.standing
            state = _STATES.index(standing.state)
            keeper, day = self._author(standing.keeper), standing.expires.encode() or NO_DAY
            record = _RECORD.pack(name, entry.index, keeper, state, standing.digest, day)
            self._fresh[hash(name) % _PARTITIONS].append(record)
        slot = slot_of(statement)
        if slot is not None:
            self._take_slot(entry.index, slot.list, slot.index)

    def take_run(self, run: AwardRun) -> None:
        """Take in a run of awards, their authority checked before."""
        authors = [self._author(author) for author in run.authors]
        names, digests, days = run.names, run.digests, run.expiries
        index, place, day = run.start, 0, 0
        pack, fresh = _RECORD.pack, self._fresh
        for author, number, slot in zip(run.author_of, run.lists, run.slots, strict=True):
            name = names[place : place + 16]
            digest = digests[place : place + 16]
            record = pack(name, index, authors[author], 0, digest, days[day : day + 10])
            fresh[hash(name) % _PARTITIONS].append(record)
            self._take_slot(index, number, slot)
            index, place, day = index + 1, place + 16, day + 10
        self._waiting += len(run)
        if self._waiting >= _MOST_WAITING:
            self._settle()

    def _settle(self) -> None:
        """Put the records that wait into their partitions."""
        for part, records in zip(self._parts, self._fresh, strict=True):
            part.made(b"".join(records))
            records.clear()
        self._waiting = 0

    def map_at(self, size: int) -> None:
        """Have the map of lots made as it was after `size` entries, while `faults` is read."""
        self._size = size

    def map_root(self) -> bytes:
        """The root of the map that was asked for, once `faults` was read to its end."""
        buckets = []
        for spool in self._leaves:
            leaves = spool.all()
            parts: list[bytearray] = [bytearray() for _ in range(BUCKETS // _PARTITIONS)]
            for start in range(0, len(leaves), LEAF):
                leaf = leaves[start : start + LEAF]
                parts[bucket_of(leaf) % len(parts)] += leaf
            buckets += [bucket_subtree(bytes(part)) for part in parts]
        return root_of(buckets)

    def faults(self) -> Iterator[tuple[int, str, str]]:
        """Index, kind and what is wrong of each entry that contradicts those before it."""
        self._settle()
        for part in self._parts:
            yield from self._fold(part)
        for index, fault in self._slot_faults.items():
            yield index, "award", fault

    def _author(self, did: str) -> int:
        return self._authors.setdefault(did, len(self._authors))

    def _part(self, name: bytes) -> "_Partition":
        # By a hash nobody can foresee: names are chosen by whoever awards.
        return self._parts[hash(name) % _PARTITIONS]

    def _take_slot(self, index: int, number: int, slot: int) -> None:
        bits = self._taken.get(number)
        if bits is None:
            bits = self._taken[number] = bytearray(STATUS_LIST_LENGTH // 8)
        mask = 1 << (slot & 7)
        if bits[slot >> 3] & mask:
            self._slot_faults[index] = str(slot_taken(Slot(number, slot)))
        bits[slot >> 3] |= mask

    def _fold(self, part: "_Partition") -> Iterator[tuple[int, str, str]]:
        records: list[_Birth] = list(_RECORD.iter_unpack(part.records()))
        distinct = len({record[0] for record in records})
        events = part.events()
        quick = self._size is None and not events and not self._slot_faults
        if distinct == len(records) and quick:
            self._count += distinct
            return
        authors = list(self._authors)
        lots: dict[str, Standing] = {}
        births: Iterator[tuple[int, _Birth | Event]] = ((birth[1], birth) for birth in records)
        moves: Iterator[tuple[int, _Birth | Event]] = ((event.index, event) for event in events)
        mapped = self._size is None
        for index, item in merge(births, moves, key=itemgetter(0)):
            if not mapped and self._size is not None and index >= self._size:
                self._map(lots)
                mapped = True
            try:
                if isinstance(item, Event):
                    _move(lots, item)
                else:
                    self._bear(lots, authors, item)
            except Refused as error:
                yield index, item.kind if isinstance(item, Event) else "award", str(error)
        if not mapped:
            self._map(lots)
        self._count += len(lots)

    def _map(self, lots: dict[str, Standing]) -> None:
        for name, standing in lots.items():
            leaf = LotRecord.of(name, standing).leaf
            self._leaves[leaf[0]].write(leaf)

    def _bear(self, lots: dict[str, Standing], authors: list[str], birth: _Birth) -> None:
        raw, index, keeper, state, digest, day = birth
        name = b64u_encode(raw)
        if name in lots:
            # Whatever is wrong with its slot as well follows from this.
            self._slot_faults.pop(index, None)
            raise awarded_already(name)
        if index not in self._slot_faults:
            expires = "" if day == NO_DAY else day.decode()
            lots[name] = Standing(authors[keeper], _STATES[state], digest, expires)


def _move(lots: dict[str, Standing], event: Event) -> None:
    known = lots.get(event.lot)
    if known is None:
        raise missing(event.lot)
    lots[event.lot] = move(known, event)


@dataclass(slots=True)
class _Partition:
    files: ExitStack
    _born: "_Spool" = field(init=False)
    _moved: "_Spool" = field(init=False)

    def __post_init__(self) -> None:
        self._born, self._moved = _Spool(self.files), _Spool(self.files)

    def made(self, record: bytes) -> None:
        self._born.write(record)

    def happened(self, event: Event) -> None:
        value: list[Json] = [event.lot, event.kind, event.author, dict(event.body)]
        data = encode([*value, event.index, event.time])
        self._moved.write(_LENGTH.pack(len(data)) + data)

    def records(self) -> bytes:
        return self._born.all()

    def events(self) -> list[Event]:
        data, found, place = self._moved.all(), [], 0
        while place < len(data):
            (length,) = _LENGTH.unpack_from(data, place)
            place += _LENGTH.size
            found.append(_event(parse(data[place : place + length])))
            place += length
        return found


class _Spool:
    """Bytes in order of writing, on disk once there are many."""

    def __init__(self, files: ExitStack) -> None:
        self._files = files
        self._buffer = bytearray()
        self._file: IO[bytes] | None = None

    def write(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= _BUFFER:
            if self._file is None:
                made = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
                self._file = self._files.enter_context(made)
            self._file.write(self._buffer)
            self._buffer.clear()

    def all(self) -> bytes:
        if self._file is None:
            return bytes(self._buffer)
        self._file.seek(0)
        return self._file.read() + self._buffer


def _event(value: Json) -> Event:
    if not isinstance(value, list):
        raise TypeError("a spooled event is a list")
    lot, kind, author, body, index, time = value
    if not isinstance(body, dict):
        raise TypeError("a spooled event has its body in the fourth place")
    return Event(str(lot), str(kind), str(author), body, int(str(index)), str(time))
