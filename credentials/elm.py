"""A learner's awards as a European Digital Credential (European Learning Model 3), for export.

Unsigned: Europass seals what it issues with its own seal. What the model asks for and no award
has (an EQF level where no crosswalk says one) is left out rather than guessed.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from credentials.achievement import LEVEL, SCHEME
from credentials.certificate.facts import CertificateFacts, certificate_facts
from credentials.errors import BadDocument
from keys import Json

CONTEXT = (
    "https://www.w3.org/2018/credentials/v1",
    "http://data.europa.eu/snb/model/context/edc-ap",
)
_AUTHORITY = "http://publications.europa.eu/resource/authority"
_ECTS = "http://data.europa.eu/snb/education-credit/6fcec5c5af"
_PROFILE = "http://data.europa.eu/snb/credential/e34929035b"
_BASE64 = "http://data.europa.eu/snb/encoding/6146cde7dd"
_SCHEMA = "http://data.europa.eu/snb/model/ap/edc-generic-no-cv"
_HOURS = re.compile(r"(\d{1,5}) hours of learning\.\Z", re.ASCII)
# A title in Chinese and English, as awards have it: the Chinese, a space, the English.
_BOTH = re.compile(r"(?P<zh>.*[\u3400-\u9fff）】》]) (?P<en>[!-\u024f][ -\u024f]*)\Z")


@dataclass(frozen=True, slots=True)
class Issuing:
    """Who exports, when (xsd:dateTimeStamp text), under what identifier; `picture` is a PNG."""

    identifier: UUID
    bank: str
    bank_name: str
    made: str
    picture: bytes


def elm_credential(issuing: Issuing, awards: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """The EuropeanDigitalCredential of `awards`, in their order; BadDocument if there are none."""
    if not awards:
        raise BadDocument("there is no award to be exported")
    facts = [certificate_facts(award) for award in awards]
    claims: list[Json] = [
        _claim(number, award, fact)
        for number, (award, fact) in enumerate(zip(awards, facts, strict=True), start=1)
    ]
    return {
        "@context": list(CONTEXT),
        "id": f"urn:uuid:{issuing.identifier}",
        "type": ["VerifiableCredential", "EuropeanDigitalCredential"],
        "credentialProfiles": _concept(_PROFILE, "Generic", "http://data.europa.eu/snb/credential"),
        "credentialSchema": {"id": _SCHEMA, "type": "ShaclValidator2017"},
        "displayParameter": _display(issuing.picture),
        "issuer": _organisation(issuing.bank, issuing.bank_name),
        "issuanceDate": issuing.made,
        "issued": issuing.made,
        "validFrom": issuing.made,
        "credentialSubject": {
            "id": "urn:epass:person:1",
            "type": "Person",
            "fullName": {"zh": facts[-1].learner},
            "hasClaim": claims,
        },
    }


def _claim(number: int, award: dict[str, Json], facts: CertificateFacts) -> Json:
    subject = _object(award["credentialSubject"])
    achievement = _object(subject["achievement"])
    issuer = _object(award["issuer"])
    specification: dict[str, Json] = {
        "id": str(achievement["id"]),
        "type": "LearningAchievementSpecification",
        "title": _languages(facts.achievement),
    }
    level = _aligned(achievement, LEVEL)
    if level:
        scheme = str(level["targetUrl"]).partition("#")[0]
        specification["nqfLevel"] = _concept(
            str(level["targetUrl"]), str(level["targetName"]), scheme
        )
    hours = _HOURS.match(str(achievement.get("description")))
    if hours:
        specification["volumeOfLearning"] = f"PT{int(hours[1])}H"
    claim: dict[str, Json] = {
        "id": facts.identifier,
        "type": "LearningAchievement",
        "title": _languages(facts.achievement),
        "awardedBy": {
            "id": f"urn:epass:awardingProcess:{number}",
            "type": "AwardingProcess",
            "awardingBody": _organisation(str(issuer["id"]), facts.issuer),
            "awardingDate": f"{facts.awarded}T00:00:00Z",
        },
        "specifiedBy": specification,
    }
    if facts.credits:
        points = _points(achievement, f"urn:epass:creditPoint:{number}", facts)
        specification["creditPoint"] = {**points, "id": f"{points['id']}-available"}
        claim["creditReceived"] = points
    if facts.grade:
        claim["provenBy"] = {
            "id": f"urn:epass:learningAssessment:{number}",
            "type": "LearningAssessment",
            "title": _languages(facts.achievement),
            "awardedBy": claim["awardedBy"],
            "grade": {
                "id": f"urn:epass:note:{number}",
                "type": "Note",
                "noteLiteral": {"zh": facts.grade},
            },
        }
    return claim


def _points(
    achievement: dict[str, Json], identifier: str, facts: CertificateFacts
) -> dict[str, Json]:
    scheme = _aligned(achievement, SCHEME)
    url = str(scheme.get("targetUrl", ""))
    if facts.scheme == "ects":
        framework = _concept(
            _ECTS,
            "European Credit Transfer System",
            "http://data.europa.eu/snb/education-credit/25831c2",
        )
    else:
        framework = _concept(url, facts.scheme, url.rpartition("/")[0])
    return {"id": identifier, "type": "CreditPoint", "framework": framework, "point": facts.credits}


def _organisation(identifier: str, name: str) -> dict[str, Json]:
    address: dict[str, Json] = {
        "id": f"{identifier}#address",
        "type": "Address",
        "countryCode": _concept(f"{_AUTHORITY}/country/CHN", "China", f"{_AUTHORITY}/country"),
    }
    location: dict[str, Json] = {
        "id": f"{identifier}#location",
        "type": "Location",
        "address": address,
    }
    return {
        "id": identifier,
        "type": "Organisation",
        "legalName": _languages(name),
        "location": location,
    }


def _display(picture: bytes) -> dict[str, Json]:
    language = _concept(f"{_AUTHORITY}/language/ZHO", "Chinese", f"{_AUTHORITY}/language")
    image: dict[str, Json] = {
        "id": "urn:epass:mediaObject:1",
        "type": "MediaObject",
        "content": base64.b64encode(picture).decode(),
        "contentEncoding": _concept(_BASE64, "base64", "http://data.europa.eu/snb/encoding"),
        "contentType": _concept(f"{_AUTHORITY}/file-type/PNG", "PNG", f"{_AUTHORITY}/file-type"),
    }
    detail: dict[str, Json] = {
        "id": "urn:epass:displayDetail:1",
        "type": "DisplayDetail",
        "image": image,
        "page": 1,
    }
    return {
        "id": "urn:epass:displayParameter:1",
        "type": "DisplayParameter",
        "title": {"zh": "学习成果总表", "en": "Transcript"},
        "language": language,
        "primaryLanguage": language,
        "individualDisplay": {
            "id": "urn:epass:individualDisplay:1",
            "type": "IndividualDisplay",
            "language": language,
            "displayDetail": detail,
        },
    }


def _concept(identifier: str, label: str, scheme: str) -> dict[str, Json]:
    return {
        "id": identifier,
        "type": "Concept",
        "inScheme": {"id": scheme, "type": "ConceptScheme"},
        "prefLabel": {"en": label},
    }


def _languages(text: str) -> dict[str, Json]:
    both = _BOTH.match(text)
    return {"zh": both["zh"], "en": both["en"]} if both else {"zh": text}


def _aligned(achievement: dict[str, Json], kind: str) -> dict[str, Json]:
    alignments = achievement.get("alignment")
    for item in alignments if isinstance(alignments, list) else []:
        if isinstance(item, dict) and item.get("targetType") == kind:
            return item
    return {}


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise BadDocument("an award lacks its subject, achievement or issuer")
    return value
