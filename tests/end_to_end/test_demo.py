"""The main job, from an empty folder to a credential verified with the network unplugged."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

ARTEFACTS = {
    "learner.badge.png",
    "learner.badge.svg",
    "learner.bundle.json",
    "learner.certificate.pdf",
    "learner.credential.json",
    "learner.qr.png",
    "learner.qr.svg",
    "learner.transcript.json",
    "qualification",
    "report.json",
    "trust.json",
    "verifier.html",
}

UNPLUGGED = """
import sys
def refuse(event, arguments):
    assert not event.startswith("socket."), event
sys.addaudithook(refuse)
from bank.cli import main
main()
"""


def unplugged(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that cannot open a socket."""
    return subprocess.run(
        [sys.executable, "-c", UNPLUGGED, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={"CREDITBANK_STATE": str(state), "PATH": "", "COLUMNS": "200"},
    )


def test_the_story_leaves_its_artefacts(story: Any) -> None:
    assert {path.name for path in story.out.iterdir()} == ARTEFACTS
    assert "300 awarded, 0 already in the ledger" in story.output
    assert "audit passed" in story.output
    assert "VERIFIED" in story.output
    report = json.loads((story.out / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "verified"
    assert [check["check"] for check in report["checks"]] == [
        "format",
        "signature",
        "issuer",
        "ledger",
        "witnesses",
        "status",
        "validity",
        "holder",
        "trust",
    ]


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("learner.bundle.json", 0, "VERIFIED"),
        ("learner.certificate.pdf", 0, "VERIFIED"),
        ("learner.badge.png", 0, "VERIFIED"),
        ("learner.badge.svg", 0, "VERIFIED"),
        ("learner.transcript.json", 0, "VERIFIED"),
        ("qualification/learner.bundle.json", 0, "VERIFIED"),
        ("qualification/learner.certificate.pdf", 0, "VERIFIED"),
        ("qualification/learner.badge.svg", 0, "VERIFIED"),
        ("learner.qr.png", 0, "VERIFIED"),
        ("learner.qr.svg", 0, "VERIFIED"),
        ("learner.credential.json", 3, "VERIFIED WITH A CAUTION"),
    ],
)
def test_it_verifies_with_the_network_unplugged(
    story: Any, tmp_path: Path, name: str, code: int, word: str
) -> None:
    done = unplugged(
        "verify", str(story.out / name), "--trust", str(story.trust), state=tmp_path / "s"
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout.splitlines()[0] == word
    assert done.stderr == ""


def test_unplugged_means_unplugged(tmp_path: Path) -> None:
    code = UNPLUGGED.replace("from bank.cli import main\nmain()", "import socket; socket.socket()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "socket." in done.stderr


def test_report_as_json_and_in_chinese(story: Any, run: Run) -> None:
    done = run("verify", str(story.bundle), "--trust", str(story.trust), "--json", "--lang", "zh")
    report = json.loads(done.stdout)
    assert (done.returncode, report["exit_code"], report["verdict"]) == (0, 0, "verified")
    assert report["issuer"]["name"]["zh"]
    status = next(check for check in report["checks"] if check["check"] == "status")
    assert status["sentence"] == f"截至 {status['date']}（今天）未被撤销，也未被冻结。"
    done = run("verify", str(story.bundle), "--trust", str(story.trust), "--lang", "zh")
    assert done.stdout.startswith("验证通过")


def test_it_reads_from_standard_input(story: Any, run: Run) -> None:
    done = run("verify", "-", "--trust", str(story.trust), input=story.bundle.read_bytes())
    assert done.returncode == 0


def test_two_sister_banks_have_cosigned(story: Any) -> None:
    report = json.loads((story.out / "report.json").read_text(encoding="utf-8"))
    witnesses = next(check for check in report["checks"] if check["check"] == "witnesses")
    assert witnesses["outcome"] == "passed"
    assert witnesses["sentence"].startswith("2 independent witnesses")


def test_a_second_run_reuses_the_bank_and_the_tables_are_what_the_ledger_says(
    story: Any, tmp_path: Path, run: Run
) -> None:
    shutil.copytree(story.data, tmp_path / "var")
    shutil.copytree(story.out, tmp_path / "out")
    folders = ("--data", str(tmp_path / "var"), "--out", str(tmp_path / "out"))
    second = run("demo", "--no-serve", *folders)
    assert second.returncode == 0, second.stderr
    assert "0 awarded, 300 already in the ledger" in second.stdout
    assert run("ledger", "audit", "--data", str(tmp_path / "var")).returncode == 0
    same = run("ledger", "rebuild", "--data", str(tmp_path / "var"))
    assert (same.returncode, same.stdout.strip()) == (
        0,
        "the derived tables are what the ledger says",
    )
    # The newer trust bundle is version 2, and what was seen of version 1 does not disturb it.
    done = run(
        "verify", str(tmp_path / "out/learner.bundle.json"), "--trust", f"{tmp_path}/out/trust.json"
    )
    assert done.returncode == 0

    with sqlite3.connect(tmp_path / "var" / "bank.db") as database:
        database.execute("UPDATE lots SET credits = '99' WHERE award_index = 100")
    changed = run("ledger", "rebuild", "--data", str(tmp_path / "var"))
    assert changed.returncode == 1
    assert "differed from the ledger and were rebuilt" in changed.stderr
    assert run("ledger", "rebuild", "--data", str(tmp_path / "var")).returncode == 0


def test_an_audit_sees_a_changed_row(story: Any, tmp_path: Path, run: Run) -> None:
    data = tmp_path / "var"
    subprocess.run(["cp", "-r", str(story.data), str(data)], check=True)
    with sqlite3.connect(data / "bank.db") as database:
        database.execute("DROP TRIGGER entries_no_update")
        database.execute(
            "UPDATE entries SET data = CAST(replace(data, '-credit', '-cradit') AS BLOB) "
            "WHERE idx = 60"
        )
    done = run("ledger", "audit", "--data", str(data))
    assert done.returncode == 1
    assert "entry 60: " in done.stderr
    assert "audit FAILED" in done.stderr


def test_the_database_refuses_to_change_the_log(story: Any, tmp_path: Path) -> None:
    copy = tmp_path / "bank.db"
    copy.write_bytes((story.data / "bank.db").read_bytes())
    with (
        sqlite3.connect(copy) as database,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        database.execute("DELETE FROM entries WHERE idx = 60")
