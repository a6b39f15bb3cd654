"""The report as a short table that anyone can read."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from verifier.report import Check, Outcome, Report, Verdict
from verifier.sentences import word

_STYLES = {
    Verdict.VERIFIED: "bold green",
    Verdict.NOT_VERIFIED: "bold red",
    Verdict.CAUTION: "bold yellow",
    Verdict.CANNOT_TELL: "bold yellow",
}


def print_report(report: Report, language: str, console: Console) -> None:
    """Write the verdict, who and what, and one line a check."""
    verdict = word("verdicts", report.verdict.value, language)
    console.print(Text(verdict, style=_STYLES[report.verdict]))
    subject = report.subject
    if subject.credential:
        issuer = subject.issuer_names.get(language, subject.issuer)
        credits = "credits" if language == "en" else "学分"
        what = [subject.learner, subject.achievement]
        whose = [f"{subject.credits} {credits}" if subject.credits else "", issuer]
        console.print(Text(" · ".join(filter(None, what)), style="bold"))
        console.print(Text(" · ".join(filter(None, whose))))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    for check in report.checks:
        table.add_row(
            word("names", check.name, language),
            Text(
                _mark(check) + word("outcomes", check.outcome.value, language), style=_style(check)
            ),
            Text(check.sentence(language)),
            check.date,
        )
    console.print(table)


def _mark(check: Check) -> str:
    if check.outcome is Outcome.FAILED:
        return "✗ "
    if check.caution or check.unknown:
        return "! "
    return "✓ " if check.outcome is Outcome.PASSED else "– "


def _style(check: Check) -> str:
    if check.outcome is Outcome.FAILED:
        return "red"
    if check.caution or check.unknown:
        return "yellow"
    return "green" if check.outcome is Outcome.PASSED else "dim"
