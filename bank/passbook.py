"""A learner's statement of account: every movement, the running balance, what expires when.

Pure: made of the lots alone, in time that grows with their number and not with the ledger's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter

from keys import Json
from ledger import Lot, LotState
from ledger.standing import CONSUMED

_CREDITED = {
    "award": "awarded",
    "convert": "converted here",
    "rpl": "recognised as prior learning",
    "supersede": "corrected",
    "transfer.in": "transferred in",
}
_DEBITED = {
    LotState.REDEEMED: "redeemed",
    LotState.CONVERTED: "converted elsewhere",
    LotState.TRANSFERRED: "transferred out",
    LotState.SUPERSEDED: "replaced by a correction",
    LotState.REVOKED: "revoked",
}
_UNDER_WAY = (LotState.RESERVED, LotState.SUSPENDED, LotState.PENDING_OUT)

Key = tuple[str, str]
"""Scheme and level."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Credits that came or went. `entry` is None of an expiry, which is no event of the log."""

    day: str
    entry: int | None
    kind: str
    lot: str
    institution: str
    unit: str
    scheme: str
    level: str
    credits: Decimal
    """Below zero where they went."""
    balance: Decimal
    """Of this scheme and level, after it."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What is held of one scheme and level, and how much of it cannot be used just now."""

    scheme: str
    level: str
    held: Decimal
    held_back: Mapping[str, Decimal]
    """By state: `reserved`, `suspended`, `pending-out`."""

    @property
    def usable(self) -> Decimal:
        """What can be used now."""
        return self.held - sum(self.held_back.values(), Decimal(0))


@dataclass(frozen=True, slots=True)
class Expiry:
    """Credits held that lapse after a day."""

    day: str
    lot: str
    unit: str
    scheme: str
    level: str
    credits: Decimal


@dataclass(frozen=True, slots=True)
class Passbook:
    """Movements in order, balances by scheme and level, and what expires, the soonest first."""

    movements: tuple[Movement, ...]
    balances: tuple[Balance, ...]
    expiring: tuple[Expiry, ...]

    def to_json(self) -> dict[str, Json]:
        """For programs; amounts are decimals as text."""
        movements: list[Json] = [
            {
                "balance": plain(one.balance),
                "credits": plain(one.credits),
                "day": one.day,
                "entry": one.entry,
                "institution": one.institution,
                "kind": one.kind,
                "level": one.level,
                "lot": one.lot,
                "scheme": one.scheme,
                "unit": one.unit,
            }
            for one in self.movements
        ]
        balances: list[Json] = [
            {
                "held": plain(one.held),
                "held_back": {state: plain(n) for state, n in one.held_back.items()},
                "level": one.level,
                "scheme": one.scheme,
                "usable": plain(one.usable),
            }
            for one in self.balances
        ]
        expiring: list[Json] = [
            {
                "credits": plain(one.credits),
                "day": one.day,
                "level": one.level,
                "lot": one.lot,
                "scheme": one.scheme,
                "unit": one.unit,
            }
            for one in self.expiring
        ]
        return {"balances": balances, "expiring": expiring, "movements": movements}


def closing_entry(lot: Lot) -> int | None:
    """The entry by which a lot's credits went, or None."""
    if lot.state in CONSUMED:
        return lot.standing.consumed
    return lot.changed if lot.state is LotState.REVOKED else None


def passbook(lots: Iterable[Lot], days: Mapping[int, str], time: str) -> Passbook:
    """The passbook of these lots as of `time`; `days` has the day of each closing entry.

    Qualifications are no credits, and are left out.
    """
    found = [lot for lot in lots if lot.kind in _CREDITED]
    moves = sorted(
        (move for lot in found for move in _moves(lot, days, time[:10])),
        key=lambda one: (one.day, one.entry is None, one.entry or 0, one.credits),
    )
    held: defaultdict[Key, Decimal] = defaultdict(Decimal)
    movements = []
    for move in moves:
        key = (move.scheme, move.level)
        held[key] += move.credits
        movements.append(_with_balance(move, held[key]))
    back: defaultdict[Key, dict[str, Decimal]] = defaultdict(dict)
    expiring = []
    for lot in found:
        standing, facts = lot.standing, lot.facts
        if closing_entry(lot) is not None or standing.expired(time[:10]):
            continue
        key, credits = (facts.scheme, facts.level), Decimal(facts.credits)
        state = standing.at(time)
        if state in _UNDER_WAY:
            back[key][state.value] = back[key].get(state.value, Decimal(0)) + credits
        if facts.expires:
            expiring.append(Expiry(facts.expires, lot.lot, facts.unit, *key, credits))
    balances = [Balance(*key, amount, back[key]) for key, amount in sorted(held.items())]
    ordered = sorted(expiring, key=attrgetter("day", "lot"))
    return Passbook(tuple(movements), tuple(balances), tuple(ordered))


def _moves(lot: Lot, days: Mapping[int, str], today: str) -> Iterable[Movement]:
    facts, credits = lot.facts, Decimal(lot.facts.credits)
    what = (lot.lot, facts.institution, facts.unit, facts.scheme, facts.level)
    nothing = Decimal(0)
    # Of a lot that came from elsewhere the day is that of the entry here, of no award.
    came = days.get(lot.award_index, facts.awarded)
    yield Movement(came, lot.award_index, _CREDITED[lot.kind], *what, credits, nothing)
    closing = closing_entry(lot)
    if closing is not None:
        yield Movement(days[closing], closing, _DEBITED[lot.state], *what, -credits, nothing)
    elif lot.standing.expired(today):
        last = date.fromisoformat(facts.expires)
        lapsed = (last + timedelta(days=1)).isoformat()
        yield Movement(lapsed, None, "expired", *what, -credits, nothing)


def _with_balance(move: Movement, balance: Decimal) -> Movement:
    return Movement(
        move.day,
        move.entry,
        move.kind,
        move.lot,
        move.institution,
        move.unit,
        move.scheme,
        move.level,
        move.credits,
        balance,
    )


def plain(amount: Decimal) -> str:
    """An amount as people write it: no exponent, no zeros at its end."""
    return format(amount.normalize(), "f") if amount else "0"
