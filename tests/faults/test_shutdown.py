"""SIGTERM while requests wait for the log's one writer: each is answered, whole, then it ends.

Another process holds the database's lock, so that all of them are certainly under way when the
signal comes. The control is SIGKILL, after which nobody hears anything.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from bank.client import BankUnreachable, RemoteBank
from bank.institution import Institution, Submission
from bank.opening import open_bank
from keys import PrivateKey
from ledger import Entry
from ledger.sequencer import Placed
from tests.api_kit import new_key
from tests.bank_kit import result, small_bank

CLIENTS, BATCH = 8, 5
UNDER_WAY, HELD = 1.5, 0.7
"""Seconds until all requests have certainly arrived; seconds the lock is held after the signal."""


@dataclass
class Made:
    folder: Path
    batches: list[list[Submission]]
    north: Institution
    key: PrivateKey


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A bank that nobody serves, and awards to send it, each with its status slot."""
    folder, batches = tmp_path / "bank", []
    with small_bank(folder) as small:
        key = new_key(small.bank, small.north.did)
        for number in range(CLIENTS):
            records = [f"l{number}-{each}" for each in range(BATCH)]
            slots = small.port.slots(small.north, [small.north.lot(each) for each in records])
            now = small.bank.now()
            pairs = zip(records, slots, strict=True)
            batches.append(
                [small.north.award(result(each), Decimal(4), slot, now) for each, slot in pairs]
            )
    return Made(folder, batches, small.north, key)


@dataclass
class Heard:
    """What clients were answered."""

    acknowledged: dict[int, Submission] = field(default_factory=dict)
    unanswered: int = 0
    others: list[str] = field(default_factory=list)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bank.cli", "bank", "serve"]
    command += ["--data", str(folder), "--port", str(port)]
    environment = {**os.environ, "CREDITBANK_PASSPHRASE": "p"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 60
        while not _is_ready(url):
            assert time.monotonic() < end, (folder / "server.log").read_text()
            time.sleep(0.05)
        yield url, process
    finally:
        process.kill()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def send(remote: RemoteBank, batch: list[Submission], heard: Heard) -> None:
    try:
        outcomes = remote.submit(batch)
    except BankUnreachable as error:
        if isinstance(error.__cause__, httpx.TransportError):
            heard.unanswered += 1
        else:
            heard.others.append(str(error))
        return
    for submission, outcome in zip(batch, outcomes, strict=True):
        assert isinstance(outcome, Placed), outcome
        heard.acknowledged[outcome.index] = submission


def stop_under_load(made: Made, number: signal.Signals) -> tuple[Heard, int, bool]:
    """What was heard, how the server ended, and whether it took connections after the signal."""
    heard = Heard()
    with (
        serving(made.folder) as (url, process),
        closing(sqlite3.connect(made.folder / "bank.db", isolation_level=None)) as other,
        ExitStack() as clients,
    ):
        threads = []
        for batch in made.batches:
            http = clients.enter_context(httpx.Client(base_url=url, timeout=60))
            remote = RemoteBank(http, lambda: datetime.now(UTC), {made.north.did: made.key})
            remote.alone(made.north)  # begins the session, which is written to the database
            threads.append(threading.Thread(target=send, args=(remote, batch, heard)))
        other.execute("BEGIN IMMEDIATE")
        for thread in threads:
            thread.start()
        time.sleep(UNDER_WAY)
        assert heard == Heard()
        process.send_signal(number)
        time.sleep(HELD)
        took = _is_ready(url)
        other.execute("ROLLBACK")
        code = process.wait(timeout=60)
        for thread in threads:
            thread.join()
    return heard, code, took


def check_kept(made: Made, heard: Heard) -> None:
    bank = open_bank(made.folder, "p")
    try:
        for index, submission in heard.acknowledged.items():
            there = Entry.parse(bank.log.entry(index)).signed.statement.hash
            assert there == submission.signed.statement.hash
        report = bank.upkeep.audit()
        assert report.passed, report.problems
    finally:
        bank.close()


def test_what_was_asked_before_sigterm_is_answered(made: Made) -> None:
    heard, code, took = stop_under_load(made, signal.SIGTERM)
    log = (made.folder / "server.log").read_text()
    assert code == 0, log
    assert not took
    assert heard.others == []
    assert heard.unanswered == 0
    assert len(heard.acknowledged) == CLIENTS * BATCH
    assert '"event": "stopped"' in log
    check_kept(made, heard)


def test_control_sigkill_leaves_them_alone(made: Made) -> None:
    heard, code, took = stop_under_load(made, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not took
    assert heard.unanswered == CLIENTS
    check_kept(made, heard)
