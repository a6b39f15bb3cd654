"""Backups: what is restored is what was there; what is damaged or has no place is refused whole."""

from __future__ import annotations

import io
import json
import random
import stat
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bank.errors import BadBackup
from bank.opening import open_bank
from bank.operations.backup import MANIFEST, make_backup
from bank.operations.backup_record import read_last_backup
from bank.operations.restore import restore_backup
from bank.settings import read_settings
from keys import encode
from tests.bank_kit import SmallBank, small_bank


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("backed") / "bank") as made:
        made.award("li-1")
        yield made


@pytest.fixture(scope="module")
def archive(small: SmallBank) -> Path:
    folder = small.bank.settings.folder
    return make_backup(read_settings(folder), folder.parent / "kept" / "one.tar", now()).path


def test_a_backup_under_load_is_one_moment_and_comes_back(small: SmallBank, tmp_path: Path) -> None:
    folder = small.bank.settings.folder
    stop, size = threading.Event(), small.bank.log.size()

    def award() -> None:
        number = 0
        while not stop.is_set():
            small.award(f"wang-{number}")
            number += 1

    thread = threading.Thread(target=award)
    thread.start()
    try:
        while small.bank.log.size() < size + 5:
            pass
        made = make_backup(read_settings(folder), tmp_path, now())
    finally:
        stop.set()
        thread.join()
    assert made.path.parent == tmp_path
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert made.keys == 4
    assert size + 5 <= made.entries <= small.bank.log.size()
    assert [path.name for path in tmp_path.iterdir()] == [made.path.name]
    record = read_last_backup(folder)
    assert record is not None
    assert (record.entries, record.bytes) == (made.entries, made.path.stat().st_size)
    restored = restore_backup(made.path, tmp_path / "again")
    assert restored.entries == made.entries
    assert restored.has_keys
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "again").rglob("*.*")}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "again").stat().st_mode) == 0o700
    bank = open_bank(tmp_path / "again", "p")
    try:
        assert bank.log.size() == made.entries
        # A commit may be in the backup whose checkpoint is not: it is signed by the next.
        bank.checkpoints.sign()
        report = bank.upkeep.audit()
        assert report.passed, report.problems
        assert bank.upkeep.rebuild()
        assert bank.accounts.names()[:1] == small.bank.accounts.names()[:1]
    finally:
        bank.close()


def test_keystores_may_be_kept_apart(small: SmallBank, tmp_path: Path) -> None:
    settings = read_settings(small.bank.settings.folder)
    made = make_backup(settings, tmp_path / "b.tar", now(), keys=False)
    assert made.keys == 0
    with tarfile.open(made.path) as tar:
        names = tar.getnames()
    assert names[0] == MANIFEST
    assert not [name for name in names if "keystore" in name or "passphrase" in name]
    assert not restore_backup(made.path, tmp_path / "again").has_keys


def test_nothing_is_replaced(small: SmallBank, archive: Path, tmp_path: Path) -> None:
    settings = read_settings(small.bank.settings.folder)
    with pytest.raises(BadBackup, match="never replaces another"):
        make_backup(settings, archive, now())
    with pytest.raises(BadBackup, match="is not empty"):
        restore_backup(archive, settings.folder)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadBackup, match="is not empty"):
        restore_backup(archive, tmp_path / "file")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_flipped_byte_is_refused_or_changes_nothing(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    restore_backup(archive, tmp_path / "whole")
    wanted, rng, refused = contents(tmp_path / "whole"), random.Random(5), 0
    for number in range(120):
        data = bytearray(whole)
        # Half of them in the first pieces, where the manifest and headers are.
        place = rng.randrange(len(data) if number % 2 else 4096)
        data[place] ^= 1 << rng.randrange(8)
        bad, target = tmp_path / "bad.tar", tmp_path / f"{number}"
        bad.write_bytes(data)
        try:
            restore_backup(bad, target)
        except BadBackup:
            refused += 1
            assert not target.exists()
        else:
            assert contents(target) == wanted, f"byte {place} changed something unseen"
    assert refused > 80
    assert not list(tmp_path.glob(".*restoring"))


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.9])
def test_one_cut_short_is_refused(archive: Path, tmp_path: Path, part: float) -> None:
    data = archive.read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: int(len(data) * part)])
    with pytest.raises(BadBackup):
        restore_backup(tmp_path / "cut.tar", tmp_path / "bank")
    assert not (tmp_path / "bank").exists()


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc/out", "keys/../../out", "keys/x.keystore/y", "proposals/..", "passphrase"],
)
def test_no_name_leads_out(archive: Path, tmp_path: Path, name: str) -> None:
    with tarfile.open(archive) as tar:
        members = {each.name: tar.extractfile(each) for each in tar}
        files = {each: file.read() for each, file in members.items() if file is not None}
    manifest = json.loads(files.pop(MANIFEST))
    files[name] = b"x"
    manifest["files"][name] = {"bytes": 1, "sha256": "2d71" + "0" * 60}
    bad = tmp_path / "bad.tar"
    with tarfile.open(bad, "w") as tar:
        for each, data in {MANIFEST: encode(manifest), **files}.items():
            entry = tarfile.TarInfo(each)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    with pytest.raises(BadBackup, match="which no backup holds"):
        restore_backup(bad, tmp_path / "bank")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tar"]


def test_a_link_in_it_is_refused(archive: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tar"
    with tarfile.open(archive) as old, tarfile.open(bad, "w") as new:
        for entry in old:
            data = old.extractfile(entry)
            if entry.name == "bank.toml":
                entry.type, entry.linkname, data = tarfile.SYMTYPE, "/etc/passwd", None
            new.addfile(entry, data)
    with pytest.raises(BadBackup):
        restore_backup(bad, tmp_path / "bank")
    assert not (tmp_path / "bank").exists()


def test_postgresql_comes_back_too(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
    urls = []
    with admin.connect() as connection:
        for number in (1, 2):
            name = f"backup_{now().timestamp() * 1e6:.0f}_{number}"
            connection.execute(text(f"CREATE DATABASE {name}"))
            urls.append(make_url(postgres).set(database=name).render_as_string(False))
    admin.dispose()
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", urls[0])
    with small_bank(tmp_path / "bank") as small:
        small.award("li-1")
        (account,) = small.bank.accounts.names()
        token = small.bank.vault.token(account)
        share, _ = small.bank.shares.make(token, [small.bank.accounts.credentials(token)[0][0]], 3)
        made = make_backup(read_settings(tmp_path / "bank"), tmp_path / "b.tar", now())
        assert made.entries == small.bank.log.size()
    with pytest.raises(BadBackup, match="the database is not empty"):
        restore_backup(made.path, tmp_path / "again")
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", "sqlite:///bank.db")
    with pytest.raises(BadBackup, match="is of postgresql"):
        restore_backup(made.path, tmp_path / "again")
    monkeypatch.setenv("CREDITBANK_DATABASE_URL", urls[1])
    restore_backup(made.path, tmp_path / "again")
    assert not (tmp_path / "again" / "database").exists()
    bank = open_bank(tmp_path / "again", "p")
    try:
        report = bank.upkeep.audit()
        assert report.passed, report.problems
        assert report.size == made.entries
        assert bank.upkeep.rebuild()
        assert [each.share for each in bank.shares.of(token)] == [share.share]
        # Numbers that the database gives out go on, and the log's rows are protected again.
        bank.accounts.erase(account)
        with pytest.raises(Exception, match="append-only"), bank._engine.begin() as connection:
            connection.execute(text("DELETE FROM entries"))
    finally:
        bank.close()
