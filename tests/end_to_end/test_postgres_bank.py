"""A province's bank: PostgreSQL by one setting, several servers appending, one of them killed."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bank.client import BankUnreachable, RemoteBank
from bank.institution import Institution
from bank.opening import admit, create_bank, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from keys import PrivateKey
from ledger.sequencer import Placed
from tests.api_kit import new_key

UNIT = UnitRef("A1", 1, "Unit", "单元", "ict", "5", "48", "cq-lof", "standard-credit")
SERVE = """
import os, sys, uvicorn
from pathlib import Path
from bank.api.app import make_app
from bank.opening import open_bank
bank = open_bank(Path(sys.argv[1]), "p")
uvicorn.run(make_app(bank), fd=int(sys.argv[2]), log_level="error")
"""


@pytest.fixture
def database(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"bank_{int(time.time() * 1000)}"
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    url = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", url)
    return url


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    import socket

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    command = [sys.executable, "-c", SERVE, str(folder), str(listener.fileno())]
    process = subprocess.Popen(command, pass_fds=[listener.fileno()])
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, timeout=60) as http:
            http.get("/health").raise_for_status()
        listener.close()
        yield url, process
    finally:
        process.kill()
        process.wait()


def result(number: int) -> Result:
    learner = Learner(f"S{number}", f"学生{number}")
    return Result(2, f"k{number}", learner, "bayu-open", UNIT, "2", None, date(2026, 7, 1), None)


def test_two_servers_append_and_one_is_killed(database: str, tmp_path: Path, repo: Path) -> None:
    governance, key = PrivateKey.generate(), PrivateKey.generate()
    public = governance.public_key.multikey
    create_bank(tmp_path, "cq.example", {"en": "CQ", "zh": "重庆"}, [public], 1, "p")
    bank = open_bank(tmp_path, "p")
    assert not (tmp_path / "bank.db").exists()
    bank.found([governance])
    admission = read_admissions(repo / "docs" / "samples" / "institutions.toml")[0]
    admit(bank, admission, key.public_key, [governance])
    institution = Institution("cq.example", "bayu-open", admission.names, key, b"r" * 32)
    bank.intake.submit([institution.publish_unit(UNIT, Decimal(2))])
    keys = {institution.did: new_key(bank, institution.did)}
    acknowledged: set[int] = set()

    def send(url: str, numbers: range) -> None:
        with httpx.Client(base_url=url, timeout=60) as http:
            remote = RemoteBank(http, lambda: datetime.now(UTC), keys)
            for start in range(numbers.start, numbers.stop, 5):
                batch = [result(n) for n in range(start, min(numbers.stop, start + 5))]
                try:
                    slots = remote.slots(
                        institution, [institution.lot(item.source_key) for item in batch]
                    )
                    awards = [
                        institution.award(item, Decimal(2), slot, datetime.now(UTC))
                        for item, slot in zip(batch, slots, strict=True)
                    ]
                    outcomes = remote.submit(awards)
                except BankUnreachable:
                    return
                for item, outcome in zip(batch, outcomes, strict=True):
                    assert isinstance(outcome, Placed), outcome
                    acknowledged.add(int(item.source_key[1:]))

    with server(tmp_path) as (first, _), server(tmp_path) as (second, doomed):
        threads = [
            threading.Thread(target=send, args=(url, range(start, start + 100)))
            for url, start in ((first, 0), (second, 100), (first, 200), (second, 300))
        ]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 100 and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        doomed.kill()
        for thread in threads:
            thread.join()
        assert len(acknowledged) < 400
        # Everybody goes on at the server that is left: nothing is lost, nothing doubled.
        before = set(acknowledged)
        send(first, range(400))
        assert acknowledged == set(range(400))
        assert before <= acknowledged
    report = bank.upkeep.audit()
    assert report.passed, report.problems
    assert report.lots == 400
    assert bank.upkeep.rebuild()
    bank.close()
