"""Work done in groups: many hand it in, one thread does together whatever waits."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

from ledger.errors import LedgerError

_Item = TypeVar("_Item")


class Gathering(Generic[_Item]):
    """A thread, and a queue that it empties in order, a group at a time.

    It waits for no more to join: while one group is done the next one gathers.
    """

    def __init__(
        self,
        name: str,
        do: Callable[[list[_Item]], None],
        most: int,
        weigh: Callable[[_Item], int] = lambda item: 1,
    ) -> None:
        """`do` is given each group, and may not raise. A group that weighs `most` is full.

        `name` is the thread's.
        """
        self._do = do
        self._most = most
        self._weigh = weigh
        self._queue: SimpleQueue[_Item | None] = SimpleQueue()
        self._closed = False
        self._door = Lock()
        """Nothing enters the queue behind its end."""
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: _Item) -> None:
        """Have an item done; LedgerError once this is closed."""
        with self._door:
            if self._closed:
                raise LedgerError("the bank is shutting down; try again in a moment")
            self._queue.put(item)

    def waiting(self) -> int:
        """How many items no group has taken yet."""
        return self._queue.qsize()

    def close(self) -> None:
        """Refuse new work, finish what was accepted, end the thread."""
        with self._door:
            self._closed = True
            self._queue.put(None)
        self._thread.join(timeout=60)

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            group, goes_on = self._gather()
            if group:
                self._do(group)

    def _gather(self) -> tuple[list[_Item], bool]:
        """The next group, and whether the queue goes on behind it."""
        group: list[_Item] = []
        weight = 0
        item = self._queue.get()
        while item is not None:
            group.append(item)
            weight += self._weigh(item)
            if weight >= self._most:
                return group, True
            try:
                item = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False
