"""Group commit: many callers wait, one thread commits them together.

Each caller returns only when its own statements are durable and under a signed checkpoint.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic

from ledger.checkpointer import Checkpointer
from ledger.errors import LedgerError
from ledger.sequencer import Outcome, Sequencer
from ledger.statement import SignedStatement

_MOST = 2000
_Waiting = tuple[Sequence[SignedStatement], "Future[list[Outcome]]"]


@dataclass(frozen=True, slots=True)
class QueueState:
    """What waits and what was done since this server began."""

    waiting: int
    """Batches in the queue."""
    in_hand: int
    """Statements being committed at this moment."""
    commits: int
    statements: int
    """Statements in those commits."""
    largest: int
    """Statements in the largest of them."""
    last_seconds: float
    """What the last commit took, checkpoint included; 0 before the first."""
    failed: int
    """Commits that failed."""


class GroupCommit:
    """A running sequencer; `close` lets it finish what it has accepted."""

    def __init__(
        self,
        sequencer: Sequencer,
        checkpointer: Checkpointer,
        signed: Callable[[], None] = lambda: None,
    ) -> None:
        """`signed` is called after each checkpoint, and must return at once."""
        self._signed = signed
        self._sequencer = sequencer
        self._checkpointer = checkpointer
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._closed = False
        self.watch: Callable[[float], None] = lambda seconds: None
        """Told what each commit took; must return at once."""
        # Written by the one thread alone; whoever reads them sees one commit more or less.
        self._in_hand = self._commits = self._statements = self._largest = self._failed = 0
        self._last_seconds = 0.0
        self._door = threading.Lock()
        """Nothing enters the queue behind its end."""
        self._thread.start()

    def append(self, batch: Sequence[SignedStatement]) -> list[Outcome]:
        """Append and wait; see Sequencer.append."""
        return self.enqueue(batch).result()

    def enqueue(self, batch: Sequence[SignedStatement]) -> "Future[list[Outcome]]":
        """Have a batch appended; the future is done when it is durable and checkpointed."""
        future: Future[list[Outcome]] = Future()
        with self._door:
            if self._closed:
                raise LedgerError("the ledger is shutting down; try again in a moment")
            self._queue.put((batch, future))
        return future

    def state(self) -> QueueState:
        """How long the queue is, and how it went so far."""
        return QueueState(
            self._queue.qsize(),
            self._in_hand,
            self._commits,
            self._statements,
            self._largest,
            self._last_seconds,
            self._failed,
        )

    def close(self) -> None:
        """Refuse new work, finish what was accepted, end the thread."""
        with self._door:
            self._closed = True
            self._queue.put(None)
        self._thread.join(timeout=60)

    def _run(self) -> None:
        # No waiting for more to join: while one group is committed the next one gathers.
        while True:
            first = self._queue.get()
            if first is None:
                return
            group = self._gather(first)
            self._commit([item for item in group if item is not None])
            if None in group:
                return

    def _gather(self, first: _Waiting) -> list[_Waiting | None]:
        group: list[_Waiting | None] = [first]
        count = len(first[0])
        while count < _MOST:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            group.append(item)
            if item is None:
                break
            count += len(item[0])
        return group

    def _commit(self, waiting: list[_Waiting]) -> None:
        # A future that its caller cancelled would refuse its result, and end this thread.
        group = [item for item in waiting if item[1].set_running_or_notify_cancel()]
        start = monotonic()
        together = [signed for batch, _ in group for signed in batch]
        self._in_hand = len(together)
        try:
            self._checkpointer.check()
            outcomes = self._sequencer.append(together)
            self._checkpointer.sign()
            self._signed()
        except Exception as error:  # every waiting caller must hear of it, whatever it is
            self._in_hand = 0
            self._failed += 1
            for _, future in group:
                future.set_exception(error)
            return
        self._in_hand = 0
        self._commits += 1
        self._statements += len(together)
        self._largest = max(self._largest, len(together))
        self._last_seconds = monotonic() - start
        self.watch(self._last_seconds)
        place = 0
        for batch, future in group:
            future.set_result(outcomes[place : place + len(batch)])
            place += len(batch)
