"""What a bank remembers of its last backup: `last-backup.json` in its folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "last-backup.json"


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """When the last backup was made, its size in bytes, and how many entries it holds."""

    time: str
    bytes: int
    entries: int


def keep_last_backup(folder: Path, record: BackupRecord) -> None:
    """Remember a backup that was made."""
    partial = folder / f"{_FILE}.partial"
    partial.write_text(json.dumps(asdict(record)), encoding="utf-8")
    partial.replace(folder / _FILE)


def read_last_backup(folder: Path) -> BackupRecord | None:
    """The last one, or None where none is remembered."""
    try:
        values = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return BackupRecord(str(values["time"]), int(values["bytes"]), int(values["entries"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
