"""Every row of the threat model names tests, and each of them is there."""

from __future__ import annotations

import functools
import re
from pathlib import Path

ROW = re.compile(r"^\| (?!threat \|)(?!---)(.+)$", re.MULTILINE)
TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def missing(text: str, repo: Path) -> list[str]:
    """What is wrong with the rows of a threat model: no test named, or one that is not there."""
    found = []
    for row in ROW.findall(text):
        named = NAMED.findall(row)
        if not named:
            found.append(f"no test: {row}")
        for file, name in named:
            if name not in _tests(repo / file):
                found.append(f"not there: {file}::{name}")
    return found


@functools.cache
def _tests(file: Path) -> set[str]:
    return set(TEST.findall(file.read_text("utf-8"))) if file.exists() else set()


def test_every_row_names_tests_that_are_there(repo: Path) -> None:
    text = (repo / "docs" / "threat-model.md").read_text("utf-8")
    assert len(ROW.findall(text)) > 50
    assert missing(text, repo) == []


def test_a_row_without_its_test_is_seen(repo: Path) -> None:
    """The control."""
    rows = "| threat | what | tests |\n|---|---|---|\n| a | b | c |\n"
    gone = "| a | b | `tests/unit/test_threat_model.py::test_nothing_of_the_kind` |\n"
    assert len(missing(rows + gone, repo)) == 2
