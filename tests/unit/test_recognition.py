"""Recognition: which rules take a lot, line by line, and what a draft would change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bank.recognition import BadRule, Outcome, Recogniser, try_rule
from keys import b64u_encode
from ledger import Statement
from ledger.rules import Shown
from ledger.standing import Facts
from tests.chain_kit import (
    GRANT,
    NAMES,
    NORTH,
    OTHER,
    SOUTH,
    UNIT,
    Chain,
    admit,
    governed,
    key,
    started,
    unit,
)

NOW = "2026-11-23T18:18:22Z"
RULE: dict[str, Any] = {
    "code": "R1",
    "from": "2026-01-01",
    "rounding": {"mode": "down", "step": "0.5"},
    "sources": [{"fields": ["computing"], "institutions": [NORTH], "ratio": "0.8"}],
    "target": "SE201@1",
    "title": NAMES,
    "until": "2027-12-31",
    "version": 1,
}
LOT = Facts(NORTH, "CS101@1", "4", "national", "5", "2026-11-01", "")


def chain(*rules: dict[str, Any]) -> Chain:
    made = Chain()
    opening = (
        *started(),
        unit(unit="LAW1", field="law"),
        admit(SOUTH, "91350100M000100Y44", capacities=["awarding", "receiving"]),
        governed("grant", {**GRANT, "member": SOUTH, "fields": ["*"]}),
        key("key.add", OTHER, SOUTH),
        Statement.make(SOUTH, "unit.publish", {**UNIT, "unit": "SE201", "credits": "3"}).sign(
            OTHER
        ),
    )
    for signed in opening:
        made.add(signed)
    for rule in rules:
        publish(made, rule)
    return made


def publish(made: Chain, rule: dict[str, Any]) -> None:
    made.add(Statement.make(SOUTH, "rule.publish", {**RULE, **rule}).sign(OTHER))


def codes(
    rule: dict[str, Any], lot: Facts = LOT, grade: str | None = None, awarded: str = ""
) -> dict[str, Any]:
    """The lines of the rule's first source: what each came to."""
    made = chain(rule)
    (known,) = made.registry.catalogue.rules.values()
    decision = Recogniser(made.registry).explain(known, lot, NOW, Shown(grade or "", awarded))[0]
    return {line.code: line.passed for line in decision.lines}


def test_a_rule_takes_a_lot_and_says_why() -> None:
    made = chain({})
    (decision,) = Recogniser(made.registry).recognise(LOT, NOW)
    assert (decision.credits, decision.rule.name) == (Decimal(3), "R1@1")
    said = [line.sentence for line in decision.lines]
    assert said == [
        "the rule R1@1 is in force on 2026-11-23",
        "the lot is valid on 2026-11-23",
        "conversions before this one: 0; the rule allows 0",
        f"{NORTH} is one of the institutions that the rule names",
        "the field computing is one the rule takes",
        f"{SOUTH} may award in computing at level 5 on 2026-11-23",
        "it comes to 3 credits of SE201@1 in national, of level 5",
    ]


@pytest.mark.parametrize(
    ("source", "lot", "failing"),
    [
        ({"fields": ["law"]}, LOT, "source.field"),
        ({"institutions": [SOUTH]}, LOT, "source.institution"),
        ({"units": [{"institution": NORTH, "unit": "CS102@1"}]}, LOT, "source.unit"),
        ({"scheme": "ects"}, LOT, "source.scheme"),
        ({"framework": "national", "level": "6"}, LOT, "source.level"),
        ({"framework": "eqf", "level": "1"}, LOT, "source.level"),
        ({"least": "5"}, LOT, "source.credits"),
        ({"age": 6}, Facts(NORTH, "CS101@1", "4", "national", "5", "2026-05-22", ""), "source.age"),
        (
            {},
            Facts(NORTH, "CS101@1", "4", "national", "5", "2026-05-22", "2026-11-22"),
            "source.expiry",
        ),
        ({}, Facts(NORTH, "CS101@1", "4", "national", "5", "2026-05-22", "", 1), "source.depth"),
    ],
)
def test_each_line_can_fail_and_is_the_only_one(
    source: dict[str, Any], lot: Facts, failing: str
) -> None:
    found = codes({"sources": [{"ratio": "1", **source}]}, lot)
    assert [code for code, passed in found.items() if passed is False] == [failing]


