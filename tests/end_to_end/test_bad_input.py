"""One sentence, a non-zero exit and nothing half-written, also where a stranger errs at random."""

import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keys import PrivateKey, write_keystore

Run = Callable[..., subprocess.CompletedProcess[str]]
PROGRESS = "\N{BOX DRAWINGS HEAVY HORIZONTAL}"
GIB = 1024**3


def refused(done: subprocess.CompletedProcess[str], *says: str, code: int = 1) -> None:
    """It said why in one line (progress bars aside), and it was no accident."""
    assert done.returncode == code, (done.stdout, done.stderr)
    lines = [
        line
        for line in done.stderr.splitlines()
        if line.strip() and PROGRESS not in line and "/300 " not in line
    ]
    assert len(lines) == 1, done.stderr
    for word in says:
        assert word in lines[0], lines[0]


def capped(*arguments: str, memory: int, state: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with no more than `memory` bytes of address space."""
    return subprocess.run(
        [sys.executable, "-m", "bank.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={"CREDITBANK_STATE": str(state), "PATH": "", "COLUMNS": "200"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )


@dataclass(frozen=True)
class Desk:
    """A copy of the story's bank, which every refusal must leave as it is."""

    data: Path
    run: Run
    samples: Path

    def size(self) -> int:
        with sqlite3.connect(self.data / "bank.db") as database:
            return int(database.execute("SELECT size FROM head").fetchone()[0])

    def importing(self, **changes: str) -> list[str]:
        options = {
            "mapping": str(self.samples / "results.mapping.toml"),
            "institutions": str(self.samples / "institutions.toml"),
            "members": str(self.data / "members"),
            "data": str(self.data),
        } | changes
        file = options.pop("file", str(self.samples / "results.csv"))
        return ["import", file, *(part for k, v in options.items() for part in (f"--{k}", v))]

    def quorum(self, *numbers: int) -> list[str]:
        keystores = [self.data / f"governance/regulator-{number}.keystore" for number in numbers]
        return [part for path in keystores for part in ("--governance", str(path))]


@pytest.fixture
def desk(story: Any, tmp_path: Path, run: Run, repo: Path) -> Desk:
    data = tmp_path / "var"
    shutil.copytree(story.data, data)
    return Desk(data, run, repo / "docs" / "samples")


@pytest.mark.parametrize("line", [True, False], ids=["a line of text", "a hole"])
def test_a_gigabyte_where_a_credential_or_a_trust_bundle_is_expected(
    story: Any, tmp_path: Path, line: bool
) -> None:
    """A sparse file: it takes no disk, and would take all memory if it were read whole."""
    big = tmp_path / "big.json"
    with big.open("wb") as out:
        out.write(b'{"credential":"' if line else b"")
        out.truncate(3 * GIB)
    good, trust, state = str(story.bundle), str(story.trust), tmp_path / "s"
    done = capped("verify", str(big), "--trust", trust, memory=GIB, state=state)
    refused(done, "big.json has more than", code=2)
    done = capped("verify", good, "--trust", str(big), memory=GIB, state=state)
    refused(done, "trust bundle", "big.json has more than", code=2)
    done = capped("trust", "show", str(big), memory=GIB, state=state)
    refused(done, "big.json has more than")
    # The control: within the same limit, the real thing verifies.
    assert capped("verify", good, "--trust", trust, memory=GIB, state=state).returncode == 0


def test_endless_input_is_not_waited_for(story: Any, tmp_path: Path) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        done = subprocess.run(
            [sys.executable, "-m", "bank.cli", "verify", "-", "--trust", str(story.trust)],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=zeros,
            env={"CREDITBANK_STATE": str(tmp_path / "s"), "PATH": "", "COLUMNS": "200"},
        )
    refused(done, "- has more than", code=2)


def test_the_wrong_file_in_the_wrong_place(story: Any, tmp_path: Path, run: Run) -> None:
    bundle, trust = str(story.bundle), str(story.trust)
    for evidence, of, says in (
        (trust, trust, "is no credential, no bundle and no picture"),
        (bundle, bundle, "not a trust bundle"),
        (bundle, str(story.out / "learner.qr.png"), "the trust bundle is damaged"),
        (str(tmp_path), trust, "is a folder: say where its report goes"),
        (bundle, str(tmp_path), "cannot be read: Is a directory"),
    ):
        refused(run("verify", evidence, "--trust", of), says, code=2)
    other = "0" * 64
    refused(run("verify", bundle, "--trust", trust, "--root", other), "another root", code=2)
    for none in ("abc", "", "0" * 63):
        says = "has 64 hexadecimal digits"
        refused(run("verify", bundle, "--trust", trust, "--root", none), says, code=2)
    refused(run("verify", bundle, "--trust", trust, "--at", ""), "--at is not a time", code=2)
    # Which of the two files is the wrong one is told.
    refused(run("verify", bundle, "--trust", bundle), str(story.bundle), code=2)
    refused(run("trust", "show", bundle), str(story.bundle))
    assert run("verify", bundle).returncode == 2


def test_a_place_that_cannot_be_written_to(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    listed = desk.run("learners", "--data", str(desk.data), "--limit", "1").stdout
    identifier = next(word for word in listed.split() if word.startswith("urn:uuid:"))
    data = ("--data", str(desk.data))
    for out in (file, file / "below"):
        done = desk.run("export", identifier, "--out", str(out), *data)
        refused(done, str(file), "cannot be used")
    trust = ("trust", "export", *desk.quorum(1, 2), *data)
    refused(desk.run(*trust, "--out", str(file / "trust.json")), str(file), "cannot be used")
    refused(desk.run("ledger", "publish", str(file), *data), str(file))
    refused(desk.run("export", "urn:uuid:none", *data), "holds no credential urn:uuid:none")
    assert file.read_bytes() == b""


def test_an_account_that_is_none(desk: Desk) -> None:
    data, says = ("--data", str(desk.data)), "this bank has no account 'nobody'"
    for verb in (
        ("transcript", "nobody"),
        ("share", "list", "nobody"),
        ("share", "new", "nobody", "urn:uuid:x"),
        ("offer", "nobody", "urn:uuid:x"),
    ):
        refused(desk.run(*verb, *data), says)
    refused(desk.run("export", "\udcff", *data), "not text in UTF-8")


def test_addresses_that_are_none(desk: Desk, tmp_path: Path) -> None:
    refused(desk.run("rules", "list", "--log", "https://["), "did not answer")
    for address in ("http://127.0.0.1:1/\n", "http://\udcff"):
        refused(desk.run("rules", "list", "--log", address), "is no address of a server")
    for address in ("notaurl", "http://", "ftp://x", "http://127.0.0.1:1/\n", "http://\udcff"):
        done = desk.run(*desk.importing(bank=address, domain="chongqing.creditbank.example"))
        refused(done, "is no address of a server")
    refused(desk.run("rules", "list", "--log", str(tmp_path)), str(tmp_path), "holds no log")


def test_an_entry_beyond_all_numbers(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "grounds"
    file.write_bytes(b"x")
    options = ("--grounds", str(file), "--data", str(desk.data))
    refused(desk.run("appeal", "file", str(2**53 - 1), *options), "entry")
    done = desk.run("appeal", "file", str(2**64), *options)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_a_bank_that_is_none_is_not_asked_about(run: Run, tmp_path: Path) -> None:
    refused(run("bank", "end", "--data", str(tmp_path)), "there is no bank in")


def test_a_proposal_that_is_none_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "proposal.json"
    file.write_bytes(b"{")
    refused(run("governance", "show", str(file)), str(file), "this is no proposal")


def test_a_trust_bundle_that_nobody_would_open_is_not_made(desk: Desk, tmp_path: Path) -> None:
    """One signature of the two it takes: neither written nor kept for the bank's own page."""
    out, data = tmp_path / "trust.json", ("--data", str(desk.data))

    def export(*numbers: int) -> subprocess.CompletedProcess[str]:
        return desk.run("trust", "export", *desk.quorum(*numbers), "--out", str(out), *data)

    refused(export(1), "has 1 signatures by its governance, it takes 2")
    refused(export(1, 1), "has 1 signatures by its governance, it takes 2")
    assert not out.exists()
    with sqlite3.connect(desk.data / "bank.db") as database:
        assert database.execute("SELECT max(version) FROM trust_bundles").fetchone() == (1,)
    assert export(3, 1).returncode == 0
    assert "version   2," in desk.run("trust", "show", str(out)).stdout


INSTITUTIONS = [
    ("institution = 3", "are tables"),
    ('institution = "abc"', "are tables"),
    ("institution = [1, 2]", "are tables"),
    ("", "lists no [[institution]]"),
    ("x = ", "is not a TOML file: Invalid value"),
    ('[[institution]]\nslug = "a"', "institution 1 lacks 'grant'"),
    ('[[institution]]\nslug = "a"\ngrant = "x"', "institution 1: grant is not a table"),
    ('[[institution]]\nslug = "a"\nname = "x"', "institution 1: name is not a table"),
]


@pytest.mark.parametrize(("content", "says"), INSTITUTIONS)
def test_institutions_that_are_none(desk: Desk, tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "inst.toml"
    file.write_text(content, encoding="utf-8")
    refused(desk.run(*desk.importing(institutions=str(file))), "inst.toml", says)


def test_institutions_in_another_encoding(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "inst.toml"
    file.write_bytes('name = "巴渝"'.encode("gb18030"))
    refused(desk.run(*desk.importing(institutions=str(file))), "is not UTF-8 text; save it as")


def test_settings_that_are_wrong(desk: Desk) -> None:
    path = desk.data / "bank.toml"
    good = path.read_text(encoding="utf-8")
    lines = [line for line in good.splitlines() if "127.0.0.1" not in line]
    plain = "\n".join(line for line in lines if line != "[witness_urls]")
    for content, says in (
        ("domain = ", "cannot be read: Invalid value"),
        (plain.replace("threshold = ", "threshold_ = "), "lacks 'threshold'"),
        (plain.replace("threshold = 2", 'threshold = "x"'), "a value of the wrong kind"),
        (plain.replace("origin = ", "origin = 3 # "), "a value of the wrong kind"),
        (plain + "\nwitness_urls = 3", "a value of the wrong kind"),
        (plain.replace("sqlite:///bank.db", "bank.db"), "not usable"),
    ):
        path.write_text(content, encoding="utf-8")
        refused(desk.run("learners", "--data", str(desk.data)), says)
    path.write_text(good, encoding="utf-8")
    assert desk.run("learners", "--data", str(desk.data)).returncode == 0


def test_the_keys_of_another_log_sign_nothing(desk: Desk, tmp_path: Path) -> None:
    """Awards under a checkpoint by a key that the log does not name would be lost awards."""
    log = desk.data / "keys" / "log.keystore"
    good, before = log.read_bytes(), desk.size()
    secret = (desk.data / "passphrase").read_text(encoding="utf-8").strip()
    log.unlink()
    write_keystore(log, PrivateKey.generate().seed, secret)
    file = tmp_path / "new.csv"
    header, row, *_ = (desk.samples / "results.csv").read_text(encoding="utf-8").splitlines()
    row = row.replace(row.split(",")[2], "NEW1")
    file.write_text(f"{header}\n{row}\n", encoding="utf-8")
    refused(desk.run(*desk.importing(file=str(file))), "log.keystore", "restore")
    assert desk.size() == before
    log.write_bytes(good)
    assert desk.run("ledger", "audit", "--data", str(desk.data)).returncode == 0


def test_a_damaged_database_is_named(desk: Desk) -> None:
    path = desk.data / "bank.db"
    good = path.read_bytes()
    for extra in desk.data.glob("bank.db-*"):
        extra.unlink()
    for content in (b"hello" * 1000, good[: len(good) // 2]):
        path.write_bytes(content)
        for verb in (["learners", "--data", str(desk.data)], desk.importing()):
            done = desk.run(*verb)
            refused(done, "database")
        assert path.read_bytes() == content


def test_keystores(desk: Desk, tmp_path: Path) -> None:
    members = tmp_path / "members"
    shutil.copytree(desk.data / "members", members)
    signing = members / "bayu-open" / "signing.keystore"
    good, before = signing.read_bytes(), desk.size()
    secret = {"CREDITBANK_PASSPHRASE": (desk.data / "passphrase").read_text().strip()}
    changed = bytes([good[-9] ^ 1]) + good[-8:]
    for content, says in (
        (good[:60], "is not a keystore, or is damaged"),
        (good[:-9] + changed, "signing.keystore"),
        (b"", "is not a keystore, or is damaged"),
        ((members / "bayu-open" / "records.keystore").read_bytes(), "holds a secret for"),
    ):
        signing.write_bytes(content)
        refused(desk.run(*desk.importing(members=str(members)), **secret), "signing.keystore", says)
    signing.unlink()
    done = desk.run(*desk.importing(members=str(members)), **secret)
    refused(done, "signing.keystore cannot be read: No such file")
    assert desk.size() == before
    nowhere = tmp_path / "none" / "a.keystore"
    refused(desk.run("keys", "new", str(nowhere), **secret), "cannot be created: No such file")
    refused(desk.run("keys", "new", str(signing)), "set CREDITBANK_PASSPHRASE")
    assert desk.run("keys", "new", str(signing), **secret).returncode == 0
    made = signing.read_bytes()
    refused(desk.run("keys", "new", str(signing), **secret), "exists already")
    assert signing.read_bytes() == made
    signing.write_bytes(good)
    done = desk.run(*desk.importing(members=str(members)), **secret)
    assert done.stdout.strip() == "0 awarded, 300 already in the ledger"


def test_a_bank_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path, run: Run) -> None:
    secret, data = {"CREDITBANK_PASSPHRASE": "p"}, tmp_path / "new"
    keystore = str(tmp_path / "k1")
    assert run("keys", "new", keystore, **secret).returncode == 0
    quorum = ("--governance", keystore)

    def create(domain: str, threshold: str, *more: str) -> subprocess.CompletedProcess[str]:
        return run(
            *("bank", "create", "--data", str(data), "--domain", domain, "--name-en", "A"),
            *("--name-zh", "甲", "--threshold", threshold, *quorum, *more),
            **secret,
        )

    refused(create("a b", "1"), "'a b' is no domain name")
    refused(create("cq.example", "2"), "cannot give 2 signatures")
    refused(create("cq.example", "0"), "cannot give 0 signatures")
    refused(create("cq.example", "1", *quorum), "the same governance key is given twice")
    assert not data.exists()
    assert create("cq.example", "1").returncode == 0
    refused(create("cq.example", "1"), "there is a bank in")
    assert run("ledger", "audit", "--data", str(data), **secret).returncode == 0


def test_a_bank_that_lost_its_settings_keeps_its_keys(desk: Desk) -> None:
    """Making one anew in its place would destroy the keys its learners' data is sealed with."""
    toml = desk.data / "bank.toml"
    kept = toml.read_bytes()
    keys = {path.name: path.read_bytes() for path in (desk.data / "keys").glob("*.keystore")}
    assert len(keys) == 4
    toml.unlink()
    create = ("bank", "create", "--domain", "chongqing.creditbank.example", "--name-en", "A")
    data = ("--data", str(desk.data))
    done = desk.run(*create, "--name-zh", "甲", *desk.quorum(1, 2), *data)
    refused(done, "bank.toml is missing; restore that file")
    done = desk.run("demo", "--no-serve", *data, "--out", str(desk.data / "out"))
    refused(done, "bank.toml is missing; restore that file")
    assert {
        path.name: path.read_bytes() for path in (desk.data / "keys").glob("*.keystore")
    } == keys
    toml.write_bytes(kept)
    assert desk.run("ledger", "audit", *data).returncode == 0


def test_a_bank_that_is_not_there(desk: Desk) -> None:
    url = "http://127.0.0.1:9"
    done = desk.run(*desk.importing(bank=url, domain="chongqing.creditbank.example"))
    refused(done, url, "did not answer", "trying again is safe")


def test_a_bank_by_its_url_needs_its_domain(desk: Desk) -> None:
    refused(desk.run(*desk.importing(bank="http://127.0.0.1:9")), "--domain")


def test_a_port_that_another_has(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot listen says so, and never that it can be reached."""
    monkeypatch.setenv("CREDITBANK_PASSPHRASE", "p")
    witness = ("--folder", str(tmp_path / "witness"))
    assert run("witness", "new", "south.example/w", *witness).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for verb in (("witness", "serve", *witness), ("vc-api", "serve", "--issuer", "did:key")):
            done = run(*verb, "--port", port)
            refused(done, f"port {port} of 127.0.0.1 cannot be had")
            assert done.stdout == ""
            assert run(*verb, "--port", "99999").returncode == 2
