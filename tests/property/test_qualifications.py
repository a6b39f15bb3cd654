"""Whatever the lots: order tells nothing, nothing counts twice, and what is used is needed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bank.qualifications import (
    Cap,
    Holding,
    InstitutionCap,
    Minimum,
    PeriodCap,
    Requirement,
    Source,
    evaluate,
    evaluation_to_json,
)

DAY = date(2026, 6, 1)
HOURS = {"standard-credit": Decimal(16), "ects": Decimal(25)}
OWN, OTHER = "did:web:own.example", "did:web:other.example"
_credits = st.sampled_from([Decimal(text) for text in ("1", "2", "3", "4.5", "10")])
_lots = st.builds(
    Holding,
    st.uuids().map(str),
    st.sampled_from([OWN, OTHER, "did:web:third.example"]),
    st.sampled_from(["A@1", "B@1"]),
    st.sampled_from(["ict", "law"]),
    st.sampled_from(["lof", "eqf"]),
    st.integers(3, 7),
    _credits,
    st.sampled_from(["standard-credit", "ects", "other"]),
    st.integers(0, 900).map(lambda days: DAY - timedelta(days=days)),
    st.none() | st.integers(-5, 500).map(lambda days: DAY + timedelta(days=days)),
    st.sampled_from(list(Source)),
    st.frozensets(st.sampled_from(["g1", "g2", "g3"]), max_size=2),
)
_some: dict[str, st.SearchStrategy[Any]] = {
    "minima": st.lists(
        st.builds(Minimum, _credits, st.none() | st.integers(3, 7), st.none() | st.just(("ict",))),
        max_size=2,
    ).map(tuple),
    "residency": _credits,
    "caps": st.lists(
        st.builds(Cap, st.sampled_from([(Source.RPL,), (Source.RPL, Source.TRANSFER)]), _credits),
        max_size=2,
    ).map(tuple),
    "period_caps": st.lists(
        st.builds(PeriodCap, st.sampled_from([6, 12]), _credits), max_size=2
    ).map(tuple),
    "institution_cap": st.builds(InstitutionCap, _credits),
    "max_age_months": st.sampled_from([6, 24]),
    "units": st.just(((OWN, "A@1"),)),
}


@st.composite
def _requirements(draw: st.DrawFn) -> Requirement:
    more = draw(st.fixed_dictionaries({}, optional=_some))
    total = draw(st.sampled_from([Decimal(n) for n in (2, 5, 12, 30)]))
    days = (date(2025, 1, 1), date(2027, 1, 1))
    titles = {"en": "Q", "zh": "证"}
    scheme = "standard-credit"
    return Requirement(OWN, "Q", 1, titles, "lof", 5, scheme, total, *days, **more)


_holdings = st.lists(_lots, max_size=7, unique_by=lambda lot: lot.lot)


@given(_holdings, _requirements(), st.randoms(use_true_random=False))
def test_the_order_of_lots_tells_nothing(lots: Any, asked: Requirement, dice: Any) -> None:
    mixed = dice.sample(lots, len(lots))
    first = evaluate(lots, asked, DAY, HOURS)
    assert evaluation_to_json(evaluate(mixed, asked, DAY, HOURS)) == evaluation_to_json(first)


@given(_holdings, _requirements())
def test_nothing_counts_twice_or_beyond_a_cap(lots: Any, asked: Requirement) -> None:
    found = evaluate(lots, asked, DAY, HOURS)
    held = {lot.lot: lot for lot in lots}
    used = [held[one.lot] for one in found.used]
    for one, other in combinations(used, 2):
        assert not one.overlap & other.overlap
    counted = {one.lot: Decimal(one.counted) for one in found.used}
    assert all(Decimal(one.counted) <= Decimal(one.credits) for one in found.used)
    for cap in asked.caps:
        sums = sum(counted[lot.lot] for lot in used if lot.source in cap.source)
        assert sums <= cap.credits
    if asked.institution_cap is not None:
        for who in {lot.institution for lot in used} - {OWN}:
            mine = sum(counted[lot.lot] for lot in used if lot.institution == who)
            assert mine <= asked.institution_cap.credits
    assert {one.lot for one in (*found.used, *found.unused)} == set(held)


@given(_holdings, _requirements())
def test_what_is_used_is_enough_and_all_of_it_is_needed(lots: Any, asked: Requirement) -> None:
    found = evaluate(lots, asked, DAY, HOURS)
    if not found.met:
        return
    names = {one.lot for one in found.used}
    used = [lot for lot in lots if lot.lot in names]
    assert evaluate(used, asked, DAY, HOURS).met
    for lot in used:
        assert not evaluate([one for one in used if one is not lot], asked, DAY, HOURS).met


@given(_holdings, _lots, _requirements())
def test_one_lot_more_never_unmakes_it(lots: Any, more: Holding, asked: Requirement) -> None:
    if evaluate(lots, asked, DAY, HOURS).met and more.lot not in {lot.lot for lot in lots}:
        assert evaluate([*lots, more], asked, DAY, HOURS).met


@settings(max_examples=60)
@given(st.lists(_lots, max_size=6, unique_by=lambda lot: lot.lot), _requirements())
def test_it_is_met_exactly_where_some_choice_of_lots_meets_it(
    lots: Any, asked: Requirement
) -> None:
    """Against trying every set of lots that do not overlap."""
    found = evaluate(lots, asked, DAY, HOURS)
    assert found.complete
    possible = False
    for size in range(len(lots) + 1):
        for chosen in combinations(lots, size):
            if any(a.overlap & b.overlap for a, b in combinations(chosen, 2)):
                continue
            possible = possible or evaluate(chosen, asked, DAY, HOURS).met
    assert found.met is possible
