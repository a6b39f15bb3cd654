"""What is made of the whole log, made once for each size of it and shown while it is made anew.

Making it takes time and memory that grow with the log, so nobody who asks waits for it: they get
what there is, with its size and time, and a thread makes the next. At most one runs, and none soon
after one that took long.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep
from typing import Generic, TypeVar

from bank.errors import BankError
from ledger import LedgerError, format_time

Progress = Callable[[int], None]
T = TypeVar("T")

_PATIENCE = 0.02
"""Seconds to wait for a newer one; a short log is read in less."""
_FIRST_PATIENCE = 1.0
_REST = 9.0
"""Of ten parts of the time at most one goes into making it anew, where that is not quick."""
_QUICK = 0.1
_AFTER_FAULT = 10.0
_YIELD = 0.0005


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """What was made of the first `size` entries at `time`, in so many seconds."""

    value: T
    size: int
    time: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What there is at this moment: the last one made, and how far the next one is."""

    made: Made[T] | None
    size: int
    """Entries in the log now."""
    making: bool
    done: int
    """Entries read for the next one."""
    fault: str
    """Why it could not be made the last time, or empty."""

    @property
    def current(self) -> bool:
        """Whether the log has not grown since."""
        return self.made is not None and self.made.size == self.size


class _ClosedError(Exception):
    """The bank is closed while something is being made."""


class PerSize(Generic[T]):
    """Makes one thing of the log; safe to share between threads."""

    def __init__(
        self,
        size: Callable[[], int],
        make: Callable[[int, Progress], T],
        clock: Callable[[], datetime],
    ) -> None:
        """`make` is given the size to read up to, and tells how many entries it has read."""
        self._size = size
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._made: Made[T] | None = None
        self._thread: threading.Thread | None = None
        self._finished = threading.Event()
        self._done = 0
        self._fault = ""
        self._not_before = 0.0
        self._closed = False

    def look(self) -> Look[T]:
        """What there is; has it made anew where the log has grown."""
        size = self._size()
        with self._lock:
            stale = self._made is None or self._made.size != size
            if stale and self._thread is None and monotonic() >= self._not_before:
                self._start(size)
            waiting = stale and self._thread is not None
            patience = _PATIENCE if self._made else _FIRST_PATIENCE
        if waiting:
            self._finished.wait(patience)
        with self._lock:
            return Look(self._made, size, self._thread is not None, self._done, self._fault)

    def close(self) -> None:
        """Make nothing more, and break off what is being made."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(timeout=30)

    def _start(self, size: int) -> None:
        if self._closed:
            return
        self._finished.clear()
        self._done = 0
        self._thread = threading.Thread(target=self._run, args=(size,), name="report", daemon=True)
        self._thread.start()

    def _run(self, size: int) -> None:
        start = monotonic()
        made: Made[T] | None = None
        fault = ""
        try:
            value = self._make(size, self._progress)
            made = Made(value, size, format_time(self._clock()), monotonic() - start)
        except (BankError, LedgerError) as error:
            fault = str(error)
        except _ClosedError:
            pass
        except Exception as error:
            # It must be told, whatever it is: who waits for it would wait for ever.
            fault = f"it could not be computed ({type(error).__name__})"
        finally:
            with self._lock:
                self._made = made or self._made
                self._fault, self._thread = fault, None
                took = monotonic() - start
                rest = _AFTER_FAULT if fault else _REST * took if took > _QUICK else 0.0
                self._not_before = monotonic() + rest
            self._finished.set()

    def _progress(self, done: int) -> None:
        self._done = done
        # Requests come first: they need the interpreter, which this thread would hardly let go of.
        sleep(_YIELD)
        if self._closed:
            raise _ClosedError
