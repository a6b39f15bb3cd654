"""How fast one address may try to get in: some attempts at once, then one every few seconds."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bank.errors import TooFast

_KEPT = 10_000
_TELLING = timedelta(minutes=1)


class Pace:
    """A bucket of attempts for each address, filled again as time goes by; bounded in memory."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        tell: Callable[[], None] = lambda: None,
        burst: int = 20,
        refill: float = 6.0,
    ) -> None:
        """`burst` attempts at once, one more every `refill` seconds.

        `tell` hears that somebody was refused: at most once a minute, whoever it was.
        """
        self._tell = tell
        self._told = datetime.min.replace(tzinfo=UTC)
        self._clock = clock
        self._burst = burst
        self._refill = refill
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, address: str) -> None:
        """Count an attempt; TooFast where there were too many of late."""
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(address, (float(self._burst), now))
            gained = max(0.0, (now - since).total_seconds()) / self._refill
            left = min(float(self._burst), left + gained)
            enough = left >= 1
            telling = not enough and now - self._told >= _TELLING
            if telling:
                self._told = now
            self._left[address] = (left - 1 if enough else left, now)
            while len(self._left) > _KEPT:
                self._left.popitem(last=False)
        if telling:
            self._tell()
        if not enough:
            raise TooFast("too many attempts from your address", int((1 - left) * self._refill) + 1)
