"""Canaries: names, numbers, references and secrets that are easy to find are used everywhere.

Then everything a bank leaves behind is searched for them, in every spelling: its folder and
database, ledger, tiles, backup, log lines and what commands wrote to standard error. The control
plants each of them in each kind of place, and the same search finds it.
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from bank.client import RemoteBank
from bank.institution import RECORDS
from bank.results import Learner
from bank.sign_in import Role
from keys import PrivateKey, write_keystore
from tests.api_kit import new_key
from tests.bank_kit import USCC, SmallBank, result, small_bank
from tests.command_kit import creditbank

NAME, SECOND = "钟离幽兰", "Zhonglione Youlantwo"
NUMBER = "11010519491231002X"
REFERENCE, SOURCE = "STUCANARY7761", "KEYCANARY9914"
PASSPHRASE = "canary-passphrase-5521"
GRADE = "87.125"
CSV = "ref,name,code,title,en,field,level,credits,hours,grade,date\n"
MAPPING = """
institution = "north"
source_key = "{ref}|x"
credits = "{credits}"
grade = "{grade}"
awarded = "{date}"
[learner]
key = "{ref}"
name = "{name}"
[unit]
code = "{code}"
title_en = "{en}"
title_zh = "{title}"
field = "{field}"
level = "{level}"
hours = "{hours}"
framework = "cq-lof"
scheme = "standard-credit"
"""


@dataclass
class Left:
    """What was left behind, where, and what is looked for in it."""

    folder: Path
    needles: dict[str, str] = field(default_factory=dict)
    seen: bytes = b""
    """What the server answered: there the canaries must be."""


def spellings(text: str) -> set[bytes]:
    """How a text may stand in a file."""
    raw = text.encode()
    found = {raw, text.encode("utf-16-le"), json.dumps(text)[1:-1].encode(), quote(text).encode()}
    found |= {raw.hex().encode(), raw.hex().upper().encode(), text.lower().encode()}
    for shift in range(3):
        # Base64 of the same bytes differs by where they begin; the ends depend on what is beside.
        piece = base64.b64encode(b"\0" * shift + raw)[4:-4]
        if len(piece) >= 8:
            found |= {piece, piece.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def search(files: Mapping[str, bytes], needles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where (file) which canary is found."""
    return sorted(
        (place, what)
        for place, data in files.items()
        for what, text in needles.items()
        if any(spelling in data for spelling in spellings(text))
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file, and every file in an archive."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
        if path.suffix == ".tar":
            with tarfile.open(path) as tar:
                for entry in tar:
                    file = tar.extractfile(entry)
                    found[f"{path.name}/{entry.name}"] = file.read() if file else b""
    return found


@contextmanager
def server(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bank.cli", "bank", "serve", "--port", str(port)]
    command += ["--data", str(folder / "var")]
    environment = {**os.environ, "CREDITBANK_PASSPHRASE": PASSPHRASE}
    with (folder / "left" / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A day in the life of a bank, with canaries."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "left").mkdir()
    left = Left(folder)
    with small_bank(folder / "var", passphrase=PASSPHRASE) as small:
        members(folder, small)
        invite = small.bank.sign_in.admit("door", "Door", Role.OPERATOR, "")
        left.needles["session"] = small.bank.sign_in.begin(invite.person)
        _awards(small, left, folder)
    return left


def _awards(small: SmallBank, left: Left, folder: Path) -> None:
    (folder / "results.csv").write_text(
        CSV + f"{SOURCE},{SECOND},CS101,计算,Computing,ict,5,4,64,{GRADE},2024-07-01\n"
    )
    (folder / "who.txt").write_text(f"name: {NAME}\nnumber: {NUMBER}\n")
    (folder / "bad.txt").write_text(f"name: {NAME}\nnumber: {NUMBER[:-1]}3\n")
    number = 0

    def run(*arguments: str, code: int = 0, keep: bool = True) -> str:
        nonlocal number
        number += 1
        done = creditbank(*arguments, folder=folder, CREDITBANK_PASSPHRASE=PASSPHRASE)
        assert done.returncode == code, done.stderr
        if keep:
            (folder / "left" / f"{number}.stderr").write_text(done.stderr, encoding="utf-8")
        return done.stdout.strip()

    with server(folder) as url, httpx.Client(base_url=url, timeout=60) as http:
        key = new_key(small.bank, small.north.did)
        remote = RemoteBank(http, lambda: datetime.now(UTC), {small.north.did: key})
        made = replace(result("x-1"), learner=Learner(REFERENCE, NAME), source_key=REFERENCE)
        made = replace(made, grade=GRADE)
        (slot,) = remote.slots(small.north, [small.north.lot(REFERENCE)])
        remote.submit([small.north.award(made, Decimal(4), slot, datetime.now(UTC))])
        run(
            *("import", "results.csv", "--mapping", "mapping.toml", "--members", "members"),
            *("--institutions", "institutions.toml", "--bank", url, "--domain", "cq.example"),
        )
        learner = run("learner", "open", "--data", "var", "--from", "who.txt")
        run("learner", "link", learner, small.bank.accounts.names()[0], "--data", "var")
        for account in small.bank.accounts.names():
            token = small.bank.vault.token(account)
            left.needles[f"token {len(left.needles)}"] = token
            http.headers["authorization"] = f"Bearer {token}"
            left.seen += http.get("/credentials").content + http.get("/passbook").content
            (owned, *_) = http.get("/credentials").json()["credentials"]
            left.seen += http.get(f"/credentials/{owned['id']}").content
            shared = http.post("/shares", json={"credentials": [owned["id"]], "days": 3}).json()
            secret = shared["url"].rpartition("/")[2]
            left.needles[f"share {len(left.needles)}"] = secret
            left.seen += http.get(f"/s/{secret}").content
            http.get(f"/s/{secret}", headers={"accept": "text/html"})
        run("learner", "open", "--data", "var", "--from", "bad.txt", code=1, keep=False)
        _wander(http, left.needles["session"])
    run("ledger", "publish", "left/public", "--data", "var")
    run("bank", "backup", "left/kept.tar", "--data", "var")
    run("doctor", "--data", "var", code=1)
    left.needles |= {
        "name": NAME,
        "second name": SECOND,
        "number": NUMBER,
        "reference": REFERENCE,
        "source": SOURCE,
        "passphrase": PASSPHRASE,
        "grade": GRADE,
    }
    shutil.copytree(folder / "var", folder / "left" / "var")


def _wander(http: httpx.Client, session: str) -> None:
    """Requests that fail, each with a canary where a log might take it from."""
    for path in (f"/{NAME}", f"/ledger/entries/{REFERENCE}", f"/health?name={NAME}"):
        http.get(path)
        http.get(path, headers={"accept": "text/html", "user-agent": REFERENCE})
    http.get("/status/1", headers={"authorization": f"Bearer {REFERENCE}"})
    http.post("/statements", content=json.dumps({"statements": [NAME]}))
    http.post("/slots", content=json.dumps({"request": {"lots": [REFERENCE]}}))
    http.post("/sign-in", data={"login": NUMBER, "password": PASSPHRASE, "code": "1"})
    http.headers["cookie"] = f"session={session}"
    for path in ("/operator", "/operator/people", f"/operator/{NAME}", "/awards"):
        http.get(path, headers={"accept": "text/html"})


def members(folder: Path, small: SmallBank) -> None:
    """North's own folder, and what the import reads."""
    own = folder / "members" / "north"
    own.mkdir(parents=True)
    cost = {"operations": 1, "memory": 8 * 1024 * 1024}
    assert isinstance(small.north.signer, PrivateKey)
    write_keystore(own / "signing.keystore", small.north.signer.seed, PASSPHRASE, **cost)
    write_keystore(own / "records.keystore", bytes(32), PASSPHRASE, RECORDS, **cost)
    door = new_key(small.bank, small.north.did)
    write_keystore(own / "api.keystore", door.seed, PASSPHRASE, **cost)
    (folder / "mapping.toml").write_text(MAPPING)
    (folder / "institutions.toml").write_text(
        f'[[institution]]\nslug = "north"\nuscc = "{USCC["north"]}"\n'
        'capacities = ["awarding"]\nname = { en = "north", zh = "north" }\n'
        'grant = { fields = ["*"], level = "8", from = "2020-01-01", until = "2100-01-01" }\n'
    )


def test_nothing_of_a_person_is_left_in_clear(left: Left) -> None:
    assert len(left.needles) >= 12
    # The canaries were there: whoever may see them does.
    for text in (NAME, SECOND, GRADE):
        assert text.encode() in left.seen or json.dumps(text)[1:-1].encode() in left.seen
    files = files_of(left.folder / "left")
    kinds = {"server.log", "kept.tar", "kept.tar/database", "var/bank.db", "public/checkpoint"}
    assert kinds <= set(files)
    assert any(name.startswith("public/tile/entries/") for name in files)
    assert any(name.endswith(".stderr") for name in files)
    lines = files["server.log"].decode().splitlines()
    assert sum('"event": "request"' in line for line in lines) > 20
    assert search(files, left.needles) == []


def test_control_a_planted_canary_is_found(left: Left) -> None:
    files, rng = files_of(left.folder / "left"), random.Random(4)
    for what, text in left.needles.items():
        place = rng.choice(sorted(files))
        for spelling in sorted(spellings(text)):
            data = files[place]
            middle = rng.randrange(len(data) + 1)
            planted = {**files, place: data[:middle] + spelling + data[middle:]}
            assert (place, what) in search({place: planted[place]}, {what: text})


def test_control_a_usual_access_log_would_tell(left: Left) -> None:
    """What uvicorn logs by itself, of the same request."""
    secret = next(text for what, text in left.needles.items() if what.startswith("share"))
    line = f'127.0.0.1:1 - "GET /s/{secret} HTTP/1.1" 200'
    assert search({"access.log": line.encode()}, left.needles)
