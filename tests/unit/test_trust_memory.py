"""What a verifier remembers of trust bundles, and what it refuses because of it."""

import errno
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys import PrivateKey
from ledger import VerifierKey, sign_note
from ledger.checkpoint import Checkpoint
from ledger.landmarks import Landmarks
from ledger.note import ED25519
from verifier import BadTrust, Governance, Trust, memory, open_trust
from verifier.memory import default_folder, open_remembered

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOVERNORS = [PrivateKey.generate() for _ in range(3)]


def bundle(
    version: int = 3,
    origin: str = "cq.example/log",
    governors: list[PrivateKey] = GOVERNORS,
    **changes: object,
) -> bytes:
    """A small trust bundle, signed by two of its governors."""
    log_key = PrivateKey.generate()
    keys = tuple(sorted(key.public_key.multikey for key in governors))
    note = sign_note(Checkpoint(origin, 1, bytes(32)).text, origin, log_key)
    trust = Trust(
        version=version,
        issued=NOW,
        next_update=NOW + timedelta(days=7),
        expires=NOW + timedelta(days=30),
        bank="did:web:cq.example",
        domain="cq.example",
        origin=origin,
        names={"en": "CQ", "zh": "重庆"},
        bank_keys=(PrivateKey.generate().public_key.multikey,),
        roots=(Governance(keys, 2),),
        log_keys=(VerifierKey(origin, ED25519, log_key.public_key.raw),),
        checkpoint=note,
        members={},
        witnesses=(),
        quorum=0,
        status_lists={},
        landmarks=Landmarks((), (bytes(32),)),
    )
    return replace(trust, **changes).sign(governors[:2])  # type: ignore[arg-type]


def remembered(folder: Path) -> dict[str, dict[str, object]]:
    value = json.loads((folder / "trust-seen.json").read_bytes())
    assert isinstance(value, dict)
    return value


def test_the_first_bundle_pins_its_root_and_a_newer_one_moves_the_version(tmp_path: Path) -> None:
    first, second = bundle(3), bundle(4)
    assert open_remembered(first, tmp_path / "new" / "folder").version == 3
    folder = tmp_path / "new" / "folder"
    seen = remembered(folder)["cq.example/log"]
    assert seen["version"] == 3
    assert seen["roots"] == [open_trust(first).governance.fingerprint]
    assert open_remembered(first, folder).version == 3
    assert open_remembered(second, folder).version == 4
    assert remembered(folder)["cq.example/log"]["version"] == 4
    assert [path.name for path in folder.iterdir()] == ["trust-seen.json"]


def test_an_older_version_is_refused_and_not_remembered(tmp_path: Path) -> None:
    older, newer = bundle(3), bundle(4)
    open_remembered(newer, tmp_path)
    before = remembered(tmp_path)
    with pytest.raises(BadTrust, match="version 3, older than version 4 already seen"):
        open_remembered(older, tmp_path)
    # Nor does naming the root make an old bundle good.
    with pytest.raises(BadTrust, match="older than version 4"):
        open_remembered(older, tmp_path, open_trust(older).governance.fingerprint)
    assert remembered(tmp_path) == before


def test_the_same_version_with_other_bytes_is_refused(tmp_path: Path) -> None:
    good = bundle(3)
    open_remembered(good, tmp_path)
    with pytest.raises(BadTrust, match="two different trust bundles of version 3"):
        open_remembered(bundle(3), tmp_path)
    assert open_remembered(good, tmp_path).version == 3


def test_another_root_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    ours, others = bundle(3), [PrivateKey.generate() for _ in range(3)]
    open_remembered(ours, tmp_path)
    theirs = bundle(9, governors=others)
    root = open_trust(theirs).governance.fingerprint
    with pytest.raises(BadTrust, match="signed by the wrong root") as caught:
        open_remembered(theirs, tmp_path)
    assert str(tmp_path / "trust-seen.json") in str(caught.value)
    assert "--root" in str(caught.value)
    # A change of governance that the verifier was told of.
    assert open_remembered(theirs, tmp_path, root).version == 9
    assert open_remembered(theirs, tmp_path).version == 9
    with pytest.raises(BadTrust, match="signed by the wrong root"):
        open_remembered(bundle(10), tmp_path)


