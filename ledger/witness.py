"""A witness (C2SP tlog-witness): remembers the newest checkpoint of each log, never goes back.

`Witness` decides, a `WitnessStore` remembers: what was seen is stored before it is cosigned,
in one step that compares and swaps, so two requests at once cannot roll anything back.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from ledger.checkpoint import Checkpoint
from ledger.cosignature import Cosigner, cosign_all
from ledger.errors import BadNote, BadProofPath, LedgerError
from ledger.note import VerifierKey, lines_by, open_note
from ledger.tree import EMPTY_ROOT, verify_consistency

SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9]\d{0,15})\Z", re.ASCII)
_MOST_LINES = 63


class Turned(LedgerError):
    """A checkpoint that is not cosigned: the HTTP status, and with 409 the size seen."""

    def __init__(self, status: int, reason: str, size: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.size = size


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size the log believes was seen last, a consistency proof, and the note."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def encode(self) -> bytes:
        """The request's body."""
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note).encode()

    @classmethod
    def parse(cls, body: bytes) -> "AddCheckpoint":
        """The request of its body; Turned with status 400 where it is malformed."""
        try:
            head, separator, note = body.decode().partition("\n\n")
            first, *rest = head.split("\n")
            match = _OLD.match(first)
            if match is None or not separator or len(rest) > _MOST_LINES:
                raise Turned(400, "not an add-checkpoint request")
            proof = tuple(base64.b64decode(line, validate=True) for line in rest)
        except (UnicodeDecodeError, binascii.Error, ValueError) as error:
            raise Turned(400, "the request is not text with a proof in base64") from error
        if any(len(node) != 32 for node in proof):
            raise Turned(400, "a hash of the proof has not 32 bytes")
        return cls(int(match[1]), proof, note)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint seen of a log, as the note that was cosigned."""

    size: int
    root: bytes
    note: str


class WitnessStore(Protocol):
    """Durable memory, one newest checkpoint for each origin."""

    def latest(self, origin: str) -> Seen | None:
        """What was seen last of a log, or None."""

    def advance(self, origin: str, before: Seen | None, after: Seen) -> bool:
        """Replace `before` by `after`, durably; False if `before` is no longer the latest."""


class Witness:
    """Cosigns checkpoints of the logs it knows."""

    def __init__(
        self,
        logs: Mapping[str, Sequence[VerifierKey]],
        cosigners: Sequence[Cosigner],
        store: WitnessStore,
        clock: Callable[[], datetime],
    ) -> None:
        """`logs` maps each origin to the keys trusted for it."""
        self._logs = logs
        self._cosigners = cosigners
        self._store = store
        self._clock = clock

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        """The cosignature lines; Turned, with the status to answer, where it does not cosign."""
        checkpoint, own = self._open(request)
        if request.old > checkpoint.size:
            raise Turned(400, f"old size {request.old} is over the checkpoint's {checkpoint.size}")
        seen = self._store.latest(checkpoint.origin)
        size = seen.size if seen else 0
        if request.old != size:
            raise Turned(409, f"the newest checkpoint seen here is of {size} entries", size)
        _check_consistent(request, checkpoint, seen)
        lines = cosign_all(self._cosigners, checkpoint.text, int(self._clock().timestamp()))
        after = Seen(checkpoint.size, checkpoint.root, f"{checkpoint.text}\n{own}{lines}")
        if not self._store.advance(checkpoint.origin, seen, after):
            latest = self._store.latest(checkpoint.origin)
            size = latest.size if latest else 0
            raise Turned(409, f"the newest checkpoint seen here is of {size} entries", size)
        return lines

    def newest(self, origin_hash: str) -> str | None:
        """The newest cosigned note of the log whose origin has this SHA-256 (hexadecimal)."""
        for origin in self._logs:
            if sha256(origin.encode()).hexdigest() == origin_hash:
                seen = self._store.latest(origin)
                return seen.note if seen else None
        return None

    def _open(self, request: AddCheckpoint) -> tuple[Checkpoint, str]:
        """The checkpoint, and those of its signature lines that the trusted keys made."""
        try:
            checkpoint = Checkpoint.parse(open_note(request.note, ()).text)
        except BadNote as error:
            raise Turned(400, str(error)) from error
        keys = self._logs.get(checkpoint.origin)
        if keys is None:
            raise Turned(404, f"this witness does not know the log {checkpoint.origin[:100]}")
        try:
            opened = open_note(request.note, keys)
        except BadNote as error:
            raise Turned(403, str(error)) from error
        if not opened.signatures:
            raise Turned(403, "the checkpoint bears no signature by a key trusted for its log")
        return checkpoint, lines_by(request.note, keys)


def _check_consistent(request: AddCheckpoint, checkpoint: Checkpoint, seen: Seen | None) -> None:
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise Turned(422, "a log of no entries has another root")
    if request.old == 0:
        # Every log continues the empty one, so there is nothing to prove.
        if request.proof:
            raise Turned(422, "a proof from size zero is empty")
        return
    root = seen.root if seen else EMPTY_ROOT
    try:
        verify_consistency(request.old, checkpoint.size, request.proof, root, checkpoint.root)
    except BadProofPath as error:
        raise Turned(422, str(error)) from error
