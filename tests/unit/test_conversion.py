"""Converted, corrected and recognised prior learning: each with a credential that verifies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from keys import b64u_encode
from ledger import LotState, Statement
from tests.bank_kit import SOUTH_UNIT, SmallBank, result, small_bank
from verifier import Evidence, Report, open_trust, verify


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("bank")) as made:
        yield made


def looked_at(small: SmallBank, credential: dict[str, Any], index: int) -> Report:
    trust = open_trust(small.bank.trust.export([small.governance]))
    receipt = small.bank.log.receipt(index).encode()
    return verify(Evidence(credential, receipt, "bundle"), trust, small.bank.now())


def codes(report: Report) -> dict[str, str]:
    return {check.name: check.code for check in report.checks}


def test_a_converted_lot_has_a_credential_of_its_own(small: SmallBank) -> None:
    lot, _ = small.award("li-1")
    submission = small.convert(lot)
    index = small.submit(submission)
    assert submission.credential is not None
    report = looked_at(small, submission.credential, index)
    assert report.exit_code == 0
    assert (report.subject.credits, report.subject.issuer) == ("3", small.south.did)
    assert codes(report)["ledger"] == "ledger.good"
    derived = small.bank.lots.get(small.south.conversion(lot.lot))
    assert (derived.origin, derived.facts.depth, derived.facts.credits) == (lot.lot, 1, "3")
    used = small.bank.lots.get(lot.lot)
    assert (used.state, used.standing.consumed) == (LotState.CONVERTED, index)
    # Asked for again it is the same entry; nothing is converted twice.
    assert small.submit(small.convert(lot)) == index
    until, application = "2099-01-01T00:00:00Z", b64u_encode(bytes(32))
    late = small.south.use("reserve", lot.lot, application=application, until=until)
    assert small.declined(late) == (
        f"the lot {lot.lot} is converted by entry {index}; it cannot reserve"
    )
    assert small.bank.upkeep.audit().passed
    assert small.bank.upkeep.rebuild()


def test_the_decision_can_be_opened_and_nothing_else(small: SmallBank) -> None:
    lot, _ = small.award("li-2")
    submission = small.convert(lot)
    from bank.recognition import Recogniser
    from ledger import format_time

    registry, time = small.bank.registry(), format_time(small.bank.now())
    (decision,) = Recogniser(registry).recognise(lot.facts, time)
    sealed = submission.signed.statement.body["evaluation"]
    assert sealed == small.south.sealed(lot.lot, decision.to_json())
    other = replace(decision, credits=Decimal(4))
    assert sealed != small.south.sealed(lot.lot, other.to_json())
    assert sealed != small.south.sealed("A" * 22, decision.to_json())


def test_a_correction_takes_the_place_of_an_award(small: SmallBank) -> None:
    lot, wrong = small.award("li-3", credits="4")
    old, after = small.north.lot("li-3"), result("li-3", credits="3.5", grade="72")
    (slot,) = small.port.slots(small.north, [small.north.correction(old, after)])
    made = small.north.correct(
        old,
        after,
        Decimal(4),
        slot,
        small.bank.now(),
        "grade-changed",
    )
    index = small.submit(made)
    assert made.credential is not None
    good = looked_at(small, made.credential, index)
    assert (good.exit_code, good.subject.credits) == (0, "3.5")
    old = looked_at(small, wrong, lot.award_index)
    assert (old.exit_code, codes(old)["status"]) == (1, "status.revoked")
    assert small.bank.lots.get(lot.lot).state is LotState.SUPERSEDED


def test_prior_learning_recognised_by_two_assessors(small: SmallBank) -> None:
    offered = small.offer(small.north, result("li-4"))
    body = {**offered.signed.statement.body, "rpl": [b64u_encode(bytes([n]) * 32) for n in (1, 2)]}
    statement = Statement.make(small.north.did, "award", body)
    assert small.north.approver is not None
    alone = replace(offered, signed=statement.sign(small.north.signer))
    assert "two persons" in small.declined(alone)
    both = replace(offered, signed=statement.sign(small.north.signer, small.north.approver))
    index = small.submit(both)
    assert offered.credential is not None
    assert looked_at(small, offered.credential, index).exit_code == 0


def test_a_credential_of_another_entry_is_refused(small: SmallBank) -> None:
    """The control: the receipt of a conversion does not carry any other credential."""
    lot, source = small.award("li-5")
    submission = small.convert(lot)
    index = small.submit(submission)
    report = looked_at(small, source, index)
    assert (report.exit_code, codes(report)["ledger"]) == (1, "ledger.bad")
    mine, own = small.award("li-6", SOUTH_UNIT, "3")
    report = looked_at(small, own, index)
    assert (report.exit_code, codes(report)["ledger"]) == (1, "ledger.bad")
    assert mine.state is LotState.ACTIVE


def test_credits_that_the_ledger_does_not_say_are_refused_at_the_door(small: SmallBank) -> None:
    lot, _ = small.award("li-7")
    submission = small.convert(lot)
    other = small.offer(small.south, result("li-8", SOUTH_UNIT, "3"))
    said = small.declined(replace(submission, credential=other.credential))
    assert "commitment is to another credential" in said
    assert small.bank.lots.get(lot.lot).state is LotState.ACTIVE
