"""A folder of files: which are looked at, what each row says, and that no file stops the run."""

import csv
import io
import json
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any

import pytest

from keys import parse
from verifier import BadTrust, Trust, Verdict, open_trust
from verifier import bulk as bulk_module
from verifier.bulk import (
    Line,
    Row,
    Setting,
    check_file,
    check_files,
    mark_repeated,
    overall,
    repeated_awards,
    walk,
)
from verifier.bulk_report import (
    BOM,
    CHECKS,
    Findings,
    cell,
    replacing,
    summary,
    write_csv,
    write_html,
    writer,
)
from verifier.errors import BadReport

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def trust(story: Any) -> Trust:
    return open_trust(story.trust.read_bytes())


def setting(folder: Path, trust: Trust, language: str = "en") -> Setting:
    return Setting(folder, trust, max(NOW, trust.issued), language)


def names(folder: Path, *left_out: Path) -> list[str]:
    return [path.as_posix() for path in walk(folder, left_out)]


def test_the_walk_is_in_order_and_passes_over_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.json", "a/z.json", "a/y/x.json", "a.json", ".hidden", ".git/in.json", "c/.d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out.csv").touch()
    found = names(tmp_path, tmp_path / "a" / ".." / "out.csv", tmp_path / "not-there")
    assert found == ["a/y/x.json", "a/z.json", "a.json", "b.json", "loop"]
    # The one left out is that very file, not any file of its name.
    (tmp_path / "a" / "out.csv").touch()
    assert "a/out.csv" in names(tmp_path, tmp_path / "out.csv")


