"""PostgreSQL killed and started again under a running bank: it heals by itself, nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from bank.api.app import make_app
from bank.cli.background import served
from bank.client import BankUnreachable, RemoteBank
from ledger import Entry, StoreFault
from ledger.log import Log, read_head
from ledger.sequencer import Placed
from ledger.store import open_store, reading
from tests.api_kit import new_key
from tests.bank_kit import SmallBank, result, small_bank
from tests.postgres_server import Server, serving

CLIENTS, KILLS, ENOUGH = 4, 2, 40


@dataclass
class Heard:
    """What one client was told."""

    acknowledged: dict[int, bytes] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def award(small: SmallBank, url: str, client: int, heard: Heard, stop: threading.Event) -> None:
    """Award for ever; what was refused is sent again, as it was."""
    number, key = 0, new_key(small.bank, small.north.did)
    with httpx.Client(base_url=url, timeout=60) as http:
        remote = RemoteBank(http, lambda: datetime.now(UTC), {small.north.did: key})
        while not stop.is_set():
            record = f"c{client}-{number}"
            try:
                (slot,) = remote.slots(small.north, [small.north.lot(record)])
                made = small.north.award(result(record), Decimal(4), slot, small.bank.now())
                while not stop.is_set():
                    (outcome,) = remote.submit([made])
                    assert isinstance(outcome, Placed), outcome
                    heard.acknowledged[outcome.index] = made.signed.statement.hash
                    break
                number += 1
            except BankUnreachable as error:
                heard.refused.append(str(error))
                time.sleep(0.02)


def wait_for_more(count: Callable[[], int], more: int) -> None:
    enough = count() + more
    wait_for(lambda: count() >= enough)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the bank does not get on"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


def test_the_bank_heals_and_loses_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", server.url)
    with small_bank(tmp_path / "bank") as small, served(make_app(small.bank)) as url:
        heard, stop = [Heard() for _ in range(CLIENTS)], threading.Event()
        threads = [
            threading.Thread(target=award, args=(small, url, number, each, stop))
            for number, each in enumerate(heard)
        ]
        for thread in threads:
            thread.start()

        def count() -> int:
            return sum(len(each.acknowledged) for each in heard)

        seconds = []
        for _ in range(KILLS):
            wait_for_more(count, ENOUGH)
            server.kill()
            answer = httpx.get(f"{url}/readyz", timeout=60)
            assert answer.status_code == 503
            assert "the database failed" in answer.json()["reason"]
            assert httpx.get(f"{url}/livez").status_code == 200
            server.start()
            start = time.monotonic()
            wait_for(lambda: httpx.get(f"{url}/readyz", timeout=60).status_code == 200)
            wait_for_more(count, 1)
            seconds.append(time.monotonic() - start)
        wait_for_more(count, ENOUGH)
        stop.set()
        for thread in threads:
            thread.join()
        refused = [sentence for each in heard for sentence in each.refused]
        print(f"{count()} awards, {len(refused)} refusals, healed in {seconds} s")
        # The control: the kills were felt, and told in one sentence.
        assert refused
        assert all("Traceback" not in sentence for sentence in refused)
        for each in heard:
            for index, identity in each.acknowledged.items():
                there = Entry.parse(small.bank.log.entry(index)).signed.statement.hash
                assert there == identity
        report = small.bank.upkeep.audit()
        assert report.passed, report.problems
        assert small.bank.upkeep.rebuild()


def test_a_restart_while_nobody_asks_costs_no_request(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_store(server.url)
    log = Log(engine)
    size = log.size()
    server.kill()
    server.start()
    assert log.size() == size
    with reading(engine) as connection:
        assert read_head(connection).size == size
    # The control: where a connection that the server closed is not told from other faults, it does.
    monkeypatch.setattr(engine.dialect, "is_disconnect", lambda *error: False)
    server.kill()
    server.start()
    with pytest.raises(StoreFault, match="the database failed"):
        log.size()
    engine.dispose()
