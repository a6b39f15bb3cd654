"""What an institution's credentials say: of a result, and of a qualification conferred."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from bank.results import Learner, Result, UnitRef
from credentials import (
    REVOCATION,
    Achievement,
    Alignment,
    Award,
    Issuer,
    StatusSlot,
    achievement_credential,
    list_url,
)
from credentials.achievement import LEVEL, SCHEME
from keys import Json
from ledger import Slot
from ledger.catalogue import Qualification

_CRITERIA = "Passed the assessment of the unit."


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a credential and the learner in it are called there, which tells nobody who it is."""

    credential: UUID
    subject: UUID


@dataclass(frozen=True, slots=True)
class IssuedBy:
    """Credentials of one institution, before it signs them."""

    domain: str
    slug: str
    did: str
    names: Mapping[str, str]

    def award(
        self, result: Result, available: Decimal, slot: Slot, identifiers: Identifiers
    ) -> dict[str, Json]:
        """The credential of one result, its status at `slot`; its unit gives `available`."""
        url = list_url(self.domain, slot.list, REVOCATION)
        expires = result.expires
        award = Award(
            identifiers.credential,
            identifiers.subject,
            result.learner.name,
            Decimal(result.credits),
            f"{result.awarded.isoformat()}T00:00:00Z",
            None if expires is None else f"{expires.isoformat()}T23:59:59Z",
            StatusSlot(url, slot.index),
            result.grade,
        )
        return achievement_credential(
            self._issuer(), self._achievement(result.unit, available), award
        )

    def certificate(
        self,
        qualification: Qualification,
        learner: Learner,
        slot: Slot,
        day: date,
        identifiers: Identifiers,
    ) -> dict[str, Json]:
        """The credential of a qualification that was conferred."""
        body, base = qualification.body, f"https://{self.domain}"
        titles = body["title"]
        both = (str(titles["zh"]), str(titles["en"])) if isinstance(titles, dict) else ("", "")
        achievement = Achievement(
            f"{base}/qualifications/{self.slug}/{body['code']}/{body['version']}",
            str(body["code"]),
            _both(*both),
            f"{body['total']} credits by the rules of combination of {qualification.name}.",
            "Met the requirement with credits that were used up by it.",
            Decimal(str(body["total"])),
            "",
            (self._level(str(body["framework"]), str(qualification.level)),),
            "Certificate",
        )
        award = Award(
            identifiers.credential,
            identifiers.subject,
            learner.name,
            None,
            f"{day.isoformat()}T00:00:00Z",
            None,
            StatusSlot(list_url(self.domain, slot.list, REVOCATION), slot.index),
        )
        return achievement_credential(self._issuer(), achievement, award)

    def _issuer(self) -> Issuer:
        return Issuer(self.did, _both(self.names["zh"], self.names["en"]))

    def _level(self, framework: str, level: str) -> Alignment:
        url = f"https://{self.domain}/frameworks/{framework}/1#{level}"
        return Alignment(LEVEL, framework, level, f"Level {level}", url)

    def _achievement(self, unit: UnitRef, available: Decimal) -> Achievement:
        base = f"https://{self.domain}"
        level = self._level(unit.framework, unit.level)
        scheme = Alignment(
            SCHEME, unit.scheme, unit.scheme, unit.scheme, f"{base}/schemes/{unit.scheme}"
        )
        return Achievement(
            f"{base}/units/{self.slug}/{unit.code}/{unit.version}",
            unit.code,
            _both(unit.title_zh, unit.title_en),
            f"{unit.hours} hours of learning.",
            _CRITERIA,
            available,
            unit.field,
            (level, scheme),
        )


def _both(chinese: str, english: str) -> str:
    return chinese if chinese == english else f"{chinese} {english}"
