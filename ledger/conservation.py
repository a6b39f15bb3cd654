"""Conservation: what came into being is what there is and what was used, recomputed by anyone.

For each scheme, level and institution, at the end of the entries given:
awarded + born by conversion + transferred in = active + reserved + suspended + on their way +
expired + redeemed + converted + transferred out + revoked + superseded.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ledger.entry import Entry
from ledger.lots import Lot, LotBook, made_by
from ledger.standing import LotState

Key = tuple[str, str, str]
"""Scheme, level, and the DID of who keeps the lots."""

BIRTHS = ("awarded", "converted in", "transferred in")
STATES = (
    "active",
    "reserved",
    "suspended",
    "pending-out",
    "expired",
    "redeemed",
    "converted",
    "transferred",
    "revoked",
    "superseded",
)
_BORN = {"convert": "converted in", "transfer.in": "transferred in"}
_NO_CREDITS = ("confer", "transfer.refuse")


@dataclass
class Account:
    """One line of the statement: credits by how they came, and by where they stand."""

    born: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(BIRTHS, Decimal(0)))
    stand: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(STATES, Decimal(0)))

    @property
    def balances(self) -> bool:
        """Whether both sides come to the same."""
        return sum(self.born.values()) == sum(self.stand.values())


@dataclass(frozen=True)
class Conservation:
    """The statement after `size` entries, at `time`."""

    size: int
    time: str
    accounts: Mapping[Key, Account]

    @property
    def balances(self) -> bool:
        """Whether every line does."""
        return all(account.balances for account in self.accounts.values())


def conservation(entries: Iterable[bytes]) -> Conservation:
    """The statement over a whole log, from its entries alone.

    What came is summed as it comes, where it stands at the end; an entry that contradicts those
    before it raises Refused. Days are judged by the last entry's.
    """
    book, accounts = LotBook(), defaultdict[Key, Account](Account)
    size, time = 0, ""
    for data in entries:
        entry = Entry.parse(data)
        book.take(entry)
        made = made_by(entry)
        if made is not None and made.kind not in _NO_CREDITS:
            born = accounts[_key(made)].born
            born[_BORN.get(made.kind, "awarded")] += Decimal(made.facts.credits)
        size, time = entry.index + 1, entry.time
    for lot in book.lots.values():
        if lot.kind not in _NO_CREDITS:
            accounts[_key(lot)].stand[_state(lot, time)] += Decimal(lot.facts.credits)
    return Conservation(size, time, dict(sorted(accounts.items())))


def _key(lot: Lot) -> Key:
    return lot.facts.scheme, lot.facts.level, lot.standing.keeper


def _state(lot: Lot, time: str) -> str:
    state = lot.standing.at(time)
    if state is LotState.ACTIVE and lot.standing.expired(time[:10]):
        return "expired"
    return state.value
