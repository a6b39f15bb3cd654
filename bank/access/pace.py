"""How often one address or key may ask: some times at once, then again every so often."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from bank.errors import TooFast

_KEPT = 10_000


class Pace:
    """A bucket of attempts for each name, filled again as time goes by; bounded in memory."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        burst: int,
        refill: float,
        whose: str = "from your address",
    ) -> None:
        """`burst` attempts at once, one more every `refill` seconds."""
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
            self._left[name] = (left - 1 if enough else left, now)
            while len(self._left) > _KEPT:
                self._left.popitem(last=False)
        if not enough:
            raise TooFast(f"too many requests {self._whose}", int((1 - left) * self._refill) + 1)
