"""Our published log, read by Go's sumdb/note and sumdb/tlog: code that nobody here wrote."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys import PrivateKey
from ledger import Checkpoint, VerifierKey, sign_note
from ledger.cosignature import MLDSA44Cosigner, cosign_all
from ledger.log import Log
from ledger.note import open_note
from ledger.publishing import FolderTarget, publish
from tests.log_kit import LOG_KEY, VERIFIER, awards, checkpointer_on, new_log, sequencer_on
from tests.witness_kit import cosigner

# Where Debian's golang-golang-x-mod-dev puts its sources.
GOPATH = Path("/usr/share/gocode")
PACKAGE = "golang.org/x/mod/sumdb/tlog"
SIZES = (1, 2, 256, 257, 600)


@pytest.fixture(scope="session")
def checklog(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[int, str]]:
    """The Go program, built."""
    if shutil.which("go") is None:
        pytest.skip("Go is not on this machine (Debian: golang-go)")
    if not (GOPATH / "src" / PACKAGE).is_dir():
        pytest.skip("Go's module packages are not on this machine (golang-golang-x-mod-dev)")
    folder = tmp_path_factory.mktemp("go")
    settings = {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    source = Path(__file__).with_name("go") / "main.go"
    command = ["go", "build", "-o", str(folder / "checklog"), str(source)]
    subprocess.run(command, env={**os.environ, **settings}, check=True, timeout=600)

    def run(*arguments: Path | str) -> tuple[int, str]:
        command = [str(folder / "checklog"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr

    return run


@dataclass(frozen=True)
class Published:
    """The folder, and the signed notes of before."""

    folder: Path
    notes: dict[int, Path]
    roots: dict[int, bytes]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A log that grew, and whose checkpoint bears ML-DSA-44 and witnesses' signatures too."""
    tmp_path = tmp_path_factory.mktemp("log")
    engine = new_log(f"sqlite:///{tmp_path / 'log.db'}")
    log, sequencer = Log(engine), sequencer_on(engine)
    notes, roots, done = {}, {}, 0
    for size in SIZES:
        count = max(0, size - log.size())
        sequencer.append(awards(done, count))
        done += count
        note = checkpointer_on(engine).sign()
        text = open_note(note, ()).text
        others = [cosigner("sister.example/w"), MLDSA44Cosigner("sister.example/w", bytes(32))]
        note += cosign_all(others, text, int(datetime.now(UTC).timestamp()))
        publish(
            FolderTarget(tmp_path / "public"),
            note,
            log.tile,
            lambda start, end: list(log.entries(start, end)),
            log.root,
        )
        notes[log.size()] = tmp_path / f"note-{log.size()}"
        notes[log.size()].write_text(note, encoding="utf-8")
        roots[log.size()] = log.root(log.size())
    engine.dispose()
    return Published(tmp_path / "public", notes, roots)


Check = Callable[..., tuple[int, str]]


def test_go_opens_the_checkpoint_and_proves_every_entry(
    checklog: Check, published: Published
) -> None:
    code, output = checklog(published.folder, str(VERIFIER))
    root = base64.b64encode(published.roots[600]).decode()
    assert (code, output) == (0, f"checkpoint 600 {root}\nincluded 600\n")


def test_go_proves_that_it_continues_every_older_checkpoint(
    checklog: Check, published: Published
) -> None:
    assert sorted(published.notes) == [8, 256, 257, 600]
    for old, path in published.notes.items():
        code, output = checklog(published.folder, str(VERIFIER), path)
        assert code == 0, output
        assert output.endswith(f"included 600\nconsistent {old} 600\n")


TILES = ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"]
BUNDLES = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]


@pytest.mark.parametrize("path", [*TILES, *BUNDLES, "checkpoint"])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.99])
def test_the_control_a_changed_byte_is_refused(
    checklog: Check, published: Published, tmp_path: Path, path: str, place: float
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(published.folder, folder)
    data = bytearray((folder / path).read_bytes())
    if path == "checkpoint":
        # Within what the log's own key signed, and its signature line.
        data_end = (folder / path).read_bytes().index(b"\n\n") + 100
    else:
        data_end = len(data)
    data[int(place * data_end)] ^= 1
    (folder / path).write_bytes(bytes(data))
    code, output = checklog(folder, str(VERIFIER))
    assert code == 1
    assert "refused: " in output


def test_the_control_another_key_and_another_history_are_refused(
    checklog: Check, published: Published, tmp_path: Path
) -> None:
    stranger = VerifierKey(VERIFIER.name, 1, PrivateKey.from_seed(b"s" * 32).public_key.raw)
    code, output = checklog(published.folder, str(stranger))
    assert (code, "refused: " in output) == (1, True)
    forked = tmp_path / "forked"
    text = Checkpoint(VERIFIER.name, 257, bytes(32)).text
    forked.write_text(sign_note(text, VERIFIER.name, LOG_KEY), encoding="utf-8")
    code, output = checklog(published.folder, str(VERIFIER), forked)
    assert code == 1
    assert "refused: from 257 entries" in output


def test_a_missing_tile_is_refused(checklog: Check, published: Published, tmp_path: Path) -> None:
    for path in (*TILES, *BUNDLES):
        folder = tmp_path / path.replace("/", "-")
        shutil.copytree(published.folder, folder)
        (folder / path).unlink()
        assert checklog(folder, str(VERIFIER))[0] == 1
