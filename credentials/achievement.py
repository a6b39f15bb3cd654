"""Open Badges 3.0 achievement credentials: an institution's award as the learner's document.

Level and credit scheme have no field of their own in Open Badges 3.0; they are alignments
of the extension types `ext:QualificationLevel` and `ext:CreditScheme`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from credentials.status import StatusSlot
from keys import Json

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CONTEXT = (VC_CONTEXT, OB_CONTEXT)
TYPES = ("VerifiableCredential", "AchievementCredential")
QUALIFICATIONS = ("Certificate", "Degree", "Diploma")
"""Kinds of achievement that a qualification is; such a credential has no credits of its own."""
LEVEL = "ext:QualificationLevel"
SCHEME = "ext:CreditScheme"


@dataclass(frozen=True, slots=True)
class Issuer:
    """The institution: its DID and its name."""

    did: str
    name: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where an achievement stands in a framework: a code there, its name, and a page about it."""

    kind: str
    framework: str
    code: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Achievement:
    """What was achieved. `credits` is what the unit gives; `url` names this version of it."""

    url: str
    code: str
    name: str
    description: str
    criteria: str
    credits: Decimal
    field: str
    """Empty of a qualification, which is of every field that its credits are of."""
    alignments: Sequence[Alignment]
    kind: str = "Course"


@dataclass(frozen=True, slots=True)
class Award:
    """Who earned how many credits, and when; times as xsd:dateTimeStamp text.

    `identifier` is random (128 bits) and salts the commitment; `subject` is the learner's
    pseudonym for this award alone.
    """

    identifier: UUID
    subject: UUID
    learner: str
    credits: Decimal | None
    """None of a qualification."""
    valid_from: str
    valid_until: str | None
    slot: StatusSlot
    grade: str | None = None


def achievement_credential(
    issuer: Issuer, achievement: Achievement, award: Award
) -> dict[str, Json]:
    """The unsigned credential (OB 3.0 AchievementCredential, VCDM 2.0)."""
    subject: dict[str, Json] = {
        "id": f"urn:uuid:{award.subject}",
        "type": ["AchievementSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": award.learner,
                "identityType": "name",
            }
        ],
        "achievement": _achievement(achievement),
    }
    if award.credits is not None:
        subject["creditsEarned"] = _number(award.credits)
    if award.grade is not None:
        subject["result"] = [{"type": ["Result"], "value": award.grade}]
    document: dict[str, Json] = {
        "@context": list(CONTEXT),
        "id": f"urn:uuid:{award.identifier}",
        "type": list(TYPES),
        "name": achievement.name,
        "issuer": {"id": issuer.did, "type": ["Profile"], "name": issuer.name},
        "validFrom": award.valid_from,
        "credentialSubject": subject,
        "credentialStatus": award.slot.entry(),
    }
    if award.valid_until is not None:
        document["validUntil"] = award.valid_until
    return document


def _achievement(achievement: Achievement) -> dict[str, Json]:
    described: dict[str, Json] = {
        "id": achievement.url,
        "type": ["Achievement"],
        "name": achievement.name,
        "description": achievement.description,
        "criteria": {"narrative": achievement.criteria},
        "creditsAvailable": _number(achievement.credits),
        "achievementType": achievement.kind,
        "humanCode": achievement.code,
        "alignment": [_alignment(alignment) for alignment in achievement.alignments],
    }
    return {**described, "fieldOfStudy": achievement.field} if achievement.field else described


def _alignment(alignment: Alignment) -> dict[str, Json]:
    return {
        "type": ["Alignment"],
        "targetType": alignment.kind,
        "targetFramework": alignment.framework,
        "targetCode": alignment.code,
        "targetName": alignment.name,
        "targetUrl": alignment.url,
    }


def _number(credits: Decimal) -> int | float:
    return int(credits) if credits == credits.to_integral_value() else float(credits)
