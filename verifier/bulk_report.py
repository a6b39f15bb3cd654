"""The report on a folder: a table for a spreadsheet (CSV), or one page for people (HTML)."""

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TextIO

from credentials import format_moment
from credentials.spelling import shown
from verifier.bulk import UNREADABLE, Line, Row, Setting, repeated_awards
from verifier.bulk_words import told, verdict_word
from verifier.errors import BadReport
from verifier.report import EXIT_CODES, Outcome, Verdict
from verifier.sentences import word

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
CHECKS = (
    *("format", "signature", "issuer", "ledger", "witnesses", "status", "validity", "holder"),
    *("trust", "totals", "award"),
)
"""Each is a column, whether or not any file has it, so that two reports have the same ones."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MOST_CHARACTERS = 32_000
"""Excel holds 32,767 in a cell, and spills what is longer over others."""
_TEXTS = ("learner", "achievement", "credits", "issuer", "credential")
_DATES = ("signed", "recorded", "valid_from", "valid_until", "status_as_of")


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run over a folder found."""

    setting: Setting
    rows: Sequence[Row]


Writer = Callable[[Findings, TextIO], None]


def writer(path: Path) -> Writer:
    """Who writes the kind of report that the path's ending names; BadReport if nobody does."""
    found = _WRITERS.get(path.suffix.lower())
    if found is None:
        raise BadReport(f"--report ends in .csv or .html, which {path} does not")
    return found


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A file to write that takes the place of `path` at the end of the block, or never was.

    BadReport where it cannot be had or written; other input and output has no place in the block.
    """
    if not path.parent.is_dir():
        raise BadReport(f"the folder of the report, {path.parent}, does not exist")
    if path.is_dir():
        raise BadReport(f"the report cannot be written: {path} is a folder")
    # Hidden, so that it is none of the files looked at where it stands among them.
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("x", encoding="utf-8", errors="backslashreplace", newline="") as out:
            yield out
        partial.replace(path)
    except OSError as error:
        raise BadReport(f"the report {path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula.

    A cell that begins with = + - @, their full-width forms, a tab or the end of a line gets an
    apostrophe in front, which spreadsheets read as `this is text`; whoever reads the file by
    program takes off an apostrophe before one of these. All cells are quoted besides, so that
    none is split where a spreadsheet separates by semicolons, and begins anew with such a sign.
    """
    if len(text) > _MOST_CHARACTERS:
        text = text[:_MOST_CHARACTERS] + "…"
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_csv(findings: Findings, out: TextIO) -> None:
    """One row a file, under a row of names; UTF-8 with a byte order mark, as Excel wants it."""
    language = findings.setting.language
    at = format_moment(findings.setting.at)
    head = [told(name, language) for name in ("file", "verdict", "code", *_TEXTS, *_DATES)]
    head += [told("check_of", language, name=word("names", name, language)) for name in CHECKS]
    head += [told(name, language) for name in ("remarks", "also_in", "checked_at")]
    out.write(BOM)
    table = csv.writer(out, quoting=csv.QUOTE_ALL)
    table.writerow(map(cell, head))
    for row in findings.rows:
        values = [row.file, verdict_word(row.verdict, language), str(row.exit_code)]
        values += [getattr(row, name) for name in (*_TEXTS, *_DATES)]
        values += [_outcome([c for c in row.checks if c.name == name], language) for name in CHECKS]
        values += [" ".join(_remarks(row, language)), _also_in(row, language), at]
        table.writerow(map(cell, values))


def write_html(findings: Findings, out: TextIO) -> None:
    """One page that needs nothing else: no script, nothing fetched, everything escaped."""
    setting, rows = findings.setting, findings.rows
    language, trust = setting.language, setting.trust
    common = _common(rows)
    about = told(
        "about",
        language,
        folder=shown(setting.folder.resolve().name),
        at=format_moment(setting.at),
        version=str(trust.version),
        bank=trust.names.get(language, trust.bank),
        issued=format_moment(trust.issued),
    )
    title = told("title", language)
    tag = "zh-Hans" if language == "zh" else "en"
    out.write(
        f'<!doctype html>\n<html lang="{tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(about)}</p>\n"
    )
    out.write(_summary(rows, language))
    count = repeated_awards(rows)
    if count:
        out.write(f"<p>{escape(told('repeated', language, count=str(count)))}</p>\n")
    if common:
        said = "".join(f"<li>{_said(line, language)}</li>" for line in common)
        out.write(f"<h2>{escape(told('common', language))}</h2>\n<ul>{said}</ul>\n")
    names = ("number", "file", "verdict", *_TEXTS[:4], "dates", "checks")
    head = "".join(f'<th scope="col">{escape(told(name, language))}</th>' for name in names)
    out.write(f'<table class="files">\n<thead><tr>{head}</tr></thead>\n<tbody>\n')
    for number, row in enumerate(rows, start=1):
        out.write(_html_row(number, row, frozenset(common), language))
    out.write("</tbody>\n</table>\n</body>\n</html>\n")


