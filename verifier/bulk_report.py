"""What became of many files, as CSV for a spreadsheet and as HTML to read and print."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from verifier.bulk import UNREADABLE, Row
from verifier.errors import Unreadable
from verifier.sentences import word

_CHECKS = ("format", "signature", "issuer", "ledger", "witnesses", "status", "validity", "trust")
_WORDS = {
    "file": ("File", "文件"),
    "verdict": ("Verdict", "结论"),
    "learner": ("Learner", "学习者"),
    "achievement": ("Achievement", "学习成果"),
    "credits": ("Credits", "学分"),
    "issuer": ("Institution", "机构"),
    "again": ("Shown more than once", "重复出示"),
    "remarks": ("Remarks", "说明"),
    "yes": ("yes", "是"),
    "unreadable": ("UNREADABLE", "无法读取"),
    "title": ("Credentials verified", "凭证验证结果"),
    "as of": (
        "As of {at}, by trust bundle version {version}.",
        "截至 {at}，依据第 {version} 版信任包。",
    ),
}
_STYLE = (
    "body{font:15px/1.45 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
    "margin:2rem;color:#1c2430;background:#fff}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #cfd6de;padding:.35rem .5rem;text-align:start;vertical-align:top;"
    "overflow-wrap:anywhere}th{background:#f0f2f5}.v0{color:#10603a}.v1,.v2{color:#9b1c1c}"
    ".v3,.v4{color:#7a4a00}caption{text-align:start;padding:.5rem 0;font-weight:600}"
    "@media print{body{margin:0}tr{break-inside:avoid}}"
)
_CLASSES = {
    "verified": "v0",
    "not verified": "v1",
    UNREADABLE: "v2",
    "verified with a caution": "v3",
    "cannot tell": "v4",
}


def write_report(
    path: Path, rows: Sequence[Row], language: str, at: str, trust_version: int
) -> None:
    """Write the report, CSV or HTML by the file's ending; whole, or not at all."""
    text = (
        as_csv(rows, language)
        if path.suffix == ".csv"
        else as_html(rows, language, at, trust_version)
    )
    partial = path.with_name(f".{path.name}.partial")
    try:
        # Excel takes a file for UTF-8 only by its byte order mark.
        partial.write_text(text, "utf-8-sig" if path.suffix == ".csv" else "utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Unreadable(f"the report {path} cannot be written: {error.strerror}") from error


def check_report_path(path: Path) -> None:
    """Unreadable, before any work is done, if no report can be written there."""
    if path.suffix not in (".csv", ".html"):
        raise Unreadable(f"--report ends in .csv or .html, which {path} does not")
    if not path.parent.is_dir():
        raise Unreadable(f"the folder {path.parent} of --report does not exist")


def as_csv(rows: Sequence[Row], language: str) -> str:
    """The rows as CSV (RFC 4180).

    A cell that a spreadsheet would take for a formula (one that begins with = + - @, a tab or a
    line break) gets an apostrophe in front: names come from whoever made the file.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = ("file", "verdict", "learner", "achievement", "credits", "issuer")
    head = [_word(name, language) for name in names]
    head += [word("names", name, language) for name in _CHECKS]
    writer.writerow([*head, _word("again", language), _word("remarks", language)])
    for row in rows:
        cells = [row.file, _verdict(row, language), row.learner, row.achievement]
        cells += [row.credits, row.issuer]
        cells += [_outcome(row, name, language) for name in _CHECKS]
        cells += [_word("yes", language) if row.again else "", " ".join(row.remarks)]
        writer.writerow([_inert(cell) for cell in cells])
    return out.getvalue()


def as_html(rows: Sequence[Row], language: str, at: str, trust_version: int) -> str:
    """The rows as one page without scripts, a summary of the verdicts on top."""
    names = ("file", "verdict", "learner", "achievement", "credits", "issuer", "remarks")
    head = "".join(f'<th scope="col">{escape(_word(name, language))}</th>' for name in names)
    counts = Counter(_verdict(row, language) for row in rows)
    summary = "".join(f"<li>{escape(name)}: {count}</li>" for name, count in counts.most_common())
    title = escape(_word("title", language))
    when = escape(_word("as of", language).format(at=at, version=trust_version))
    body = "\n".join(_html_row(row, language) for row in rows)
    lang = "zh-Hans" if language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{title}</h1><p>{when}</p><ul>{summary}</ul>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></body></html>\n"
    )


def _html_row(row: Row, language: str) -> str:
    remarks = [*row.remarks]
    if row.again:
        remarks.append(_word("again", language))
    cells = (row.learner, row.achievement, row.credits, row.issuer)
    plain = "".join(f'<td dir="auto">{escape(cell)}</td>' for cell in cells)
    verdict = f'<td class="{_CLASSES[row.verdict]}"><strong>{escape(_verdict(row, language))}'
    told = "<br>".join(map(escape, remarks))
    return f"<tr><td>{escape(row.file)}</td>{verdict}</strong></td>{plain}<td>{told}</td></tr>"


def verdict_word(verdict: str, language: str) -> str:
    """What to call a row's verdict, in `en` or `zh`."""
    if verdict == UNREADABLE:
        return _word(UNREADABLE, language)
    return word("verdicts", verdict, language)


def _verdict(row: Row, language: str) -> str:
    return verdict_word(row.verdict, language)


def _outcome(row: Row, name: str, language: str) -> str:
    outcome = row.outcomes.get(name)
    return "" if outcome is None else word("outcomes", outcome, language)


def _word(name: str, language: str) -> str:
    english, chinese = _WORDS[name]
    return chinese if language == "zh" else english


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
