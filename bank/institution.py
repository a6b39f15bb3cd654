"""The institution's own side: from a registrar's result to a signed statement and credential.

Everything here runs where the institution's key is; the bank sees only what comes out. Lot,
credential and pseudonyms follow from the source record by a secret of the institution, so the
same record gives the same lot for ever, and nobody else can guess or link one.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from bank.issuing import Identifiers, IssuedBy
from bank.recognition import Decision
from bank.results import Learner, Result, UnitRef
from credentials import commitment, format_moment, sign
from keys import Json, Signer, b64u_encode, did_web, encode, verification_method
from ledger import Lot, SignedStatement, Slot, Statement, Unit
from ledger.batch import batch_approval
from ledger.catalogue import Qualification

RECORDS = "creditbank-records"
"""Purpose of the keystore that holds an institution's record secret."""
APPEAL = timedelta(days=60)
"""How long a decision against a learner may be appealed."""


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
        credential = self._signed(result, available, slot, created)
        signed = self._award(result, slot, credential).sign(self.signer)
        return Submission(signed, credential, self._learner(result.learner))

    def awarding(self, result: Result, available: Decimal, slot: Slot) -> Statement:
        """The statement that `award` signs, without the work of signing its credential."""
        return self._award(result, slot, self._credential(result, available, slot))

    def approve_batch(self, awards: Iterable[bytes]) -> SignedStatement:
        """The signed `batch.approve` of awards, given by their statements' hashes.

        It bears the approver's signature too, if that key is at hand.
        """
        return self._by_two(batch_approval(self.did, awards))

    def correct(
        self,
        lot: str,
        after: Result,
        available: Decimal,
        slot: Slot,
        created: datetime,
        reason: str,
    ) -> Submission:
        """The signed `supersede` of a lot by a corrected one, and its new credential.

        `slot` is one of `correction(lot, after)`, the new lot.
        """
        named = replace(after, source_key=_correction(lot, after))
        credential = self._signed(named, available, slot, created)
        body: dict[str, Json] = {
            "appeal": (created.date() + APPEAL).isoformat(),
            "lot": lot,
            "reason": reason,
            "successor": self._awarded(named, slot, credential),
        }
        signed = Statement.make(self.did, "supersede", body).sign(self.signer)
        return Submission(signed, credential, self._learner(after.learner))

    def correction(self, lot: str, after: Result) -> str:
        """The lot that takes the place of another: the same one for the same content."""
        return self.lot(_correction(lot, after))

    def commits_to(self, result: Result, available: Decimal, slot: Slot) -> str:
        """The commitment to the credential that a result has, or would have, at a slot."""
        return b64u_encode(commitment(self._credential(result, available, slot)))

    def corrected_as(self, lot: str, after: Result) -> Result:
        """The result as the lot that takes the place of another stands for it."""
        return replace(after, source_key=_correction(lot, after))

    def conversion(self, lot: str) -> str:
        """The lot that a lot is converted to by this institution."""
        return self.lot(f"conversion of {lot}")

    def convert(
        self,
        lot: Lot,
        decision: Decision,
        unit: Unit,
        learner: Learner,
        slot: Slot,
        created: datetime,
    ) -> Submission:
        """The signed `convert` of a lot by a decision that takes it, and the new credential.

        `slot` is of `conversion(lot)`. What was decided stands on the ledger as a salted hash,
        which this institution can open.
        """
        expires = date.fromisoformat(decision.expires) if decision.expires else None
        named = Result(
            0,
            f"conversion of {lot.lot}",
            learner,
            self.slug,
            _unit_ref(unit),
            format(decision.credits, "f"),
            None,
            created.date(),
            expires,
        )
        credential = self._signed(named, unit.credits, slot, created)
        body: dict[str, Json] = {
            "derived": self._awarded(named, slot, credential),
            "evaluation": self.sealed(lot.lot, decision.to_json()),
            "facts": lot.facts.to_json(),
            "lot": lot.lot,
            "rule": decision.rule.name,
            "source": decision.source,
        }
        signed = Statement.make(self.did, "convert", body).sign(self.signer)
        return Submission(signed, credential, self._learner(learner))

    def sealed(self, lot: str, decided: Json) -> str:
        """SHA-256 over a salt of this lot's own and the JCS of what was decided, as base64url."""
        return b64u_encode(sha256(self._derive("evaluation", lot) + encode(decided)).digest())

    def claim(self, application: str, lot: str) -> str:
        """What a reservation says it is for: different for each lot, opened here alone."""
        return b64u_encode(self._derive("application", f"{application} {lot}"))

    def conferment(self, lots: Sequence[str]) -> str:
        """The name of the qualification that rests on these lots."""
        return self.lot(f"qualification by {' '.join(sorted(lots))}")

    def confer(
        self,
        qualification: Qualification,
        lots: Sequence[str],
        learner: Learner,
        evaluation: dict[str, Json],
        as_of: str,
        slot: Slot,
        created: datetime,
    ) -> Submission:
        """The signed `confer` of a qualification by the lots that were used, and its credential.

        `slot` is of `conferment(lots)`. It names no lot.
        """
        name = self.conferment(lots)
        credential = sign(
            self._issued.certificate(
                qualification, learner, slot, created.date(), self._identifiers(name)
            ),
            self.signer,
            verification_method(self.did, self.signer.public_key),
            format_moment(created),
        )
        body: dict[str, Json] = {
            "as_of": as_of,
            "commitment": b64u_encode(commitment(credential)),
            "evaluation": self.sealed(name, evaluation),
            "level": str(qualification.level),
            "lot": name,
            "qualification": qualification.name,
            "status": {"index": slot.index, "list": slot.list},
        }
        signed = Statement.make(self.did, "confer", body).sign(self.signer)
        return Submission(signed, credential, self._learner(learner))

    def use(self, kind: str, lot: str, **body: Json) -> Submission:
        """A signed `reserve`, `release`, `redeem` or `review.close` of a lot."""
        return Submission(Statement.make(self.did, kind, {"lot": lot, **body}).sign(self.signer))

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
        statement = Statement.make(self.did, kind, body)
        signed = self._by_two(statement) if kind == "revoke" else statement.sign(self.signer)
        return Submission(signed)

    def _by_two(self, statement: Statement) -> SignedStatement:
        signers = (self.signer,) if self.approver is None else (self.signer, self.approver)
        return statement.sign(*signers)

    def _award(self, result: Result, slot: Slot, credential: dict[str, Json]) -> Statement:
        return Statement.make(self.did, "award", self._awarded(result, slot, credential))

    def _signed(
        self, result: Result, available: Decimal, slot: Slot, created: datetime
    ) -> dict[str, Json]:
        method = verification_method(self.did, self.signer.public_key)
        return sign(
            self._credential(result, available, slot), self.signer, method, format_moment(created)
        )

    def _awarded(self, result: Result, slot: Slot, credential: dict[str, Json]) -> dict[str, Json]:
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
        return body

    def _learner(self, learner: Learner) -> str:
        return b64u_encode(self._derive("learner", learner.key)[:16])

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
        return self._issued.award(result, available, slot, self._identifiers(result.source_key))

    @property
    def _issued(self) -> IssuedBy:
        return IssuedBy(self.domain, self.slug, self.did, self.names)

    def _identifiers(self, name: str) -> Identifiers:
        return Identifiers(
            UUID(bytes=self._derive("credential", name)[:16], version=4),
            UUID(bytes=self._derive("subject", name)[:16], version=4),
        )

    def _derive(self, what: str, name: str) -> bytes:
        return hmac.digest(self.records, f"{what}\0{name}".encode(), sha256)


def unit_credits(results: Iterable[Result]) -> dict[UnitRef, Decimal]:
    """What each unit version gives: the most that any of `results` earned in it."""
    credits: dict[UnitRef, Decimal] = {}
    for result in results:
        credits[result.unit] = max(credits.get(result.unit, Decimal(0)), Decimal(result.credits))
    return credits


def _correction(lot: str, after: Result) -> str:
    # By the lot it follows: whoever is corrected back to what was before gets a lot of its own.
    expires = None if after.expires is None else after.expires.isoformat()
    content: list[Json] = [
        after.unit.code,
        after.unit.version,
        after.credits,
        after.grade,
        expires,
    ]
    return f"correction of {lot} to {encode(content).decode()}"


def _unit_ref(unit: Unit) -> UnitRef:
    titles = unit.titles
    return UnitRef(
        unit.code,
        unit.version,
        titles["en"],
        titles["zh"],
        unit.field,
        str(unit.level),
        unit.hours,
        unit.framework,
        unit.scheme,
    )
