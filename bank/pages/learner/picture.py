"""The balance as bars: how wide each part is drawn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bank.passbook import Balance, plain

_WIDTH = Decimal(100)


@dataclass(frozen=True, slots=True)
class Bar:
    """One level: what can be used, what cannot just now, and how wide each is out of 100."""

    level: str
    held: str
    usable: str
    reserved: str
    suspended: str
    leaving: str
    back: str
    """All that cannot be used just now; empty where that is nothing."""
    usable_width: str
    back_width: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of one credit scheme, level by level, and their sum."""

    scheme: str
    usable: str
    held: str
    bars: tuple[Bar, ...]


def charts(balances: Sequence[Balance]) -> list[Chart]:
    """One chart for each scheme; its widest bar fills it. A level with nothing left is left out."""
    found = []
    for scheme in dict.fromkeys(one.scheme for one in balances):
        own = [one for one in balances if one.scheme == scheme and one.held]
        own.sort(key=lambda one: (len(one.level), one.level))
        widest = max((one.held for one in own), default=Decimal(0))
        bars = tuple(_bar(one, widest) for one in own)
        usable, held = (sum(amounts, Decimal(0)) for amounts in _amounts(own))
        found.append(Chart(scheme, plain(usable), plain(held), bars))
    return found


def _amounts(balances: Sequence[Balance]) -> tuple[list[Decimal], list[Decimal]]:
    return [one.usable for one in balances], [one.held for one in balances]


def _bar(balance: Balance, widest: Decimal) -> Bar:
    back = balance.held - balance.usable

    def of(state: str) -> str:
        return plain(balance.held_back.get(state, Decimal(0)))

    return Bar(
        level=balance.level,
        held=plain(balance.held),
        usable=plain(balance.usable),
        reserved=of("reserved"),
        suspended=of("suspended"),
        leaving=of("pending-out"),
        back=plain(back) if back else "",
        usable_width=f"{balance.usable / widest * _WIDTH:.2f}",
        back_width=f"{back / widest * _WIDTH:.2f}",
    )
