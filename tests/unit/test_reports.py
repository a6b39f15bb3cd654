"""Conservation and the regulator's figures, from the entries alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bank.reports import Figures, alerts, figures, tables
from bank.reports.figures import Tally
from keys import b64u_encode
from ledger import Entry, Refused
from ledger.conservation import STATES, conservation
from tests.bank_kit import SOUTH_UNIT, SmallBank, result, small_bank


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("bank")) as made:
        day = made.bank.now().date()
        lots = [made.award(f"li-{n}")[0] for n in range(1, 8)]
        made.award("wu-1", SOUTH_UNIT, "3")
        made.submit(made.convert(lots[0]))
        made.submit(made.north.lot_event("revoke", lots[1].lot, "fraud", day))
        made.submit(made.north.lot_event("suspend", lots[2].lot, "review", day))
        until, claim = "2099-01-01T00:00:00Z", b64u_encode(bytes(32))
        made.submit(made.south.use("reserve", lots[3].lot, application=claim, until=until))
        made.submit(made.south.use("reserve", lots[4].lot, application=claim, until=until))
        made.submit(made.south.use("redeem", lots[4].lot, evaluation=claim))
        old, after = made.north.lot("li-6"), result("li-6", credits="3.5")
        (slot,) = made.port.slots(made.north, [made.north.correction(old, after)])
        now = made.bank.now()
        made.submit(made.north.correct(old, after, Decimal(4), slot, now, "regraded"))
        yield made


def test_every_credit_is_somewhere(small: SmallBank) -> None:
    found = conservation(small.bank.log.entries())
    assert found.balances
    north = found.accounts["standard-credit", "5", small.north.did]
    assert north.born["awarded"] == Decimal("31.5")
    assert {name: int(north.stand[name]) for name in STATES if name != "active"} == {
        "reserved": 4,
        "suspended": 4,
        "pending-out": 0,
        "expired": 0,
        "redeemed": 4,
        "converted": 4,
        "transferred": 0,
        "revoked": 4,
        "superseded": 4,
    }
    assert north.stand["active"] == Decimal("7.5")
    south = found.accounts["standard-credit", "5", small.south.did]
    assert (south.born["converted in"], south.born["awarded"]) == (3, 3)
    assert south.stand["active"] == 6


def test_it_does_not_balance_where_credits_are_made_up(small: SmallBank) -> None:
    """The control: an account with another sum, and a log with an entry left out."""
    found = conservation(small.bank.log.entries())
    account = next(iter(found.accounts.values()))
    account.born["awarded"] += 1
    assert not found.balances
    kept = [
        data
        for data in small.bank.log.entries()
        if Entry.parse(data).signed.statement.kind != "award"
    ]
    with pytest.raises(Refused, match="there is no lot"):
        conservation(kept)


def test_the_figures(small: SmallBank) -> None:
    found = figures(small.bank.log.entries())
    month = small.bank.now().astimezone(UTC).strftime("%Y-%m")
    assert found.awarded[small.north.did, "5", "ict", month].lots == 8
    flow = found.flows[small.north.did, small.south.did]
    assert (flow.lots, flow.credits) == (1, 4)
    assert found.rules == {(small.south.did, "R1@1"): 1}
    assert found.never_used == []
    assert found.medians() == {"appeal to decision": None, "award to conversion": 0}
    assert found.adverse[small.north.did, "revoke", "fraud"] == 1
    by_name = {table.name: table for table in tables(found, 10)}
    assert by_name["awards"].rows == ()  # this month has not ended
    assert by_name["recognition-flows"].rows == ((small.north.did, small.south.did, None),)
    assert by_name["recognition-flows"].csv().endswith(f"{small.south.did},\n")
    # The rule's one use and its days would tell the flow that is left out.
    assert by_name["rules"].to_json()["rows"] == [[small.south.did, "R1@1", None]]
    assert {days for _, days in by_name["median-days"].rows} == {None}
    open_to_all = {table.name: table for table in tables(found, 1)}
    assert open_to_all["rules"].rows == ((small.south.did, "R1@1", 1),)
    assert open_to_all["median-days"].rows[1] == ("award to conversion", 0)


def test_appeals_have_a_clock(small: SmallBank) -> None:
    day = datetime(2099, 1, 1, tzinfo=UTC).date().isoformat()
    before = figures(small.bank.log.entries()).appeals
    name, grounds = b64u_encode(b"a" * 16), b64u_encode(bytes(32))
    from ledger import Statement

    body = {"against": small.north.did, "appeal": name, "due": day, "grounds": grounds}
    statement = Statement.make(small.bank.settings.did, "appeal", body)
    small.bank.intake.append([statement.sign(small.bank.signer)])
    after = figures(small.bank.log.entries()).appeals
    assert (before["open"], after["open"], after["overdue"]) == (0, 1, 0)


def series(**months: int) -> Figures:
    made = Figures(day="2026-12-01")
    for month, lots in months.items():
        tally = Tally(lots, Decimal(4 * lots))
        made.awarded["did:a", "5", "ict", month.replace("_", "-")[1:]] = tally
        made.rule_months["did:a", "R1@1", month.replace("_", "-")[1:]] = lots
    return made


def test_what_stands_out() -> None:
    wild = series(m2026_01=30, m2026_02=34, m2026_03=31, m2026_04=33, m2026_05=200)
    found = alerts(wild)
    assert [(one.kind, one.month, one.value) for one in found] == [
        ("credits", "2026-05", 800),
        ("rule", "2026-05", 200),
    ]
    assert found[1].sentence == (
        "did:a R1@1: 200 conversions by the rule in 2026-05; 32 a month were usual before"
    )
    # A quiet series, a slow growth and a small number do not.
    assert alerts(series(m2026_01=30, m2026_02=34, m2026_03=31, m2026_04=38, m2026_05=41)) == []
    assert alerts(series(m2026_01=1, m2026_02=1, m2026_03=1, m2026_04=19)) == []
    # Nor do the terms of somebody who awards twice a year; one of three times the usual does.
    terms = {"m2024_07": 50, "m2025_01": 61, "m2025_07": 48, "m2026_01": 66, "m2026_07": 70}
    assert alerts(series(**terms)) == []
    assert [one.month for one in alerts(series(**{**terms, "m2026_07": 170}))] == ["2026-07"] * 2
    # A second wild month is told as well: the first did not become what is usual.
    again = alerts(series(m2026_01=30, m2026_02=34, m2026_03=31, m2026_04=200, m2026_05=200))
    assert [one.month for one in again if one.kind == "rule"] == ["2026-04", "2026-05"]
    # A rule that nobody used and then everybody.
    assert alerts(series(m2026_01=1, m2026_06=60))[1].kind == "rule"
