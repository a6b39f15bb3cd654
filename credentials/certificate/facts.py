"""What a certificate shows, read from an achievement credential."""

from dataclasses import dataclass
from decimal import Decimal

from credentials.achievement import LEVEL, SCHEME
from credentials.document import read_credential
from keys import Json


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The texts of a certificate; days as YYYY-MM-DD, what there is not as empty text."""

    identifier: str
    learner: str
    achievement: str
    issuer: str
    code: str
    credits: str
    level: str
    scheme: str
    grade: str
    awarded: str
    until: str


def certificate_facts(credential: dict[str, Json]) -> CertificateFacts:
    """The facts of a credential; BadDocument where it is no achievement credential."""
    facts = read_credential(credential)
    subject = _object(credential.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    results = subject.get("result")
    first = _object(results[0]) if isinstance(results, list) and results else {}
    return CertificateFacts(
        facts.identifier,
        facts.learner,
        facts.achievement,
        _text(_object(credential.get("issuer")), "name") or facts.issuer,
        _text(achievement, "humanCode"),
        "" if facts.credits is None else format(Decimal(str(facts.credits)).normalize(), "f"),
        _aligned(achievement, LEVEL, "targetCode"),
        _aligned(achievement, SCHEME, "targetName"),
        _text(first, "value"),
        facts.valid_from.date().isoformat(),
        facts.valid_until.date().isoformat() if facts.valid_until else "",
    )


def _aligned(achievement: dict[str, Json], kind: str, name: str) -> str:
    alignments = achievement.get("alignment")
    for item in alignments if isinstance(alignments, list) else []:
        alignment = _object(item)
        if alignment.get("targetType") == kind:
            return _text(alignment, name)
    return ""


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _text(parent: dict[str, Json], name: str) -> str:
    value = parent.get(name)
    return value if isinstance(value, str) else ""
