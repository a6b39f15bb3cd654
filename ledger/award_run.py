"""Runs of awards: what an audit needs to know of many good awards in a row, in little room.

Nearly every entry is an award by a member in good standing. A worker reads a stretch of
entries, checks what can be checked of each alone, and hands on a run; whatever is anything
else, or in any way wrong, it hands on as it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from keys import KeysError, PublicKey
from ledger.award_entry import AwardFields, b64, read_award_fields, signed_award
from ledger.entry import MAX_BYTES, Entry
from ledger.errors import LedgerError
from ledger.standing import digest_of
from ledger.statement import SignedStatement, signed_message
from ledger.tree import leaf_hash

NO_DAY = bytes(10)
"""Where a lot has no last day."""


@dataclass(slots=True)
class AwardRun:
    """Consecutive award entries: well formed, chained to one another, their signatures good."""

    start: int
    prev: bytes
    """What the first of them is chained to, 32 bytes."""
    first: str
    last: str
    """The times of the first and the last."""
    leaves: list[bytes] = field(default_factory=list)
    cases: list[tuple[SignedStatement, str]] = field(default_factory=list)
    """One award, with its time, for each case that authority could decide differently."""
    authors: list[str] = field(default_factory=list)
    author_of: list[int] = field(default_factory=list)
    """For each award, the position of its author in `authors`."""
    names: bytes = b""
    """The lots, 16 bytes each."""
    digests: bytes = b""
    """Of the lots' facts, 16 bytes each."""
    expiries: bytes = b""
    """The lots' last days, 10 bytes each, zero where they have none."""
    lists: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.leaves)


@dataclass(frozen=True, slots=True)
class Other:
    """An entry that is no part of a run; `fault` is what is wrong with its signatures."""

    data: bytes
    fault: str | None


Piece = AwardRun | Other


def read_pieces(entries: Sequence[bytes], signatures: bool = True) -> list[Piece]:
    """The runs of awards among `entries`, and what stands between them, in order.

    Without `signatures` those are taken to be good.
    """
    return _Reader(signatures).read(entries)


def signature_fault(signed: SignedStatement) -> str | None:
    """What is wrong with a statement's signatures, or None."""
    try:
        signed.verify()
    except LedgerError as error:
        return str(error)
    return None


class _Case(NamedTuple):
    """What awards of one case have in common: the place of their author, and their lots' facts."""

    author: int
    digest: bytes
    expires: bytes


class _Reader:
    def __init__(self, signatures: bool) -> None:
        self._signatures = signatures
        self._pieces: list[Piece] = []
        self._run: AwardRun | None = None
        self._names: list[bytes] = []
        self._digests: list[bytes] = []
        self._expiries: list[bytes] = []
        self._cases: dict[tuple[str | None, ...], _Case] = {}

    def read(self, entries: Sequence[bytes]) -> list[Piece]:
        for data in entries:
            award = read_award_fields(data) if len(data) < MAX_BYTES else None
            if award is None or not self._take(award, data):
                self._end()
                self._pieces.append(Other(data, _fault_in(data) if self._signatures else None))
        self._end()
        return self._pieces

    def _take(self, award: AwardFields, data: bytes) -> bool:
        """Take an award into the run, or into a new one; False where it has to be looked at."""
        if self._signatures and not _is_signed(award):
            return False
        index, prev = int(award.place), bytes.fromhex(award.prev)
        run = self._run
        if (
            run is None
            or index != run.start + len(run)
            or prev != run.leaves[-1]
            or award.time < run.last
        ):
            self._end()
            run = self._run = AwardRun(index, prev, award.time, award.time)
        run.last = award.time
        run.leaves.append(leaf_hash(data))
        what = (award.author, award.unit, award.credits, award.scheme, award.level)
        known = (*what, award.key, award.expires, award.time[:10])
        case = self._cases.get(known)
        if case is None:
            case = self._cases[known] = self._case(run, award)
        run.author_of.append(case.author)
        self._digests.append(case.digest)
        self._expiries.append(case.expires)
        self._names.append(b64(award.lot))
        run.lists.append(int(award.status_list))
        run.slots.append(int(award.slot))
        return True

    def _case(self, run: AwardRun, award: AwardFields) -> "_Case":
        run.cases.append((signed_award(award), award.time))
        if award.author not in run.authors:
            run.authors.append(award.author)
        expires = award.expires or ""
        what = (award.author, award.unit, award.credits, award.scheme, award.level)
        digest = digest_of(*what, award.time[:10], expires, "0")
        return _Case(run.authors.index(award.author), digest, expires.encode() or NO_DAY)

    def _end(self) -> None:
        if self._run is not None:
            self._run.names = b"".join(self._names)
            self._run.digests = b"".join(self._digests)
            self._run.expiries = b"".join(self._expiries)
            self._pieces.append(self._run)
        self._run = None
        self._names, self._digests, self._expiries = [], [], []
        self._cases = {}


def _is_signed(award: AwardFields) -> bool:
    try:
        key = PublicKey.from_multikey(award.key)
        key.verify(signed_message(award.statement.encode()), b64(award.signature))
    except KeysError:
        return False
    return True


def _fault_in(data: bytes) -> str | None:
    try:
        return signature_fault(Entry.parse(data).signed)
    except LedgerError:
        return None  # Whoever takes the entry will find that it is none, and say it.
