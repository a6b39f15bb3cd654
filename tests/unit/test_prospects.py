"""What a learner could do with credits: who takes which lot, and which qualification is near."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from bank.awards import Award, AwardState, short_name
from bank.prospects import gained_by, hours_of, options, prospects, reached
from bank.qualifications import Holding, Source, evaluate, requirement_of
from bank.recognition import Recogniser
from ledger import Entry, format_time
from ledger.catalogue import Catalogue, Qualification
from ledger.rules import Shown, rule_of
from tests.bank_kit import LAW_UNIT, QUALIFICATION, RULE, SmallBank, small_bank

TIME = "2026-11-24T08:00:00Z"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("bank")) as made:
        yield made


def test_every_award_says_who_would_take_it_and_why(small: SmallBank) -> None:
    small.award("zoe-1")
    law, document = small.award("zoe-2", LAW_UNIT)
    account = small.bank.accounts.of_credential(str(document["id"]))
    awards = small.bank.reckoning.awards([account])
    found = small.bank.reckoning.options(awards)
    assert [option.award.lot.facts.unit for option in found] == ["CS101@1", "LAW1@1"]
    (decision,) = found[0].decisions
    assert decision.rule.author == small.south.did
    assert decision.credits == Decimal(3)  # what the target unit gives: 0.8 of 4 is more
    assert found[1].decisions == ()
    assert found[1].award.lot == law


def test_only_what_can_be_used_is_taken(small: SmallBank) -> None:
    lot, document = small.award("yan-1")
    account = small.bank.accounts.of_credential(str(document["id"]))
    (award,) = small.bank.reckoning.awards([account])
    time = format_time(small.bank.now())
    assert award.state(time) is AwardState.USABLE
    assert small.bank.reckoning.options([award])
    small.submit(small.convert(lot, "yan"))
    (award,) = small.bank.reckoning.awards([account])
    assert award.state(time) is AwardState.CONVERTED
    assert small.bank.reckoning.options([award]) == []


def test_what_was_gained_before_counts_towards_a_rules_cap(small: SmallBank) -> None:
    small.submit(small.state(small.south, "rule.publish", **{**RULE, "code": "R2", "cap": "3"}))
    lot, document = small.award("xia-1")
    small.award("xia-2")
    own = small.bank.accounts.of_credential(str(document["id"]))
    submission = small.convert(lot, "xia")
    small.submit(submission)
    assert submission.credential is not None
    derived = small.bank.accounts.of_credential(str(submission.credential["id"]))
    rule = str(submission.signed.statement.body["rule"])
    (award,) = small.bank.reckoning.awards([derived])
    entry = small.bank.log.entry(award.lot.award_index)
    gained = gained_by([(award.lot, Entry.parse(entry))])
    assert gained == {(small.south.did, rule): Decimal(award.lot.facts.credits)}
    registry, time = small.bank.registry(), format_time(small.bank.now())
    capped = Recogniser(registry, [registry.catalogue.rules[small.south.did, "R2@1"]])
    (_, second) = small.bank.reckoning.awards([own])
    for before, count in ((Decimal(0), 1), (Decimal(1), 0)):
        (option,) = options([second], capped, time, no_grade, {(small.south.did, "R2@1"): before})
        assert len(option.decisions) == count


def no_grade(award: Award) -> Shown:
    raise AssertionError("no rule asks for a grade")


@pytest.mark.parametrize(("grade", "taken"), [("92", True), ("60", False), ("", None)])
def test_a_grade_is_read_where_a_rule_asks_for_one(
    small: SmallBank, grade: str, taken: bool | None
) -> None:
    source = {**RULE["sources"][0], "grade": "90"}
    registry = small.bank.registry()
    asking = Recogniser(registry, [rule_of(small.south.did, {**RULE, "sources": [source]}, TIME)])
    _, document = small.award(f"wei{grade}-1")
    account = small.bank.accounts.of_credential(str(document["id"]))
    awards = small.bank.reckoning.awards([account])
    (option,) = options(
        awards, asking, format_time(small.bank.now()), lambda award: Shown(grade), {}
    )
    if taken is False:
        assert option.decisions == ()
    else:
        (decision,) = option.decisions
        assert bool(decision.unchecked) == (taken is None)


@pytest.mark.parametrize(("awarded", "taken"), [("2026-11-01", True), ("2019-07-01", False)])
def test_the_day_of_award_is_read_where_a_rule_asks_for_an_age(
    small: SmallBank, awarded: str, taken: bool
) -> None:
    source = {**RULE["sources"][0], "age": 36}
    registry, time = small.bank.registry(), format_time(small.bank.now())
    asking = Recogniser(registry, [rule_of(small.south.did, {**RULE, "sources": [source]}, TIME)])
    _, document = small.award(f"old{awarded}-1")
    awards = small.bank.reckoning.awards([small.bank.accounts.of_credential(str(document["id"]))])
    (option,) = options(awards, asking, time, lambda award: Shown(awarded=awarded), {})
    assert bool(option.decisions) is taken


def test_names_in_addresses_are_safe_whatever_the_identifier() -> None:
    assert short_name("urn:uuid:8b4d6f60-3c1c-4a57-9d3e-0f3c1c2a7b11").startswith("8b4d6f60-")
    odd = short_name("https://north.example/../../a?b")
    assert odd.isalnum()
    assert len(odd) == 64


def a_catalogue(dice: random.Random, count: int) -> Catalogue:
    made = Catalogue()
    for number in range(count):
        body: dict[str, Any] = {**QUALIFICATION, "code": f"Q{number}"}
        body["total"] = str(dice.randrange(1, 60))
        body["minima"] = [{"credits": str(dice.randrange(1, 20)), "fields": [dice.choice(FIELDS)]}]
        if dice.random() < 0.5:
            body.pop("residency")
        if dice.random() < 0.3:
            body["caps"] = [{"credits": "3", "sources": ["award"]}]
        qualification = Qualification(NORTH, f"Q{number}@1", 5, body, "2020-01-01T00:00:00Z")
        made.qualifications[NORTH, qualification.name] = qualification
    return made


NORTH, FIELDS = "did:web:north.example", ("ict", "law", "art")


def a_holding(dice: random.Random, number: int) -> Holding:
    return Holding(
        f"lot{number}",
        *(dice.choice((NORTH, "did:web:south.example")), f"U{number}@1", dice.choice(FIELDS)),
        *("cq-lof", dice.randrange(3, 7), Decimal(dice.randrange(1, 6)), "standard-credit"),
        *(date(2024, 7, 1), None, Source.AWARD, frozenset({f"group {number % 7}"})),
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_nearest_are_the_same_as_of_evaluating_all(seed: int) -> None:
    dice = random.Random(seed)
    holdings = [a_holding(dice, number) for number in range(12)]
    catalogue = a_catalogue(dice, 40)
    found = prospects(holdings, catalogue, TIME, 5)
    assert found.known == 40
    day, hours = date.fromisoformat(TIME[:10]), hours_of(catalogue)
    every = [
        reached(evaluate(holdings, requirement_of(one), day, hours))
        for one in catalogue.qualifications.values()
    ]
    assert [one.reached for one in found.nearest] == sorted(every, reverse=True)[:5]
    assert all(one.evaluation.met == (one.reached == 1) for one in found.nearest)


def test_nothing_held_reaches_nothing() -> None:
    found = prospects([], a_catalogue(random.Random(1), 3), TIME, 10)
    assert [one.reached for one in found.nearest] == [Fraction(0)] * 3


def test_what_is_not_in_force_is_no_prospect() -> None:
    catalogue = a_catalogue(random.Random(1), 3)
    assert prospects([], catalogue, "2019-12-31T23:59:59Z", 10).known == 0