def test_a_root_can_be_pinned_before_the_first_sight(tmp_path: Path) -> None:
    good = bundle(3)
    with pytest.raises(BadTrust, match="another root than the pinned one"):
        open_remembered(good, tmp_path, "0" * 64)
    assert not (tmp_path / "trust-seen.json").exists()
    assert open_remembered(good, tmp_path, open_trust(good).governance.fingerprint).version == 3


def test_a_bundle_that_is_not_signed_is_not_remembered(tmp_path: Path) -> None:
    good = bundle(3)
    with pytest.raises(BadTrust):
        open_remembered(good.replace(b'"version":3', b'"version":9'), tmp_path)
    assert not (tmp_path / "trust-seen.json").exists()


def test_each_bank_has_a_memory_of_its_own(tmp_path: Path) -> None:
    open_remembered(bundle(7), tmp_path)
    others = [PrivateKey.generate() for _ in range(2)]
    open_remembered(bundle(1, origin="js.example/log", governors=others), tmp_path)
    assert {name: seen["version"] for name, seen in remembered(tmp_path).items()} == {
        "cq.example/log": 7,
        "js.example/log": 1,
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"cq.example/log":3}',
        b'{"cq.example/log":{}}',
        b'{"cq.example/log":{"digest":"x","roots":["x"],"version":"9"}}',
        b'{"cq.example/log":{"digest":"x","roots":["x"],"version":true}}',
        b'{"cq.example/log":{"digest":"x","version":9}}',
        b'{"cq.example/log":{"digest":"x","roots":[],"version":9}}',
        b'{"cq.example/log":{"digest":"x","roots":[7],"version":9}}',
        b'{"other.example":{"digest":"x","roots":7,"version":9}}',
    ],
)
def test_a_damaged_memory_is_named_and_never_passed_over(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "trust-seen.json"
    file.write_bytes(content)
    with pytest.raises(BadTrust, match="restore or remove it") as caught:
        open_remembered(bundle(1), tmp_path)
    assert str(file) in str(caught.value)
    assert file.read_bytes() == content
    file.unlink()
    assert open_remembered(bundle(1), tmp_path).version == 1


def test_a_folder_in_the_place_of_the_memory_is_named(tmp_path: Path) -> None:
    (tmp_path / "trust-seen.json").mkdir()
    with pytest.raises(BadTrust, match=r"trust-seen\.json"):
        open_remembered(bundle(1), tmp_path)


def test_a_read_only_memory_still_verifies_and_still_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, known, newer = bundle(3), bundle(5), bundle(6)
    open_remembered(known, tmp_path)
    before = remembered(tmp_path)

    def refuse(path: Path, data: bytes) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(memory, "write_whole", refuse)
    assert open_remembered(newer, tmp_path).version == 6
    with pytest.raises(BadTrust, match="older than version 5 already seen"):
        open_remembered(older, tmp_path)
    assert remembered(tmp_path) == before


def test_where_no_memory_can_be_made_it_still_verifies() -> None:
    """No folder can be made under /proc, not even by root."""
    assert open_remembered(bundle(3), Path("/proc/creditbank-state")).version == 3


def test_where_the_memory_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def folder(**environment: str) -> Path:
        for name in ("CREDITBANK_STATE", "XDG_STATE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return default_folder()

    assert folder(CREDITBANK_STATE=str(tmp_path), XDG_STATE_HOME="/x") == tmp_path
    assert folder(XDG_STATE_HOME=str(tmp_path)) == tmp_path / "creditbank"
    assert folder(HOME=str(tmp_path)) == tmp_path / ".local" / "state" / "creditbank"


Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_command_remembers(story: "object", run: Run, tmp_path: Path) -> None:
    """Past its end nobody can tell, and an unreadable memory is no verdict: exit code 2."""
    trust, evidence = str(story.trust), str(story.bundle)  # type: ignore[attr-defined]
    assert run("verify", evidence, "--trust", trust).returncode == 0
    assert next(iter(remembered(tmp_path / "state").values()))["version"] == 1
    later = (datetime.now(UTC) + timedelta(days=31)).strftime("%Y-%m-%dT%H:%M:%SZ")
    done = run("verify", evidence, "--trust", trust, "--at", later)
    assert done.returncode == 4
    assert "expired on" in done.stdout
    (tmp_path / "state" / "trust-seen.json").write_bytes(b"[]")
    done = run("verify", evidence, "--trust", trust)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "trust-seen.json" in done.stderr


def test_a_user_without_a_home_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user stands in no list."""
    for name in ("CREDITBANK_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(BadTrust, match="CREDITBANK_STATE"):
        default_folder()
