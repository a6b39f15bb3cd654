"""`creditbank verify FOLDER --report FILE`, as an HR department runs it."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verifier.cli import main as verify

Run = Callable[..., subprocess.CompletedProcess[str]]
KINDS = ("bundle.json", "certificate.pdf", "badge.png", "badge.svg", "qr.png", "qr.svg")
UNPLUGGED = """
import sys
def refuse(event, arguments):
    assert event not in ("socket.connect", "socket.getaddrinfo"), event
sys.addaudithook(refuse)
from bank.cli import main
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def folder(story: Any, tmp_path: Path) -> Path:
    """What applicants sent in: good, changed, nothing at all, and a hidden file."""
    made = tmp_path / "applications"
    (made / "冯建国").mkdir(parents=True)
    for kind in KINDS:
        shutil.copy(story.out / f"learner.{kind}", made / "冯建国")
    text = story.bundle.read_text(encoding="utf-8")
    changed = text.replace('"creditsEarned":2.5', '"creditsEarned":25')
    assert changed != text
    (made / "changed.json").write_text(changed, encoding="utf-8")
    (made / "=HYPERLINK(1).txt").write_text("Dear Sirs", encoding="utf-8")
    (made / ".DS_Store").write_bytes(b"x")
    return made


def table(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))


def test_a_folder(folder: Path, story: Any, run: Run, tmp_path: Path) -> None:
    report = tmp_path / "out.csv"
    done = run("verify", str(folder), "--trust", str(story.trust), "--report", str(report))
    assert done.returncode == 1, done.stderr
    assert "8/8" in done.stderr, "a progress bar on standard error"
    assert "      6 VERIFIED\n      1 NOT VERIFIED\n      1 CANNOT BE READ\n" in done.stdout
    rows = {row["File"]: row for row in table(report)}
    good = [f"冯建国/learner.{kind}" for kind in sorted(KINDS)]
    assert list(rows) == ["'=HYPERLINK(1).txt", "changed.json", *good]
    alone = json.loads(
        run("verify", str(story.bundle), "--trust", str(story.trust), "--json").stdout
    )
    for name in good:
        row = rows[name]
        assert row["Verdict"] == "VERIFIED"
        assert row["Code"] == str(alone["exit_code"])
        assert row["Learner"] == alone["learner"]
        assert row["Issuer"] == alone["issuer"]["name"]["en"]
        assert row["Check: Signature"] == row["Check: Ledger entry"] == "passed"
        assert "changed.json" in row["Also shown in"]
    changed = rows["changed.json"]
    assert changed["Check: Signature"] == "failed"
    assert "was changed" in changed["Remarks"]
    assert rows["'=HYPERLINK(1).txt"]["Code"] == "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["applications", "out.csv", "state"]


def test_the_exit_codes(folder: Path, story: Any, run: Run, tmp_path: Path) -> None:
    def code(target: Path, *more: str) -> int:
        where = ("--trust", str(story.trust), "--report", str(tmp_path / "out.html"))
        return run("verify", str(target), *where, *more).returncode

    assert code(folder) == 1
    (folder / "changed.json").unlink()
    assert code(folder) == 2
    (folder / "=HYPERLINK(1).txt").unlink()
    assert code(folder) == 0
    shutil.copy(story.out / "learner.credential.json", folder)
    assert code(folder) == 3
    # The clock of the check counts for every file, in whichever process.
    assert code(folder / "冯建国", "--at", "2001-01-01T00:00:00Z") == 1


def test_the_report_and_the_trust_bundle_may_lie_in_the_folder(
    folder: Path, story: Any, run: Run
) -> None:
    shutil.copy(story.trust, folder / "trust.json")
    where = ("--trust", str(folder / "trust.json"), "--report", str(folder / "out.csv"))
    for _ in range(2):
        assert run("verify", str(folder), *where).returncode == 1
        assert len(table(folder / "out.csv")) == 8


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page(folder: Path, story: Any, run: Run, tmp_path: Path, language: str) -> None:
    report = tmp_path / "out.html"
    where = ("--trust", str(story.trust), "--report", str(report), "--lang", language)
    done = run("verify", str(folder), *where)
    assert done.returncode == 1, done.stderr
    page = report.read_text(encoding="utf-8")
    assert ("验证未通过" in page) == ("验证未通过" in done.stdout) == (language == "zh")
    assert "<script" not in page
    for scheme in ("src=", "href=", "url(", "@import"):
        assert scheme not in page, "a page that fetches nothing"


def test_refusals(folder: Path, story: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden").touch()
    out = ("--report", str(tmp_path / "out.csv"))
    trust = ("--trust", str(story.trust))
    bad = tmp_path / "bad.json"
    bad.write_bytes(b"{}")
    for arguments, says in (
        ((str(tmp_path / "none"), *trust, *out), "there is no folder"),
        ((str(story.bundle), *trust, *out), "--report goes with a folder"),
        ((str(folder), *trust), "is a folder: say where its report goes"),
        ((str(folder), *out), "--trust"),
        ((str(folder), "--trust", str(bad), *out), "not a trust bundle"),
        ((str(folder), *trust, "--report", str(tmp_path / "out.xlsx")), ".csv or .html"),
        ((str(folder), *trust, "--report", str(tmp_path / "no" / "out.csv")), "does not exist"),
        ((str(tmp_path / "empty"), *trust, *out), "there is no file to verify"),
        ((str(folder), *trust, *out, "--json"), "--json goes with one file"),
        ((str(folder), *trust, *out, "--challenge", "x"), "--challenge goes with one file"),
        ((str(folder), *trust, *out, "--foreign"), "--foreign goes with one file"),
    ):
        done = run("verify", *arguments)
        assert done.returncode == 2, (arguments, done.stdout)
        assert says in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_a_report_that_cannot_be_written_is_told_before_the_work(
    folder: Path, story: Any, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "out.csv").mkdir()
    where = ("--trust", str(story.trust), "--report", str(tmp_path / "out.csv"))
    done = run("verify", str(folder), *where)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is a folder" in done.stderr


def test_stopped_from_the_keyboard(
    folder: Path,
    story: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("CREDITBANK_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("verifier.bulk_command.check_files", stop)
    report = tmp_path / "out.csv"
    report.write_text("of last week", encoding="utf-8")
    where = ["--trust", str(story.trust), "--report", str(report)]
    assert verify([str(folder), *where]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "stopped before the end"
    assert report.read_text(encoding="utf-8") == "of last week"
    assert not list(tmp_path.glob(".*"))


def test_no_process_of_it_needs_a_network(folder: Path, story: Any, tmp_path: Path) -> None:
    script = tmp_path / "unplugged.py"
    script.write_text(UNPLUGGED, encoding="utf-8")
    where = ("--trust", str(story.trust), "--report", str(tmp_path / "out.csv"))
    done = subprocess.run(
        [sys.executable, str(script), "verify", str(folder), *where],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "CREDITBANK_STATE": str(tmp_path / "s")},
    )
    assert done.returncode == 1, done.stderr
    assert "      6 VERIFIED" in done.stdout