@pytest.mark.parametrize(
    ("source", "grade", "passed"),
    [
        ({"grade": "70"}, "85", True),
        ({"grade": "70"}, "70%", True),
        ({"grade": "70"}, "69.9", False),
        ({"grade": "70"}, "excellent", False),
        ({"grades": ["A", "B"]}, "A", True),
        ({"grades": ["A", "B"]}, "C", False),
        ({"grade": "70"}, None, None),
        ({"grade": "70"}, "NaN", False),
    ],
)
def test_grades(source: dict[str, Any], grade: str | None, passed: bool | None) -> None:
    assert codes({"sources": [{"ratio": "1", **source}]}, LOT, grade)["source.grade"] is passed


def test_a_cap_counts_what_was_had_before() -> None:
    made = chain({"cap": "5"})
    engine = Recogniser(made.registry)
    assert engine.recognise(LOT, NOW, gained={(SOUTH, "R1@1"): Decimal(2)})
    assert not engine.recognise(LOT, NOW, gained={(SOUTH, "R1@1"): Decimal("2.5")})
    assert engine.recognise(LOT, NOW, gained={(NORTH, "R1@1"): Decimal(9)})
    (rule,) = made.registry.catalogue.rules.values()
    (decision,) = engine.explain(rule, LOT, NOW, gained={(SOUTH, "R1@1"): Decimal("2.5")})
    assert "exceed its cap of 5" in decision.failed[0].sentence
    assert decision.credits == 0


def test_an_exemption_gives_no_credits() -> None:
    made = chain({"sources": [{"fields": ["computing"], "exemption": True}]})
    (decision,) = Recogniser(made.registry).recognise(LOT, NOW)
    assert decision.exemption
    assert decision.credits == 0


def test_the_best_comes_first_and_withdrawn_rules_not_at_all() -> None:
    half = {"sources": [{"ratio": "0.5"}], "code": "HALF"}
    made = chain(half, {}, {"code": "OLD", "sources": [{"ratio": "1"}]})
    made.add(Statement.make(SOUTH, "rule.withdraw", {"code": "OLD", "version": 1}).sign(OTHER))
    found = Recogniser(made.registry).recognise(LOT, NOW)
    assert [decision.rule.code for decision in found] == ["R1", "HALF"]


def test_a_suspended_institution_or_an_ended_grant_recognises_nothing() -> None:
    made = chain({})
    engine = Recogniser(made.registry)
    assert engine.recognise(LOT, NOW)
    made.add(governed("member.suspend", {"member": SOUTH, "reason": "audit"}))
    assert not engine.under(made.registry).recognise(LOT, NOW)
    made.add(governed("member.reinstate", {"member": SOUTH, "reason": "audit"}))
    (grant,) = made.registry.members[SOUTH].grants
    ended = {"index": grant.index, "member": SOUTH, "reason": "audit"}
    made.add(governed("grant.end", ended))
    (rule,) = made.registry.catalogue.rules.values()
    (decision,) = engine.under(made.registry).explain(rule, LOT, NOW)
    assert [line.code for line in decision.failed] == ["rule.grant"]


def test_what_is_decided_is_what_the_ledger_takes() -> None:
    """The decision's credits and day are the only ones that a conversion may state."""
    made = chain({"validity": 12})
    made.add(governed("policy.publish", {"validity": 6}))
    (decision,) = Recogniser(made.registry).recognise(LOT, NOW)
    assert decision.expires == "2027-05-23"  # the bank's ceiling, earlier than the rule's
    derived = {"credits": "3", "expires": decision.expires, "unit": "SE201@1"}
    body: dict[str, Any] = {"facts": LOT.to_json(), "rule": "R1@1", "source": 0}
    catalogue = made.registry.catalogue
    assert catalogue.check_conversion(SOUTH, body, NOW, derived)
    for wrong in ({"credits": "2.5"}, {"expires": "2027-05-24"}):
        with pytest.raises(Exception, match=r"comes to 3 credits|never extends validity"):
            catalogue.check_conversion(SOUTH, body, NOW, {**derived, **wrong})