def test_what_cannot_be_read_is_a_row(tmp_path: Path, trust: Trust) -> None:
    (tmp_path / "empty.json").touch()
    (tmp_path / "junk.pdf").write_bytes(b"%PDF-1.7 and no more")
    (tmp_path / "junk.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "text.txt").write_text("Dear all,", encoding="utf-8")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "hole.json").open("wb") as hole:
        hole.truncate(1024**3)
    (tmp_path / os.fsdecode(b"\xff\xfe\r.json")).write_bytes(b"[]")
    found = walk(tmp_path)
    rows = check_files(setting(tmp_path, trust), found, workers=0)
    assert len(rows) == len(found) == 9
    for row in rows:
        assert (row.exit_code, row.verdict) == (2, "")
        assert row.problem
        assert str(tmp_path) not in row.problem, "a report names files as they are in the folder"
        row.file.encode()
    told = {row.file: row.problem for row in rows}
    assert "a pipe" in told["pipe"]
    assert "link to a folder" in told["loop"]
    assert "No such file" in told["gone"]
    assert r"\xff\xfe⟨U+000D⟩.json" in told
    assert overall(rows) == 2


def test_a_folder_that_cannot_be_opened_is_a_row(
    tmp_path: Path, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(path: Path) -> Any:
        # As root no folder is closed, so that the tests cannot close one.
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (row,) = check_files(setting(tmp_path, trust), walk(tmp_path), workers=0)
    assert (row.file, row.exit_code) == ("closed", 2)
    assert "cannot be looked into" in row.problem
    with pytest.raises(PermissionError):
        walk(tmp_path / "closed")


def test_a_fault_of_ours_is_a_row_too(
    tmp_path: Path, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RecursionError("secret")

    monkeypatch.setattr(bulk_module, "read_any", fail)
    (tmp_path / "a.json").touch()
    row = check_file(setting(tmp_path, trust), PurePath("a.json"))
    assert row.exit_code == 2
    assert row.problem == "a.json could not be checked: RecursionError in the verifier"


def test_the_rows_of_the_story(story: Any, trust: Trust) -> None:
    found = walk(story.out, [story.trust])
    rows = {row.file: row for row in check_files(setting(story.out, trust), found, workers=0)}
    assert "trust.json" not in rows
    bundle = rows["learner.bundle.json"]
    shown = parse(story.bundle.read_bytes())["credential"]  # type: ignore[index,call-overload]
    assert bundle.verdict == Verdict.VERIFIED.value
    assert bundle.awards == {bundle.credential} == {shown["id"]}
    assert bundle.valid_from == str(shown["validFrom"])[:10]
    assert bundle.signed == bundle.recorded != ""
    assert [line.name for line in bundle.checks if line.open] == ["holder"]
    assert not any(line.grave for line in bundle.checks)
    transcript = rows["learner.transcript.json"]
    assert bundle.awards < transcript.awards
    assert bundle.also_in == ("learner.badge.png", "learner.badge.svg", "learner.certificate.pdf")
    assert bundle.also_more == 4
    assert transcript.also_in == ("learner.badge.png", "learner.badge.svg", "learner.bundle.json")
    assert bundle.file not in bundle.also_in
    assert rows["report.json"].also_in == ()
    for name in ("badge.png", "badge.svg", "certificate.pdf", "qr.png", "qr.svg"):
        assert rows[f"learner.{name}"].awards == bundle.awards, name
        assert rows[f"learner.{name}"].exit_code == 0, name
    assert repeated_awards(list(rows.values())) == 2  # the learner's, and the qualification
    # In the report's own language.
    chinese = check_file(setting(story.out, trust, "zh"), PurePath("learner.bundle.json"))
    assert chinese.issuer != bundle.issuer
    assert chinese.learner == bundle.learner


def test_processes_say_what_one_says(story: Any, trust: Trust) -> None:
    found = walk(story.out)
    told: list[int] = []
    alone = check_files(setting(story.out, trust), found, workers=0)
    many = check_files(setting(story.out, trust), found, told.append, workers=2)
    assert many == alone
    assert told == list(range(1, len(found) + 1))


def kill(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(given: PurePath) -> bool:
    return given.name.startswith("deadly")


class Killer:
    """A setting whose folder ends the process that opens a file called deadly."""

    def __truediv__(self, path: PurePath) -> Path:
        if deadly(path):
            kill()
        return Path("nowhere") / path


def test_a_file_that_ends_its_process_is_a_row(trust: Trust) -> None:
    paths = [PurePath(f"{n:02}.json") for n in range(20)]
    paths[7:7] = [PurePath("deadly-1"), PurePath("deadly-2")]
    made: Any = Killer()
    rows = check_files(setting(made, trust), paths, workers=2)
    assert [row.file for row in rows] == [path.name for path in paths]
    ended = [row.file for row in rows if "ended the process" in row.problem]
    assert ended == ["deadly-1", "deadly-2"]
    assert all("No such file" in row.problem for row in rows if row.file not in ended)


def test_the_exit_code_of_all() -> None:
    def code(*codes: int) -> int:
        return overall([Row("f", number) for number in codes])

    assert code(0, 0) == 0
    assert code(0, 2, 1, 3) == 1
    assert code(0, 2, 3, 4) == 2
    assert code(0, 3) == code(0, 4) == code(3, 4) == 3


def test_awards_shown_twice() -> None:
    rows = [
        Row("a", 0, awards=frozenset({"1"})),
        Row("b", 1, awards=frozenset({"1", "2"})),
        Row("c", 0, awards=frozenset({"2", "3"})),
        Row("d", 0, awards=frozenset({"4"})),
        Row("e", 2),
        Row("f", 2),
    ]
    also = {row.file: row.also_in for row in mark_repeated(rows)}
    assert also == {"a": ("b",), "b": ("a", "c"), "c": ("b",), "d": (), "e": (), "f": ()}
    assert repeated_awards(rows) == 2


def test_ten_thousand_copies_of_one_award_are_told_shortly() -> None:
    rows = [Row(f"{n:05}", 0, awards=frozenset({"1"})) for n in range(10_000)]
    marked = mark_repeated(rows)
    assert (marked[0].also_in, marked[0].also_more) == (("00001", "00002", "00003"), 9_996)
    assert (marked[2].also_in, marked[2].also_more) == (("00000", "00001", "00003"), 9_996)
    assert (marked[-1].also_in, marked[-1].also_more) == (("00000", "00001", "00002"), 9_996)


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_made_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "1-1", "a=b", "2.5", "2026-11-24", "'quoted", "冯建国"])
def test_what_is_no_formula_stays(text: str) -> None:
    assert cell(text) == text


def evil(text: str) -> Row:
    """A row that says `text` wherever a stranger could write something."""
    lines = (
        Line("format", "failed", text, True, True),
        Line("award", "passed", text, False, False),
    )
    return Row(
        text, 1, "not verified", "", text, text, text, text, text, text, text, text, text, text,
        lines, frozenset({text}), (text, text),
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_cell_of_the_csv_is_a_formula(trust: Trust, language: str) -> None:
    rows = [evil(text) for text in [*FORMULAS, 'a";=1+1;"', "a\n=1", "x" * 40_000]]
    out = io.StringIO(newline="")
    write_csv(
        Findings(setting(Path("x"), trust, language), [*rows, Row("u", 2, problem="=1")]), out
    )
    text = out.getvalue()
    assert text.startswith(BOM)
    head, *table = csv.reader(io.StringIO(text.removeprefix(BOM), newline=""))
    assert len(table) == len(rows) + 1
    for line in table:
        assert len(line) == len(head) == len(set(head))
        for value in line:
            assert not value.startswith(tuple(form[0] for form in FORMULAS)), value
            assert len(value) < 32_767
    # Every cell is quoted: a semicolon separates none, whatever a spreadsheet takes for separator.
    assert '"a"";=1+1;"""' in text
    assert table[-1][1] in ("CANNOT BE READ", "无法读取")


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;</style>"
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead", "tbody"),
    *("tr", "th", "td", "ul", "li", "strong", "bdi", "br", "span"),
}


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
def test_the_page_is_escaped_and_has_no_script(trust: Trust, language: str, tag: str) -> None:
    hostile = replace(trust, names={"en": EVIL, "zh": EVIL})
    rows = [evil(EVIL), Row(EVIL, 2, problem=EVIL)]
    out = io.StringIO()
    write_html(Findings(setting(Path(EVIL.replace("/", "")), hostile, language), rows), out)
    page = Page(out.getvalue())
    assert page.tags <= TAGS
    assert page.attributes <= {"lang", "charset", "name", "content", "http-equiv", "scope", "class"}
    assert "".join(page.text).count(EVIL) >= 8
    assert f'<html lang="{tag}">' in out.getvalue()
    assert "default-src 'none'" in out.getvalue()
    assert "@media print" in out.getvalue()


def test_the_page_tells_once_what_holds_for_all(story: Any, trust: Trust) -> None:
    found = [PurePath(f"learner.{name}") for name in ("bundle.json", "qr.png", "transcript.json")]
    rows = check_files(setting(story.out, trust), found, workers=0)
    out = io.StringIO()
    write_html(Findings(setting(story.out, trust), rows), out)
    (said,) = {line.sentence for row in rows for line in row.checks if line.name == "holder"}
    assert out.getvalue().count(said) == 1
    # What is not said of all stays with its row.
    other = replace(rows[0], checks=(Line("holder", "failed", "Another.", True, True),))
    out = io.StringIO()
    write_html(Findings(setting(story.out, trust), [*rows, other]), out)
    assert out.getvalue().count(said) == 2


def test_every_verdict_and_every_check_has_its_place() -> None:
    words = json.loads(files("verifier").joinpath("sentences.json").read_text("utf-8"))
    assert set(CHECKS) == set(words["names"]), "a check without a column in the CSV"
    rows = [Row("f", 0, verdict.value) for verdict in Verdict] + [Row("u", 2), Row("v", 2)]
    assert dict(summary(rows)) == {**dict.fromkeys(words["verdicts"], 1), "": 2}


def test_the_kinds_of_report() -> None:
    assert writer(Path("a/b.CSV")) is write_csv
    assert writer(Path("b.html")) is write_html
    for name in ("b", "b.xlsx", ".csv", "csv"):
        with pytest.raises(BadReport, match=r"ends in \.csv or \.html"):
            writer(Path(name))


def test_a_report_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before", encoding="utf-8")

    def fail() -> None:
        with replacing(path) as out:
            out.write("half")
            raise BadTrust("something else")

    with pytest.raises(BadTrust):
        fail()
    assert path.read_text(encoding="utf-8") == "before"
    with replacing(path) as out:
        out.write("after \ud800")
        assert path.read_text(encoding="utf-8") == "before"
        assert walk(tmp_path, [path]) == [], "what is being written is none of the files"
    assert path.read_text(encoding="utf-8") == "after \\ud800"
    assert list(tmp_path.iterdir()) == [path]
    for bad, says in ((tmp_path / "no" / "out.csv", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(BadReport, match=says), replacing(bad):
            pass
