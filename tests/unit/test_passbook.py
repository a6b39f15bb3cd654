"""The passbook reconciles: with itself, and with an independent fold of the log."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bank.applications import apply_for, redeem, reserve
from bank.passbook import Passbook, passbook
from bank.results import Learner
from keys import b64u_encode
from ledger import Entry, LotBook, LotState, format_time
from tests.bank_kit import LAW_UNIT, QUALIFICATION, SOUTH_UNIT, SmallBank, result, small_bank


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallBank]:
    with small_bank(tmp_path) as made:
        yield made


def accounts(small: SmallBank) -> list[str]:
    return small.bank.accounts.names()


def held(found: Passbook) -> dict[str, Decimal]:
    return {one.level: one.held for one in found.balances}


def reconcile(small: SmallBank, found: Passbook) -> None:
    """Against the log alone, and line by line."""
    book = LotBook()
    for data in small.bank.log.entries():
        book.take(Entry.parse(data))
    today = small.bank.now().date().isoformat()
    mine: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    gone = (LotState.REDEEMED, LotState.CONVERTED, LotState.SUPERSEDED, LotState.REVOKED)
    for lot in book.lots.values():
        if lot.kind != "confer" and lot.state not in gone and not lot.standing.expired(today):
            mine[lot.facts.scheme, lot.facts.level] += Decimal(lot.facts.credits)
    balances = {(one.scheme, one.level): one.held for one in found.balances if one.held}
    assert balances == {key: amount for key, amount in mine.items() if amount}
    running: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for move in found.movements:
        running[move.scheme, move.level] += move.credits
        assert move.balance == running[move.scheme, move.level] >= 0
    for one in found.balances:
        assert one.held == running[one.scheme, one.level]
        assert 0 <= one.usable <= one.held


def test_a_whole_life(small: SmallBank) -> None:
    day = small.bank.now().date()
    small.submit(small.state(small.south, "qualification.publish", **QUALIFICATION))
    lots = {n: small.award(f"li-{n}")[0] for n in range(1, 6)}
    small.submit(small.convert(lots[1]))
    small.submit(small.north.lot_event("revoke", lots[2].lot, "fraud", day))
    small.submit(small.north.lot_event("suspend", lots[3].lot, "review", day))
    old, after = small.north.lot("li-4"), result("li-4", credits="3.5")
    (slot,) = small.port.slots(small.north, [small.north.correction(old, after)])
    now = small.bank.now()
    small.submit(small.north.correct(old, after, Decimal(4), slot, now, "regraded"))
    claim, until = b64u_encode(bytes(32)), "2099-01-01T00:00:00Z"
    small.submit(small.south.use("reserve", lots[5].lot, application=claim, until=until))
    found = small.bank.reckoning.passbook(accounts(small))
    kinds = [move.kind for move in found.movements]
    assert sorted(kinds) == sorted(
        ["awarded"] * 5
        + ["converted elsewhere", "converted here", "revoked", "replaced by a correction"]
        + ["corrected"]
    )
    (balance,) = found.balances
    # 3 by conversion, 3.5 corrected, 4 suspended, 4 reserved.
    assert (balance.held, balance.usable) == (Decimal("14.5"), Decimal("6.5"))
    assert balance.held_back == {"suspended": Decimal(4), "reserved": Decimal(4)}
    reconcile(small, found)


def test_redeemed_credits_go_and_a_qualification_is_none(small: SmallBank) -> None:
    small.submit(small.state(small.south, "qualification.publish", **QUALIFICATION))
    small.award("li-1", LAW_UNIT)
    small.award("li-2", SOUTH_UNIT, "3")
    evaluation = small.bank.reckoning.progress(accounts(small), small.south.did, "DIP@1")
    made = apply_for(small.south, evaluation, Learner("li", "李明"), small.bank.now())
    dice = random.Random(0)
    reserve([made], small.south, small.port, dice)
    reconcile(small, small.bank.reckoning.passbook(accounts(small)))
    known = small.bank.registry().catalogue.qualifications[small.south.did, "DIP@1"]
    redeem([made], [known], small.south, small.port, dice, small.bank.now())
    found = small.bank.reckoning.passbook(accounts(small))
    assert held(found) == {"5": 0, "6": 0}
    assert [move.kind for move in found.movements] == ["awarded"] * 2 + ["redeemed"] * 2
    reconcile(small, found)


def test_what_expires_is_foretold_and_then_told(small: SmallBank) -> None:
    last = small.bank.now().date() + timedelta(days=30)
    small.award("li-1", expires=last)
    small.award("li-2", expires=last + timedelta(days=5))
    small.award("li-3")
    found = small.bank.reckoning.passbook(accounts(small))
    assert [(one.day, one.credits) for one in found.expiring] == [
        (last.isoformat(), Decimal(4)),
        ((last + timedelta(days=5)).isoformat(), Decimal(4)),
    ]
    lots = [lot for lot in small.bank.lots.each()]
    later = passbook(lots, {}, format_time(small.bank.now() + timedelta(days=31)))
    (expired,) = [move for move in later.movements if move.kind == "expired"]
    assert (expired.day, expired.entry, expired.balance) == (
        (last + timedelta(days=1)).isoformat(),
        None,
        Decimal(8),
    )
    assert [one.day for one in later.expiring] == [(last + timedelta(days=5)).isoformat()]
    # A lapsed reservation is nothing held back any more.
    reserved = replace(
        lots[2],
        standing=replace(lots[2].standing, state=LotState.RESERVED, until="2020-01-01T00:00:00Z"),
    )
    (balance,) = passbook([reserved], {}, format_time(small.bank.now())).balances
    assert balance.usable == balance.held == 4


def test_nothing_at_all(small: SmallBank) -> None:
    assert small.bank.reckoning.passbook([]) == Passbook((), (), ())
