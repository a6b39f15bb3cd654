"""Times on the ledger: UTC, whole seconds, one spelling (`2026-11-23T18:18:22Z`)."""

import re
from datetime import UTC, date, datetime

from ledger.errors import BadStatement

_TIME = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\dZ\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


def format_time(moment: datetime) -> str:
    """`moment` (aware) in the one spelling, cut to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The moment `text` spells; BadStatement if it is not a time in the one spelling."""
    if _TIME.match(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise BadStatement(f"{text[:40]!r} is not a time such as 2026-11-23T18:18:22Z")


def parse_date(text: str) -> date:
    """The day `text` spells; BadStatement if it is not a date such as 2026-11-23."""
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise BadStatement(f"{text[:40]!r} is not a date such as 2026-11-23")
