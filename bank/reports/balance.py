"""The statement of conservation for publication: credits, with no small number of lots told.

Both sides of an account come to the same, so its total is known as soon as one side is shown.
"""

from collections import defaultdict

from bank.passbook import plain
from bank.reports.suppression import Key, suppress_lines
from bank.reports.tables import Table, Value
from ledger.conservation import BIRTHS, STATES, Conservation

_SIDES = (("came", BIRTHS), ("stands", STATES))


def balance_table(statement: Conservation, k: int) -> Table:
    """Credits by scheme, level, institution and way; None where under `k` lots would be told."""
    lots: dict[Key, int] = {}
    credits: dict[Key, str] = {}
    for account, sums in statement.accounts.items():
        for side, ways in _SIDES:
            came = side == "came"
            for way in ways:
                count = (sums.born_lots if came else sums.stand_lots)[way]
                if count:
                    key = (*account, side, way)
                    lots[key] = count
                    credits[key] = plain((sums.born if came else sums.stand)[way])
    shown = {cell.key for cell in suppress_lines(lots, k, _lines(lots)) if cell.count is not None}
    rows: list[tuple[Value, ...]] = [(*key, credits[key] if key in shown else None) for key in lots]
    columns = ("scheme", "level", "institution", "side", "way", "credits")
    return Table("conservation", columns, tuple(rows))


def _lines(lots: dict[Key, int]) -> list[list[Key]]:
    """What may be told by the rest: a side of an account; a way over levels, or institutions.

    Where a side is one cell it is the account's total, which the other side then must not tell.
    """
    lines: defaultdict[tuple[object, ...], list[Key]] = defaultdict(list)
    for key in lots:
        scheme, level, keeper, side, way = key
        lines["side", scheme, level, keeper, side].append(key)
        lines["levels", scheme, keeper, side, way].append(key)
        lines["institutions", scheme, level, side, way].append(key)
    both = [
        [*line, *lines["side", *name[1:4], "stands" if name[4] == "came" else "came"]]
        for name, line in list(lines.items())
        if name[0] == "side" and len(line) == 1
    ]
    return [*lines.values(), *both]
