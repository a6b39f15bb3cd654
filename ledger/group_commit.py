"""Group commit: many callers wait, one thread commits them together.

Each caller returns only when its own statements are durable and under a signed checkpoint.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic

from ledger.checkpointer import Checkpointer
from ledger.gathering import Gathering
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
        self.watch: Callable[[float], None] = lambda seconds: None
        """Told what each commit took; must return at once."""
        # Written by the one thread alone; whoever reads them sees one commit more or less.
        self._in_hand = self._commits = self._statements = self._largest = self._failed = 0
        self._last_seconds = 0.0
        self._gathering: Gathering[_Waiting] = Gathering(
            "sequencer", self._commit, _MOST, lambda waiting: len(waiting[0])
        )

    def append(self, batch: Sequence[SignedStatement]) -> list[Outcome]:
        """Append and wait; see Sequencer.append."""
        return self.enqueue(batch).result()

    def enqueue(self, batch: Sequence[SignedStatement]) -> "Future[list[Outcome]]":
        """Have a batch appended; the future is done when it is durable and checkpointed."""
        future: Future[list[Outcome]] = Future()
        self._gathering.put((batch, future))
        return future

    def state(self) -> QueueState:
        """How long the queue is, and how it went so far."""
        return QueueState(
            self._gathering.waiting(),
            self._in_hand,
            self._commits,
            self._statements,
            self._largest,
            self._last_seconds,
            self._failed,
        )

    def close(self) -> None:
        """Refuse new work, finish what was accepted, end the thread."""
        self._gathering.close()

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
