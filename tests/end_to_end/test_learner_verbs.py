"""The counter's commands: what they print, what they refuse, and what they never repeat."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
NUMBER = "11010519491231002X"
CARD = f"name: 欧阳小明\nnumber: {NUMBER}\n".encode()


@pytest.fixture
def data(story: Any, tmp_path: Path) -> Path:
    """A copy of the story's bank."""
    folder = tmp_path / "var"
    shutil.copytree(story.data, folder)
    return folder


@pytest.fixture
def do(run: Run, data: Path) -> Callable[..., str]:
    """Run a verb that must succeed; what it printed, without the last line's end."""

    def call(verb: str, *arguments: str, typed: bytes = b"") -> str:
        done = run("learner", verb, *arguments, "--data", str(data), input=typed)
        assert done.returncode == 0, done.stderr
        assert NUMBER not in done.stdout + done.stderr
        return done.stdout.rstrip("\n")

    return call


def accounts(run: Run, data: Path) -> list[str]:
    listed = run("learners", "--data", str(data), "--limit", "2").stdout
    return [line.split("  ")[0] for line in listed.splitlines() if line.startswith("did:")]


def test_the_counter_from_opening_to_erasure(
    do: Callable[..., str], run: Run, data: Path, tmp_path: Path, story: Any
) -> None:
    first = do("open", typed=CARD)
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"name": "欧阳小明", "number": NUMBER.lower()}), encoding="utf-8")
    assert do("open", "--from", str(card)) == first
    second = do("open", typed="name：欧阳 小明".encode())
    account, evening = accounts(run, data)
    do("link", first, account)
    do("link", second, evening)
    assert do("merge", first, second) == first
    assert do("find", typed=f"number: {NUMBER}".encode()).split() == [
        first,
        *sorted((account, evening)),
    ]
    do("rename", first, typed="name: 欧阳大明".encode())
    asked = "purpose: 求职\nrecipient: 渝州公司\ncredentials: all\nuntil: 2199-01-01\n"
    consent = do("consent", first, typed=asked.encode())
    assert do("consent", first, typed=asked.encode()) == consent
    listed = do("consents", first)
    assert f"{consent}  " in listed
    assert "in force" in listed
    do("withdraw", first, consent)
    assert "withdrawn 20" in do("consents", first)

    out = tmp_path / "mine.zip"
    assert do("export", first, "--out", str(out)) == str(out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as archive:
        bundles = [name for name in archive.namelist() if name.startswith("bundles/")]
        archive.extractall(tmp_path / "mine")
    assert bundles
    done = run("verify", str(tmp_path / "mine" / bundles[0]), "--trust", str(story.trust))
    assert done.returncode in (0, 3), done.stdout + done.stderr

    refused = run("learner", "erase", first, "--data", str(data))
    assert refused.returncode == 1
    assert "run this again with --yes" in refused.stderr
    assert do("erase", first, "--yes") == f"{first} is erased"
    assert do("erase", second, "--yes") == f"{second} was erased before"
    assert not set(accounts(run, data)) & {account, evening}
    gone = run("learner", "export", first, "--data", str(data))
    assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)
    assert "was erased" in gone.stderr
    assert "audit passed" in run("ledger", "audit", "--data", str(data)).stdout
    assert run("ledger", "rebuild", "--data", str(data)).returncode == 0


@pytest.mark.parametrize(
    ("verb", "typed", "says"),
    [
        ("open", b"", "standard input is empty; it takes name, kind and number"),
        ("open", b"number: 11010519491231002X", "standard input has no name; add it"),
        ("open", b"name: x\nnumber: 110105194912310021", "last character does not match"),
        ("open", b"name: x\n110105194912310021", "line 2 of standard input"),
        ("open", b'{"name": "x", "number": 110105194912310021}', "in quotes"),
        ("open", b"name: x\nkind: passport\nnumber: 110105194912310021", "such as passport/DEU"),
        (
            "find",
            b"kind: citizen-id",
            "the kind of an identity document but no number; add it",
        ),
        ("find", b"number: 11010519491231002X", "no learner here has this identity document"),
    ],
)
def test_what_is_wrong_is_one_sentence_without_the_number(
    run: Run, data: Path, verb: str, typed: bytes, says: str
) -> None:
    done = run("learner", verb, "--data", str(data), input=typed)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "1101051949123100" not in done.stdout + done.stderr


def test_there_is_no_option_for_a_name_or_a_number(run: Run) -> None:
    for verb in ("open", "find", "rename"):
        shown = run("learner", verb, "--help").stdout
        assert "--from" in shown
        assert "--name" not in shown
        assert "--number" not in shown
    assert "never from the command line" in " ".join(run("learner", "--help").stdout.split())
