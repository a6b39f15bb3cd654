"""The served bank as its members, learners and verifiers meet it: each over HTTP, each alone."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.command_kit import creditbank

Run = Callable[..., subprocess.CompletedProcess[str]]
DOMAIN = "cq.example"
SECRET = {"CREDITBANK_PASSPHRASE": "one for all"}
SLUGS = ("bayu-open", "jialing-tech", "shancheng-skills")
UNPLUGGED = """
import sys
def refuse(event, arguments):
    assert not event.startswith("socket."), event
sys.addaudithook(refuse)
from bank.cli import main
main()
"""


@dataclass(frozen=True)
class Parties:
    """A founded bank with three admitted institutions, as the verbs make it."""

    folder: Path
    samples: Path
    run: Run

    def do(self, *arguments: str) -> str:
        done = self.run(*arguments, **SECRET)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def load(self, url: str) -> str:
        return self.do(
            *("import", str(self.samples / "results.csv")),
            *("--mapping", str(self.samples / "results.mapping.toml")),
            *("--institutions", str(self.samples / "institutions.toml")),
            *("--members", self.path("members"), "--bank", url, "--domain", DOMAIN),
        ).strip()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Path:
    """The folder in which they were founded and admitted, to be copied."""
    them = Parties(tmp_path_factory.mktemp("founded"), repo / "docs" / "samples", creditbank)
    them.do("keys", "new", them.path("regulator.keystore"))
    quorum = ("--governance", them.path("regulator.keystore"), "--data", them.path("var"))
    names = ("--name-en", "CQ", "--name-zh", "重庆")
    them.do("bank", "create", "--domain", DOMAIN, *names, "--threshold", "1", *quorum)
    institutions = ("--institutions", str(them.samples / "institutions.toml"))
    for slug in SLUGS:
        key = them.do("member", "key", them.path(f"members/{slug}")).strip()
        them.do("member", "admit", "--slug", slug, "--key", key, *institutions, *quorum)
        opener = them.do("member", "api-key", "new", them.path(f"members/{slug}")).strip()
        told = ("--slug", slug, "--name", "student records", "--data", them.path("var"))
        them.do("member", "api-key", "add", "--key", opener, *told)
    return them.folder


@pytest.fixture
def parties(founded: Path, tmp_path: Path, run: Run, repo: Path) -> Parties:
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    return Parties(tmp_path, repo / "docs" / "samples", run)


@contextmanager
def serving(data: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`creditbank bank serve`: the URL it says it has, and its process."""
    process = subprocess.Popen(
        [*(sys.executable, "-m", "bank.cli", "bank", "serve"), "--data", data, "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "", "COLUMNS": "200", **SECRET},
    )
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://localhost:[1-9]\d*", line)
        assert found, line
        yield found[0], process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


def test_everyone_over_http(parties: Parties, tmp_path: Path) -> None:
    data = ("--data", parties.path("var"))
    with serving(parties.path("var")) as (url, process), httpx.Client(base_url=url) as http:
        assert parties.load(url) == "300 awarded, 0 already in the ledger"
        assert parties.load(url) == "0 awarded, 300 already in the ledger"
        assert http.get("/health").json()["status"] == "ok"
        # The regulator signs the trust bundle beside the running server, which then has it.
        assert http.get("/trust.json").status_code == 404
        parties.do(
            *("trust", "export", "--governance", parties.path("regulator.keystore")),
            *("--out", parties.path("signed.json"), *data),
        )
        trust = tmp_path / "trust.json"
        trust.write_bytes(http.get("/trust.json").content)
        assert trust.read_bytes() == (tmp_path / "signed.json").read_bytes()
        # The learner, with nothing but the token that the counter handed out.
        token = re.findall(r"token (\S+)", parties.do("learners", *data, "--limit", "1"))[0]
        own = {"Authorization": f"Bearer {token}"}
        credentials = http.get("/credentials", headers=own).json()["credentials"]
        assert len(credentials) > 1
        bundles = []
        for number, held in enumerate(credentials):
            answer = http.get(f"/credentials/{held['id']}/bundle", headers=own)
            bundles.append(tmp_path / f"{number}.bundle.json")
            bundles[-1].write_bytes(answer.content)
        assert http.get("/credentials", headers={"Authorization": "Bearer x"}).status_code == 401
        # What was acknowledged is there after the server was stopped from the keyboard.
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    for bundle in bundles:
        done = subprocess.run(
            [sys.executable, "-c", UNPLUGGED, "verify", str(bundle), "--trust", str(trust)],
            capture_output=True,
            text=True,
            env={"CREDITBANK_STATE": str(tmp_path / "s"), "PATH": "", "COLUMNS": "200"},
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "300 award" in parties.do("ledger", "audit", *data)
    parties.do("ledger", "rebuild", *data)


def test_a_server_killed_in_the_middle_of_an_import(parties: Parties) -> None:
    """The institution is told that trying again is safe; it tries again, and it is."""
    killed = threading.Event()
    with serving(parties.path("var")) as (url, process):

        def kill() -> None:
            with httpx.Client(base_url=url) as http:
                before = http.get("/health").json()["size"]
                while http.get("/health").json()["size"] < before + 2:
                    time.sleep(0.01)  # a limit holds for the impatient too
            process.kill()
            killed.set()

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(AssertionError, match="trying again is safe"):
            parties.load(url)
        killer.join()
    assert killed.is_set()
    with serving(parties.path("var")) as (url, _):
        awarded, repeated = map(int, re.findall(r"\d+", parties.load(url)))
        assert awarded + repeated == 300
        assert parties.load(url) == "0 awarded, 300 already in the ledger"
    assert "300 award" in parties.do("ledger", "audit", "--data", parties.path("var"))


def test_ports(parties: Parties) -> None:
    """A port that another has is found out before the bank says where it is."""
    serve = ("bank", "serve", "--data", parties.path("var"), "--port")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = parties.run(*serve, str(port), **SECRET)
        assert done.returncode == 1
        assert done.stderr.strip() == (
            f"port {port} of 127.0.0.1 cannot be had: Address already in use"
        )
    with serving(parties.path("var"), port) as (url, process):
        assert url == f"http://localhost:{port}"
        assert httpx.get(f"{url}/health").status_code == 200
        process.terminate()
        process.wait(timeout=30)
    for wrong in ("99999", "-1", "http"):
        done = parties.run(*serve, wrong, **SECRET)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
