"""Backups: one archive of the database and the folder's files, with a manifest of their hashes.

A tar file, mode 0600, `manifest.json` first: JCS with `{entries, files, format, made, origin,
root, step, store, version}`, where `files` gives each file's bytes and SHA-256. Keystores go in as
they are, encrypted; a passphrase and OpenID clients' secrets never do.
"""

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

from bank.errors import BadBackup
from bank.operations.backup_record import BackupRecord, keep_last_backup
from bank.operations.database_copy import copy_out
from bank.settings import FILE, Settings, database_url
from keys import Json, encode
from ledger import format_time
from ledger.store import open_store

DATABASE, MANIFEST, FORMAT = "database", "manifest.json", "creditbank backup"
VERSION = 1
_KEPT = ("last-audit.json",)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    path: Path
    bytes: int
    entries: int
    keys: int
    """Keystores in it."""


def make_backup(settings: Settings, out: Path, now: datetime, *, keys: bool = True) -> Backup:
    """Write a backup to `out`, or into it if it is a folder; the bank may go on meanwhile.

    BadBackup if there is a file already. It is remembered in the bank's folder.
    """
    made = format_time(now)
    if out.is_dir():
        out = out / f"creditbank-{made.replace(':', '').replace('-', '')}.tar"
    if out.exists():
        raise BadBackup(f"{out} exists already; a backup never replaces another")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=out.parent) as folder:
        copy = Path(folder) / DATABASE
        engine = open_store(database_url(settings))
        try:
            copied = copy_out(engine, copy)
        finally:
            engine.dispose()
        files = {DATABASE: copy, **dict(_files(settings.folder, keys))}
        manifest: dict[str, Json] = {
            "entries": copied.entries,
            "files": {name: _described(path) for name, path in files.items()},
            "format": FORMAT,
            "made": made,
            "origin": settings.origin,
            "root": copied.root.hex(),
            "step": copied.step,
            "store": copied.engine,
            "version": VERSION,
        }
        partial = Path(folder) / "archive"
        _write(partial, encode(manifest), files)
        size = partial.stat().st_size
        _claim(out)
        partial.replace(out)
    _sync(out.parent)
    keep_last_backup(settings.folder, BackupRecord(made, size, copied.entries))
    count = sum(name.endswith(".keystore") for name in files)
    return Backup(out, size, copied.entries, count)


def _files(folder: Path, keys: bool) -> Iterator[tuple[str, Path]]:
    """What of a bank's folder goes into a backup."""
    yield FILE, folder / FILE
    patterns = ["keys/opened", "proposals/*", *_KEPT, *(["keys/*.keystore"] if keys else [])]
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and not path.name.endswith(".partial"):
                yield str(path.relative_to(folder)), path


def _described(path: Path) -> Json:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _write(path: Path, manifest: bytes, files: dict[str, Path]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w") as archive:
            _add(archive, MANIFEST, len(manifest), io.BytesIO(manifest))
            for name, source in files.items():
                with source.open("rb") as file:
                    _add(archive, name, source.stat().st_size, file)
        raw.flush()
        os.fsync(raw.fileno())


def _add(archive: tarfile.TarFile, name: str, size: int, file: BinaryIO) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    archive.addfile(entry, file)


def _claim(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise BadBackup(f"{path} exists already; a backup never replaces another") from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
