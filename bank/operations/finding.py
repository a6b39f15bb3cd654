"""What a check of a deployment comes to: ok, a warning or a problem, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from keys import Json


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `creditbank doctor`. `remedy` is empty where there is nothing to do."""

    check: str
    level: Level
    sentence: str
    remedy: str = ""

    def to_json(self) -> dict[str, Json]:
        """As `--json` prints it."""
        return {
            "check": self.check,
            "level": self.level.value,
            "remedy": self.remedy,
            "sentence": self.sentence,
        }


def ok(check: str, sentence: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, sentence)


def warning(check: str, sentence: str, remedy: str) -> Finding:
    """Something to see to in time."""
    return Finding(check, Level.WARNING, sentence, remedy)


def problem(check: str, sentence: str, remedy: str) -> Finding:
    """Something to put right now."""
    return Finding(check, Level.PROBLEM, sentence, remedy)


def graded(check: str, sentence: str, remedy: str, *, bad: bool, poor: bool) -> Finding:
    """A problem where it is bad, a warning where it is poor."""
    if bad:
        return problem(check, sentence, remedy)
    return warning(check, sentence, remedy) if poor else ok(check, sentence)


def worst(findings: Sequence[Finding]) -> Level:
    """The worst level among them."""
    levels = {finding.level for finding in findings}
    return next((one for one in (Level.PROBLEM, Level.WARNING) if one in levels), Level.OK)
