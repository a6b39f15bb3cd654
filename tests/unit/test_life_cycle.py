"""The life of a lot: every statement that moves it, who may make it, and what it is refused for."""

from __future__ import annotations

from typing import Any

import pytest

from keys import PrivateKey, b64u_encode
from ledger import LotState, SignedStatement, Statement, Unit
from ledger.standing import Facts
from tests.chain_kit import (
    BANK,
    GRANT,
    KEY,
    NAMES,
    NEXT,
    NORTH,
    OTHER,
    SECOND,
    SOUTH,
    UNIT,
    Chain,
    admit,
    award,
    event,
    governed,
    key,
    started,
)

DESK = PrivateKey.from_seed(b"d" * 32)
PANEL = PrivateKey.from_seed(b"p" * 32)
HASH = b64u_encode(bytes(32))
UNTIL = "2026-12-31T00:00:00Z"
RULE: dict[str, Any] = {
    "code": "R1",
    "from": "2026-01-01",
    "rounding": {"mode": "down", "step": "0.5"},
    "sources": [{"institutions": [NORTH], "fields": ["computing"], "ratio": "0.8"}],
    "target": "SE201@1",
    "title": NAMES,
    "until": "2027-12-31",
    "version": 1,
}


def lot(number: int) -> str:
    return b64u_encode(bytes([number]) * 16)


def south(kind: str, *by: PrivateKey, **body: Any) -> SignedStatement:
    return Statement.make(SOUTH, kind, body).sign(*(by or (OTHER,)))


def north(kind: str, *by: PrivateKey, **body: Any) -> SignedStatement:
    return Statement.make(NORTH, kind, body).sign(*(by or (KEY,)))


def bank(kind: str, *by: PrivateKey, **body: Any) -> SignedStatement:
    return Statement.make(BANK, kind, body).sign(*(by or (DESK,)))


@pytest.fixture
def chain() -> Chain:
    """North awards; south receives, and may award too; the bank has a key of its own."""
    chain = Chain()
    capacities = ["awarding", "receiving", "evaluation"]
    target = {**UNIT, "unit": "SE201", "credits": "3"}
    for signed in (
        *started(),
        admit(SOUTH, "91350100M000100Y44", capacities=capacities),
        governed("grant", {**GRANT, "member": SOUTH, "fields": ["*"]}),
        key("key.add", OTHER, SOUTH, person="registrar"),
        key("key.add", NEXT, SOUTH, person="approver"),
        key("key.add", DESK, BANK),
        Statement.make(SOUTH, "unit.publish", target).sign(OTHER),
        award(1),
    ):
        chain.add(signed)
    return chain


def reserve(number: int = 1, until: str = UNTIL) -> SignedStatement:
    return south("reserve", application=HASH, lot=lot(number), until=until)


def convert(
    number: int = 1, credits: str = "3", to: int = 101, more: Any = None, **changes: Any
) -> SignedStatement:
    """A conversion of lot `number` into lot `to`; `more` changes the derived lot."""
    facts = Facts(NORTH, "CS101@1", "4", "national", "5", "2026-11-23", "")
    return south(
        "convert",
        **{
            "derived": {
                "commitment": HASH,
                "credits": credits,
                "level": "5",
                "lot": lot(to),
                "scheme": "national",
                "status": {"index": to, "list": 1},
                "unit": "SE201@1",
                **(more or {}),
            },
            "evaluation": HASH,
            "facts": facts.to_json(),
            "lot": lot(number),
            "rule": "R1@1",
            "source": 0,
            **changes,
        },
    )


def state_of(chain: Chain, number: int) -> LotState:
    return chain.book.lots[lot(number)].state


def test_reserved_then_redeemed_once(chain: Chain) -> None:
    redeem = south("redeem", evaluation=HASH, lot=lot(1))
    chain.refused(redeem, "is active; it cannot redeem")
    chain.add(reserve())
    chain.refused(reserve(), f"is reserved by {SOUTH} until {UNTIL}")
    chain.refused(event("suspend", 1), f"is reserved by {SOUTH} until {UNTIL}; it cannot suspend")
    entry = chain.add(redeem)
    assert state_of(chain, 1) is LotState.REDEEMED
    again = f"is redeemed by entry {entry.index}"
    for signed in (redeem, reserve(), event("revoke", 1), event("suspend", 1)):
        chain.refused(signed, again)
    chain.refused(south("release", lot=lot(1)), again)


