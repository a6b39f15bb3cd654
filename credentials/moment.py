"""Moments in credentials: xsd:dateTimeStamp, always with a zone (VCDM 2.0 section 4.9)."""

import re
from datetime import UTC, datetime

from credentials.errors import BadDocument

_STAMP = re.compile(
    r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z", re.ASCII
)


def parse_moment(text: str, field: str) -> datetime:
    """The moment `text` spells; BadDocument naming `field` if it is none."""
    if _STAMP.match(text):
        try:
            moment = datetime.fromisoformat(text)
            moment.astimezone(UTC)  # which a calendar's first and last day may not allow
            return moment
        except (ValueError, OverflowError):
            pass
    raise BadDocument(f"{field} is not a time such as 2026-07-01T00:00:00Z: {text!r:.60}")


def format_moment(moment: datetime) -> str:
    """`moment` (aware) in UTC, cut to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
