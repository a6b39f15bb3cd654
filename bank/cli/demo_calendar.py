"""The demonstration's past: its entries bear the times at which such results would have come."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank.results import Result

OPENED = date(2022, 6, 1)
"""When the demonstration's bank was opened, before the first results of the sample."""
_LATER = timedelta(days=5)


class Calendar:
    """A clock that stands at noon of a day once it is put there, until it is let go."""

    def __init__(self, day: date) -> None:
        self._moment: datetime | None = None
        self.put(day)

    def __call__(self) -> datetime:
        """The time."""
        return self._moment or datetime.now(UTC)

    def put(self, day: date) -> None:
        """Stand at a day."""
        self._moment = datetime.combine(day, time(12), UTC)

    def let_go(self) -> None:
        """Be the real clock from now on."""
        self._moment = None


def terms(results: "Sequence[Result]") -> "Iterator[tuple[date, tuple[Result, ...]]]":
    """The results of each month in which some were awarded, and the day they are handed in."""
    in_order = sorted(results, key=lambda result: (result.awarded, result.line))
    for _, group in groupby(in_order, key=lambda result: f"{result.awarded:%Y-%m}"):
        own = tuple(group)
        yield own[-1].awarded + _LATER, own
