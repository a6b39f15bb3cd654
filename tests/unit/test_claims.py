"""Taking up an invitation to claim awards, as a newcomer and as somebody who has a record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bank import claims
from bank.claims import Holder
from bank.errors import BadRequest, NoLonger, NoSuchThing
from bank.learners import Conflict
from bank.sign_in import Role
from tests.learner_kit import NAME, Kit, learner_bank


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with learner_bank(tmp_path) as made:
        yield made


def join(kit: Kit, code: str, login: str = "ana") -> str:
    """The record that a newcomer gets; let in as in a demonstration."""
    record = claims.record_to_join(kit.bank, claims.claim_of(kit.bank, code))
    kit.bank.sign_in.admit(login, login, Role.LEARNER, record)
    kit.bank.sign_in.spend(code)
    return record


def test_a_newcomer_gets_a_record_in_the_name_on_the_newest_credential(kit: Kit) -> None:
    account = kit.award("ana", 2)
    code = claims.invite(kit.bank, account)
    claim = claims.claim_of(kit.bank, code)
    assert (claim.account, claim.learner, claim.awards) == (account, NAME, 2)
    assert (claim.institution, claim.record) == (kit.institution.did, "")
    assert NAME not in repr(claim)
    record = join(kit, code)
    assert kit.learners.accounts(record) == [account]
    assert kit.learners.identity(record).name == NAME
    with pytest.raises(NoLonger):
        claims.claim_of(kit.bank, code)


def test_the_record_of_an_account_is_used_where_there_is_one(kit: Kit) -> None:
    account = kit.award("ana")
    known = kit.learners.open(NAME)
    kit.learners.link(known, account)
    assert join(kit, claims.invite(kit.bank, account)) == known


def test_an_invitation_gives_no_second_way_into_a_record(kit: Kit) -> None:
    account = kit.award("ana")
    record = join(kit, claims.invite(kit.bank, account))
    code = claims.invite(kit.bank, account)
    claim = claims.claim_of(kit.bank, code)
    assert claim.taken
    with pytest.raises(Conflict, match="somebody signs in to these awards already"):
        claims.record_to_join(kit.bank, claim)
    # Once the old sign-in has ended it is how a learner who lost it comes back.
    (person,) = kit.bank.sign_in.people(record)
    kit.bank.sign_in.end(person.person, record)
    assert join(kit, code, "ana-again") == record


def test_a_merged_record_is_taken_by_whoever_signs_in_to_either(kit: Kit) -> None:
    first, second = kit.award("ana"), kit.award("bea")
    record = join(kit, claims.invite(kit.bank, first))
    other = kit.learners.open(NAME)
    kit.learners.link(other, second)
    kit.learners.merge(other, record)
    assert claims.claim_of(kit.bank, claims.invite(kit.bank, second)).taken


def test_somebody_with_a_record_adds_the_awards_to_it(kit: Kit) -> None:
    first, second = kit.award("ana"), kit.award("bea")
    record = join(kit, claims.invite(kit.bank, first))
    code = claims.invite(kit.bank, second)
    assert claims.add(kit.bank, code, record) is Holder.NOBODY
    assert kit.learners.accounts(record) == sorted([first, second])
    with pytest.raises(NoLonger):
        claims.add(kit.bank, code, record)
    # What is there already is no fault.
    assert claims.add(kit.bank, claims.invite(kit.bank, second), record) is Holder.MINE


def test_awards_of_another_record_stay_there_and_the_invitation_too(kit: Kit) -> None:
    first, second = kit.award("ana"), kit.award("bea")
    ana = join(kit, claims.invite(kit.bank, first))
    bea = join(kit, claims.invite(kit.bank, second), "bea")
    code = claims.invite(kit.bank, second)
    with pytest.raises(Conflict, match="ask the bank to make one of both"):
        claims.add(kit.bank, code, ana)
    assert kit.learners.accounts(ana) == [first]
    assert claims.claim_of(kit.bank, code).holder(bea) is Holder.MINE


def test_two_at_once_get_one_record(kit: Kit) -> None:
    account = kit.award("ana")
    claim = claims.claim_of(kit.bank, claims.invite(kit.bank, account))
    first = claims.record_to_join(kit.bank, claim)
    assert claim.record == ""  # as the second read it, before the first opened its record
    assert claims.record_to_join(kit.bank, claim) == first
    assert kit.learners.accounts(first) == [account]


def test_what_is_no_claim(kit: Kit) -> None:
    with pytest.raises(NoSuchThing, match="no account"):
        claims.invite(kit.bank, "did:web:cq.example:members:bayu-open|nobody")
    code = kit.bank.sign_in.invite(Role.OPERATOR, "")
    with pytest.raises(BadRequest, match="not to a learner's awards"):
        claims.claim_of(kit.bank, code)
    code = claims.invite(kit.bank, kit.award("ana"))
    kit.now += claims.LASTING + timedelta(seconds=1)
    with pytest.raises(NoLonger):
        claims.claim_of(kit.bank, code)


def test_an_erased_account_is_claimed_no_more(kit: Kit) -> None:
    account = kit.award("ana")
    code = claims.invite(kit.bank, account)
    kit.bank.accounts.erase(account)
    with pytest.raises(NoLonger):
        claims.claim_of(kit.bank, code)
