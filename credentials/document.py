"""What a credential must look like before its proofs are worth checking (VCDM 2.0, OB 3.0)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from credentials.achievement import CONTEXT, QUALIFICATIONS, TYPES, VC_CONTEXT
from credentials.errors import BadDocument
from credentials.moment import parse_moment
from keys import Json

_CONTEXTS: tuple[list[Json], ...] = ([*CONTEXT], [VC_CONTEXT])
_FIELDS = {
    "@context",
    "credentialStatus",
    "credentialSubject",
    "id",
    "issuer",
    "name",
    "proof",
    "type",
    "validFrom",
    "validUntil",
}


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """What a report says of an achievement credential, read from its document."""

    identifier: str
    issuer: str
    learner: str
    achievement: str
    credits: int | float | None
    """None of a qualification, whose credits are those of the awards it rests on."""
    valid_from: datetime
    valid_until: datetime | None
    status: Json
    grade: str | None = None


def check_context(document: dict[str, Json]) -> None:
    """BadDocument unless the whole `@context`, in order, is one that is known here."""
    if document.get("@context") not in _CONTEXTS:
        raise BadDocument(
            "the document's @context is not, entry by entry, one that is known here; terms could "
            "mean something else than they say"
        )


def read_credential(document: Json) -> CredentialFacts:
    """The facts of an achievement credential; BadDocument says what is missing or wrong."""
    if not isinstance(document, dict):
        raise BadDocument("a credential is a JSON object")
    check_context(document)
    if document.get("type") != list(TYPES):
        raise BadDocument("not an Open Badges 3.0 achievement credential: its type says otherwise")
    unknown = sorted(set(document) - _FIELDS)
    if unknown:
        raise BadDocument(f"the credential has a field that is not understood: {unknown[0]!r:.60}")
    subject = _object(document, "credentialSubject")
    achievement = _object(subject, "achievement")
    earned = subject.get("creditsEarned")
    if "creditsEarned" not in subject and achievement.get("achievementType") in QUALIFICATIONS:
        earned = None
    elif isinstance(earned, bool) or not isinstance(earned, int | float) or earned <= 0:
        raise BadDocument("creditsEarned is not a positive number")
    until = document.get("validUntil")
    return CredentialFacts(
        _uri(document, "id"),
        _uri(_object(document, "issuer"), "id"),
        _learner(subject),
        _text(achievement, "name"),
        earned,
        parse_moment(_text(document, "validFrom"), "validFrom"),
        None if until is None else parse_moment(_text(document, "validUntil"), "validUntil"),
        document.get("credentialStatus"),
        _grade(subject),
    )


def _grade(subject: dict[str, Json]) -> str | None:
    results = subject.get("result")
    first = results[0] if isinstance(results, list) and results else None
    value = first.get("value") if isinstance(first, dict) else None
    return value if isinstance(value, str) else None


def _object(parent: dict[str, Json], field: str) -> dict[str, Json]:
    value = parent.get(field)
    if not isinstance(value, dict):
        raise BadDocument(f"the credential lacks {field}, or it is not an object")
    return value


def _text(parent: dict[str, Json], field: str) -> str:
    value = parent.get(field)
    if not isinstance(value, str) or not value:
        raise BadDocument(f"the credential lacks {field}, or it is not text")
    return value


def _uri(parent: dict[str, Json], field: str) -> str:
    value = _text(parent, field)
    if not value.startswith(("urn:uuid:", "did:", "https://")):
        raise BadDocument(f"{field} is not an absolute identifier: {value!r:.60}")
    return value


def _learner(subject: dict[str, Json]) -> str:
    # Required: RDF has the same quads for other spellings of it (a value in a list, a full IRI for
    # the term), so a holder could otherwise show somebody else's credential without its name.
    identifiers = subject.get("identifier")
    items: Sequence[Json] = identifiers if isinstance(identifiers, list) else ()
    for item in items:
        if isinstance(item, dict) and item.get("identityType") == "name":
            name = item.get("identityHash")
            if isinstance(name, str) and name and item.get("hashed") is False:
                return name
    raise BadDocument("the credential does not give the learner's name as plain text")
