"""The report as a table: every line, word and colour of it; and the verdicts behind it."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from verifier import Check, Outcome, Report, Subject, Verdict
from verifier.table import print_report

SUBJECT = Subject(
    "urn:uuid:1", "Ana 李", "Welding", "2.5", "did:web:a.example", {"en": "Bayu", "zh": "巴渝"}
)
GOOD = Check("signature", Outcome.PASSED, "signature.good", {"suites": "x"}, "2026-01-02")
CAUTIOUS = Check("ledger", Outcome.NOT_CHECKED, "ledger.none", caution=True)
UNKNOWN = Check("status", Outcome.NOT_CHECKED, "status.none", unknown=True)
FAILED = Check("issuer", Outcome.FAILED, "issuer.stranger", {"did": "did:web:b.example"})
HOLDER = Check("holder", Outcome.NOT_CHECKED, "holder.file")


def report(*checks: Check, subject: Subject = SUBJECT) -> Report:
    return Report("2026-01-03T00:00:00Z", "bundle", subject, checks, 7, "2026-01-01T00:00:00Z")


def shown(one: Report, language: str = "en", *, styles: bool = False) -> list[str]:
    console = Console(record=True, width=200, file=io.StringIO(), color_system="standard")
    print_report(one, language, console)
    return [line.rstrip() for line in console.export_text(styles=styles).splitlines()]


@pytest.mark.parametrize(
    ("checks", "verdict", "code"),
    [
        ((), Verdict.VERIFIED, 0),
        ((GOOD, HOLDER), Verdict.VERIFIED, 0),
        ((GOOD, CAUTIOUS), Verdict.CAUTION, 3),
        ((CAUTIOUS, UNKNOWN), Verdict.CANNOT_TELL, 4),
        ((UNKNOWN, CAUTIOUS, FAILED, GOOD), Verdict.NOT_VERIFIED, 1),
    ],
)
def test_the_verdict_is_the_worst_that_was_found(
    checks: tuple[Check, ...], verdict: Verdict, code: int
) -> None:
    one = report(*checks)
    assert one.verdict is verdict
    assert one.exit_code == code
    assert one.to_json()["verdict"] == verdict.value
    assert one.to_json()["exit_code"] == code


def test_the_report_as_json() -> None:
    assert report(GOOD, CAUTIOUS, UNKNOWN).to_json("zh") == {
        "verdict": "cannot tell",
        "exit_code": 4,
        "at": "2026-01-03T00:00:00Z",
        "form": "bundle",
        "credential": "urn:uuid:1",
        "learner": "Ana 李",
        "achievement": "Welding",
        "credits": "2.5",
        "issuer": {"did": "did:web:a.example", "name": {"en": "Bayu", "zh": "巴渝"}},
        "checks": [
            {
                "check": check.name,
                "outcome": check.outcome.value,
                "code": check.code,
                "sentence": check.sentence("zh"),
                "date": check.date,
                "caution": check.caution,
                "unknown": check.unknown,
            }
            for check in (GOOD, CAUTIOUS, UNKNOWN)
        ],
        "trust": {"version": 7, "issued": "2026-01-01T00:00:00Z"},
    }
    assert report(GOOD).to_json()["checks"] == [
        {
            "check": "signature",
            "outcome": "passed",
            "code": "signature.good",
            "sentence": GOOD.sentence("en"),
            "date": "2026-01-02",
            "caution": False,
            "unknown": False,
        }
    ]
    assert Subject() == Subject("", "", "", "", "", {})
    assert report(HOLDER).to_json()["checks"] == [
        {
            "check": "holder",
            "outcome": "not checked",
            "code": "holder.file",
            "sentence": HOLDER.sentence("en"),
            "date": "",
            "caution": False,
            "unknown": False,
        }
    ]


def test_the_whole_table_in_both_languages() -> None:
    every = report(GOOD, CAUTIOUS, UNKNOWN, FAILED, HOLDER)
    space = re.compile(" {2,}")
    assert [space.sub(" | ", line) for line in shown(every)] == [
        "NOT VERIFIED",
        "Ana 李 · Welding",
        "2.5 credits · Bayu",
        "Signature | ✓ passed | Nothing was changed since it was signed (x). | 2026-01-02",
        "Ledger entry | ! not checked | No receipt came with the credential, so the ledger was "
        "not looked at; ask for the bundle.",
        "Status | ! not checked | The credential names no status list.",
        "Issuer | ✗ failed | did:web:b.example is not a member of any credit bank you trust.",
        "Holder | – not checked | A file does not show who presents it: compare the name with an "
        "identity document.",
    ]
    chinese = [space.sub(" | ", line) for line in shown(every, "zh")]
    assert chinese[:4] == [
        "验证未通过",
        "Ana 李 · Welding",
        "2.5 学分 · 巴渝",
        "签名 | ✓ 通过 | 自签署以来未被改动（x）。 | 2026-01-02",
    ]
    assert len(chinese) == 8


@pytest.mark.parametrize(
    ("check", "verdict", "mark"),
    [
        (GOOD, "1;32mVERIFIED", "32m✓ passed"),
        (CAUTIOUS, "1;33mVERIFIED WITH A CAUTION", "33m! not checked"),
        (UNKNOWN, "1;33mCANNOT TELL", "33m! not checked"),
        (FAILED, "1;31mNOT VERIFIED", "31m✗ failed"),
        (HOLDER, "1;32mVERIFIED", "2m– not checked"),
        (replace(FAILED, caution=True), "1;31mNOT VERIFIED", "31m✗ failed"),
    ],
)
def test_each_verdict_and_outcome_has_its_colour(check: Check, verdict: str, mark: str) -> None:
    lines = shown(report(check), styles=True)
    assert lines[0] == f"\x1b[{verdict}\x1b[0m"
    assert lines[1] == "\x1b[1mAna 李 · Welding\x1b[0m"
    assert f"\x1b[{mark}\x1b[0m" in lines[3]


def test_what_is_not_known_leaves_no_gap() -> None:
    assert shown(report(GOOD, subject=Subject()))[1].startswith("Signature  ✓ passed")
    nameless = report(GOOD, subject=replace(SUBJECT, credits="", issuer_names={}))
    assert shown(nameless)[2] == "did:web:a.example"
    unheard = report(GOOD, subject=replace(SUBJECT, learner=""))
    assert shown(unheard)[1] == "Welding"


@pytest.mark.parametrize("width", [50, 55, 60])
def test_only_the_sentence_is_folded_and_nothing_is_cut(width: int) -> None:
    console = Console(record=True, width=width, file=io.StringIO())
    stranger = "did:web:" + "x" * 90
    far = replace(FAILED, values={"did": stranger}, date="2026-01-02")
    print_report(report(CAUTIOUS, replace(GOOD, date=""), far), "en", console)
    text = console.export_text()
    assert "…" not in text
    for whole in ("Ledger entry", "! not checked", "✓ passed", "2026-01-02"):
        assert whole in text
    assert text.count("x") >= 90
