"""Counters that act at once, on both engines: every operation as if alone, in some order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, make_url, select, text

from bank.errors import BankError
from bank.learners import Erased
from bank.opening import open_bank
from bank.service import Bank
from bank.tables import accounts, consents, credentials, learner_accounts, learner_events, shares
from ledger.sequencer import Declined, Placed
from ledger.store import reading
from tests.learner_kit import CITIZEN_ID, NAME, Kit, learner_bank, terms

ROUNDS = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def kit(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kit]:
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        name = f"learners_{int(time.time() * 1000)}"
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
        monkeypatch.setenv("CREDITBANK_DATABASE_URL", url)
    with learner_bank(tmp_path) as made:
        yield made


@pytest.fixture
def other(kit: Kit) -> Iterator[Bank]:
    """A second server process's view: another engine on the same database."""
    bank = open_bank(kit.folder, "p")
    bank._clock = lambda: kit.now
    yield bank
    bank.close()


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """What each job returned, or the refusal it met; anything else fails the test."""
    ready = threading.Barrier(len(jobs))
    found: list[object] = [None] * len(jobs)

    def run(place: int) -> None:
        ready.wait()
        try:
            found[place] = jobs[place]()
        except BaseException as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "they wait for each other"
    for item in found:
        if isinstance(item, BaseException) and not isinstance(item, BankError):
            raise item
    return found


def left(bank: Bank) -> dict[str, int]:
    with reading(bank._engine) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (
                *(accounts, consents, credentials, learner_accounts, learner_events, shares),
            )
        }


def test_merging_and_erasing_at_once(kit: Kit, other: Bank) -> None:
    """The merge comes first and both are erased, or the erasure does and the merge is refused."""
    orders = set()
    for number in range(ROUNDS):
        names = (f"a{number}", f"b{number}")
        first, second = kit.learners.open(NAME), kit.learners.open(NAME)
        for learner, who in zip((first, second), names, strict=True):
            kit.learners.link(learner, kit.award(who))
            kit.learners.consent(learner, terms())
        merged, erased = at_once(
            lambda first=first, second=second: kit.learners.merge(first, second),  # type: ignore[misc]
            lambda second=second: other.learners.erase(second),  # type: ignore[misc]
        )
        assert erased is True
        with pytest.raises(Erased):
            kit.learners.accounts(second)
        if merged == first:
            with pytest.raises(Erased):
                kit.learners.accounts(first)
        else:
            assert isinstance(merged, Erased)
            assert len(kit.learners.accounts(first)) == 1
            assert kit.learners.erase(first)
        orders.add(merged == first)
        assert set(left(kit.bank).values()) == {0}, left(kit.bank)
    print(f"orders seen: {orders}")
    assert kit.bank.upkeep.audit().size == kit.bank.log.size()
    assert kit.bank.upkeep.rebuild()


def test_merging_both_ways_at_once(kit: Kit, other: Bank) -> None:
    for _ in range(ROUNDS):
        one, two = kit.learners.open(NAME), kit.learners.open(NAME)
        found = at_once(
            lambda one=one, two=two: kit.learners.merge(one, two),  # type: ignore[misc]
            lambda one=one, two=two: other.learners.merge(two, one),  # type: ignore[misc]
        )
        assert found[0] == found[1]
        assert found[0] in (one, two)
        kinds = [event.kind for event in kit.learners.events(one)]
        assert kinds == ["opened", "opened", "merged"]


def test_opening_one_person_at_once(kit: Kit, other: Bank) -> None:
    jobs = [
        lambda bank=bank: bank.learners.open(NAME, CITIZEN_ID)  # type: ignore[misc]
        for bank in (kit.bank, other) * 4
    ]
    assert len(set(at_once(*jobs))) == 1


def test_erasing_twice_at_once(kit: Kit, other: Bank) -> None:
    for number in range(ROUNDS):
        learner = kit.learners.open(NAME)
        kit.learners.link(learner, kit.award(f"a{number}"))
        found = at_once(
            lambda learner=learner: kit.learners.erase(learner),  # type: ignore[misc]
            lambda learner=learner: other.learners.erase(learner),  # type: ignore[misc]
        )
        assert sorted(map(bool, found)) == [False, True]


def test_nothing_gets_into_an_account_that_is_being_erased(kit: Kit, other: Bank) -> None:
    for number in range(ROUNDS):
        who = f"a{number}"
        account = kit.award(who)
        learner = kit.learners.open(NAME)
        kit.learners.link(learner, account)
        token, late = kit.bank.vault.token(account), kit.make(who, f"{who}-late")
        placed, _, _, erased = at_once(
            lambda late=late: kit.submit(late),  # type: ignore[misc]
            lambda token=token, who=who: kit.bank.shares.make(token, kit.credentials(who), 7),  # type: ignore[misc]
            lambda learner=learner: kit.learners.consent(learner, terms()),  # type: ignore[misc]
            lambda learner=learner: other.learners.erase(learner),  # type: ignore[misc]
        )
        assert erased is True
        assert isinstance(placed, Placed | Declined)
        assert set(left(kit.bank).values()) == {0}, left(kit.bank)
    assert kit.bank.upkeep.rebuild()
