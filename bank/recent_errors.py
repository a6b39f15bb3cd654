"""The last errors of this server, for its operator: in memory, bounded, and of nobody's data.

Of a request only the template of its route is kept, never its address; of an error of our own its
sentence, which by convention names no person; of any other error only its class and where in the
code it was raised, for its message may hold what was being worked on.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from traceback import extract_tb

from bank.errors import BankError
from keys import KeysError
from ledger import LedgerError, format_time

_MOST = 100
_LONGEST = 300
_PACKAGES = ("bank", "ledger", "credentials", "verifier", "keys")


@dataclass(frozen=True, slots=True)
class RecentError:
    """One request that the server could not answer as it should."""

    time: str
    route: str
    """The method and the route's template, such as `GET /entries/{index}`."""
    status: int
    sentence: str


class RecentErrors:
    """Keeps the last of them; safe to share between threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: deque[RecentError] = deque(maxlen=_MOST)

    def note(self, route: str, status: int, error: Exception) -> None:
        """Keep an error."""
        sentence = error_sentence(error)[:_LONGEST]
        with self._lock:
            self._kept.append(RecentError(format_time(self._clock()), route, status, sentence))

    def newest(self) -> list[RecentError]:
        """All that is kept, the newest first."""
        with self._lock:
            return list(self._kept)[::-1]


def error_sentence(error: Exception) -> str:
    """An error of our own by its sentence, another by its class and place: its text may hold
    what was being worked on."""
    if isinstance(error, (BankError, LedgerError, KeysError)):
        return str(error)
    return f"{type(error).__name__} at {_place(error)}"


def _place(error: Exception) -> str:
    """The innermost line of our own code that an error went through."""
    ours = [
        (path.relative_to(root).with_suffix(""), frame.lineno)
        for frame in extract_tb(error.__traceback__)
        if (path := Path(frame.filename)).is_relative_to(root := Path(__file__).parents[1])
        and path.relative_to(root).parts[0] in _PACKAGES
    ]
    if not ours:
        return "a place outside the bank's own code"
    module, line = ours[-1]
    return f"{'.'.join(module.parts)}, line {line}"
