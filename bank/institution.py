"""The institution's own side: from a registrar's result to a signed statement and credential.

Everything here runs where the institution's key is; the bank sees only what comes out. Lot,
credential and pseudonyms follow from the source record by a secret of the institution, so the
same record gives the same lot for ever, and nobody else can guess or link one.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from bank.results import Result, UnitRef
from credentials import (
    REVOCATION,
    Achievement,
    Alignment,
    Award,
    Issuer,
    StatusSlot,
    achievement_credential,
    commitment,
    format_moment,
    list_url,
    sign,
)
from credentials.achievement import LEVEL, SCHEME
from keys import Json, Signer, b64u_encode, did_web, verification_method
from ledger import SignedStatement, Slot, Statement

RECORDS = "creditbank-records"
"""Purpose of the keystore that holds an institution's record secret."""
APPEAL = timedelta(days=60)
"""How long a decision against a learner may be appealed."""
_CRITERIA = "Passed the assessment of the unit."


@dataclass(frozen=True, slots=True)
class Submission:
    """What an institution hands to the bank: a statement, and with an award its credential.

    `learner` is the institution's opaque reference for the learner, never the student number.
    """

    signed: SignedStatement
    credential: dict[str, Json] | None = field(default=None, hash=False)
    learner: str | None = None


@dataclass(frozen=True)
class Institution:
    """A member, with its key and record secret at hand."""

    domain: str
    slug: str
    names: Mapping[str, str]
    signer: Signer
    records: bytes = field(repr=False)
    approver: Signer | None = None
    """The key of a second person, for what takes two; None where it is kept elsewhere."""

    @property
    def did(self) -> str:
        """The institution's identifier."""
        return did_web(self.domain, "members", self.slug)

    def lot(self, source_key: str) -> str:
        """The lot of a source record, 16 bytes as base64url."""
        return b64u_encode(self._derive("lot", source_key)[:16])

    def publish_unit(self, unit: UnitRef, credits: Decimal) -> Submission:
        """A signed `unit.publish` of a unit version that gives `credits`."""
        return Submission(self._unit(unit, credits).sign(self.signer))

    def award(
        self, result: Result, available: Decimal, slot: Slot, created: datetime
    ) -> Submission:
        """The signed statement and credential of one result, its status at `slot`.

        `available` is what the unit gives, which is at least what the result earned.
        """
        method = verification_method(self.did, self.signer.public_key)
        credential = sign(
            self._credential(result, available, slot), self.signer, method, format_moment(created)
        )
        body: dict[str, Json] = {
            "commitment": b64u_encode(commitment(credential)),
            "credits": result.credits,
            "level": result.unit.level,
            "lot": self.lot(result.source_key),
            "scheme": result.unit.scheme,
            "status": {"index": slot.index, "list": slot.list},
            "unit": f"{result.unit.code}@{result.unit.version}",
        }
        if result.expires is not None:
            body["expires"] = result.expires.isoformat()
        signed = Statement.make(self.did, "award", body).sign(self.signer)
        learner = b64u_encode(self._derive("learner", result.learner.key)[:16])
        return Submission(signed, credential, learner)

    def move_lot(self, kind: str, source_key: str, reason: str, today: date) -> Submission:
        """A signed `revoke`, `suspend` or `reinstate` of the lot of a source record."""
        return self.lot_event(kind, self.lot(source_key), reason, today)

    def lot_event(self, kind: str, lot: str, reason: str, today: date) -> Submission:
        """A signed `revoke`, `suspend` or `reinstate` of a lot; `reason` is a short code.

        A revocation bears the approver's signature too, if that key is at hand.
        """
        body: dict[str, Json] = {"lot": lot, "reason": reason}
        if kind != "reinstate":
            body["appeal"] = (today + APPEAL).isoformat()
        signers = [self.signer]
        if kind == "revoke" and self.approver is not None:
            signers.append(self.approver)
        return Submission(Statement.make(self.did, kind, body).sign(*signers))

    def _unit(self, unit: UnitRef, credits: Decimal) -> Statement:
        return Statement.make(
            self.did,
            "unit.publish",
            {
                "credits": format(credits.normalize(), "f"),
                "field": unit.field,
                "framework": unit.framework,
                "hours": unit.hours,
                "level": unit.level,
                "scheme": unit.scheme,
                "title": {"en": unit.title_en, "zh": unit.title_zh},
                "unit": unit.code,
                "version": unit.version,
            },
        )

    def _credential(self, result: Result, available: Decimal, slot: Slot) -> dict[str, Json]:
        url = list_url(self.domain, slot.list, REVOCATION)
        expires = result.expires
        award = Award(
            UUID(bytes=self._derive("credential", result.source_key)[:16], version=4),
            UUID(bytes=self._derive("subject", result.source_key)[:16], version=4),
            result.learner.name,
            Decimal(result.credits),
            f"{result.awarded.isoformat()}T00:00:00Z",
            None if expires is None else f"{expires.isoformat()}T23:59:59Z",
            StatusSlot(url, slot.index),
            result.grade,
        )
        issuer = Issuer(self.did, _both(self.names["zh"], self.names["en"]))
        return achievement_credential(issuer, self._achievement(result.unit, available), award)

    def _achievement(self, unit: UnitRef, available: Decimal) -> Achievement:
        base = f"https://{self.domain}"
        level = Alignment(
            LEVEL,
            unit.framework,
            unit.level,
            f"Level {unit.level}",
            f"{base}/frameworks/{unit.framework}/1#{unit.level}",
        )
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

    def _derive(self, what: str, name: str) -> bytes:
        return hmac.digest(self.records, f"{what}\0{name}".encode(), sha256)


def unit_credits(results: Iterable[Result]) -> dict[UnitRef, Decimal]:
    """What each unit version gives: the most that any of `results` earned in it."""
    credits: dict[UnitRef, Decimal] = {}
    for result in results:
        credits[result.unit] = max(credits.get(result.unit, Decimal(0)), Decimal(result.credits))
    return credits


def _both(chinese: str, english: str) -> str:
    return chinese if chinese == english else f"{chinese} {english}"
