"""Publishing a log as static files, in a folder or an object store, the checkpoint last.

Only what is new is written. A reader at any moment finds everything that the checkpoint it
sees speaks of. Publishing refuses to replace a checkpoint that ours does not continue.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger.checkpoint import Checkpoint
from ledger.errors import BadNote, StoreFault
from ledger.note import VerifierKey, open_note
from ledger.tiles import ReadTile
from ledger.tlog_tiles import BYTES, CHECKPOINT, TEXT, encode_bundle, resources

ReadEntries = Callable[[int, int], Sequence[bytes]]
"""(start, end) -> the exact bytes of those entries."""
RootAt = Callable[[int], bytes]
"""size -> the root of that many entries."""


class Target(Protocol):
    """Where static files go. `put` returns when the file is durable."""

    def get(self, path: str) -> bytes | None:
        """A file's bytes, or None."""

    def put(self, path: str, data: bytes, media_type: str) -> None:
        """Write a file, whole or not at all."""


def publish(
    target: Target,
    note: str,
    read_tile: ReadTile,
    read_entries: ReadEntries,
    root_at: RootAt,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Bring `target` up to the signed checkpoint `note`; how many files were written.

    StoreFault where the target holds a checkpoint that this log does not continue.
    """
    checkpoint = Checkpoint.parse(open_note(note, ()).text)
    old = _published(target, checkpoint, root_at)
    written = 0
    for resource in resources(old, checkpoint.size):
        if resource.level is None:
            start = resource.index * 256
            data = encode_bundle(read_entries(start, start + resource.width))
        else:
            data = read_tile(resource.level, resource.index, resource.width)
        target.put(resource.path, data, BYTES)
        written += 1
        progress(written)
    target.put(CHECKPOINT, note.encode(), TEXT)
    return written + 1


def open_target(name: str) -> Target:
    """The target `name`: a folder, or s3://bucket/prefix. StoreFault if it cannot be used."""
    if name.startswith("s3://"):
        from ledger.object_store import ObjectStoreTarget

        return ObjectStoreTarget(name)
    return FolderTarget(Path(name))


@dataclass(frozen=True, slots=True)
class Published:
    """What a target shows of a log, and how that contradicts what is stored, or empty."""

    size: int
    contradiction: str


def published_at(
    target: Target, log_keys: Sequence[VerifierKey], size: int, root_at: RootAt
) -> Published | None:
    """What `target` shows of the log with these keys, of which `size` entries are stored.

    None where it shows nothing; StoreFault where it cannot be read, or is not of this log.
    """
    note = target.get(CHECKPOINT)
    if note is None:
        return None
    try:
        opened = open_note(note.decode(), log_keys)
        there = Checkpoint.parse(opened.text)
    except (BadNote, UnicodeDecodeError) as error:
        raise StoreFault(f"the published checkpoint is damaged: {error}") from error
    if not opened.signatures:
        raise StoreFault("the published checkpoint is not signed by this log's key")
    if there.size > size:
        return Published(there.size, f"{there.size} entries are published, the store holds {size}")
    if root_at(there.size) != there.root:
        return Published(there.size, f"another history of {there.size} entries is published")
    return Published(there.size, "")


def _published(target: Target, checkpoint: Checkpoint, root_at: RootAt) -> int:
    """The size published before, after making sure that it is a prefix of ours."""
    before = target.get(CHECKPOINT)
    if before is None:
        return 0
    try:
        there = Checkpoint.parse(open_note(before.decode(), ()).text)
    except (BadNote, UnicodeDecodeError) as error:
        raise StoreFault(f"the published checkpoint is damaged: {error}") from error
    if there.origin != checkpoint.origin:
        raise StoreFault(f"another log, {there.origin}, is published there already")
    if there.size > checkpoint.size or root_at(there.size) != there.root:
        raise StoreFault(
            f"a checkpoint of {there.size} entries is published there that this log of "
            f"{checkpoint.size} entries does not continue: this is a restored backup, or another "
            "signer holds the same origin; see 'creditbank ledger recover'"
        )
    return there.size


class FolderTarget:
    """A folder; every file is synced before it gets its name, and its folder after."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, path: str) -> bytes | None:
        """A file's bytes, or None."""
        try:
            return (self._folder / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreFault(f"{self._folder / path} cannot be read: {error.strerror}") from error

    def put(self, path: str, data: bytes, media_type: str) -> None:
        """Write a file, whole or not at all."""
        name = self._folder / path
        self._make(name.parent)
        partial = name.with_name(f".{name.name}.{os.getpid()}")
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(name)
            _sync(name.parent)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StoreFault(f"{name} cannot be written: {error.strerror}") from error

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFault(f"the folder {folder} cannot be made: {error.strerror}") from error
        while folder != self._folder.parent:
            _sync(folder)
            folder = folder.parent
        _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
