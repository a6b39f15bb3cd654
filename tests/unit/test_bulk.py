"""A folder of files: a row for each, whatever is in it, and a report no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from verifier import Unreadable
from verifier.bulk import Row, exit_code, files_in, mark_repeated, verify_all
from verifier.bulk_report import as_csv, as_html, check_report_path, write_report

KINDS = ("bundle.json", "certificate.pdf", "badge.png", "qr.png", "credential.json")


@pytest.fixture(scope="module")
def folder(story: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files, a changed one, one that is none, a hidden one, and a folder in the folder."""
    made = tmp_path_factory.mktemp("applications")
    (made / "more").mkdir()
    for kind in KINDS:
        shutil.copy(story.out / f"learner.{kind}", made / f"learner.{kind}")
    shutil.copy(story.out / "learner.transcript.json", made / "more")
    text = story.bundle.read_text().replace('"creditsEarned":2.5', '"creditsEarned":25')
    (made / "changed.json").write_text(text)
    (made / "letter.txt").write_text("Dear Sirs")
    (made / ".hidden").write_text("x")
    return made


def rows(folder: Path, story: Any, workers: int) -> list[Row]:
    files = files_in(folder)
    at = datetime.now(UTC)
    return list(verify_all(files, folder, story.trust.read_bytes(), at, "en", workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_every_file_gets_its_row(folder: Path, story: Any, workers: int) -> None:
    found = rows(folder, story, workers)
    assert {row.file: row.verdict for row in found} == {
        "changed.json": "not verified",
        "learner.badge.png": "verified",
        "learner.bundle.json": "verified",
        "learner.certificate.pdf": "verified",
        "learner.credential.json": "verified with a caution",
        "learner.qr.png": "verified",
        "letter.txt": "unreadable",
        "more/learner.transcript.json": "verified",
    }
    assert [row.file for row in found] == sorted(row.file for row in found)
    assert exit_code(found) == 1
    changed = found[0]
    assert changed.outcomes["signature"] == "failed"
    assert any("changed" in remark for remark in changed.remarks)


def test_many_files_are_shared_among_processes(story: Any, tmp_path: Path) -> None:
    for number in range(40):
        shutil.copy(story.bundle, tmp_path / f"{number:02}.json")
    found = rows(tmp_path, story, 2)
    assert [row.file for row in found] == [f"{number:02}.json" for number in range(40)]
    assert {row.verdict for row in found} == {"verified"}


def test_exit_codes() -> None:
    def code(*verdicts: str) -> int:
        return exit_code([Row(str(number), one) for number, one in enumerate(verdicts)])

    assert code("verified") == 0
    assert code("verified", "verified with a caution") == 3
    assert code("verified", "cannot tell") == 3
    assert code("verified", "unreadable", "cannot tell") == 2
    assert code("unreadable", "not verified") == 1


def test_what_is_shown_twice_is_marked() -> None:
    one, same = Row("a", "verified", "urn:uuid:1"), Row("b", "verified", "urn:uuid:1")
    other, none = Row("c", "verified", "urn:uuid:2"), Row("d", "unreadable")
    marked = mark_repeated([one, same, other, none, Row("e", "unreadable")])
    assert [row.again for row in marked] == [True, True, False, False, False]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(begin: str) -> None:
    name = f'{begin}HYPERLINK("https://evil.example")'
    row = Row(f"{begin}x.json", "verified", "urn:uuid:1", name, name, "3", name)
    read = list(csv.reader(io.StringIO(as_csv([row], "en"))))[1]
    assert not any(cell.startswith(begin) for cell in read)
    assert read[2] == f"'{name}"
    # The control: a name that is none is left as it is.
    assert (
        list(csv.reader(io.StringIO(as_csv([Row("x", "verified", "", "张伟")], "en"))))[1][2]
        == "张伟"
    )


def test_html_is_text_only() -> None:
    nasty = "<script>alert(1)</script>"
    row = Row(f"{nasty}.json", "not verified", "", nasty, nasty, "1", nasty, {}, (nasty,))
    page = as_html([row], "zh", "2026-11-24T00:00:00Z", 3)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'lang="zh-Hans"' in page
    assert "验证未通过" in page


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_report(path, [Row("x", "verified", "", "张伟")], "zh", "now", 1)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(Unreadable, match="cannot be written"):
        write_report(tmp_path / "folder.csv", [], "en", "now", 1)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder.csv", "out.csv"]


def test_where_no_report_can_go_is_said_before_any_work(tmp_path: Path) -> None:
    check_report_path(tmp_path / "out.html")
    with pytest.raises(Unreadable, match=r"ends in \.csv or \.html"):
        check_report_path(tmp_path / "out.pdf")
    with pytest.raises(Unreadable, match="does not exist"):
        check_report_path(tmp_path / "nowhere" / "out.csv")


def test_the_command(folder: Path, story: Any, run: Any, tmp_path: Path) -> None:
    trust = ("--trust", str(story.trust))
    out = tmp_path / "report.csv"
    done = run("verify", str(folder), *trust, "--report", str(out))
    assert done.returncode == 1, done.stderr
    assert "8  → " in done.stdout
    assert out.read_bytes().count(b"\r\n") == 9
    for arguments, said in (
        ((str(folder), *trust), "is a folder: say with --report"),
        ((str(folder), "--report", str(out)), "--trust"),
        ((str(story.bundle), *trust, "--report", str(out)), "goes with a folder"),
        ((str(tmp_path / "none"), *trust), "cannot be read"),
    ):
        done = run("verify", *arguments)
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
