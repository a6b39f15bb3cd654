"""Standard streams as they are in the world: of another encoding, closed, full, half read."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Verify = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = (sys.executable, "-m", "bank.cli")


@pytest.fixture
def changed(story: Any, tmp_path: Path) -> Path:
    """The learner's bundle, with another name in it."""
    path = tmp_path / "changed.json"
    path.write_bytes(story.bundle.read_bytes().replace(b"2.5", b"9.5"))
    return path


def started(
    *arguments: str, state: Path, output: Any = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """The command as a shell starts it: what it does with its streams is the point."""
    told = {**os.environ, "CREDITBANK_STATE": str(state), "COLUMNS": "100", **environment}
    return subprocess.run(
        [*COMMAND, *arguments],
        stdout=output,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=told,
        timeout=60,
    )


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "utf-8"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_terminal_of_another_encoding(
    story: Any, tmp_path: Path, encoding: str, language: str
) -> None:
    """GBK has the Chinese and no check mark; the report is told all the same."""
    done = started(
        "verify", str(story.bundle), "--trust", str(story.trust), "--lang", language,
        state=tmp_path / "s", PYTHONIOENCODING=encoding,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    mark = "\N{CHECK MARK}".encode(encoding, "backslashreplace")
    assert mark in done.stdout


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
def test_a_reader_that_left_changes_no_verdict(
    story: Any, changed: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    """`creditbank verify … | head -1` ends as it would have ended."""
    for file, code in ((story.bundle, 0), (changed, 1)):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = started(
                "verify", str(file), "--trust", str(story.trust), *form,
                state=tmp_path / "s", output=writer,
            )  # fmt: skip
        finally:
            os.close(writer)
        assert (done.returncode, done.stderr) == (code, b"")


def test_a_report_that_cannot_be_written_is_no_verdict(story: Any, tmp_path: Path) -> None:
    """Exit code 1 would say of a good credential that it is not verified."""
    with Path("/dev/full").open("wb") as full:
        done = started(
            "verify", str(story.bundle), "--trust", str(story.trust),
            state=tmp_path / "s", output=full,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == b"standard output cannot be written: No space left on device\n"


def test_standard_input_that_is_closed(story: Any, tmp_path: Path) -> None:
    arguments = ("verify", "-", "--trust", str(story.trust))
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, *arguments],
        capture_output=True,
        env={**os.environ, "CREDITBANK_STATE": str(tmp_path / "s")},
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"standard input is closed")


def test_a_damaged_certificate_is_told_in_one_sentence(story: Any, tmp_path: Path) -> None:
    file = tmp_path / "cut.pdf"
    file.write_bytes((story.out / "learner.certificate.pdf").read_bytes()[:4000])
    done = started("verify", str(file), "--trust", str(story.trust), state=tmp_path / "s")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"the PDF is damaged" in done.stderr


def test_the_doctor_says_how_it_is_to_nobody_too(story: Any, tmp_path: Path) -> None:
    arguments = ("doctor", "--data", str(story.data))
    code = started(*arguments, state=tmp_path / "s").returncode
    reader, writer = os.pipe()
    os.close(reader)
    try:
        for form in ((), ("--json",)):
            done = started(*arguments, *form, state=tmp_path / "s", output=writer)
            assert (done.returncode, done.stderr) == (code, b"")
    finally:
        os.close(writer)


@pytest.mark.parametrize("verb", ["verify", "learners"])
def test_stopped_while_it_starts(verb: str) -> None:
    """Ctrl-C comes while modules are imported, which is most of a short verb's time."""
    code = (
        "import sys, bank.cli\n"
        "class Stop:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "bank.cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, verb], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, b"stopped before it began\n")
