"""How often one address or key may ask: some times at once, then again every so often."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bank.errors import TooFast

_KEPT = 10_000
_TELLING = timedelta(minutes=1)


class Pace:
    """A bucket of attempts for each name, filled again as time goes by; bounded in memory."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        burst: int,
        refill: float,
        whose: str = "from your address",
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        """`burst` attempts at once, one more every `refill` seconds.

        `tell` hears that somebody was refused: at most once a minute, whoever it was.
        """
        self._tell = tell
        self._told = datetime.min.replace(tzinfo=UTC)
        self._clock = clock
        self._whose = whose
        self._burst = burst
        self._refill = refill
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, name: str) -> None:
        """Count an attempt; TooFast where there were too many of late."""
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(name, (float(self._burst), now))
            gained = max(0.0, (now - since).total_seconds()) / self._refill
            left = min(float(self._burst), left + gained)
            enough = left >= 1
            telling = not enough and now - self._told >= _TELLING
            if telling:
                self._told = now
            self._left[name] = (left - 1 if enough else left, now)
            while len(self._left) > _KEPT:
                self._left.popitem(last=False)
        if telling:
            self._tell()
        if not enough:
            raise TooFast(f"too many requests {self._whose}", int((1 - left) * self._refill) + 1)
