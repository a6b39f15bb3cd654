"""Restoring a backup into a new folder: every hash checked first, and all of it or nothing."""

import os
import re
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bank.errors import BadBackup
from bank.operations.backup import DATABASE, FORMAT, MANIFEST, VERSION
from bank.operations.backup_record import BackupRecord, keep_restored
from bank.operations.database_copy import copy_in
from bank.schema import NEWEST
from bank.settings import database_url, read_settings
from keys import Json, KeysError, parse_exact

_PIECE, _LARGEST = 1024 * 1024, 16 * 1024 * 1024
# What a backup may put where; nothing else leaves the archive.
_NAME = re.compile(
    r"bank\.toml|database|last-audit\.json|keys/opened|keys/[A-Za-z0-9_-]+\.keystore"
    r"|proposals/[A-Za-z0-9_-][A-Za-z0-9._-]*"
)
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the moment it is of, the log's size then, whether keys came with it."""

    made: str
    origin: str
    entries: int
    has_keys: bool


@dataclass(frozen=True, slots=True)
class _Manifest:
    made: str
    origin: str
    entries: int
    step: str
    store: str
    files: Mapping[str, tuple[int, str]]


def restore_backup(archive: Path, folder: Path) -> Restored:
    """Put a backup into `folder`, which must be absent or empty.

    BadBackup says what is wrong, with nothing left behind.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadBackup(f"{folder} is not empty; restore into a folder that is, or is not there")
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage = folder.with_name(f".{folder.name}.restoring")
    if stage.exists():
        raise BadBackup(f"{stage} is of a restoring that broke off; remove it and try again")
    stage.mkdir(mode=0o700)
    try:
        manifest = _unpack(archive, stage)
        _place_database(stage, folder, manifest)
        size = archive.stat().st_size
        keep_restored(stage, BackupRecord(manifest.made, size, manifest.entries))
        if folder.exists():
            folder.rmdir()
        stage.rename(folder)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    has_keys = any(name.endswith(".keystore") for name in manifest.files)
    return Restored(manifest.made, manifest.origin, manifest.entries, has_keys)


def _unpack(path: Path, stage: Path) -> _Manifest:
    try:
        with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|") as archive:
            entries = iter(archive)
            first = next(entries, None)
            if first is None or first.name != MANIFEST or first.size > _LARGEST:
                raise BadBackup(f"{path} is not a backup: it does not begin with {MANIFEST}")
            manifest = _read(path, _data(archive, first).read())
            left = dict(manifest.files)
            for entry in entries:
                wanted = left.pop(entry.name, None)
                if wanted is None or not entry.isreg() or entry.size != wanted[0]:
                    raise BadBackup(f"{path} has {entry.name[:80]!r}, which its manifest has not")
                if _extract(archive, entry, stage / entry.name) != wanted[1]:
                    raise BadBackup(
                        f"{entry.name} in {path} is not what was backed up: its SHA-256 differs"
                    )
    except OSError as error:
        raise BadBackup(f"{path} cannot be read: {error.strerror}") from error
    except tarfile.TarError as error:
        raise BadBackup(f"{path} is not a backup, or is cut short") from error
    if left:
        raise BadBackup(f"{path} lacks {', '.join(sorted(left))}: it is cut short")
    return manifest


def _read(path: Path, data: bytes) -> _Manifest:
    try:
        value = parse_exact(data, limit=_LARGEST)
    except KeysError as error:
        raise BadBackup(f"the manifest of {path} is damaged: {error}") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BadBackup(f"{path} is not a backup of a credit bank")
    if value.get("version") != VERSION:
        raise BadBackup(f"{path} is of a newer program; restore it with that one")
    files = value.get("files")
    found: dict[str, tuple[int, str]] = {}
    for name, item in files.items() if isinstance(files, dict) else ():
        if not _NAME.fullmatch(name) or not isinstance(item, dict):
            raise BadBackup(f"the manifest of {path} names {name[:80]!r}, which no backup holds")
        found[name] = (_number(path, item.get("bytes")), str(item.get("sha256")))
    if not {DATABASE, "bank.toml"} <= set(found):
        raise BadBackup(f"the manifest of {path} names no database or no bank.toml")
    step = str(value.get("step"))
    if step > NEWEST:
        raise BadBackup(f"{path} has the shape {step}, this program knows up to {NEWEST}")
    return _Manifest(
        str(value.get("made")),
        str(value.get("origin")),
        _number(path, value.get("entries")),
        step,
        str(value.get("store")),
        found,
    )


def _number(path: Path, value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise BadBackup(f"the manifest of {path} is damaged: {str(value)[:40]!r} is not a number")


def _data(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> "tarfile.ExFileObject":
    file = archive.extractfile(entry)
    if file is None:
        raise BadBackup(f"{entry.name[:80]!r} in the archive is not a file")
    assert isinstance(file, tarfile.ExFileObject)
    return file


def _extract(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> str:
    """Write one file, readable by its owner alone; its SHA-256."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    digest, source = sha256(), _data(archive, entry)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while piece := source.read(_PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _place_database(stage: Path, folder: Path, manifest: _Manifest) -> None:
    """Put the database where the settings say it is."""
    settings, copy = read_settings(stage), stage / DATABASE
    is_sqlite = settings.database.startswith(_SQLITE)
    if is_sqlite != (manifest.store == "sqlite"):
        raise BadBackup(
            f"the backup is of {manifest.store} and the setting 'database' names another kind; "
            "name one of that kind in CREDITBANK_DATABASE_URL"
        )
    if not is_sqlite:
        copy_in(database_url(settings), copy, manifest.step)
        copy.unlink()
        return
    path = Path(database_url(settings).removeprefix(_SQLITE))
    if path.exists():
        raise BadBackup(f"there is a database at {path} already; nothing is restored over it")
    copy.rename(path)
