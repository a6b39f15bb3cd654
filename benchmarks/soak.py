"""A soak: a mixed load at a steady rate for minutes, while PostgreSQL is killed in the middle.

    .venv/bin/python -m benchmarks.soak --minutes 10 --rate 500

The server is the command `creditbank bank serve` in a process of its own. Requests are sent when
they are due, whether or not earlier ones were answered, so that waiting counts. Whatever was
acknowledged is looked for in the log at the end, and the whole log is audited. Exit code 1 if an
acknowledged award is lost, if there is an error while the database runs, or if memory grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from bank.http_signature import API, Target, sign_request
from bank.opening import open_bank
from benchmarks.postgres import postgres
from benchmarks.samples import INSTITUTION, REPO, award, small_bank
from keys import PrivateKey, encode
from ledger import Entry

_FIRST = 200
_KEY = PrivateKey.from_seed(b"a" * 32)
_IDLE = 2.0
_GRACE = 30.0
"""Seconds after the kill in which answers of 503 are what is to be expected."""


@dataclass
class Told:
    """What the load heard: how long each answer took, and which awards were acknowledged."""

    waits: list[float] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    during: Counter[tuple[str, int]] = field(default_factory=Counter)
    acknowledged: dict[bytes, int] = field(default_factory=dict)
    """Places in the log, by the hash of the statement."""
    broken: list[str] = field(default_factory=list)
    late: int = 0


@dataclass(frozen=True)
class Request:
    """What is sent. `token` is the caller's; `statement` the hash of what is to be appended."""

    path: str
    token: str = ""
    body: bytes = b""
    statement: bytes = b""


@dataclass(frozen=True)
class Ask:
    """One kind of request: what to send, and how often among a hundred."""

    name: str
    weight: int
    make: Callable[[], Request]


class Load:
    """Requests at a steady rate over connections that are kept open."""

    def __init__(self, url: str, asks: list[Ask], told: Told) -> None:
        self._address = urlsplit(url)
        self._asks = asks
        self._told = told
        self._dice = random.Random(7)
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []
        self.outage: tuple[float, float] | None = None

    async def run(self, rate: float, seconds: float) -> None:
        """Send `rate` requests a second for so many seconds, and wait for the last answers."""
        start = time.perf_counter()
        names = [ask for ask in self._asks for _ in range(ask.weight)]
        tasks: set[asyncio.Task[None]] = set()
        for number in range(int(rate * seconds)):
            due = start + number / rate
            ahead = due - time.perf_counter()
            if ahead > 0.002:
                await asyncio.sleep(ahead)
            elif number % 50 == 0:
                await asyncio.sleep(0)
            task = asyncio.create_task(self._one(self._dice.choice(names), due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=60)
        self._told.late = len(tasks)

    async def _one(self, ask: Ask, due: float) -> None:
        request = ask.make()
        try:
            status, answer = await self._exchange(request)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self._told.broken.append(f"{ask.name}: {error!r}")
            return
        now = time.perf_counter()
        if self.outage and self.outage[0] <= now <= self.outage[1]:
            self._told.during[ask.name, status] += 1
        else:
            self._told.waits.append(now - due)
            self._told.statuses[ask.name, status] += 1
        if request.statement and status == 200:
            found = json.loads(answer)["outcomes"][0]
            if found["outcome"] == "appended":
                self._told.acknowledged[request.statement] = int(found["index"])
            else:
                self._told.broken.append(f"declined: {found}")

    async def _exchange(self, request: Request) -> tuple[int, bytes]:
        reader, writer = await self._connection()
        head = f"{'POST' if request.body else 'GET'} {request.path} HTTP/1.1\r\n"
        head += f"Host: {self._address.netloc}\r\n"
        if request.token:
            head += f"Authorization: Bearer {request.token}\r\n"
        if request.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(request.body)}\r\n"
        try:
            writer.write(f"{head}\r\n".encode() + request.body)
            found = await reader.readuntil(b"\r\n\r\n")
            status = int(found.split(b" ", 2)[1])
            size = re.search(rb"(?i)content-length: (\d+)", found)
            answer = await reader.readexactly(int(size[1]) if size else 0)
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in found.lower():
            writer.close()
        else:
            self._free.append((reader, writer, time.perf_counter()))
        return status, answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that was used a moment ago, or a new one: servers close what is idle for long."""
        while self._free:
            reader, writer, since = self._free.pop()
            if time.perf_counter() - since < _IDLE:
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._address.hostname, self._address.port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--sqlite", action="store_true", help="no PostgreSQL, and nothing killed")
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    with ExitStack() as stack:
        if not arguments.sqlite:
            database = stack.enter_context(postgres())
            os.environ["CREDITBANK_DATABASE_URL"] = database.url
        bank, _ = stack.enter_context(small_bank(_FIRST))
        data = bank.settings.folder
        tokens = [bank.vault.token(account) for account in bank.accounts.names()]
        owned = [(token, bank.accounts.credentials(token)[0][0]) for token in tokens]
        bank.api_keys.add(INSTITUTION.did, _KEY.public_key.multikey, "soak")
        bank.checkpoints.sign()
        told = Told()
        server, url = stack.enter_context(_server(data))
        load = Load(url, _asks(Session(url), owned), told)
        memory: list[int] = []
        stop = threading.Event()
        stack.callback(stop.set)
        threading.Thread(target=_watch, args=(server, memory, stop), daemon=True).start()
        if not arguments.sqlite:
            threading.Timer(seconds / 2, _kill, (database, load)).start()
        asyncio.run(load.run(arguments.rate, seconds))
        stop.set()
        ok = _say(told, memory, arguments.rate, seconds)
        server.terminate()
        server.wait(timeout=60)
        sys.exit(0 if _kept(data, told) and ok else 1)


class Session:
    """The token of the institution's API key, asked for anew before it ends."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._until = 0.0
        self._token = ""

    def token(self) -> str:
        """The token that is good now. An outage leaves the last one in its place."""
        if time.monotonic() > self._until:
            target = Target("POST", urlsplit(self._url).netloc, "/sessions")
            now, nonce = datetime.now(UTC), secrets.token_urlsafe(18)
            signed = sign_request(target, b"", _KEY, API, nonce, now)
            self._until = time.monotonic() + 20
            answer = httpx.post(f"{self._url}/sessions", headers=signed, timeout=10)
            if answer.status_code == 201:
                self._token, self._until = str(answer.json()["token"]), time.monotonic() + 300
        return self._token


