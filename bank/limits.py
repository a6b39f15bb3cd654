"""How often one key or address may ask: a token bucket for each."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from bank.errors import TooFast

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
_KEPT = 10_000
_TELLING = timedelta(minutes=1)


class Limit(BaseModel):
    """So many requests at once, and so many more each second."""

    model_config = _STRICT

    burst: int = Field(ge=1)
    per_second: float = Field(gt=0, allow_inf_nan=False)


class Limits(BaseModel):
    """The table `[limits]` of `bank.toml`, each of them with `burst` and `per_second`."""

    model_config = _STRICT

    address: Limit = Limit(burst=5000, per_second=1000)
    """Whatever one address asks without a key."""
    key: Limit = Limit(burst=5000, per_second=500)
    """What one API key asks."""
    signed: Limit = Limit(burst=500, per_second=100)
    """Signed requests of one address, whose signatures cost time to check."""
    door: Limit = Limit(burst=20, per_second=1 / 6)
    """Attempts of one address to sign in."""
    trial: Limit = Limit(burst=5, per_second=1 / 10)
    """Drafts of rules that one address tries."""


class Bucket:
    """Attempts of each name: some at once, then again every so often; bounded in memory."""

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