def test_only_who_holds_a_reservation_uses_or_releases_it(chain: Chain) -> None:
    chain.add(admit("did:web:west.example", "91350100M000100Y45", capacities=["receiving"]))
    chain.add(key("key.add", PANEL, "did:web:west.example"))
    chain.add(reserve())
    for kind, body in (("release", {}), ("redeem", {"evaluation": HASH})):
        made = Statement.make("did:web:west.example", kind, {"lot": lot(1), **body}).sign(PANEL)
        chain.refused(made, f"is reserved by {SOUTH}")
    chain.refused(north("redeem", evaluation=HASH, lot=lot(1)), "not admitted for receiving")
    chain.add(south("release", lot=lot(1)))
    assert state_of(chain, 1) is LotState.ACTIVE


def test_a_reservation_lapses_by_itself(chain: Chain) -> None:
    chain.refused(reserve(until="2026-11-23T18:18:22Z"), "ends before it begins")
    chain.add(reserve())
    chain.day = "2027-01-01"
    chain.refused(south("redeem", evaluation=HASH, lot=lot(1)), "reserved no longer, since 2026")
    assert chain.book.lots[lot(1)].standing.at("2027-01-01T00:00:00Z") is LotState.ACTIVE
    chain.add(reserve(until="2027-02-01T00:00:00Z"))


def test_an_expired_lot_is_no_longer_used_but_one_reserved_in_time_is(chain: Chain) -> None:
    for number in (2, 3):
        chain.add(award(number, expires="2026-12-01"))
    chain.add(reserve(2))
    chain.day = "2026-12-02"
    chain.refused(reserve(3), "expired on 2026-12-01; it cannot reserve")
    chain.add(south("redeem", evaluation=HASH, lot=lot(2)))


def test_revocation_takes_two_persons(chain: Chain) -> None:
    body = event("revoke", 1).statement
    chain.refused(body.sign(KEY), "two persons")
    chain.add(key("key.add", PANEL, person="registrar"))
    chain.refused(body.sign(KEY, PANEL), "a person with two keys is one")
    chain.add(body.sign(PANEL, SECOND))
    assert state_of(chain, 1) is LotState.REVOKED


def test_a_decision_against_a_learner_may_be_appealed(chain: Chain) -> None:
    late = north("suspend", appeal="2026-11-23", lot=lot(1), reason="x")
    chain.refused(late, "until which it may be appealed")
    entry = chain.add(north("revoke", KEY, SECOND, appeal="2026-12-31", lot=lot(1), reason="x"))
    lodge: dict[str, Any] = {
        "against": NORTH,
        "appeal": lot(50),
        "due": "2027-01-31",
        "grounds": HASH,
        "of": entry.index,
    }
    chain.refused(south("appeal", **lodge), f"is made by {BANK}")
    chain.refused(bank("appeal", **{**lodge, "of": 1}), "entry 1 is no suspension")
    chain.refused(bank("appeal", **{**lodge, "against": SOUTH}), f"was decided by {NORTH}")
    successor = {**award(9).statement.body, "lot": lot(60), "status": {"index": 60, "list": 1}}
    correct: dict[str, Any] = {
        "appeal": "2027-12-31",
        "lot": lot(1),
        "reason": "upheld",
        "successor": successor,
        "upheld": lot(50),
    }
    chain.refused(north("supersede", **correct), "was upheld")
    chain.add(bank("appeal", **lodge))
    chain.refused(bank("appeal", **lodge), "was lodged already")
    decide = {"appeal": lot(50), "outcome": "upheld", "reason": "new-evidence"}
    chain.refused(south("appeal.decide", **decide), "two persons")
    chain.refused(north("supersede", **correct), "was upheld")
    chain.add(south("appeal.decide", OTHER, NEXT, **decide))
    chain.refused(south("appeal.decide", OTHER, NEXT, **decide), "was upheld on 2026-11-23")
    chain.add(north("supersede", **correct))
    assert state_of(chain, 1) is LotState.SUPERSEDED
    assert state_of(chain, 60) is LotState.ACTIVE


