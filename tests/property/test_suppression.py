"""No published aggregate under k, nor any that a difference of published ones would tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank.reports import Cell, balance_table, suppress
from ledger.conservation import BIRTHS, STATES, Account, Conservation

K = 10
Counts = dict[tuple[str, ...], int]
TOTALS = ((0, 2), (1, 2), (2,))
_counts = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("123"), st.sampled_from("xy")),
    st.integers(0, 40),
    max_size=20,
)


def told(cells: list[Cell], counts: Counts, totals: Sequence[Sequence[int]]) -> list[str]:
    """What can be found by taking shown cells from a total: fewer than k, or one cell exactly."""
    hidden = {cell.key for cell in cells if cell.count is None}
    found = []
    shared = [(1, 2), (0, 2), (0, 1)]
    for dimensions in [*shared, *totals]:
        groups: defaultdict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        for key in counts:
            groups[tuple(key[place] for place in dimensions)].append(key)
        for name, line in groups.items():
            missing = [key for key in line if key in hidden]
            others = [key for key in line if counts[key] and key not in missing]
            rest = sum(counts[key] for key in missing)
            if missing and others and (len(missing) < 2 or rest < K):
                found.append(f"{dimensions} {name}: {rest} in {len(missing)} cells")
    return found


@given(_counts)
def test_small_cells_are_hidden_and_stay_so(counts: Counts) -> None:
    cells = suppress(counts, K, TOTALS)
    assert [cell.key for cell in cells] == sorted(counts)
    for cell in cells:
        assert cell.count in (None, counts[cell.key])
        assert cell.count is None or not 0 < cell.count < K
        assert cell.count is not None or counts[cell.key]
    assert told(cells, counts, TOTALS) == []


def test_without_the_second_step_a_difference_tells() -> None:
    """The control: leaving out the small cells alone."""
    counts = {("a", "1", "x"): 3, ("b", "1", "x"): 20, ("c", "1", "x"): 30}
    naive = [Cell(key, None if count < K else count) for key, count in sorted(counts.items())]
    assert told(naive, counts, ()) == ["(1, 2) ('1', 'x'): 3 in 1 cells"]
    cells = suppress(counts, K)
    assert [cell.count for cell in cells] == [None, None, 30]


@pytest.mark.parametrize("counts", [{}, {("a",): 3}, {("a",): 0, ("b",): 50}])
def test_the_least(counts: Counts) -> None:
    cells = suppress(counts, K)
    assert [cell.count for cell in cells] == [
        None if 0 < count < K else count for _, count in sorted(counts.items())
    ]


@st.composite
def _statements(draw: st.DrawFn) -> Conservation:
    """Accounts whose two sides come to the same, each lot of four credits."""
    accounts = {}
    for level, keeper in product("45", ("did:a", "did:b", "did:c")):
        total = draw(st.integers(0, 40))
        account = Account()
        for ways, lots, credits in (
            (BIRTHS[:2], account.born_lots, account.born),
            (STATES[:3], account.stand_lots, account.stand),
        ):
            left = total
            for way in ways:
                part = left if way == ways[-1] else draw(st.integers(0, left))
                lots[way], credits[way], left = part, Decimal(4 * part), left - part
        assert account.balances
        accounts["standard", level, keeper] = account
    return Conservation(1, "", accounts)


def told_by_an_account(account: Account, shown: set[tuple[str, str]]) -> list[str]:
    """What one side, or its equality with the other, tells of cells that are not shown."""
    sides = {"came": +account.born_lots, "stands": +account.stand_lots}
    hidden = {side: [w for w in lots if (side, w) not in shown] for side, lots in sides.items()}
    found = []
    for side, other in (("came", "stands"), ("stands", "came")):
        rest = sum(sides[side][way] for way in hidden[side])
        if hidden[side] and not hidden[other] and (len(hidden[side]) < 2 or rest < K):
            found.append(f"{side}: {rest} in {len(hidden[side])} cells")
    return found


@given(_statements())
def test_neither_side_of_an_account_tells_of_the_other(statement: Conservation) -> None:
    rows = balance_table(statement, K).rows
    for key, account in statement.accounts.items():
        shown = {
            (str(row[3]), str(row[4])) for row in rows if row[:3] == key and row[5] is not None
        }
        small = [
            (side, way)
            for side, lots in (("came", account.born_lots), ("stands", account.stand_lots))
            for way, count in lots.items()
            if 0 < count < K
        ]
        assert not shown & set(small)
        assert told_by_an_account(account, shown) == []


def test_small_cells_alone_left_out_would_be_told_by_the_other_side() -> None:
    """The control: of 12 awarded 9 are active, so 3 are revoked."""
    account = Account()
    account.born_lots["awarded"] = 12
    account.stand_lots.update({"active": 9, "revoked": 3})
    naive = {("came", "awarded")}
    assert told_by_an_account(account, {*naive, ("stands", "active")}) == ["stands: 3 in 1 cells"]
    assert told_by_an_account(account, naive) == []
