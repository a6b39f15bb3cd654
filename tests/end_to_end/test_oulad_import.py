"""Real input: 32,593 module results of an open university, of which 15,385 earn an award."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
PASSPHRASE = "oulad"


def make_bank(repo: Path, folder: Path, run: Run, at_hand: bool = True) -> list[str]:
    """A bank with the one institution; the arguments that import the file.

    The second person's key lies beside the others, or unless `at_hand` in a folder of its own.
    """
    samples = repo / "docs" / "samples"
    institutions = ("--institutions", str(samples / "oulad.institutions.toml"))
    secret = {"CREDITBANK_PASSPHRASE": PASSPHRASE}
    keystore = str(folder / "regulator.keystore")
    data = ("--data", str(folder / "var"))
    quorum = ("--governance", keystore)
    commands = [
        ("keys", "new", keystore),
        (
            *("bank", "create", "--domain", "cq.example", "--name-en", "CQ", "--name-zh", "重庆"),
            *("--threshold", "1", *quorum, *data),
        ),
        ("member", "key", str(folder / "members" / "oulad-open")),
    ]
    for command in commands:
        done = run(*command, **secret)
        assert done.returncode == 0, done.stderr
    key = done.stdout.strip()
    done = run("member", "approver-key", str(folder / "second"), **secret)
    assert done.returncode == 0, done.stderr
    approver = ("--approver-key", done.stdout.strip())
    if at_hand:
        keystore_ = folder / "second" / "approver.keystore"
        keystore_.rename(folder / "members" / "oulad-open" / "approver.keystore")
    done = run(
        *("member", "admit", "--slug", "oulad-open", "--key", key, *approver),
        *(*institutions, *quorum, *data),
        **secret,
    )
    assert done.returncode == 0, done.stderr
    return [
        *("--mapping", str(samples / "oulad.mapping.toml"), *institutions),
        *("--members", str(folder / "members"), *data),
    ]


def size(folder: Path) -> int:
    """How many entries are committed."""
    with sqlite3.connect(folder / "var" / "bank.db") as database:
        return int(database.execute("SELECT size FROM head").fetchone()[0])


def test_the_whole_file(
    repo: Path, tmp_path: Path, run: Run, shared_data: Callable[[str], Path]
) -> None:
    file = shared_data("oulad/studentInfo.csv")
    arguments = make_bank(repo, tmp_path, run)
    secret = {"CREDITBANK_PASSPHRASE": PASSPHRASE}
    data = ("--data", str(tmp_path / "var"))
    done = run("import", str(file), *arguments, **secret)
    assert done.stdout.strip() == "15385 awarded, 0 already in the ledger", done.stderr
    audit = run("ledger", "audit", *data, **secret)
    assert audit.returncode == 0, audit.stderr
    assert "15385 award" in audit.stdout
    assert run("ledger", "rebuild", *data, **secret).returncode == 0
    learners = run("learners", *data, "--limit", "1", **secret).stdout
    identifier = re.findall(r"urn:uuid:[0-9a-f-]{36}", learners)[0]
    out = tmp_path / "out"
    run("export", identifier, "--out", str(out), *data, **secret)
    keystore = str(tmp_path / "regulator.keystore")
    trust = str(out / "trust.json")
    run("trust", "export", "--governance", keystore, "--out", trust, *data, **secret)
    assert run("verify", str(out / "learner.bundle.json"), "--trust", trust).returncode == 0


def test_the_second_person_signs_elsewhere(
    repo: Path, tmp_path: Path, run: Run, shared_data: Callable[[str], Path]
) -> None:
    lines = shared_data("oulad/studentInfo.csv").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "part.csv"
    file.write_text("\n".join(lines[:4000]) + "\n", encoding="utf-8")
    arguments = make_bank(repo, tmp_path, run, at_hand=False)
    secret = {"CREDITBANK_PASSPHRASE": PASSPHRASE}
    out = ("--proposals", str(tmp_path / "out"))
    before = size(tmp_path)
    refused = run("import", str(file), *arguments, *out, **secret)
    assert refused.returncode == 1
    assert "more than one person hands in a day" in refused.stderr
    assert size(tmp_path) - before < 10, "its units, and no award"
    (proposal,) = (tmp_path / "out").iterdir()
    approved = ("--approved", str(proposal))
    assert run("import", str(file), *arguments, *approved, **secret).returncode == 1
    key = str(tmp_path / "second" / "approver.keystore")
    done = run("statement", "sign", str(proposal), "--key", key, "--yes", **secret)
    assert done.returncode == 0, done.stderr
    done = run("import", str(file), *arguments, *approved, **secret)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 1000
    audit = run("ledger", "audit", "--data", str(tmp_path / "var"), **secret)
    assert "1 batch.approve" in audit.stdout


def test_killed_in_the_middle_it_goes_on_where_it_stopped(
    repo: Path, tmp_path: Path, run: Run, shared_data: Callable[[str], Path]
) -> None:
    lines = shared_data("oulad/studentInfo.csv").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "part.csv"
    file.write_text("\n".join(lines[:8000]) + "\n", encoding="utf-8")
    arguments = make_bank(repo, tmp_path, run)
    secret = {"CREDITBANK_PASSPHRASE": PASSPHRASE}
    data = ("--data", str(tmp_path / "var"))
    child = subprocess.Popen(
        [sys.executable, "-m", "bank.cli", "import", str(file), *arguments],
        env={**os.environ, **secret},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and child.poll() is None and size(tmp_path) < 1500:
        time.sleep(0.02)
    assert child.poll() is None, "it was done before it could be killed"
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = run("import", str(file), *arguments, **secret)
    awarded, repeated = map(int, re.findall(r"\d+", done.stdout))
    assert repeated > 0
    assert awarded > 0
    again = run("import", str(file), *arguments, **secret)
    assert again.stdout.strip() == f"0 awarded, {awarded + repeated} already in the ledger"
    audit = run("ledger", "audit", *data, **secret)
    assert audit.returncode == 0, audit.stderr
    assert f"{awarded + repeated} award" in audit.stdout


@pytest.mark.slow
def test_the_whole_file_killed_again_and_again(
    repo: Path, tmp_path: Path, run: Run, shared_data: Callable[[str], Path]
) -> None:
    file = shared_data("oulad/studentInfo.csv")
    arguments = make_bank(repo, tmp_path, run)
    secret = {"CREDITBANK_PASSPHRASE": PASSPHRASE}
    data = ("--data", str(tmp_path / "var"))
    sizes = [size(tmp_path)]
    for goal in (1, 2500, 7000, 12000):
        child = subprocess.Popen(
            [sys.executable, "-m", "bank.cli", "import", str(file), *arguments],
            env={**os.environ, **secret},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and child.poll() is None and size(tmp_path) < goal:
            time.sleep(0.005)
        assert child.poll() is None, "it was done before it could be killed"
        child.kill()
        child.wait()
        sizes.append(size(tmp_path))
    assert sizes == sorted(sizes)
    assert sizes[-1] < 15_385
    done = run("import", str(file), *arguments, **secret)
    awarded, repeated = map(int, re.findall(r"\d+", done.stdout))
    assert awarded > 0
    assert awarded + repeated == 15_385
    audit = run("ledger", "audit", *data, **secret)
    assert audit.returncode == 0, audit.stderr
    assert "15385 award" in audit.stdout
    assert run("ledger", "rebuild", *data, **secret).returncode == 0
    with sqlite3.connect(tmp_path / "var" / "bank.db") as database:
        for table, column in (("lots", "lot"), ("credentials", "lot"), ("lots", "award_index")):
            count = f"SELECT count(*), count(DISTINCT {column}) FROM {table}"
            assert database.execute(count).fetchone() == (15_385, 15_385), table