def test_an_appeal_out_of_time_and_one_before_its_own_judge(chain: Chain) -> None:
    entry = chain.add(north("suspend", appeal="2026-12-01", lot=lot(1), reason="x"))
    lodge = {"against": NORTH, "appeal": lot(50), "due": "2027-01-31", "grounds": HASH}
    chain.day = "2026-12-02"
    chain.refused(bank("appeal", **lodge, of=entry.index), "could be appealed until 2026-12-01")
    # A decision that is on no ledger, such as a refused recognition, has no such clock here.
    chain.add(bank("appeal", **{**lodge, "against": SOUTH}))
    decide = {"appeal": lot(50), "outcome": "dismissed", "reason": "no-grounds"}
    chain.refused(south("appeal.decide", OTHER, NEXT, **decide), "by others than those who took")
    chain.refused(north("appeal.decide", KEY, SECOND, **decide), "was not admitted for evaluation")


def test_a_correction_bears_a_successor_and_after_use_a_review(chain: Chain) -> None:
    successor = {**award(9).statement.body, "credits": "3"}
    correct = {"appeal": "2026-12-31", "lot": lot(1), "reason": "typo", "successor": successor}
    chain.refused(south("supersede", **{**correct, "successor": {**successor}}), "has not publ")
    wrong = {**successor, "credits": "5"}
    chain.refused(north("supersede", **{**correct, "successor": wrong}), "gives 4 credits")
    chain.refused(north("review.open", lot=lot(1), reason="typo"), "superseding it")
    chain.add(reserve())
    chain.add(north("supersede", **correct))
    assert chain.book.lots[lot(9)].origin == lot(1)
    chain.add(award(2))
    chain.add(reserve(2))
    chain.add(south("redeem", evaluation=HASH, lot=lot(2)))
    chain.refused(north("supersede", **{**correct, "lot": lot(2)}), "is redeemed by entry")
    chain.add(north("review.open", lot=lot(2), reason="typo"))
    chain.refused(north("review.open", lot=lot(2), reason="typo"), "is open already")
    chain.refused(north("review.close", lot=lot(2), outcome="stands"), f"only {SOUTH} closes")
    chain.add(south("review.close", lot=lot(2), outcome="stands"))
    assert state_of(chain, 2) is LotState.REDEEMED


def test_prior_learning_takes_two_assessors(chain: Chain) -> None:
    body = {**award(7).statement.body, "unit": "SE201@1", "credits": "2", "rpl": [HASH]}
    made = Statement.make(SOUTH, "award", body)
    chain.refused(made.sign(OTHER), "two persons")
    chain.add(made.sign(OTHER, NEXT))
    assert chain.book.lots[lot(7)].facts.credits == "2"
    own = Statement.make(NORTH, "award", {**award(8).statement.body, "rpl": [HASH]})
    chain.refused(own.sign(KEY, SECOND), "was not admitted for evaluation of prior learning")


def test_conversion_by_a_published_rule(chain: Chain) -> None:
    chain.refused(convert(), f"{SOUTH} has not published the rule R1@1")
    chain.refused(north("rule.publish", **{**RULE, "target": "CS101@1"}), "for receiving")
    chain.add(south("rule.publish", **RULE))
    chain.refused(convert(credits="2.5"), "comes to 3 credits, not 2.5")
    entry = chain.add(convert())
    made = chain.book.lots[lot(101)]
    assert (made.facts.institution, made.facts.credits, made.facts.depth) == (SOUTH, "3", 1)
    assert (made.origin, made.state) == (lot(1), LotState.ACTIVE)
    chain.refused(convert(to=102), f"is converted by entry {entry.index}")
    chain.refused(reserve(), f"is converted by entry {entry.index}")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"sources": [{"institutions": [SOUTH], "ratio": "1"}]}, "not one of the institutions"),
        ({"sources": [{"fields": ["law"], "ratio": "1"}]}, "field computing is not one"),
        ({"sources": [{"scheme": "ects", "ratio": "1"}]}, "in the scheme national, the rule"),
        (
            {"sources": [{"framework": "national", "level": "6", "ratio": "1"}]},
            "level 5 of national is below the 6",
        ),
        ({"sources": [{"framework": "eqf", "level": "1", "ratio": "1"}]}, "level unknown of eqf"),
        ({"sources": [{"least": "4.5", "ratio": "1"}]}, "4 credits are fewer than the 4.5"),
        (
            {"sources": [{"units": [{"institution": NORTH, "unit": "X@1"}], "ratio": "1"}]},
            "does not name the unit CS101@1",
        ),
        ({"from": "2027-01-01"}, "is not in force on 2026-11-23"),
        ({"until": "2026-11-22"}, "is not in force on 2026-11-23"),
        ({"sources": [{"exemption": True}]}, "comes to 0 credits"),
        ({"sources": [{"ratio": "0.0001"}]}, "comes to 0 credits"),
    ],
)
def test_what_a_rule_does_not_take(chain: Chain, change: dict[str, Any], match: str) -> None:
    chain.add(south("rule.publish", **{**RULE, **change}))
    chain.refused(convert(), match)