def _asks(session: Session, owned: list[tuple[str, str]]) -> list[Ask]:
    dice = random.Random(11)
    next_award = iter(range(_FIRST, 10**9))

    def post() -> Request:
        made = award(next(next_award))
        body = {
            "credential": made.credential,
            "learner": made.learner,
            "signed": json.loads(made.signed.data),
        }
        sent = encode({"statements": [body]})
        return Request("/statements", session.token(), sent, sha256(made.signed.data).digest())

    def get(*paths: str) -> Callable[[], Request]:
        return lambda: Request(dice.choice(paths))

    def entry(rest: str) -> Callable[[], Request]:
        return lambda: Request(f"/ledger/entries/{dice.randrange(_FIRST)}{rest}")

    def mine(rest: str) -> Callable[[], Request]:
        def make() -> Request:
            token, identifier = dice.choice(owned)
            return Request(rest.format(identifier), token)

        return make

    return [
        Ask("award", 30, post),
        Ask("checkpoint", 10, get("/ledger/checkpoint", "/log/checkpoint")),
        Ask("entry", 10, entry("")),
        Ask("receipt", 10, entry("/receipt")),
        Ask("tile", 10, get("/log/tile/0/000.p/128", "/log/tile/entries/000.p/200")),
        Ask("credential", 8, mine("/credentials/{}")),
        Ask("bundle", 6, mine("/credentials/{}/bundle")),
        Ask("passbook", 4, mine("/passbook")),
        Ask("verifier", 4, get("/v/")),
        Ask("explorer", 4, get("/explore", "/entries/3")),
        Ask("status", 2, get("/status/1")),
        Ask("health", 2, get("/health")),
    ]


@contextmanager
def _server(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The bank's own command, and where it says it is."""
    log = data / "serve.log"
    environment = {**os.environ, "CREDITBANK_PASSPHRASE": "p", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "bank.cli", "bank", "serve", "--data", str(data), "--port=0"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=REPO
        )
    try:
        end = time.monotonic() + 60
        while not (found := re.search(r"http://localhost:\d+", log.read_text())):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server did not start:\n{log.read_text()}")
            time.sleep(0.1)
        time.sleep(2)
        yield process, found[0]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        print(f"the server's last words: {log.read_text()[-600:]!r}")


def _watch(server: subprocess.Popen[bytes], memory: list[int], stop: threading.Event) -> None:
    status = Path(f"/proc/{server.pid}/status")
    while not stop.wait(5) and server.poll() is None:
        if found := re.search(r"VmRSS:\s+(\d+)", status.read_text()):
            memory.append(int(found[1]) // 1024)


def _kill(database: Any, load: Load) -> None:
    now = time.perf_counter()
    load.outage = (now, now + _GRACE)
    ended = database.kill()
    time.sleep(3)
    database.start()
    print(
        f"PostgreSQL: {ended} processes killed, started again {time.perf_counter() - now:.1f} s on"
    )


def _say(told: Told, memory: list[int], rate: float, seconds: float) -> bool:
    waits = sorted(told.waits)
    asked = sum(told.statuses.values()) + sum(told.during.values())
    print(f"{asked:,} answers in {seconds:.0f} s, {rate:.0f} a second asked for")
    for share in (50, 90, 99, 99.9):
        at = waits[min(len(waits) - 1, int(len(waits) * share / 100))]
        print(f"  {share} % within {at * 1000:.0f} ms")
    bad = {key: n for key, n in told.statuses.items() if key[1] >= 400}
    print(f"answers by kind: {dict(sorted(told.statuses.items()))}")
    print(f"around the kill: {dict(sorted(told.during.items()))}")
    print(f"refused outside of it: {bad}; no answer: {len(told.broken)} {told.broken[:5]}")
    print(f"never answered: {told.late}; awards acknowledged: {len(told.acknowledged):,}")
    early = memory[len(memory) // 5] if memory else 0
    print(f"memory of the server, MB, every 5 s: {memory[:: max(1, len(memory) // 20)]}")
    flat = bool(memory) and memory[-1] <= early * 1.15 + 20
    wrong = {n for (_, n) in told.during if n >= 400 and n != 503}
    return flat and not bad and not told.broken and not told.late and not wrong


def _kept(data: Path, told: Told) -> bool:
    """Whether every acknowledged award is at its place, and the whole log passes."""
    bank = open_bank(data, "p")
    try:
        report = bank.upkeep.audit()
        places = {
            sha256(Entry.parse(entry).signed.data).digest(): index
            for index, entry in enumerate(bank.log.entries())
        }
    finally:
        bank.close()
    lost = [
        index for statement, index in told.acknowledged.items() if places.get(statement) != index
    ]
    print(f"audit passed: {report.passed}, {report.size:,} entries")
    print(f"acknowledged and not there: {len(lost)} of {len(told.acknowledged):,}")
    return report.passed and not lost


if __name__ == "__main__":
    main()
