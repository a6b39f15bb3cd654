"""Entries: a signed statement at its place in the log, chained to the one before.

An entry is the exact JCS of `{index, prev, signatures, statement, time}`. `prev` is the
leaf hash of the entry before, so that chain and tree are bound by the same leaves.
"""

import re
from dataclasses import dataclass

from keys import KeysError, parse_exact
from ledger.award_entry import read_award_entry
from ledger.clock import parse_time
from ledger.errors import BadEntry, BadStatement
from ledger.statement import SignedStatement
from ledger.tree import leaf_hash

GENESIS = bytes(32)
"""`prev` of the first entry."""
MAX_BYTES = 65_535
"""An entry bundle (C2SP tlog-tiles) gives each entry's length 16 bits."""

_FIELDS = {"index", "prev", "signatures", "statement", "time"}
_HEX = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the log. `prev` is 32 bytes, `time` as `ledger.clock` spells it."""

    index: int
    prev: bytes
    time: str
    signed: SignedStatement
    data: bytes
    """The entry's exact bytes."""

    @classmethod
    def make(cls, index: int, prev: bytes, time: str, signed: SignedStatement) -> "Entry":
        """The entry of `signed` at `index` after the leaf hash `prev`."""
        # In the order of names the signatures and the statement stand together, as submitted.
        data = b'{"index":%d,"prev":"%b",%b,"time":"%b"}' % (
            index,
            prev.hex().encode(),
            signed.data[1:-1],
            time.encode(),
        )
        if len(data) >= MAX_BYTES:
            raise BadStatement(f"the entry would have {len(data)} bytes, over {MAX_BYTES - 1}")
        return cls(index, prev, time, signed, data)

    @classmethod
    def parse(cls, data: bytes) -> "Entry":
        """The entry of its exact bytes; BadEntry if they are not canonical or not an entry."""
        award = read_award_entry(data) if len(data) < MAX_BYTES else None
        if award is not None:
            return cls(*award, data)
        return cls._parse_any(data)

    @classmethod
    def _parse_any(cls, data: bytes) -> "Entry":
        try:
            value = parse_exact(data, limit=MAX_BYTES - 1, depth=12)
        except KeysError as error:
            raise BadEntry(f"the entry: {error}") from error
        if not isinstance(value, dict) or set(value) != _FIELDS:
            raise BadEntry(f"an entry has the fields {', '.join(sorted(_FIELDS))}")
        index, prev, time = value["index"], value["prev"], value["time"]
        if type(index) is not int or index < 0:
            raise BadEntry("an entry's index is a whole number from 0")
        if not isinstance(prev, str) or not _HEX.match(prev):
            raise BadEntry(f"entry {index}: prev is not 64 hexadecimal digits")
        if not isinstance(time, str):
            raise BadEntry(f"entry {index}: its time is not text")
        try:
            parse_time(time)
            signed = SignedStatement.from_json(
                {"signatures": value["signatures"], "statement": value["statement"]}
            )
        except BadStatement as error:
            raise BadEntry(f"entry {index}: {error}") from error
        return cls(index, bytes.fromhex(prev), time, signed, data)

    @property
    def leaf(self) -> bytes:
        """The leaf hash, 32 bytes."""
        return leaf_hash(self.data)
