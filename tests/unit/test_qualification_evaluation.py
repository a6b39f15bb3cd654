"""Each rule of an evaluation by itself, and every refusal named line by line."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pytest

from bank.qualifications import (
    BadHolding,
    BadRequirement,
    Cap,
    Evaluation,
    Holding,
    InstitutionCap,
    Minimum,
    PeriodCap,
    Requirement,
    Source,
    evaluate,
    evaluation_to_json,
    requirement_of,
)
from keys import encode
from ledger.body import check_body
from ledger.catalogue import Qualification

AUTHOR = "did:web:open.example"
OTHER = "did:web:other.example"
THIRD = "did:web:third.example"
DAY = date(2026, 6, 1)
HOURS = {"standard-credit": Decimal("16"), "ects": Decimal("25")}


def lot(name: str, credits: str = "10", **changes: Any) -> Holding:
    holding = Holding(
        name,
        AUTHOR,
        f"{name.upper()}@1",
        "computing",
        "cq-lof",
        5,
        Decimal(credits),
        "standard-credit",
        date(2025, 3, 1),
        None,
        Source.AWARD,
    )
    return replace(holding, **changes)


def asks(total: str = "20", **changes: Any) -> Requirement:
    requirement = Requirement(
        AUTHOR,
        "DIP-IT",
        2,
        {"en": "Diploma in computing", "zh": "计算机文凭"},
        "cq-lof",
        5,
        "standard-credit",
        Decimal(total),
        date(2025, 1, 1),
        date(2026, 12, 31),
    )
    return replace(requirement, **changes)


def judged(requirement: Requirement, *holdings: Holding, day: date = DAY) -> Evaluation:
    return evaluate(holdings, requirement, day, HOURS)


def failing(evaluation: Evaluation) -> list[str]:
    return [line.code for line in evaluation.lines if not line.met]


def used(evaluation: Evaluation) -> list[str]:
    return [one.lot for one in evaluation.used]


def reasons(evaluation: Evaluation) -> dict[str, str]:
    return {one.lot: one.reason for one in evaluation.unused}


def test_enough_credits_meet_a_total() -> None:
    evaluation = judged(asks(), lot("a"), lot("b"))
    assert evaluation.met
    assert (evaluation.author, evaluation.code, evaluation.version) == (AUTHOR, "DIP-IT", 2)
    assert evaluation.day == DAY
    assert used(evaluation) == ["a", "b"]
    assert evaluation.unused == ()
    assert evaluation.complete
    total = evaluation.lines[1]
    assert (total.code, total.wanted, total.got) == ("total", "20", "20")
    assert total.en == "20 credits in all count; 20 are required."
    assert total.zh == "总学分计入 20 学分，要求不少于 20 学分，已达到。"


def test_what_is_missing_is_said() -> None:
    evaluation = judged(asks(), lot("a"), lot("b", "7.5"))
    assert not evaluation.met
    assert failing(evaluation) == ["total"]
    total = evaluation.lines[1]
    assert total.en == "Only 17.5 credits in all count; 20 are required, 2.5 are missing."
    assert total.zh == "总学分仅计入 17.5 学分，要求不少于 20 学分，尚缺 2.5 学分。"
    assert used(evaluation) == ["a", "b"]


def test_no_lots_at_all() -> None:
    evaluation = judged(asks(units=((AUTHOR, "A@1"),)))
    assert failing(evaluation) == ["total", "unit-1"]
    assert evaluation.used == evaluation.unused == ()


@pytest.mark.parametrize(
    ("day", "met"),
    [
        (date(2024, 12, 31), False),
        (date(2025, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_a_requirement_has_its_days(day: date, met: bool) -> None:
    evaluation = judged(asks("10"), lot("a", awarded=date(2024, 1, 1)), day=day)
    assert evaluation.met == met
    assert failing(evaluation) == ([] if met else ["in-force"])
    line = evaluation.lines[0]
    assert (line.wanted, line.got) == ("2025-01-01/2026-12-31", day.isoformat())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires": date(2026, 5, 31)}, "expired"),
        ({"expires": date(2026, 6, 1)}, None),
        ({"awarded": date(2026, 6, 2)}, "not-yet"),
        ({"awarded": date(2026, 6, 1)}, None),
        ({"awarded": date(2024, 5, 31)}, "too-old"),
        ({"awarded": date(2024, 6, 1)}, None),
        ({"scheme": "hours"}, "other-scheme"),
        ({"scheme": "ects"}, None),
    ],
)
def test_lots_that_cannot_count(changes: dict[str, Any], reason: str | None) -> None:
    evaluation = judged(asks("10", max_age_months=24), lot("a", **changes))
    assert evaluation.met == (reason is None)
    assert reasons(evaluation) == ({"a": reason} if reason else {})
    assert all(one.en and one.zh for one in evaluation.unused)


def test_age_ends_with_a_shorter_month() -> None:
    requirement, holding = asks("10", max_age_months=12), lot("a", awarded=date(2024, 2, 29))
    requirement = replace(requirement, start=date(2024, 1, 1))
    assert judged(requirement, holding, day=date(2025, 2, 28)).met
    assert not judged(requirement, holding, day=date(2025, 3, 1)).met


def test_an_age_beyond_the_calendar_is_no_limit() -> None:
    assert judged(asks("10", max_age_months=120_000), lot("a")).met


def test_another_scheme_converts_by_hours_and_is_cut_to_tenths() -> None:
    # 7 x 25 / 16 = 10.9375
    evaluation = judged(asks("10.9"), lot("a", "7", scheme="ects"))
    assert evaluation.met
    assert evaluation.used[0].credits == evaluation.used[0].counted == "10.9"
    assert not judged(asks("10.91"), lot("a", "7", scheme="ects")).met


def test_credits_in_the_same_scheme_are_not_cut() -> None:
    assert judged(asks("7.1234"), lot("a", "7.1234")).met


def test_a_scheme_whose_hours_are_known_only_on_one_side_does_not_count() -> None:
    for hours in ({"ects": Decimal(25)}, {"standard-credit": Decimal(16)}, {}):
        evaluation = evaluate([lot("a", scheme="ects")], asks("1"), DAY, hours)
        assert reasons(evaluation) == {"a": "other-scheme"}


def test_minima_by_level_and_field() -> None:
    minima = (
        Minimum(Decimal(10), level_from=6),
        Minimum(Decimal(10), fields=("law", "ethics")),
        Minimum(Decimal(10), 6, ("computing",)),
    )
    evaluation = judged(asks(minima=minima), lot("a"), lot("b"))
    assert failing(evaluation) == ["minimum-1", "minimum-2", "minimum-3"]
    assert [line.got for line in evaluation.lines[2:]] == ["0", "0", "0"]
    assert "of level 6 or above in cq-lof count" in evaluation.lines[2].en
    assert "in the field law or ethics count" in evaluation.lines[3].en
    assert "cq-lof 第 6 级及以上、computing 领域" in evaluation.lines[4].zh
    assert judged(asks(minima=minima), lot("a", level=6), lot("b", field="law")).met


def test_a_level_of_another_framework_is_no_level_here() -> None:
    requirement = asks("10", minima=(Minimum(Decimal(10), level_from=6),))
    evaluation = judged(requirement, lot("a", level=9, framework="eqf"))
    assert failing(evaluation) == ["minimum-1"]


def test_residency_takes_the_authors_own_awards_only() -> None:
    requirement = asks("10", residency=Decimal(10))
    assert judged(requirement, lot("a")).met
    for changes in (
        {"institution": OTHER},
        {"source": Source.RPL},
        {"source": Source.CONVERSION},
        {"source": Source.TRANSFER},
    ):
        assert failing(judged(requirement, lot("a", **changes))) == ["residency"]


def test_required_units_are_of_their_institution_and_version() -> None:
    requirement = asks("10", units=((AUTHOR, "A@1"), (OTHER, "B@2")))
    assert judged(requirement, lot("a"), lot("b", institution=OTHER, unit="B@2")).met
    evaluation = judged(requirement, lot("a"), lot("b", institution=OTHER))
    assert failing(evaluation) == ["unit-2"]
    line = evaluation.lines[-1]
    assert (line.wanted, line.got) == ("1", "0")
    assert line.en == f"The required unit B@2 of {OTHER} is missing."


def test_a_required_unit_is_kept_though_its_credits_are_not_needed() -> None:
    requirement = asks("10", units=((AUTHOR, "SMALL@1"),))
    assert used(judged(requirement, lot("small", "1"), lot("big", "10"))) == ["big", "small"]


def test_a_cap_bounds_what_counts_and_not_the_lot() -> None:
    requirement = asks("20", caps=(Cap((Source.RPL, Source.TRANSFER), Decimal("4.5")),))
    evaluation = judged(requirement, lot("a", "15.5"), lot("b", source=Source.RPL))
    assert evaluation.met
    counts = {one.lot: (one.credits, one.counted) for one in evaluation.used}
    assert counts["b"] == ("10", "4.5")
    cap = evaluation.lines[-1]
    assert (cap.code, cap.met, cap.wanted, cap.got) == ("cap-1", True, "4.5", "4.5")
    assert "recognised prior learning and custody transfer" in cap.en
    more = judged(asks("20.1", caps=requirement.caps), lot("a", "15.5"), lot("b", source="rpl"))
    assert failing(more) == ["total"]


def test_a_lot_over_a_full_cap_names_the_cap() -> None:
    requirement = asks("20", caps=(Cap((Source.RPL,), Decimal(5)),))
    evaluation = judged(
        requirement, lot("a"), lot("b", "5", source=Source.RPL), lot("c", "6", source=Source.RPL)
    )
    assert failing(evaluation) == ["total"]
    assert reasons(evaluation) == {"c": "over-cap"}
    assert evaluation.unused[0].by == "cap-1"
    assert "the cap on certain sources" in evaluation.unused[0].en


def test_calendar_years_and_halves() -> None:
    half, year = PeriodCap(6, Decimal(8)), PeriodCap(12, Decimal(12))
    spring, summer = lot("a", awarded=date(2025, 6, 30)), lot("b", awarded=date(2025, 7, 1))
    assert judged(asks("16", period_caps=(half,)), spring, summer).met
    evaluation = judged(asks("16", period_caps=(half, year)), spring, summer)
    assert failing(evaluation) == ["total"]
    assert evaluation.lines[1].got == "12"
    winter = replace(summer, awarded=date(2026, 1, 1))
    assert judged(asks("16", period_caps=(half, year)), spring, winter).met


def test_a_cap_on_each_other_institution_but_not_on_the_author() -> None:
    requirement = asks("20", institution_cap=InstitutionCap(Decimal(6)))
    assert judged(requirement, lot("a"), lot("b")).met
    others = [lot("a", institution=OTHER), lot("b", institution=OTHER)]
    assert judged(requirement, *others).lines[1].got == "6"
    others[1] = replace(others[1], institution=THIRD)
    assert judged(requirement, *others).lines[1].got == "12"


def test_crossing_caps_count_the_most_that_they_allow_together() -> None:
    # Filling the year first from the other institution would leave its own lot of no use.
    requirement = asks(
        "12",
        institution_cap=InstitutionCap(Decimal(6)),
        period_caps=(PeriodCap(12, Decimal(6)),),
    )
    evaluation = judged(
        requirement,
        lot("a", "6", institution=OTHER, awarded=date(2024, 2, 1)),
        lot("b", "6", institution=OTHER, awarded=date(2025, 2, 1)),
        lot("c", "6", institution=THIRD, awarded=date(2024, 2, 1)),
    )
    assert evaluation.met
    assert used(evaluation) == ["b", "c"]


def test_one_capped_credit_never_serves_as_two() -> None:
    """Each minimum alone could be met by the 30 credits that may be transferred; not both."""
    requirement = asks(
        "30",
        minima=(
            Minimum(Decimal(20), fields=("law",)),
            Minimum(Decimal(20), fields=("computing",)),
        ),
        caps=(Cap((Source.TRANSFER,), Decimal(30)),),
    )
    evaluation = judged(
        requirement,
        lot("a", "20", field="law", source=Source.TRANSFER),
        lot("b", "20", source=Source.TRANSFER),
    )
    assert failing(evaluation) == ["minimum-2"]
    assert [line.got for line in evaluation.lines[1:4]] == ["30", "20", "10"]


def test_overlapping_learning_counts_once() -> None:
    same = frozenset({f"{AUTHOR}#python"})
    evaluation = judged(asks(), lot("a", overlap=same), lot("b", overlap=same))
    assert failing(evaluation) == ["total"]
    assert used(evaluation) == ["a"]
    (left,) = evaluation.unused
    assert (left.reason, left.by) == ("duplicate", "a")
    assert "same learning as lot a" in left.en
    assert "a" in left.zh


def test_a_lot_in_two_groups_excludes_both_others() -> None:
    one, two = frozenset({"g1"}), frozenset({"g2"})
    lots = [
        lot("middle", "12", overlap=one | two),
        lot("left", overlap=one),
        lot("right", overlap=two),
    ]
    assert used(judged(asks("12"), *lots)) == ["middle"]
    evaluation = judged(asks("20"), *lots)
    assert evaluation.met
    assert used(evaluation) == ["left", "right"]
    assert reasons(evaluation) == {"middle": "duplicate"}


def test_of_overlapping_lots_the_one_that_meets_the_conditions_is_taken() -> None:
    same = frozenset({"g"})
    requirement = asks("10", minima=(Minimum(Decimal(5), fields=("law",)),))
    better, needed = lot("a", "12", level=7, overlap=same), lot("b", field="law", overlap=same)
    assert used(judged(requirement, better, needed)) == ["b"]


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"level": 6}, "b"),
        ({"level": 9, "framework": "eqf"}, "a"),
        ({"credits": Decimal(11)}, "b"),
        ({"awarded": date(2025, 4, 1)}, "b"),
        ({}, "a"),
    ],
)
def test_of_equal_choices_the_better_is_taken(changes: dict[str, Any], taken: str) -> None:
    same = frozenset({"g"})
    evaluation = judged(asks("10"), lot("a", overlap=same), lot("b", overlap=same, **changes))
    assert used(evaluation) == [taken]


def _pairs(count: int) -> list[Holding]:
    """Pairs of which the lower level has the field that is asked."""
    lots = []
    for number in range(count):
        same = frozenset({f"g{number}"})
        lots.append(lot(f"{number:02}a", "2", level=6, overlap=same))
        lots.append(lot(f"{number:02}b", "1", field="law", overlap=same))
    return lots


def test_all_combinations_are_tried_up_to_512_and_it_is_said_when_not() -> None:
    requirement = asks("9", minima=(Minimum(Decimal(9), fields=("law",)),))
    evaluation = judged(requirement, *_pairs(9))
    assert evaluation.met
    assert evaluation.complete
    evaluation = judged(requirement, *_pairs(10))
    assert failing(evaluation) == ["minimum-1"]
    assert not evaluation.complete
    assert all(one.lot.endswith("a") for one in evaluation.used)


def test_lots_that_another_replaces_make_no_combinations() -> None:
    lots = []
    for number in range(200):
        same = frozenset({f"g{number}"})
        lots += [lot(f"{number:03}{letter}", "1", overlap=same) for letter in "abc"]
    evaluation = judged(asks("201"), *lots)
    assert evaluation.complete
    assert failing(evaluation) == ["total"]
    assert len(evaluation.used) == 200


def test_what_expires_soonest_is_spent_first() -> None:
    soon, late = date(2026, 7, 1), date(2028, 1, 1)
    lots = [lot("a"), lot("b", expires=late), lot("c", expires=soon), lot("d", expires=late)]
    evaluation = judged(asks("10"), *lots)
    assert used(evaluation) == ["c"]
    assert reasons(evaluation) == dict.fromkeys("abd", "not-needed")
    assert used(judged(asks("20"), *lots)) == ["b", "c"]
    assert used(judged(asks("31"), *lots)) == ["a", "b", "c", "d"]


def test_more_credits_are_dropped_before_fewer_later_before_earlier() -> None:
    assert used(judged(asks("5"), lot("a", "9"), lot("b", "5"), lot("c", "6"))) == ["b"]
    early = lot("z", awarded=date(2025, 2, 1))
    assert used(judged(asks("10"), lot("a"), early)) == ["z"]


def test_a_lot_given_twice_is_refused() -> None:
    with pytest.raises(BadHolding, match="the lot a is given twice"):
        judged(asks(), lot("a"), lot("a"))


@pytest.mark.parametrize("credits", ["0", "-1", "NaN", "Infinity", "1.00001"])
def test_credits_that_cannot_be_are_refused(credits: str) -> None:
    with pytest.raises(BadHolding, match=r"lot a has .* credits"):
        judged(asks(), lot("a", credits))
    with pytest.raises(BadRequirement, match="the credits of total are"):
        judged(asks(credits), lot("a"))


def test_hours_that_cannot_be_are_refused() -> None:
    hours = {"standard-credit": Decimal(0), "ects": Decimal(25)}
    with pytest.raises(BadHolding, match="a credit of the scheme standard-credit cannot stand"):
        evaluate([lot("a", scheme="ects")], asks(), DAY, hours)


def test_the_decimal_context_of_the_caller_changes_nothing() -> None:
    lots = [lot("a", "123.4567"), lot("b", "7", scheme="ects")]
    requirement = asks("134.3567")
    expected = judged(requirement, *lots)
    with localcontext() as context:
        context.prec = 2
        assert judged(requirement, *lots) == expected
    assert expected.met


KOREA = asks(
    "140",
    minima=(Minimum(Decimal(60), fields=("computing",)), Minimum(Decimal(30), fields=("liberal",))),
    # At least 18 of accredited courses: of the 140 at most 122 may come from elsewhere.
    caps=(Cap((Source.RPL, Source.CONVERSION, Source.TRANSFER), Decimal(122)),),
    period_caps=(PeriodCap(12, Decimal(42)), PeriodCap(6, Decimal(24))),
    institution_cap=InstitutionCap(Decimal(105)),
    start=date(2020, 1, 1),
)


def _semesters(count: int, **changes: Any) -> list[Holding]:
    """Eight courses of three credits in each half-year from 2021, a third of them liberal arts."""
    return [
        lot(
            f"{2021 + number // 2}-{number % 2}-{course}",
            "3",
            field="liberal" if course % 3 == 0 else "computing",
            awarded=date(2021 + number // 2, 6 if number % 2 == 0 else 12, 20),
            **{"institution": OTHER, **changes},
        )
        for number in range(count)
        for course in range(8)
    ]


def test_a_degree_in_the_way_of_koreas_credit_bank() -> None:
    taught = _semesters(4)
    elsewhere = [
        replace(one, lot=f"y{one.lot}", institution=THIRD, awarded=date(2023, 1 + 6 * half, 9))
        for half, lots in enumerate((taught[:8], taught[8:16]))
        for one in lots
    ]
    exams = [
        lot(f"x{n}", "10", institution=f"did:web:exam{n}.example", source=Source.RPL,
            awarded=date(2024 + n // 2, 2, 1))
        for n in range(2)
    ]  # fmt: skip
    evaluation = judged(KOREA, *taught, *elsewhere, *exams)
    assert evaluation.met
    got = {line.code: line.got for line in evaluation.lines}
    assert got["period-cap-1"] == "42"
    assert got["period-cap-2"] == "24"
    assert Decimal(got["total"]) >= 140
    # 48 credits were taken in a year: what is over 42 does not count, and no lot is used for it.
    assert sum(Decimal(one.counted) for one in evaluation.used if one.lot < "2022") <= 42


def test_too_many_credits_in_one_year_and_from_one_institution() -> None:
    evaluation = judged(KOREA, *_semesters(8))
    assert failing(judged(KOREA, *_semesters(6))) == ["total"]
    assert failing(evaluation) == ["total"]
    assert evaluation.lines[1].got == "105"
    assert {one.by for one in evaluation.unused} <= {
        "institution-cap",
        "period-cap-1",
        "period-cap-2",
    }


def test_a_degree_by_examinations_alone_lacks_accredited_courses() -> None:
    lots = _semesters(8, source=Source.RPL)
    lots = [replace(one, institution=f"did:web:e{n % 2}.example") for n, one in enumerate(lots)]
    evaluation = judged(KOREA, *lots)
    assert failing(evaluation) == ["total"]
    assert evaluation.lines[1].got == "122"


def test_the_json_is_canonical_and_without_sentences() -> None:
    same = frozenset({"g"})
    lots = [lot("a", overlap=same), lot("b", "5", overlap=same), lot("c"), lot("d")]
    shown = evaluation_to_json(judged(asks(caps=(Cap((Source.RPL,), Decimal(5)),)), *lots))
    assert json.loads(encode(shown)) == shown
    assert shown == {
        "requirement": {"author": AUTHOR, "code": "DIP-IT", "version": 2},
        "day": "2026-06-01",
        "met": True,
        "complete": True,
        "lines": [
            {
                "code": "in-force",
                "met": True,
                "wanted": "2025-01-01/2026-12-31",
                "got": "2026-06-01",
            },
            {"code": "total", "met": True, "wanted": "20", "got": "20"},
            {"code": "cap-1", "met": True, "wanted": "5", "got": "0"},
        ],
        "used": [
            {"lot": "a", "credits": "10", "counted": "10"},
            {"lot": "c", "credits": "10", "counted": "10"},
        ],
        "unused": [
            {"lot": "b", "reason": "duplicate", "by": "a"},
            {"lot": "d", "reason": "not-needed"},
        ],
    }
    reverse = evaluate(lots[::-1], asks(caps=(Cap((Source.RPL,), Decimal(5)),)), DAY, {})
    assert encode(evaluation_to_json(reverse)) == encode(shown)


def test_every_line_has_both_languages() -> None:
    requirement = read()
    for line in judged(requirement, lot("a")).lines:
        assert line.en.endswith(".")
        assert line.zh.endswith("。")


def body(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "code": "DIP-IT",
        "version": 3,
        "title": {"en": "Diploma", "zh": "文凭"},
        "framework": "cq-lof",
        "level": "5",
        "scheme": "standard-credit",
        "total": "120",
        "minima": [
            {"credits": "60", "level": "5", "fields": ["computing", "law"]},
            {"credits": "7.5"},
        ],
        "residency": "40",
        "caps": [{"sources": ["rpl", "transfer"], "credits": "30"}],
        "period_caps": [{"months": 12, "credits": "42"}, {"months": 6, "credits": "24"}],
        "institution_cap": "60",
        "max_age_months": 84,
        "units": [{"institution": OTHER, "unit": "LAW-1@2"}],
        "from": "2025-01-01",
        "until": "2030-12-31",
    }
    return {**whole, **changes}


def read(**changes: Any) -> Requirement:
    stated = body(**changes)
    check_body("qualification.publish", stated)
    return requirement_of(Qualification(AUTHOR, "DIP-IT@3", 5, stated, ""))


def test_a_requirement_is_read_from_the_ledger() -> None:
    requirement = read()
    assert (requirement.code, requirement.version, requirement.total) == ("DIP-IT", 3, Decimal(120))
    assert requirement.minima == (
        Minimum(Decimal(60), 5, ("computing", "law")),
        Minimum(Decimal("7.5")),
    )
    assert requirement.caps == (Cap((Source.RPL, Source.TRANSFER), Decimal(30)),)
    assert requirement.period_caps == (PeriodCap(12, Decimal(42)), PeriodCap(6, Decimal(24)))
    assert requirement.institution_cap == InstitutionCap(Decimal(60))
    assert requirement.units == ((OTHER, "LAW-1@2"),)
    assert (requirement.residency, requirement.max_age_months) == (Decimal(40), 84)


def test_the_least_that_a_requirement_says() -> None:
    optional = ("caps", "institution_cap", "max_age_months", "minima", "period_caps", "residency")
    least = {name: value for name, value in body().items() if name not in (*optional, "units")}
    check_body("qualification.publish", least)
    requirement = requirement_of(Qualification(AUTHOR, "DIP-IT@3", 5, least, ""))
    assert requirement.minima == requirement.caps == requirement.units == ()
    assert requirement.residency is requirement.max_age_months is None
