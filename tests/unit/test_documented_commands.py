"""Every `creditbank …` in the documentation is a command there is, with the options it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from bank.cli.main import app

REPO = Path(__file__).resolve().parent.parent.parent
PAGES = sorted([*(REPO / "docs").glob("**/*.md"), REPO / "README.md", REPO / "CHANGELOG.md"])
FENCE = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(creditbank [^`]+)`")

COMMAND = typer.main.get_command(app)
PLACEHOLDER = re.compile(r"[A-Z]{3,}")


def whole_commands(text: str) -> list[str]:
    """Commands of fenced blocks, with the lines they are continued on and without comments."""
    found = []
    for block in FENCE.findall(text):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            words = shlex.split(line.strip(), comments=True) if "creditbank" in line else []
            if words[:1] == ["creditbank"]:
                found.append(shlex.join(words[1:]))
    return found


def mentions(text: str) -> list[str]:
    """Commands in running text, which may leave out what they need."""
    found = INLINE.findall(FENCE.sub("", text))
    # `creditbank statement v1` and the like are what signatures begin with.
    return [shlex.join(shlex.split(one)[1:]) for one in found if not re.search(r" v\d", one)]


def fault(command: str, *, complete: bool) -> str:
    """What is wrong with a command, or empty."""
    at: Any = COMMAND
    words = shlex.split(command)
    while isinstance(at, TyperGroup):
        if not words or words[0].startswith("-") or words[0] in ("…", "..."):
            return f"{at.name} is no command by itself" if complete else ""
        name = words.pop(0).rstrip(",;")
        if name not in at.commands:
            return f"{at.name} has no {name}"
        at = at.commands[name]
    known = {name for one in at.params for name in (*one.opts, *one.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help"}
    if given - known and at.name != "verify":  # which reads its own
        return f"{at.name} has no {', '.join(sorted(given - known))}"
    if not complete:
        return ""
    try:
        words = [PLACEHOLDER.sub("1", word) for word in words]
        at.make_context(at.name, words, resilient_parsing=False)
    except Exception as error:
        # Typer's own copy of click is private, and so are the classes of its errors.
        if not hasattr(error, "format_message"):
            raise
        return str(error.format_message())
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_every_command_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    faults = [(one, fault(one, complete=True)) for one in whole_commands(text)]
    faults += [(one, fault(one, complete=False)) for one in mentions(text)]
    assert [(one, told) for one, told in faults if told] == []


def test_there_are_many() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert sum(len(whole_commands(text)) for text in texts) > 80
    assert sum(len(mentions(text)) for text in texts) > 30
    runbooks = (REPO / "docs" / "runbooks.md").read_text(encoding="utf-8")
    assert len(whole_commands(runbooks)) > 25
    for title in (
        *("Lost key", "Stolen key", "Restored backup", "Split view found", "Sister bank gone"),
        *("Disk full", "Erasure request"),
    ):
        assert f"\n## {title}\n" in runbooks


@pytest.mark.parametrize(
    ("command", "complete"),
    [
        ("bank serv --data var", True),
        ("bank serve --date var", True),
        ("bank backup --data var", True),
        ("ledger", True),
        ("ledger recovr", False),
        ("ledger recover --form x", False),
    ],
)
def test_control_a_wrong_one_is_seen(command: str, complete: bool) -> None:
    assert fault(command, complete=complete)


def test_the_remedies_of_the_doctor_exist_too() -> None:
    quoted = re.compile(r"'(creditbank [^']+)'")
    found = []
    for path in [*REPO.glob("bank/**/*.py"), *REPO.glob("ledger/**/*.py")]:
        text = re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
        found += [re.sub(r"\{[^}]*\}", "X", one) for one in quoted.findall(text)]
    assert len(found) > 20
    faults = [(one, fault(one.removeprefix("creditbank "), complete=False)) for one in found]
    assert [(one, told) for one, told in faults if told] == []
