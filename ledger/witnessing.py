"""Asking witnesses: after each checkpoint, all at once, and never in the way of appends.

When a quorum of distinct operators has cosigned, the checkpoint is published. A witness that
has seen more than this log holds, or another history, stops the signing: the store was
restored from a backup, or someone else signs under this origin.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Protocol

from ledger.checkpoint import Checkpoint
from ledger.checkpointer import Checkpointer
from ledger.errors import LedgerError, NotFound
from ledger.log import Log
from ledger.note import VerifierKey, lines_by, open_note
from ledger.witness import AddCheckpoint, Turned

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
# How long a round waits for answers, and how long once a quorum is there.
_PATIENCE, _GRACE = 15.0, 1.0


class WitnessUnreachable(LedgerError):
    """A witness that did not answer, or not as a witness does."""


class WitnessPort(Protocol):
    """One witness, however it is reached."""

    @property
    def operator(self) -> str:
        """Whom it counts for in a quorum."""

    @property
    def keys(self) -> Sequence[VerifierKey]:
        """Its keys."""

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        """Its cosignature lines; Turned where it refuses, WitnessUnreachable where it fails."""

    def newest(self, origin: str) -> str | None:
        """The newest note it cosigned for a log, or None; WitnessUnreachable where it fails."""


class Witnessing:
    """Gets checkpoints cosigned, in a thread of its own."""

    def __init__(
        self,
        log: Log,
        checkpointer: Checkpointer,
        log_keys: Sequence[VerifierKey],
        witnesses: Sequence[WitnessPort],
        quorum: int,
    ) -> None:
        self._log = log
        self._checkpointer = checkpointer
        self._log_keys = log_keys
        self._quorum = quorum
        self._asked = [_Asked(witness) for witness in witnesses]
        self._pool = ThreadPoolExecutor(max(1, len(witnesses)), thread_name_prefix="witness")
        self._wake = threading.Event()
        self._closed = False
        self._round = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="witnessing", daemon=True)

    def start(self) -> None:
        """Make sure that no witness has seen more than this log holds, then follow the log."""
        for asked in self._asked:
            asked.answer = self._pool.submit(self._look_at, asked)
        wait([asked.answer for asked in self._asked if asked.answer], _PATIENCE)
        self._thread.start()
        self._wake.set()

    def nudge(self) -> None:
        """There is a new checkpoint; returns at once."""
        self._wake.set()

    def close(self) -> None:
        """Stop following."""
        self._closed = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def gather(self) -> bool:
        """Ask for cosignatures on the newest checkpoint; whether a quorum gave them."""
        with self._round:
            try:
                note = self._log.signed()
            except NotFound:
                return True
            checkpoint = Checkpoint.parse(open_note(note, ()).text)
            if self._is_published(checkpoint):
                return True
            cosigned = self._ask_all(checkpoint, note)
            if not self._is_quorum(cosigned):
                return False
            self._log.publish(checkpoint.size, cosigned)
            return True

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            pause = _FIRST_PAUSE
            while not self._closed:
                try:
                    if self.gather():
                        break
                except LedgerError:
                    pass
                # A new checkpoint ends the pause: the witnesses are asked about that one instead.
                self._wake.wait(pause)
                self._wake.clear()
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _is_published(self, checkpoint: Checkpoint) -> bool:
        shown = Checkpoint.parse(open_note(self._log.checkpoint(), ()).text)
        if shown.size < checkpoint.size:
            return False
        return self._is_quorum(self._log.checkpoint())

    def _is_quorum(self, note: str) -> bool:
        keys = {key: asked.witness.operator for asked in self._asked for key in asked.witness.keys}
        operators = {keys[signature.key] for signature in open_note(note, keys).signatures}
        return len(operators) >= self._quorum

    def _ask_all(self, checkpoint: Checkpoint, note: str) -> str:
        """The note with the cosignatures of those who answer in time."""
        answers = []
        for asked in self._asked:
            # Who still owes an answer is not asked again: that would take another's thread.
            if asked.answer is None or asked.answer.done():
                asked.answer = self._pool.submit(self._ask, asked, checkpoint, note)
                answers.append(asked.answer)
        deadline = monotonic() + _PATIENCE
        while True:
            waiting = [answer for answer in answers if not answer.done()]
            lines = [answer.result() for answer in answers if answer not in waiting]
            cosigned = note + "".join(lines)
            if self._is_quorum(cosigned):
                deadline = min(deadline, monotonic() + _GRACE)
            left = deadline - monotonic()
            if not waiting or left <= 0:
                return cosigned
            wait(waiting, left, FIRST_COMPLETED)

    def _ask(self, asked: "_Asked", checkpoint: Checkpoint, note: str) -> str:
        """Cosignature lines that verify, or nothing."""
        if monotonic() < asked.not_before:
            return ""
        try:
            answer = self._exchange(asked, checkpoint, note)
            # Only its own lines: whatever else it answers must not spoil the note.
            lines = lines_by(f"{checkpoint.text}\n{answer}", asked.witness.keys)
            if not open_note(note + lines, asked.witness.keys).signatures:
                raise WitnessUnreachable(f"{asked.witness.operator} answered with no cosignature")
        except LedgerError as error:
            asked.failed(str(error))
            return ""
        asked.succeeded(checkpoint.size)
        return lines

    def _exchange(self, asked: "_Asked", checkpoint: Checkpoint, note: str) -> str:
        for _ in range(3):
            proof = tuple(self._log.consistency(asked.seen, checkpoint.size))
            try:
                return asked.witness.add_checkpoint(AddCheckpoint(asked.seen, proof, note))
            except Turned as turned:
                if turned.status == 409 and turned.size is not None:
                    if turned.size > checkpoint.size:
                        self._check_start(asked)
                        raise
                    asked.seen = turned.size
                    continue
                if turned.status == 422:
                    self._check_start(asked)
                raise
        raise WitnessUnreachable(f"{asked.witness.operator} keeps changing what it has seen")

    def _look_at(self, asked: "_Asked") -> str:
        self._check_start(asked)
        return ""

    def _check_start(self, asked: "_Asked") -> None:
        """Halt the signing if a witness has seen what this log does not hold."""
        origin = self._log_keys[0].name
        try:
            note = asked.witness.newest(origin)
            if note is None:
                return
            opened = open_note(note, self._log_keys)
            seen = Checkpoint.parse(opened.text)
        except LedgerError as error:
            asked.failed(str(error))
            return
        # Only a note that this log's own key signed can stop it.
        if not opened.signatures or seen.origin != origin:
            return
        if seen.size > self._log.size():
            self._halt(asked, f"has seen {seen.size} entries and the store holds fewer")
        elif self._log.root(seen.size) != seen.root:
            self._halt(asked, f"has seen another history of {seen.size} entries")
        else:
            asked.seen = seen.size

    def _halt(self, asked: "_Asked", what: str) -> None:
        self._checkpointer.halt(
            f"the witness {asked.witness.operator} {what}: the store was restored from an old "
            "backup, or another signer holds this log's key; nothing is signed any more, see "
            "'creditbank ledger recover'"
        )

    def health(self) -> dict[str, str]:
        """For each operator what went wrong last, or an empty text."""
        return {asked.witness.operator: asked.trouble for asked in self._asked}

    def reached(self) -> dict[str, int]:
        """For each operator the size it is known here to have cosigned last."""
        return {asked.witness.operator: asked.seen for asked in self._asked}


class _Asked:
    """A witness, how far it has seen, and when to ask it again."""

    def __init__(self, witness: WitnessPort) -> None:
        self.witness = witness
        self.seen = 0
        self.not_before = 0.0
        self.trouble = ""
        self.answer: Future[str] | None = None
        self._pause = _FIRST_PAUSE

    def succeeded(self, size: int) -> None:
        self.seen, self.not_before, self.trouble = size, 0.0, ""
        self._pause = _FIRST_PAUSE

    def failed(self, reason: str) -> None:
        self.trouble = reason
        self.not_before = monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
