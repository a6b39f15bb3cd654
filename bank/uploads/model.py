"""An upload: a file on its way to become awards."""

from dataclasses import dataclass
from enum import StrEnum


class UploadState(StrEnum):
    """Where an upload stands. A finished or discarded one keeps its counts and nothing else."""

    MAPPING = "mapping"
    PREVIEW = "preview"
    SIGNING = "signing"
    FINISHED = "finished"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as its institution sees it; `made` as the ledger spells times."""

    upload: str
    institution: str
    made: str
    state: UploadState
    rows: int
    """How many awards are to be signed, once that is known."""
    done: int
    """How many of them were handed to the ledger."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The file, and how it is to be read; sealed while it waits."""

    name: str
    data: bytes
    mapping: dict[str, object] | None
    set_aside: bool
    """Whether the rows with problems are left out, rather than put right."""
