"""Checkpoints: one text for each, and the times and dates of the ledger beside them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ledger import BadNote, BadStatement, Checkpoint, format_time, parse_date, parse_time

ROOT = base64.b64encode(bytes(range(32))).decode()
GOOD = f"bank.example/log\n7\n{ROOT}\n"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"a\n0\n{ROOT}\n",
        f"origin with spaces, 银行\n9999999999999999\n{ROOT}\n",
        f"{GOOD}one extension\nand another\n",
    ],
)
def test_round_trip(text: str) -> None:
    checkpoint = Checkpoint.parse(text)
    assert checkpoint.text == text
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    assert checkpoint.root == bytes(range(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n\n",
        GOOD[:-1],
        GOOD + "\n",
        GOOD + "extension",
        GOOD + "extension\n\nanother\n",
        "\n" + GOOD,
        GOOD.replace("bank.example/log", ""),
        GOOD.replace("\n7\n", "\n07\n"),
        GOOD.replace("\n7\n", "\n-7\n"),
        GOOD.replace("\n7\n", "\n+7\n"),
        GOOD.replace("\n7\n", "\n7.0\n"),
        GOOD.replace("\n7\n", "\n 7\n"),
        GOOD.replace("\n7\n", "\n7 \n"),
        GOOD.replace("\n7\n", "\n٧\n"),
        GOOD.replace("\n7\n", "\n7٧\n"),
        GOOD + "no newline at the end",
        GOOD.replace("\n7\n", "\n7_0\n"),
        GOOD.replace("\n7\n", "\n\n"),
        GOOD.replace("\n7\n", "\n" + "7" * 17 + "\n"),
        GOOD.replace(ROOT, ROOT[:-1]),
        GOOD.replace(ROOT, ROOT[:-1] + "\t"),
        GOOD.replace(ROOT, "-" + ROOT[1:]),
        GOOD.replace(ROOT, "é" + ROOT[1:]),
        GOOD.replace(ROOT, base64.b64encode(bytes(31)).decode()),
        GOOD.replace(ROOT, base64.b64encode(bytes(33)).decode()),
        GOOD.replace(ROOT, ""),
        # The last digit before the padding has two bits too many.
        GOOD.replace("Hh8=", "Hh9="),
    ],
    ids=range(29),
)
def test_another_spelling_is_refused(text: str) -> None:
    assert text != GOOD
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


def test_times_have_one_spelling() -> None:
    moment = datetime(2026, 11, 23, 18, 18, 22, 999_999, tzinfo=UTC)
    assert format_time(moment) == "2026-11-23T18:18:22Z"
    assert format_time(moment.astimezone(timezone(timedelta(hours=8)))) == "2026-11-23T18:18:22Z"
    assert parse_time("2026-11-23T18:18:22Z") == moment.replace(microsecond=0)
    assert parse_date("2028-02-29").isoformat() == "2028-02-29"
    for text in (
        "",
        "2026-11-23",
        "2026-11-23T18:18:22z",
        "2026-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ):
        with pytest.raises(BadStatement, match="is not a time"):
            parse_time(text)
    for text in ("", "2026-11-23\n", "20261123", "2026-W48-1", "2027-02-29", "٢٠٢٦-11-23"):
        with pytest.raises(BadStatement, match="is not a date"):
            parse_date(text)


def test_what_is_wrong_is_said() -> None:
    assert Checkpoint("a", 0, bytes(32)).extensions == ()
    for text, says in (
        (f"a\n7\n{ROOT}", "origin, size and root hash, a line each"),
        (f"a\n7\n{ROOT}\nx", "origin, size and root hash, a line each"),
        (f"a\n7٧\n{ROOT}\n", "not a number of entries"),
        (f"a\n7\n{ROOT[:-1]}-=\n", "not base64"),
        (f"a\n7\n{ROOT[:20]} {ROOT[20:]}\n", "not base64"),
        (f"a\n7\n{ROOT[:20]}\t{ROOT[20:]}\n", "not base64"),
    ):
        with pytest.raises(BadNote, match=says):
            Checkpoint.parse(text)