LOTS = [
    (b64u_encode(bytes([n]) * 16), Facts(NORTH, name, credits, "national", "5", "2026-11-01", ""))
    for n, (name, credits) in enumerate([("CS101@1", "4"), ("CS101@1", "1"), ("LAW1@1", "4")])
]


def test_a_draft_is_tried_on_past_lots() -> None:
    made = chain({})
    same = try_rule(SOUTH, {**RULE, "version": 2}, made.registry, LOTS, NOW)
    assert (same.lots, same.replaces, same.before, same.after) == (
        3,
        "R1@1",
        Decimal("3.5"),
        Decimal("3.5"),
    )
    assert same.outcomes == {Outcome.SAME: 2, Outcome.REFUSED: 1}
    (why,) = same.refusals
    assert why == "the field law is not one the rule takes: computing"

    wider = {**RULE, "version": 2, "sources": [{"ratio": "0.5"}]}
    trial = try_rule(SOUTH, wider, made.registry, LOTS, NOW)
    assert trial.outcomes == {Outcome.NEW: 1, Outcome.FEWER: 1, Outcome.SAME: 1}
    assert trial.units[NORTH, "LAW1@1"] == {Outcome.NEW: 1}
    assert (trial.before, trial.after) == (Decimal("3.5"), Decimal("4.5"))

    strict = {**RULE, "version": 2, "sources": [{"ratio": "0.8", "least": "2"}]}
    lost = try_rule(SOUTH, strict, made.registry, LOTS, NOW).examples[Outcome.LOST]
    assert [change.lot for change in lost] == [LOTS[1][0]]
    assert lost[0].failed == ("1 credits are fewer than the 2 that the rule asks",)


def test_a_draft_that_hangs_on_a_grade_says_so() -> None:
    made = chain()
    graded = {**RULE, "sources": [{"ratio": "1", "grade": "60"}]}
    trial = try_rule(SOUTH, graded, made.registry, LOTS, NOW)
    assert (trial.outcomes[Outcome.NEW], trial.unchecked) == (3, 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": "SE999@1"}, "has not published the unit SE999@1"),
        ({"version": 1}, "published rule R1@1 already"),
        ({"sources": [{"ratio": "0"}]}, "field 'sources'"),
        ({"sources": [{"ratio": "1", "credits": "2"}]}, "credits, a ratio or an exemption"),
        ({"partner": SOUTH}, "another institution"),
    ],
)
def test_a_draft_that_would_be_declined(change: dict[str, Any], said: str) -> None:
    made = chain({})
    with pytest.raises(BadRule, match=said):
        try_rule(SOUTH, {**RULE, "version": 2, **change}, made.registry, LOTS, NOW)


def test_nothing_is_written() -> None:
    made = chain({})
    before = dict(made.registry.catalogue.rules)
    try_rule(SOUTH, {**RULE, "version": 2}, made.registry, LOTS, NOW)
    assert made.registry.catalogue.rules == before


def test_what_was_imported_late_is_as_old_as_its_credential_says() -> None:
    rule = {"sources": [{**RULE["sources"][0], "age": 12}]}
    assert codes(rule)["source.age"] is True, "by its entry, without the credential at hand"
    assert codes(rule, awarded="2025-11-23")["source.age"] is True
    assert codes(rule, awarded="2025-11-22")["source.age"] is False
    old = Facts(NORTH, "CS101@1", "4", "national", "5", "2024-11-01", "")
    assert codes(rule, old, awarded="2026-11-01")["source.age"] is False, "no younger than that"
