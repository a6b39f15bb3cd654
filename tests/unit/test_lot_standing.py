"""Proofs of what is unspent: from the bank's table to a stranger without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bank.errors import BadSetup, NoSuchThing
from keys import Json, b64u_encode
from ledger import LedgerError, LotState, Statement
from ledger.audit import audit
from ledger.sequencer import Declined
from tests.bank_kit import SmallBank, small_bank
from verifier import Trust, open_trust
from verifier.lot_standing import check_standing


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallBank]:
    with small_bank(tmp_path) as made:
        yield made


def trusted(small: SmallBank) -> Trust:
    return open_trust(small.bank.trust.export([small.governance]))


def root_of(small: SmallBank, **body: Json) -> Any:
    statement = Statement.make(small.bank.settings.did, "lots.root", body)
    (outcome,) = small.bank.intake.append([statement.sign(small.bank.signer)])
    return outcome


def test_unspent_then_spent(small: SmallBank) -> None:
    lot, _ = small.award("li-1")
    for n in range(2, 12):
        small.award(f"li-{n}")
    made = small.bank.lot_map.commit()
    assert made.size == small.bank.log.size() - 1
    evidence = small.bank.lot_map.prove(lot.lot)
    found = check_standing(evidence, trusted(small))
    assert found.unspent
    assert (
        found.sentence == f"{lot.lot} was unspent after {made.size} entries, {found.time}: active"
    )
    absent = check_standing(small.bank.lot_map.prove("A" * 22), trusted(small))
    assert (absent.unspent, absent.record) == (False, None)
    assert absent.sentence.startswith("there was no lot AAAA")

    index = small.submit(small.convert(lot))
    with pytest.raises(NoSuchThing, match="changed since the map of lots was last committed"):
        small.bank.lot_map.prove(lot.lot)
    assert small.bank.lot_map.commit().size == index + 1
    spent = check_standing(small.bank.lot_map.prove(lot.lot), trusted(small))
    assert not spent.unspent
    assert spent.sentence == f"{lot.lot} is spent: converted by entry {index}"
    derived = check_standing(
        small.bank.lot_map.prove(small.south.conversion(lot.lot)), trusted(small)
    )
    assert derived.unspent
    assert small.bank.upkeep.audit().passed


def test_committed_once_for_one_state(small: SmallBank) -> None:
    small.award("li-1")
    first = small.bank.lot_map.commit()
    assert small.bank.lot_map.commit() == first
    outcome = root_of(small, root=b64u_encode(bytes(32)), size=first.size)
    assert isinstance(outcome, Declined)
    assert "is on the log already" in outcome.reason
    outcome = root_of(small, root=b64u_encode(bytes(32)), size=small.bank.log.size() + 1)
    assert isinstance(outcome, Declined)
    assert "cannot stand at" in outcome.reason


def test_a_wrong_root_is_found_by_an_audit(small: SmallBank) -> None:
    small.award("li-1")
    lot, _ = small.award("li-2")
    small.bank.lot_map.commit()
    small.submit(small.north.lot_event("suspend", lot.lot, "review", small.bank.now().date()))
    # The control: a right one, and more entries after it.
    assert small.bank.upkeep.audit().passed
    size = small.bank.log.size()
    root_of(small, root=b64u_encode(bytes(32)), size=size - 1)
    report = small.bank.upkeep.audit()
    wanted = (
        f"entry {size}: its root of the map of lots is not that of the first {size - 1} entries"
    )
    assert report.problems == (wanted,)
    entries, notes = small.bank.log.entries(), small.bank.log.checkpoints()
    assert audit(entries, notes, signatures=False).problems == (wanted,)


def test_a_forged_evidence_is_refused(small: SmallBank) -> None:
    lot, _ = small.award("li-1")
    other, _ = small.award("li-2")
    small.bank.lot_map.commit()
    good, trust = small.bank.lot_map.prove(lot.lot), trusted(small)
    assert check_standing(good, trust).unspent
    proof, _, receipt = good.partition("\n\n")
    award = small.bank.log.receipt(other.award_index).encode()
    forged = {
        "": "no evidence",
        proof: "no evidence",
        f"{proof}\n\n{award}": "not of a root of the map of lots",
        good.replace('"active"', '"reserved"'): "does not lead to the root",
        good.replace(lot.lot, other.lot): "does not lead to the root",
    }
    for text, said in forged.items():
        with pytest.raises(LedgerError, match=said):
            check_standing(text, trust)
    # Whatever stands before the signature lines, of which one suffices.
    for place in range(0, good.index("\n— "), 7):
        changed = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        with pytest.raises(LedgerError):
            check_standing(changed, trust)
    assert receipt


def test_what_to_do_is_said(small: SmallBank, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSuchThing, match="'creditbank ledger commit-lots' puts it there"):
        small.bank.lot_map.prove("A" * 22)
    key = small.bank.signer.public_key.multikey
    small.govern("key.retire", key=key, member=small.bank.settings.did)
    with pytest.raises(BadSetup, match="the governance registers the bank's own key"):
        small.bank.lot_map.commit()


def test_a_lapsed_reservation_says_until_when(small: SmallBank) -> None:
    lot, _ = small.award("li-1")
    until, claim = "2099-01-01T00:00:00Z", b64u_encode(bytes(32))
    small.submit(small.south.use("reserve", lot.lot, application=claim, until=until))
    small.bank.lot_map.commit()
    found = check_standing(small.bank.lot_map.prove(lot.lot), trusted(small))
    assert found.unspent
    assert found.sentence.endswith(f": reserved until {until}")
    assert found.record is not None
    assert found.record.state is LotState.RESERVED
