"""Transcripts: a learner's awards in one Comprehensive Learner Record (CLR 2.0), by the bank.

The awards stand in it as their institutions signed them. What the bank adds is what the ledger
says of each lot, and the totals of those that count; level and scheme, totals and states are
terms of our own, which a reader that does not know them can leave aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from credentials.achievement import OB_CONTEXT, VC_CONTEXT
from credentials.document import read_credential
from credentials.errors import BadDocument
from keys import Json

CLR_CONTEXT = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
BANK_CONTEXT = "https://chongqing.creditbank.example/ns/credit-bank/1"
CONTEXT = (VC_CONTEXT, CLR_CONTEXT, OB_CONTEXT, BANK_CONTEXT)
TYPES = ("VerifiableCredential", "ClrCredential")
COUNTS = "active"
"""The state of a lot that counts towards the totals, and whose award is enclosed."""
_FIELDS = {
    "@context",
    "credentialSubject",
    "id",
    "issuer",
    "name",
    "partial",
    "proof",
    "type",
    "validFrom",
}


@dataclass(frozen=True, slots=True)
class LotLine:
    """What the ledger says of one lot; `entry` is the index of its award."""

    lot: str
    unit: str
    scheme: str
    level: str
    credits: str
    state: str
    entry: int


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose transcript it is, who makes it, and as of how many entries of the ledger."""

    identifier: UUID
    subject: UUID
    bank: str
    bank_name: str
    made: str
    """xsd:dateTimeStamp text."""
    size: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript as it was read: the awards in it and what it says of them."""

    identifier: str
    issuer: str
    size: int
    awards: tuple[dict[str, Json], ...]
    lots: tuple[LotLine, ...]
    totals: tuple[tuple[str, str, str, int], ...]
    """Scheme, level, credits and number of lots."""


def transcript_credential(
    heading: Heading, awards: Sequence[dict[str, Json]], lots: Sequence[LotLine]
) -> dict[str, Json]:
    """The unsigned ClrCredential; `awards` are the signed credentials of the lots that count."""
    if not awards:
        raise BadDocument("there is no award that counts, so there is no transcript to be made")
    enclosed: list[Json] = [*awards]
    learner = read_credential(awards[-1]).learner
    subject: dict[str, Json] = {
        "id": f"urn:uuid:{heading.subject}",
        "type": ["ClrSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": learner,
                "identityType": "name",
            }
        ],
        "verifiableCredential": enclosed,
        "creditTotal": [
            {
                "type": ["CreditTotal"],
                "scheme": scheme,
                "level": level,
                "credits": credits,
                "lots": number,
            }
            for scheme, level, credits, number in totals(lots)
        ],
        "creditLot": [_lot(line) for line in lots],
        "asOf": heading.size,
    }
    return {
        "@context": list(CONTEXT),
        "id": f"urn:uuid:{heading.identifier}",
        "type": list(TYPES),
        "name": "学习成果总表 Transcript",
        "issuer": {"id": heading.bank, "type": ["Profile"], "name": heading.bank_name},
        "validFrom": heading.made,
        "partial": False,
        "credentialSubject": subject,
    }


def totals(lots: Sequence[LotLine]) -> list[tuple[str, str, str, int]]:
    """Credits and number of the lots that count, by scheme and level."""
    sums: dict[tuple[str, str], tuple[Decimal, int]] = {}
    for line in lots:
        if line.state == COUNTS:
            credits, number = sums.get((line.scheme, line.level), (Decimal(0), 0))
            sums[line.scheme, line.level] = (credits + Decimal(line.credits), number + 1)
    return [
        (scheme, level, format(credits.normalize(), "f"), number)
        for (scheme, level), (credits, number) in sorted(sums.items())
    ]


def is_transcript(document: Json) -> bool:
    """Whether a document says of itself that it is a transcript."""
    kinds = document.get("type") if isinstance(document, dict) else None
    return isinstance(kinds, list) and "ClrCredential" in kinds


def read_transcript(document: dict[str, Json]) -> Transcript:
    """What a transcript says; BadDocument says what is missing or wrong."""
    if document.get("@context") != list(CONTEXT) or document.get("type") != list(TYPES):
        raise BadDocument(
            "not a transcript as credit banks make them: its @context or type differs"
        )
    unknown = sorted(set(document) - _FIELDS)
    if unknown:
        raise BadDocument(f"the transcript has a field that is not understood: {unknown[0]!r:.60}")
    subject = _object(document.get("credentialSubject"), "credentialSubject")
    issuer = _object(document.get("issuer"), "issuer")
    size = subject.get("asOf")
    if type(size) is not int or size < 1:
        raise BadDocument("the transcript does not say as of how many entries of the ledger it is")
    awards = [_object(item, "an award") for item in _list(subject, "verifiableCredential")]
    return Transcript(
        _text(document, "id"),
        _text(issuer, "id"),
        size,
        tuple(awards),
        tuple(_read_lot(_object(item, "a lot")) for item in _list(subject, "creditLot")),
        tuple(_read_total(_object(item, "a total")) for item in _list(subject, "creditTotal")),
    )


def _lot(line: LotLine) -> dict[str, Json]:
    return {
        "type": ["CreditLot"],
        "lot": line.lot,
        "unit": line.unit,
        "scheme": line.scheme,
        "level": line.level,
        "credits": line.credits,
        "state": line.state,
        "entry": line.entry,
    }


def _read_lot(item: dict[str, Json]) -> LotLine:
    entry = item.get("entry")
    if type(entry) is not int:
        raise BadDocument("a lot of the transcript names no ledger entry")
    return LotLine(
        _text(item, "lot"),
        _text(item, "unit"),
        _text(item, "scheme"),
        _text(item, "level"),
        _text(item, "credits"),
        _text(item, "state"),
        entry,
    )


def _read_total(item: dict[str, Json]) -> tuple[str, str, str, int]:
    number = item.get("lots")
    if type(number) is not int:
        raise BadDocument("a total of the transcript has no number of lots")
    return _text(item, "scheme"), _text(item, "level"), _text(item, "credits"), number


def _object(value: Json, what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise BadDocument(f"{what} of the transcript is missing, or not an object")
    return value


def _list(parent: dict[str, Json], name: str) -> list[Json]:
    value = parent.get(name)
    if not isinstance(value, list):
        raise BadDocument(f"the transcript lacks {name}, or it is not a list")
    return value


def _text(parent: dict[str, Json], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not value:
        raise BadDocument(f"the transcript lacks {name}, or it is not text")
    return value
