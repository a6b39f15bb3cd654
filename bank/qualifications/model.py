"""The words of an evaluation: lots as it sees them, what is asked, and what came out.

Credits are decimals above zero with at most four places, as on the ledger. Days are inclusive:
a lot still counts on the day it expires, a requirement is still in force on its last day.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Source(StrEnum):
    """How a lot came to be: taught and awarded, or one of the three other ways."""

    AWARD = "award"
    RPL = "rpl"
    CONVERSION = "conversion"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Holding:
    """One lot as an evaluation sees it."""

    lot: str
    institution: str
    """DID of the institution that awarded it."""
    unit: str
    """`CODE@1`."""
    field: str
    framework: str
    level: int
    credits: Decimal
    scheme: str
    awarded: datetime.date
    expires: datetime.date | None
    source: Source
    overlap: frozenset[str] = frozenset()
    """Overlap groups, each (institution, slug) joined as text; lots that share one are the same
    learning."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """At least so many credits of this level or above, in one of these fields; None is any.

    A level can only be compared within the requirement's own framework.
    """

    credits: Decimal
    level_from: int | None = None
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many credits of these sources together count."""

    source: tuple[Source, ...]
    credits: Decimal


@dataclass(frozen=True, slots=True)
class PeriodCap:
    """At most so many credits awarded within one calendar period count.

    Periods follow one another without a gap: 12 months is the year, 6 are its halves.
    """

    months: int
    credits: Decimal


@dataclass(frozen=True, slots=True)
class InstitutionCap:
    """At most so many credits count from any one institution but the requirement's author."""

    credits: Decimal


@dataclass(frozen=True, slots=True)
class Requirement:
    """A published version of a qualification's rules of combination."""

    author: str
    """DID of the institution that confers the qualification."""
    code: str
    version: int
    titles: Mapping[str, str]
    """In `en` and `zh`."""
    framework: str
    level: int
    scheme: str
    total: Decimal
    start: datetime.date
    until: datetime.date
    minima: tuple[Minimum, ...] = ()
    residency: Decimal | None = None
    """Credits from the author's own awards, at least."""
    caps: tuple[Cap, ...] = ()
    period_caps: tuple[PeriodCap, ...] = ()
    institution_cap: InstitutionCap | None = None
    max_age_months: int | None = None
    units: tuple[tuple[str, str], ...] = ()
    """(institution, `CODE@1`) of units that must be among the lots."""


@dataclass(frozen=True, slots=True)
class Line:
    """One condition, and whether it is met.

    `wanted` and `got` are credits. For a cap, which limits what counts and cannot fail, they are
    its limit and what counts under it; for a unit 1 and 1 or 0; for `in-force` days.
    """

    code: str
    met: bool
    wanted: str
    got: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Used:
    """A lot that is needed. Of its `credits`, in the requirement's scheme, `counted` count."""

    lot: str
    credits: str
    counted: str


@dataclass(frozen=True, slots=True)
class Unused:
    """A lot that is left out, and why."""

    lot: str
    reason: str
    """`expired`, `too-old`, `not-yet`, `other-scheme`, `duplicate`, `over-cap` or `not-needed`."""
    by: str
    """The lot it duplicates, or the code of the cap that is full; else empty."""
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What lots come to under one version of a requirement on one day."""

    author: str
    code: str
    version: int
    day: datetime.date
    met: bool
    lines: tuple[Line, ...]
    used: tuple[Used, ...]
    """If met, what a redemption consumes; if not, the lots that what was reached rests on."""
    unused: tuple[Unused, ...]
    complete: bool
    """False where overlapping lots had too many combinations to try them all, so that another
    choice among them might reach more."""
