"""Conservation: what came into being is what there is and what was used, recomputed by anyone.

For each scheme, level and institution, at the end of the entries given:
awarded + born by conversion + transferred in = active + reserved + suspended + on their way +
expired + redeemed + converted + transferred out + revoked + superseded.
"""

from collections import Counter, defaultdict
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
    born_lots: Counter[str] = field(default_factory=Counter)
    """How many lots are behind each sum, so that small ones need not be published."""
    stand_lots: Counter[str] = field(default_factory=Counter)

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


class Conserving:
    """Follows a log entry by entry, and makes the statement where it has come to."""

    def __init__(self) -> None:
        self._book = LotBook()
        self._born: defaultdict[Key, Account] = defaultdict(Account)
        self._size, self._time = 0, ""

    def take(self, entry: Entry) -> None:
        """The next entry; Refused where it contradicts those before."""
        self._book.take(entry)
        made = made_by(entry)
        if made is not None and made.kind not in _NO_CREDITS:
            account, way = self._born[_key(made)], _BORN.get(made.kind, "awarded")
            account.born[way] += Decimal(made.facts.credits)
            account.born_lots[way] += 1
        self._size, self._time = entry.index + 1, entry.time

    def statement(self) -> Conservation:
        """The statement after what was taken; days are judged by the last entry's."""
        accounts = defaultdict[Key, Account](Account)
        for key, account in self._born.items():
            accounts[key] = Account(born=dict(account.born), born_lots=account.born_lots.copy())
        for lot in self._book.lots.values():
            if lot.kind not in _NO_CREDITS:
                account, state = accounts[_key(lot)], _state(lot, self._time)
                account.stand[state] += Decimal(lot.facts.credits)
                account.stand_lots[state] += 1
        return Conservation(self._size, self._time, dict(sorted(accounts.items())))


def conservation(entries: Iterable[bytes]) -> Conservation:
    """The statement over a whole log, from its entries alone.

    What came is summed as it comes, where it stands at the end; an entry that contradicts those
    before it raises Refused.
    """
    following = Conserving()
    for data in entries:
        following.take(Entry.parse(data))
    return following.statement()


def _key(lot: Lot) -> Key:
    return lot.facts.scheme, lot.facts.level, lot.standing.keeper


def _state(lot: Lot, time: str) -> str:
    state = lot.standing.at(time)
    if state is LotState.ACTIVE and lot.standing.expired(time[:10]):
        return "expired"
    return state.value
