"""The export to the European Learning Model 3: its classes, its units, and nothing guessed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from credentials.elm import Issuing, elm_credential
from credentials.errors import BadDocument

if TYPE_CHECKING:
    from conftest import Issued

BANK = ("did:web:b.example", "重庆学分银行 A Bank")
ISSUING = Issuing(UUID(int=7), *BANK, "2026-11-24T12:00:00Z", b"P")


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object of a document that has a type."""
    found = []
    if isinstance(value, list):
        for item in value:
            found += objects(item)
    elif isinstance(value, dict):
        found = [value] if "type" in value else []
        for item in value.values():
            found += objects(item)
    return found


# What the application profile asks of each class.
REQUIRED = {
    "LearningAchievement": {"title", "awardedBy"},
    "LearningAchievementSpecification": {"title"},
    "LearningAssessment": {"title", "awardedBy", "grade"},
    "AwardingProcess": {"awardingBody"},
    "Organisation": {"legalName", "location"},
    "Location": {"address"},
    "Address": {"countryCode"},
    "CreditPoint": {"framework", "point"},
    "Person": {"hasClaim"},
    "DisplayParameter": {"title", "language", "primaryLanguage", "individualDisplay"},
    "IndividualDisplay": {"language", "displayDetail"},
    "DisplayDetail": {"image", "page"},
    "MediaObject": {"contentType", "contentEncoding", "content"},
    "Note": {"noteLiteral"},
    "Concept": {"inScheme", "prefLabel"},
    "ConceptScheme": set(),
    "ShaclValidator2017": set(),
}


def test_each_object_is_what_its_class_asks_for(issued: Issued) -> None:
    document: Any = elm_credential(ISSUING, [issued.credential])
    assert document["type"] == ["VerifiableCredential", "EuropeanDigitalCredential"]
    for item in objects(document)[1:]:
        assert REQUIRED[item["type"]] <= set(item), item["type"]
        assert item["id"]
    (claim,) = document["credentialSubject"]["hasClaim"]
    award: Any = issued.credential
    assert claim["id"] == award["id"]
    assert float(claim["creditReceived"]["point"]) == award["credentialSubject"]["creditsEarned"]
    assert claim["creditReceived"]["framework"]["id"].endswith("/schemes/standard-credit")
    assert claim["awardedBy"]["awardingBody"]["legalName"] == {
        "zh": "巴渝开放大学",
        "en": "Bayu Open University",
    }
    assert claim["specifiedBy"]["nqfLevel"]["prefLabel"] == {"en": "Level 4"}
    assert claim["specifiedBy"]["volumeOfLearning"] == "PT120H"
    assert "eqfLevel" not in claim["specifiedBy"]
    assert (
        base64.b64decode(
            document["displayParameter"]["individualDisplay"]["displayDetail"]["image"]["content"]
        )
        == b"P"
    )


def test_titles_are_told_apart_by_language(one: Issued) -> None:
    document: Any = elm_credential(ISSUING, [one.credential, one.credential])
    titles = [claim["title"] for claim in document["credentialSubject"]["hasClaim"]]
    assert titles == [{"zh": "养老护理", "en": "Care of the elderly"}] * 2
    assert document["issuer"]["legalName"] == {"zh": "重庆学分银行", "en": "A Bank"}
    grade = document["credentialSubject"]["hasClaim"][0]["provenBy"]["grade"]
    assert grade["noteLiteral"] == {"zh": "94.5"}


def test_nothing_to_export() -> None:
    with pytest.raises(BadDocument, match="no award"):
        elm_credential(ISSUING, [])