def test_huge_ratios_create_no_credits(chain: Chain) -> None:
    """Neither more than the unit gives, nor more hours of learning than there were."""
    large = {**UNIT, "unit": "SE201", "version": 2, "credits": "30"}
    chain.add(Statement.make(SOUTH, "unit.publish", large).sign(OTHER))
    huge = {**RULE, "sources": [{"ratio": "999999"}], "target": "SE201@2"}
    chain.add(south("rule.publish", **huge))
    chain.refused(convert(credits="30", more={"unit": "SE201@2"}), "comes to 4")
    chain.add(convert(credits="4", more={"unit": "SE201@2"}))


def test_a_converted_lot_is_not_converted_again_unless_the_rule_says(chain: Chain) -> None:
    chain.add(south("rule.publish", **RULE))
    chain.add(convert())
    again = Facts(SOUTH, "SE201@1", "3", "national", "5", "2026-11-23", "", 1).to_json()
    circular = {**RULE, "version": 2, "sources": [{"ratio": "1"}], "target": "SE201@1"}
    chain.add(south("rule.publish", **circular))
    twice = convert(101, "3", 102, facts=again, rule="R1@2")
    chain.refused(twice, "conversions before this one: 1; the rule allows 0")
    chain.add(south("rule.publish", **{**circular, "version": 3, "depth": 2}))
    chain.add(convert(101, "3", 102, facts=again, rule="R1@3"))


def test_a_conversion_says_what_the_lot_is(chain: Chain) -> None:
    chain.add(south("rule.publish", **RULE))
    lie = Facts(NORTH, "CS101@1", "4", "national", "5", "2026-11-22", "").to_json()
    chain.refused(convert(facts=lie), "what it is not")


def test_validity_is_never_extended(chain: Chain) -> None:
    chain.add(south("rule.publish", **{**RULE, "validity": 12}))
    chain.refused(convert(), "this lot ends on 2027-11-23")
    chain.refused(convert(more={"expires": "2027-11-24"}), "this lot ends on 2027-11-23")
    chain.add(convert(more={"expires": "2027-11-23"}))


def test_a_rule_withdrawn_while_an_application_runs_still_judges_it(chain: Chain) -> None:
    chain.add(south("rule.publish", **RULE))
    chain.add(reserve())
    reserved = "2026-11-23T18:18:22Z"
    chain.day = "2026-11-24"
    chain.add(south("rule.withdraw", code="R1", version=1))
    chain.refused(south("rule.withdraw", code="R1", version=1), "was withdrawn on 2026-11-24")
    chain.refused(convert(), "is not in force on 2026-11-24")
    chain.refused(convert(as_of="2026-11-23T00:00:00Z"), "not in force|was not reserved at")
    chain.add(convert(as_of=reserved))


def test_a_claim_to_have_been_reserved_is_checked(chain: Chain) -> None:
    chain.add(south("rule.publish", **RULE))
    chain.refused(convert(as_of="2026-11-23T18:18:22Z"), "was not reserved at")


def test_a_joint_rule_is_signed_by_both_and_takes_the_partners_lots(chain: Chain) -> None:
    joint = {**RULE, "partner": NORTH, "sources": [{"ratio": "0.8"}]}
    chain.refused(south("rule.publish", **joint), f"one signature of {NORTH}")
    chain.refused(south("rule.publish", OTHER, NEXT, **joint), f"one signature of {SOUTH}")
    chain.add(south("rule.publish", OTHER, KEY, **joint))
    chain.add(convert())


