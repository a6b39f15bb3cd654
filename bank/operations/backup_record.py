"""What a bank remembers of backups, in its folder: the last one made, and the one it came from.

Neither making nor restoring one takes the bank's keys, so the operator's log has them from when
the bank is opened next.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from bank.operator_log import SHELL, Act, OperatorLog

_MADE, _RESTORED = "last-backup.json", "restored-from.json"


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """When the last backup was made, its size in bytes, and how many entries it holds."""

    time: str
    bytes: int
    entries: int


def keep_last_backup(folder: Path, record: BackupRecord) -> None:
    """Remember a backup that was made."""
    _keep(folder / _MADE, record)


def keep_restored(folder: Path, record: BackupRecord) -> None:
    """Remember what a folder was restored from."""
    _keep(folder / _RESTORED, record)


def read_last_backup(folder: Path) -> BackupRecord | None:
    """The last one, or None where none is remembered."""
    return _read(folder / _MADE)


def read_restored(folder: Path) -> BackupRecord | None:
    """The backup that a folder was restored from, or None."""
    return _read(folder / _RESTORED)


def note_backups(folder: Path, log: OperatorLog) -> None:
    """Have the operator's log say what it does not say yet."""
    for act, record in (
        (Act.BACKED_UP, read_last_backup(folder)),
        (Act.RESTORED, read_restored(folder)),
    ):
        if record is not None:
            log.note_change(act, asdict(record), by=SHELL, entries=record.entries)


def _keep(path: Path, record: BackupRecord) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(asdict(record)), encoding="utf-8")
    partial.replace(path)


def _read(path: Path) -> BackupRecord | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return BackupRecord(str(values["time"]), int(values["bytes"]), int(values["entries"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
