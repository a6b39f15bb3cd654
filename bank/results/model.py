"""What comes out of a results file: results ready for award, and what is wrong with the rest."""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner as one institution knows them. Personal data: never for the ledger."""

    key: str
    """The institution's own student number."""
    name: str


@dataclass(frozen=True, slots=True)
class UnitRef:
    """One version of a certification unit, as the file describes it.

    Where a mapping gives only one of the two titles, the other has the same text.
    """

    code: str
    version: int
    title_en: str
    title_zh: str
    field: str
    level: str
    hours: str
    """Learning hours, a canonical decimal as in `Result.credits`."""
    framework: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Result:
    """One learner's result that earns credits."""

    line: int
    """The line of the file its row begins on, from 1."""
    source_key: str
    """Names the record for ever, within its institution."""
    learner: Learner
    institution: str
    """The institution's slug."""
    unit: UnitRef
    credits: str
    """Above zero, at most four decimals, no trailing zeros, no exponent: `2.5`."""
    grade: str | None
    awarded: datetime.date
    expires: datetime.date | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row."""

    line: int
    field: str
    """The mapping's name of the value, such as `unit.code`; `row` for the row as a whole."""
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class Preview:
    """A results file, read. Import it only if `problems` is empty."""

    results: tuple[Result, ...]
    problems: tuple[Problem, ...]
    """In the order of the file. At 1,000 the reading stops, and the other fields count so far."""
    rows: int
    """Rows with anything in them, below the header."""
    skipped: int
    """Rows the mapping's `only` and `skip` conditions leave out."""