def test_rules_that_make_no_sense(chain: Chain) -> None:
    for change, match in (
        ({"target": "XX@1"}, "has not published the unit XX@1"),
        ({"sources": [{}]}, "gives credits, a ratio or an exemption"),
        ({"sources": [{"credits": "1", "ratio": "1"}]}, "gives credits, a ratio or an exemption"),
        ({"sources": [{"level": "4", "ratio": "1"}]}, "without naming its framework"),
        ({"until": "2025-01-01"}, "ends before it begins"),
        ({"partner": SOUTH}, "another institution|by its two institutions"),
    ):
        chain.refused(south("rule.publish", **{**RULE, **change}), match)
    chain.add(south("rule.publish", **RULE))
    chain.refused(south("rule.publish", **RULE), "a version never changes")


def test_frameworks_and_schemes_before_units(chain: Chain) -> None:
    for change, match in (
        ({"framework": "none"}, "no framework 'none' is published"),
        ({"level": "10"}, "has no level 10"),
        ({"scheme": "none"}, "no credit scheme 'none' is published"),
    ):
        chain.refused(north("unit.publish", **{**UNIT, "unit": "Z1", **change}), match)
    again = {"hours": "18", "name": NAMES, "scheme": "national", "version": 1}
    chain.refused(governed("scheme.publish", again), "the next version of scheme national is 2")
    chain.add(governed("scheme.publish", {**again, "version": 2}))
    assert isinstance(chain.registry.units[NORTH, "CS101@1"], Unit)


def test_the_banks_ceiling_on_validity(chain: Chain) -> None:
    chain.add(award(2))
    chain.add(governed("policy.publish", {"validity": 84}))
    for change in ({}, {"expires": "2033-11-24"}):
        chain.refused(award(3, **change), "valid for 84 months at most, until 2033-11-23")
    chain.add(award(3, expires="2033-11-23"))
    chain.refused(award(4, expires="2034-01-01"), "valid for 84 months at most")


def test_a_grant_that_was_ended_and_a_member_reinstated(chain: Chain) -> None:
    index = chain.registry.members[NORTH].grants[0].index
    end = {"index": index, "member": NORTH, "reason": "audit"}
    chain.refused(governed("grant.end", {**end, "index": index + 1}), "holds no grant by entry")
    chain.add(governed("grant.end", end))
    chain.refused(governed("grant.end", end), "or it was ended")
    chain.refused(award(2), "holds no grant in force")
    out, back = {"member": NORTH, "reason": "audit"}, {"member": NORTH, "reason": "settled"}
    chain.refused(governed("member.reinstate", back), "is not suspended")
    chain.add(governed("member.suspend", out))
    chain.refused(governed("member.suspend", out), "is suspended already")
    chain.refused(event("suspend", 1), "is suspended as a member")
    chain.add(governed("member.reinstate", back))
    chain.add(event("suspend", 1))


def test_a_qualification_is_conferred_under_its_version_and_a_grant(chain: Chain) -> None:
    body: dict[str, Any] = {
        "code": "Q1",
        "framework": "national",
        "from": "2026-01-01",
        "level": "5",
        "scheme": "national",
        "title": NAMES,
        "total": "30",
        "until": "2027-12-31",
        "version": 1,
    }
    confer = {
        "commitment": HASH,
        "evaluation": HASH,
        "level": "5",
        "lot": lot(70),
        "qualification": "Q1@1",
        "status": {"index": 70, "list": 1},
    }
    chain.refused(south("confer", **confer), "has not published the qualification Q1@1")
    chain.add(south("qualification.publish", **body))
    chain.add(north("qualification.publish", **{**body, "level": "6"}))
    chain.refused(north("confer", **confer), "is of level 6")
    confer6 = {**confer, "level": "6"}
    chain.refused(north("confer", **confer6), "holds no grant in force for all fields")
    chain.add(south("confer", **confer))
    chain.refused(
        south("reserve", application=HASH, lot=lot(70), until=UNTIL), "with no credits in it"
    )
    chain.add(south("qualification.withdraw", code="Q1", version=1))
    later = {**confer, "lot": lot(71), "status": {"index": 71, "list": 1}}
    chain.refused(south("confer", **later), "is not in force")
    revoked = south("revoke", OTHER, NEXT, appeal="2027-01-01", lot=lot(70), reason="fraud")
    chain.add(revoked)
    assert state_of(chain, 70) is LotState.REVOKED