def summary(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """How many files came to each verdict; the last, with no name, could not be read."""
    counted = Counter(row.verdict for row in rows)
    return [(name, counted[name]) for name in (*(verdict.value for verdict in Verdict), "")]


_WRITERS: Mapping[str, Writer] = {".csv": write_csv, ".html": write_html}
_MARKS = {Outcome.PASSED.value: "✓", Outcome.FAILED.value: "✗", Outcome.NOT_CHECKED.value: "–"}
_CLASSES = {0: "good", 1: "bad", UNREADABLE: "unread"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem; color: #1c2733; background: #fff;
  font: .9rem/1.45 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; } h2 { font-size: 1rem; margin: 1rem 0 .25rem; }
table { border-collapse: collapse; margin: 1rem 0; }
table.files { width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem;
  border-bottom: 1px solid #c6d0da; overflow-wrap: anywhere; }
th { color: #46566a; white-space: nowrap; } td.number { text-align: right; }
td.verdict, tr.sum { font-weight: 600; }
.good .verdict { color: #14622f; } .bad .verdict, .unread .verdict { color: #a3161a; }
.care .verdict { color: #7a4b00; }
ul { margin: .2rem 0; padding-left: 1.1rem; } .check, .dates { white-space: nowrap; }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { font-size: 8pt; padding: 0; max-width: none; }
  thead { display: table-header-group; } tr { break-inside: avoid; } }
"""


def _summary(rows: Sequence[Row], language: str) -> str:
    lines = []
    for verdict, count in summary(rows):
        code = EXIT_CODES[Verdict(verdict)] if verdict else UNREADABLE
        kind = _CLASSES.get(code, "care")
        lines.append(
            f'<tr class="{kind}"><td class="verdict">{escape(verdict_word(verdict, language))}</td>'
            f'<td class="number">{count}</td></tr>\n'
        )
    return (
        f'<table class="summary">\n<thead><tr><th scope="col">{escape(told("verdict", language))}'
        f'</th><th scope="col">{escape(told("files", language))}</th></tr></thead>\n<tbody>\n'
        f'{"".join(lines)}<tr class="sum"><td>{escape(told("all", language))}</td>'
        f'<td class="number">{len(rows)}</td></tr>\n</tbody>\n</table>\n'
    )


def _html_row(number: int, row: Row, common: frozenset[Line], language: str) -> str:
    kind = _CLASSES.get(row.exit_code, "care")
    texts = [_isolated(getattr(row, name)) for name in _TEXTS[:4]]
    dates = "<br>".join(
        f"{escape(told(name, language))}: {escape(value)}"
        for name in _DATES
        if (value := getattr(row, name))
    )
    marks = " ".join(
        f'<span class="check">{_mark(line)} {escape(word("names", line.name, language))}</span>'
        for line in _worst_of_each(row.checks)
    )
    said = [_said(line, language) for line in row.checks if line.open and line not in common]
    if row.problem:
        said.append(_isolated(told("cause", language, reason=row.problem)))
    if row.also_in:
        also = _also_in(row, language)
        said.append(f"<strong>{escape(told('also_in', language))}</strong>: {_isolated(also)}")
    listed = f"<ul>{''.join(f'<li>{text}</li>' for text in said)}</ul>" if said else ""
    cells = [
        f'<td class="number">{number}</td>',
        f"<td>{_isolated(row.file)}</td>",
        f'<td class="verdict">{escape(verdict_word(row.verdict, language))}</td>',
        *(f"<td>{text}</td>" for text in texts),
        f'<td class="dates">{dates}</td>',
        f"<td>{marks}{listed}</td>",
    ]
    return f'<tr class="{kind}">{"".join(cells)}</tr>\n'


def _said(line: Line, language: str) -> str:
    name = escape(word("names", line.name, language))
    return f"{_mark(line)} <strong>{name}</strong>: {_isolated(line.sentence)}"


def _isolated(text: str) -> str:
    """Text of others: its direction is its own affair."""
    return f"<bdi>{escape(text)}</bdi>" if text else ""


def _mark(line: Line) -> str:
    if line.grave and line.outcome != Outcome.FAILED.value:
        return "!"
    return _MARKS[line.outcome]


def _worst_of_each(lines: Sequence[Line]) -> list[Line]:
    """One line a check, in order: of several awards that which most needs looking at."""
    worst: dict[str, Line] = {}
    for line in lines:
        before = worst.get(line.name)
        if before is None or _gravity(line) > _gravity(before):
            worst[line.name] = line
    return list(worst.values())


def _gravity(line: Line) -> tuple[bool, bool, bool]:
    return line.outcome == Outcome.FAILED.value, line.grave, line.open


def _common(rows: Sequence[Row]) -> list[Line]:
    """What one check says of each file that has it, where that are several: told once, on top."""
    said: dict[str, set[tuple[Line, ...]]] = {}
    files: Counter[str] = Counter()
    for row in rows:
        for name, lines in groupby(row.checks, key=lambda line: line.name):
            said.setdefault(name, set()).add(tuple(lines))
            files[name] += 1
    alike = [next(iter(lines)) for name, lines in said.items() if len(lines) == 1 < files[name]]
    return [lines[0] for lines in alike if len(lines) == 1 and lines[0].open]


def _outcome(lines: Sequence[Line], language: str) -> str:
    """The outcome of a check; of several of a name how many came to each."""
    outcomes = sorted(line.outcome for line in lines)
    if len(outcomes) < 2:
        return "".join(word("outcomes", outcome, language) for outcome in outcomes)
    return ", ".join(
        f"{word('outcomes', outcome, language)} x{len(list(group))}"
        for outcome, group in groupby(outcomes)
    )


def _remarks(row: Row, language: str) -> list[str]:
    said = [
        f"{word('names', line.name, language)}: {line.sentence}" for line in row.checks if line.open
    ]
    return said + ([told("cause", language, reason=row.problem)] if row.problem else [])


def _also_in(row: Row, language: str) -> str:
    files = "; ".join(row.also_in)
    more = row.also_more
    return told("more", language, files=files, count=str(more)) if more else files
