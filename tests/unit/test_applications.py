"""A qualification from first credit to certificate: progress, reservation, redemption."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bank.applications import Application, apply_for, redeem, reserve
from bank.errors import BadRequest, NoSuchThing
from bank.results import Learner
from ledger import Lot, LotState
from ledger.sequencer import Declined
from tests.bank_kit import LAW_UNIT, QUALIFICATION, SOUTH_UNIT, SmallBank, small_bank
from verifier import Evidence, open_trust, verify


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallBank]:
    with small_bank(tmp_path) as made:
        made.submit(made.state(made.south, "qualification.publish", **QUALIFICATION))
        yield made


def accounts(small: SmallBank, *lots: Lot) -> list[str]:
    return sorted({owner(small, lot) for lot in lots})


def owner(small: SmallBank, lot: Lot) -> str:
    return next(
        name
        for name in small.bank.accounts.names()
        if lot.award_index
        in [index for _, index in small.bank.accounts.credentials(small.bank.vault.token(name))]
    )


def application(small: SmallBank, learner: str) -> tuple[Application, list[Lot]]:
    lots = [
        small.award(f"{learner}-law", LAW_UNIT)[0],
        small.award(f"{learner}-se", SOUTH_UNIT, "3")[0],
    ]
    names = accounts(small, *lots)
    found = small.bank.reckoning.progress(names, small.south.did, "DIP@1")
    made = apply_for(small.south, found, Learner(learner, "李明"), small.bank.now())
    return Application.parse(made.encode()), lots


def qualification(small: SmallBank) -> Any:
    return small.bank.registry().catalogue.qualifications[small.south.did, "DIP@1"]


def finish(small: SmallBank, *applications: Application) -> Any:
    every = [qualification(small)] * len(applications)
    now, dice = small.bank.now(), random.Random(1)
    return redeem(applications, every, small.south, small.port, dice, now)


def states(small: SmallBank, lots: list[Lot]) -> set[LotState]:
    return {small.bank.lots.get(lot.lot).state for lot in lots}


def test_progress_says_what_is_met_and_what_is_missing(small: SmallBank) -> None:
    law, _ = small.award("li-law", LAW_UNIT)
    found = small.bank.reckoning.progress(accounts(small, law), small.south.did, "DIP@1")
    assert not found.met
    missing = {line.code: line.en for line in found.lines if not line.met}
    assert set(missing) == {"total", "residency", "minimum-1"}
    assert missing["total"] == "Only 4 credits in all count; 7 are required, 3 are missing."
    with pytest.raises(BadRequest, match=r"DIP@1 is not reached: .*3 are missing"):
        apply_for(small.south, found, Learner("li", "李明"), small.bank.now())
    with pytest.raises(NoSuchThing, match="has not published the qualification NO@1"):
        small.bank.reckoning.progress([], small.south.did, "NO@1")


def test_reserved_used_and_conferred(small: SmallBank) -> None:
    made, lots = application(small, "li")
    reserve([made], small.south, small.port, random.Random(0))
    reserve([made], small.south, small.port, random.Random(1))
    assert states(small, lots) == {LotState.RESERVED}
    size = small.bank.log.size()
    (conferred,) = finish(small, made)
    assert small.bank.log.size() == size + 3
    finish(small, made)
    assert small.bank.log.size() == size + 3
    assert states(small, lots) == {LotState.REDEEMED}
    whole = small.bank.lots.get(small.south.conferment(made.lots))
    assert (whole.state, whole.facts.unit) == (LotState.CONFERRED, "DIP@1")
    trust = open_trust(small.bank.trust.export([small.governance]))
    receipt = small.bank.log.receipt(whole.award_index).encode()
    evidence = Evidence(conferred.credential, receipt, "bundle")
    report = verify(evidence, trust, small.bank.now())
    assert report.exit_code == 0, report
    assert (report.subject.credits, report.subject.achievement) == ("", "文凭 Diploma")
    # Its own lot is no credits, and what was used is used.
    names = [owner(small, lot) for lot in (*lots, whole)]
    again = small.bank.reckoning.progress(sorted(set(names)), small.south.did, "DIP@1")
    assert (again.met, again.used) == (False, ())
    assert small.bank.upkeep.audit().passed
    assert small.bank.upkeep.rebuild()


def test_a_qualification_is_revoked_by_two_like_an_award(small: SmallBank) -> None:
    made, _ = application(small, "li")
    reserve([made], small.south, small.port, random.Random(0))
    (conferred,) = finish(small, made)
    name = small.south.conferment(made.lots)
    small.submit(small.south.lot_event("revoke", name, "fraud", small.bank.now().date()))
    trust = open_trust(small.bank.trust.export([small.governance]))
    index = small.bank.lots.get(name).award_index
    receipt = small.bank.log.receipt(index).encode()
    evidence = Evidence(conferred.credential, receipt, "bundle")
    assert verify(evidence, trust, small.bank.now()).exit_code == 1


def test_all_lots_are_reserved_or_none(small: SmallBank) -> None:
    made, (law, software) = application(small, "li")
    small.submit(small.south.lot_event("suspend", software.lot, "review", small.bank.now().date()))
    with pytest.raises(BadRequest, match=f"the lot {software.lot} is suspended; it cannot reserve"):
        reserve([made], small.south, small.port, random.Random(0))
    assert small.bank.lots.get(law.lot).state is LotState.ACTIVE


def test_a_revocation_in_mid_application_uses_nothing(small: SmallBank) -> None:
    made, lots = application(small, "li")
    reserve([made], small.south, small.port, random.Random(0))
    law = next(lot for lot in lots if lot.facts.unit == "LAW1@1")
    small.submit(small.north.lot_event("revoke", law.lot, "fraud", small.bank.now().date()))
    with pytest.raises(BadRequest, match=f"the lot {law.lot} is revoked; it cannot redeem"):
        finish(small, made)
    other = next(lot for lot in lots if lot is not law)
    assert small.bank.lots.get(other.lot).state is LotState.RESERVED
    with pytest.raises(Exception, match="there is no lot"):
        small.bank.lots.get(small.south.conferment(made.lots))
    assert small.bank.upkeep.audit().passed


def test_the_log_does_not_show_which_lots_are_together(small: SmallBank) -> None:
    """Two applications in one go: nothing in the entries pairs their lots, save their order."""
    both = [application(small, name)[0] for name in ("li", "wang")]
    start = small.bank.log.size()
    reserve(both, small.south, small.port, random.Random(3))
    finish(small, *both)
    from ledger import Entry

    entries = [Entry.parse(data) for data in small.bank.log.entries(start)]
    said: Counter[str] = Counter()
    for entry in entries:
        for name, value in entry.signed.statement.body.items():
            if name in ("application", "evaluation", "commitment", "lot"):
                said[str(value)] += name != "lot"
    assert max(said.values()) == 1, "a hash that two statements share ties their lots together"
    untils = {e.signed.statement.body.get("until") for e in entries} - {None}
    assert len(untils) == 1
    kinds = [entry.signed.statement.kind for entry in entries]
    assert Counter(kinds) == {"reserve": 4, "redeem": 4, "confer": 2}
    # The control: with one application its lots stand side by side, and everyone sees which.
    alone, lots = application(small, "zhao")
    start = small.bank.log.size()
    reserve([alone], small.south, small.port, random.Random(3))
    seen = {str(Entry.parse(d).signed.statement.body["lot"]) for d in small.bank.log.entries(start)}
    assert seen == {lot.lot for lot in lots}


def test_one_of_a_group_that_is_declined_holds_back_the_others(small: SmallBank) -> None:
    lot, _ = small.award("li-1")
    day = small.bank.now().date()
    good = small.north.lot_event("suspend", lot.lot, "review", day)
    bad = small.north.lot_event("suspend", "A" * 22, "review", day)
    size = small.bank.log.size()
    first, second = small.bank.intake.submit_together([good, bad])
    assert isinstance(first, Declined)
    assert isinstance(second, Declined)
    assert first.reason == "nothing was appended: another statement of its group was declined"
    assert "there is no lot" in second.reason
    assert small.bank.log.size() == size
    # The control: apart, the good one is appended.
    assert small.submit(good) == size
    assert small.bank.upkeep.rebuild()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"lots":[]}', b"\xff"])
def test_other_files_are_no_applications(data: bytes) -> None:
    with pytest.raises(BadRequest, match="no application"):
        Application.parse(data)


def test_an_application_for_another_qualification(small: SmallBank) -> None:
    made, _ = application(small, "li")
    other = replace(made, qualification="OTHER@1")
    with pytest.raises(BadRequest, match="the application is for OTHER@1"):
        finish(small, other)
