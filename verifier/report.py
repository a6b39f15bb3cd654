"""The report: one line for each thing checked, and a verdict derived from them by one table.

| what happened | verdict | exit code |
|---|---|---|
| anything failed | not verified | 1 |
| nothing failed, but something is unknown without which nobody can say | cannot tell | 4 |
| nothing failed, but something else is unchecked, stale or odd | verified with a caution | 3 |
| nothing failed, nothing left open that matters | verified | 0 |

A file that cannot be read gives no report: exit code 2. Without knowing who issued it and whether
it was revoked nobody can say. Two things may stay unchecked without changing the verdict, and are
listed all the same: who presents the credential, and witnesses where the trust bundle names none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keys import Json
from verifier.sentences import sentence


class Outcome(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Verdict(StrEnum):
    """What the report comes to."""

    VERIFIED = "verified"
    CAUTION = "verified with a caution"
    NOT_VERIFIED = "not verified"
    CANNOT_TELL = "cannot tell"


EXIT_CODES = {
    Verdict.VERIFIED: 0,
    Verdict.NOT_VERIFIED: 1,
    Verdict.CAUTION: 3,
    Verdict.CANNOT_TELL: 4,
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `caution` and `unknown` mark what keeps a verdict from `verified` without failing.

    Where something `unknown` is left, nobody can say whether the credential is good.
    """

    name: str
    outcome: Outcome
    code: str
    values: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    caution: bool = False
    unknown: bool = False

    def sentence(self, language: str) -> str:
        """What to tell a person, in `en` or `zh`."""
        return sentence(self.code, language, self.values)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who, what and how much; the institution's name is the registry's, not the credential's."""

    credential: str = ""
    learner: str = ""
    achievement: str = ""
    credits: str = ""
    issuer: str = ""
    issuer_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification at a moment found."""

    at: str
    form: str
    subject: Subject
    checks: tuple[Check, ...]
    trust_version: int
    trust_issued: str

    @property
    def verdict(self) -> Verdict:
        """By the table above."""
        if any(check.outcome is Outcome.FAILED for check in self.checks):
            return Verdict.NOT_VERIFIED
        if any(check.unknown for check in self.checks):
            return Verdict.CANNOT_TELL
        if any(check.caution for check in self.checks):
            return Verdict.CAUTION
        return Verdict.VERIFIED

    @property
    def exit_code(self) -> int:
        """0 verified, 1 not verified, 3 verified with a caution, 4 cannot tell."""
        return EXIT_CODES[self.verdict]

    def to_json(self, language: str = "en") -> dict[str, Json]:
        """The report as JSON, sentences in `en` or `zh`."""
        checks: list[Json] = [
            {
                "check": check.name,
                "outcome": check.outcome.value,
                "code": check.code,
                "sentence": check.sentence(language),
                "date": check.date,
                "caution": check.caution,
                "unknown": check.unknown,
            }
            for check in self.checks
        ]
        subject = self.subject
        return {
            "verdict": self.verdict.value,
            "exit_code": self.exit_code,
            "at": self.at,
            "form": self.form,
            "credential": subject.credential,
            "learner": subject.learner,
            "achievement": subject.achievement,
            "credits": subject.credits,
            "issuer": {"did": subject.issuer, "name": dict(subject.issuer_names)},
            "checks": checks,
            "trust": {"version": self.trust_version, "issued": self.trust_issued},
        }
