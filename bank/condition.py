"""The condition a bank is in, for its operator: store, queue, witnesses."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ledger import Registry, VerifierKey, format_time
from ledger.checkpoint import Checkpoint
from ledger.group_commit import QueueState
from ledger.note import open_note
from ledger.store_facts import StoreFacts


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """One witness against the newest checkpoint that was signed."""

    operator: str
    url: str
    reached: int
    """The size of the newest checkpoint it is known to have cosigned; 0 for none."""
    behind: int
    """Entries that it has not seen yet."""
    time: str
    """When it cosigned the checkpoint that is shown, or empty where it did not."""
    trouble: str
    """What went wrong when it was asked last, or empty."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """How far the witnesses are."""

    signed: int
    """Entries under the newest signed checkpoint."""
    shown: int
    """Entries under the checkpoint shown to the world."""
    signed_at: str
    """When the newest was signed, or empty where no signature says."""
    quorum: int
    witnesses: tuple[WitnessStanding, ...]
    asked: bool
    """Whether this server asks them."""

    @property
    def cosigned(self) -> int:
        """How many have cosigned the newest signed checkpoint."""
        return sum(not item.behind for item in self.witnesses)

    @property
    def quorum_met(self) -> bool:
        """Whether enough have."""
        return self.cosigned >= self.quorum


@dataclass(frozen=True, slots=True)
class Condition:
    """Everything at one moment."""

    time: str
    store: StoreFacts
    free: int
    """Bytes left where the bank's folder is."""
    entries: int
    queue: QueueState
    halted: str
    """Why checkpoints are signed no more, or empty."""
    witnessed: Witnessed


def witnessed(
    registry: Registry,
    signed: str,
    shown: str,
    log_keys: Sequence[VerifierKey],
    reached: Mapping[str, int] | None,
    troubles: Mapping[str, str],
) -> Witnessed:
    """How far each witness is, from the newest signed note and the one shown.

    `reached` and `troubles` are what the server that asks them knows; None where it asks nobody.
    """
    own = open_note(signed, log_keys)
    newest = Checkpoint.parse(own.text).size
    signed_at = _moment(max((one.time or 0 for one in own.signatures), default=0))
    keys = {key: name for name, record in registry.witnesses.items() for key in record.keys}
    opened = open_note(shown, [*log_keys, *keys])
    size = Checkpoint.parse(opened.text).size
    times = {keys[one.key]: one.time or 0 for one in opened.signatures if one.key in keys}
    found = []
    for name, record in sorted(registry.witnesses.items()):
        known = max((reached or {}).get(name, 0), size if name in times else 0)
        time = _moment(times.get(name, 0))
        trouble = troubles.get(name, "")
        behind = max(0, newest - known)
        found.append(WitnessStanding(name, record.url, known, behind, time, trouble))
    return Witnessed(newest, size, signed_at, registry.quorum, tuple(found), reached is not None)


def _moment(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC)) if seconds else ""


def free_space(folder: Path) -> int:
    """Bytes left on the disk that a folder is on."""
    return shutil.disk_usage(folder).free
