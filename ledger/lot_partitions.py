"""Credit lots of an audit, folded in flat memory: a lot's events concern that lot alone.

What happens to a lot is written, as the log is read, to the partition its name belongs to;
at the end each partition is folded by itself. Partitions grow on disk, not in memory.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from struct import Struct
from typing import IO

from keys import b64u_decode, b64u_encode
from ledger.award_run import AwardRun
from ledger.body import GOVERNANCE_TYPES, STATUS_LIST_LENGTH
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.lots import (
    LotState,
    Slot,
    awarded_already,
    concerns_lot,
    lot_name,
    missing,
    move,
    slot_of,
    slot_taken,
)

_PARTITIONS = 256
_IN_MEMORY = 256 * 1024
_BUFFER = 16 * 1024
_NAME = Struct(">16s")
_RECORD = Struct(">QIB")
"""An entry's index, its author, and what it says of the lot."""
_KINDS = ("award", "suspend", "reinstate", "revoke")
_CODES = {kind: code for code, kind in enumerate(_KINDS)}


class LotPartitions:
    """All lots of an audit; close it to let go of its files."""

    def __init__(self) -> None:
        self._files = ExitStack()
        self._parts = [_Partition(self._files) for _ in range(_PARTITIONS)]
        self._authors: dict[str, int] = {}
        self._taken: dict[int, bytearray] = {}
        self._slot_faults: dict[int, str] = {}
        self._count = 0

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
        name = b64u_decode(lot_name(statement), 16)
        self._record(name, entry.index, self._author(statement.author), _CODES[statement.kind])
        if statement.kind == "award":
            slot = slot_of(statement)
            self._take_slot(entry.index, slot.list, slot.index)

    def take_run(self, run: AwardRun) -> None:
        """Take in a run of awards, their authority checked before."""
        authors = [self._author(author) for author in run.authors]
        names, index = run.names, run.start
        for place, author, number, slot in zip(
            range(0, len(names), 16), run.author_of, run.lists, run.slots, strict=True
        ):
            self._record(names[place : place + 16], index, authors[author], 0)
            self._take_slot(index, number, slot)
            index += 1

    def faults(self) -> Iterator[tuple[int, str, str]]:
        """Index, kind and what is wrong of each entry that contradicts those before it."""
        for part in self._parts:
            yield from self._fold(part)
        for index, fault in self._slot_faults.items():
            yield index, "award", fault

    def _author(self, did: str) -> int:
        return self._authors.setdefault(did, len(self._authors))

    def _record(self, name: bytes, index: int, author: int, code: int) -> None:
        # By a hash nobody can foresee: names are chosen by whoever awards.
        part = self._parts[hash(name) % _PARTITIONS]
        part.names += name
        part.records += _RECORD.pack(index, author, code)
        part.events = part.events or code > 0
        if len(part.names) >= _BUFFER:
            part.spill()

    def _take_slot(self, index: int, number: int, slot: int) -> None:
        bits = self._taken.get(number)
        if bits is None:
            bits = self._taken[number] = bytearray(STATUS_LIST_LENGTH // 8)
        mask = 1 << (slot & 7)
        if bits[slot >> 3] & mask:
            self._slot_faults[index] = str(slot_taken(Slot(number, slot)))
        bits[slot >> 3] |= mask

    def _fold(self, part: "_Partition") -> Iterator[tuple[int, str, str]]:
        names = [name for (name,) in _NAME.iter_unpack(part.all_names())]
        distinct = len(set(names))
        if distinct == len(names) and not part.events and not self._slot_faults:
            self._count += distinct
            return
        authors = list(self._authors)
        states: dict[bytes, tuple[int, LotState]] = {}
        records = _RECORD.iter_unpack(part.all_records())
        for name, (index, author, code) in zip(names, records, strict=True):
            kind, known = _KINDS[code], states.get(name)
            if kind == "award":
                if known is not None:
                    # Whatever is wrong with its slot as well follows from this.
                    self._slot_faults.pop(index, None)
                    yield index, kind, str(awarded_already(b64u_encode(name)))
                elif index not in self._slot_faults:
                    states[name] = (author, LotState.ACTIVE)
            elif known is None:
                yield index, kind, str(missing(b64u_encode(name)))
            else:
                owner, state = known
                try:
                    after = move(b64u_encode(name), state, authors[owner], authors[author], kind)
                    states[name] = (owner, after)
                except Refused as error:
                    yield index, kind, str(error)
        self._count += len(states)


@dataclass(slots=True)
class _Partition:
    files: ExitStack
    names: bytearray = field(default_factory=bytearray)
    records: bytearray = field(default_factory=bytearray)
    events: bool = False
    """Whether there is anything but awards."""
    _names: IO[bytes] | None = None
    _records: IO[bytes] | None = None

    def spill(self) -> None:
        if self._names is None or self._records is None:
            self._names, self._records = self._file(), self._file()
        self._names.write(self.names)
        self._records.write(self.records)
        self.names.clear()
        self.records.clear()

    def all_names(self) -> bytes:
        return _whole(self._names) + self.names

    def all_records(self) -> bytes:
        return _whole(self._records) + self.records

    def _file(self) -> IO[bytes]:
        made = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        return self.files.enter_context(made)


def _whole(file: IO[bytes] | None) -> bytes:
    if file is None:
        return b""
    file.seek(0)
    return file.read()
