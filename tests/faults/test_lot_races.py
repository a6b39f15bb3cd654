"""A hundred at once want one lot, at two servers of one bank: one gets it, the rest are told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from bank.institution import Institution, Submission
from bank.opening import open_bank
from bank.service import Bank
from keys import b64u_encode
from ledger import Lot, LotState, Slot, Statement, StoreFault
from ledger.sequencer import Declined, Outcome, Placed
from tests.bank_kit import RULE, SmallBank, small_bank

UNTIL = "2099-01-01T00:00:00Z"


@pytest.fixture(params=["sqlite", "postgresql"])
def servers(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[SmallBank, list[Bank]]]:
    """One small bank, and two servers that append to its log."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS lot_races"))
            connection.execute(text("CREATE DATABASE lot_races"))
        url = make_url(server).set(database="lot_races").render_as_string(hide_password=False)
        monkeypatch.setenv("CREDITBANK_DATABASE_URL", url)
    with small_bank(tmp_path) as small:
        more = [open_bank(tmp_path, "p") for _ in range(2)]
        yield small, more
        for bank in more:
            bank.close()


def race(banks: list[Bank], submissions: list[Submission]) -> list[Outcome]:
    """Hand in all at once, every other one at the other server."""
    found: list[Outcome | None] = [None] * len(submissions)
    start = threading.Barrier(len(submissions))

    def one(place: int) -> None:
        start.wait()
        while found[place] is None:
            # A database that has no connection left says so; a retry is safe.
            with suppress(StoreFault):
                (found[place],) = banks[place % 2].intake.submit([submissions[place]])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(submissions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in found
    return [outcome for outcome in found if outcome is not None]


def settled(small: SmallBank, lot: Lot, outcomes: list[Outcome], states: set[LotState]) -> None:
    """One of them stands in the log, and all others name what holds the lot."""
    placed = {outcome.index for outcome in outcomes if isinstance(outcome, Placed)}
    assert len(placed) == 1, placed
    said = Counter(o.reason.split(";")[0] for o in outcomes if isinstance(o, Declined))
    assert sum(said.values()) == len(outcomes) - 1
    wanted = (f"the lot {lot.lot} is {state.value}" for state in states)
    assert all(text.startswith(tuple(wanted)) for text in said), said
    assert small.bank.lots.get(lot.lot).state in states
    assert small.bank.upkeep.audit().passed


def changed(made: Submission, number: int, institution: Institution) -> Submission:
    """The same conversion with another evaluation: another statement."""
    body = {**made.signed.statement.body, "evaluation": b64u_encode(number.to_bytes(32, "big"))}
    signed = Statement.make(institution.did, "convert", body).sign(institution.signer)
    return Submission(signed, made.credential, made.learner)


def test_conversions(servers: tuple[SmallBank, list[Bank]]) -> None:
    small, banks = servers
    lot, _ = small.award("li-1")
    made = small.convert(lot)
    every = [changed(made, n, small.south) for n in range(100)]
    settled(small, lot, race(banks, every), {LotState.CONVERTED})
    assert len([one for one in small.bank.lots.each() if one.origin == lot.lot]) == 1


def test_redemptions(servers: tuple[SmallBank, list[Bank]]) -> None:
    small, banks = servers
    lot, _ = small.award("li-1")
    claim = b64u_encode(bytes(32))
    small.submit(small.south.use("reserve", lot.lot, application=claim, until=UNTIL))
    every = [
        small.south.use("redeem", lot.lot, evaluation=b64u_encode(n.to_bytes(32, "big")))
        for n in range(100)
    ]
    settled(small, lot, race(banks, every), {LotState.REDEEMED})


def test_reservations_conversions_and_suspensions(servers: tuple[SmallBank, list[Bank]]) -> None:
    small, banks = servers
    small.submit(small.state(small.north, "rule.publish", **{**RULE, "target": "CS101@1"}))
    lot, _ = small.award("li-1")
    made = small.convert(lot)
    every: list[Submission] = []
    day = small.bank.now().date()
    for number in range(0, 100, 2):
        claim = b64u_encode(number.to_bytes(32, "big"))
        who = small.north if number % 4 else small.south
        every.append(who.use("reserve", lot.lot, application=claim, until=UNTIL))
        every.append(changed(made, number, small.south))
    every[50] = small.north.lot_event("suspend", lot.lot, "review", day)
    outcomes = race(banks, every)
    placed = [o for o in outcomes if isinstance(o, Placed)]
    # Whoever holds a reservation may convert it then: two at most, in that order.
    assert 1 <= len(placed) <= 2
    consumed = small.bank.lots.get(lot.lot).state is LotState.CONVERTED
    assert len(placed) == 1 or consumed
    assert len([one for one in small.bank.lots.each() if one.origin == lot.lot]) == consumed
    assert small.bank.upkeep.audit().passed
    assert small.bank.upkeep.rebuild()


def test_without_the_fold_they_would_all_win(
    servers: tuple[SmallBank, list[Bank]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a table of lots that takes whatever comes."""
    small, banks = servers
    lot, _ = small.award("li-1")
    claim = b64u_encode(bytes(32))
    small.submit(small.south.use("reserve", lot.lot, application=claim, until=UNTIL))
    with monkeypatch.context() as patch:
        patch.setattr("bank.lot_projection.after", lambda known, event: known)
        every = [
            small.south.use("redeem", lot.lot, evaluation=b64u_encode(n.to_bytes(32, "big")))
            for n in range(20)
        ]
        outcomes = race(banks, every)
    assert len({o.index for o in outcomes if isinstance(o, Placed)}) == 20
    report = small.bank.upkeep.audit()
    assert len([text for text in report.problems if "is redeemed by entry" in text]) == 19


def test_two_servers_give_the_same_slots(servers: tuple[SmallBank, list[Bank]]) -> None:
    small, banks = servers
    names = [small.north.lot(f"li-{n}") for n in range(20)]
    found: list[list[Slot]] = []
    start = threading.Barrier(10)

    def ask(place: int) -> None:
        start.wait()
        found.append(banks[place % 2].slots.give(small.north.did, names))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 10
    assert all(slots == found[0] for slots in found)
    assert len(set(found[0])) == 20
