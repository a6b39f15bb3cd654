"""Other spellings of a credential, under which its RDF and so its eddsa-rdfc-2022 proof hold.

A holder may drop the other proof and write a value in a list, as an object, or under its full IRI.
Whatever is read of the JSON is then refused: never silently nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from credentials import (
    RDFC,
    BadDocument,
    BadStatusList,
    StatusSlot,
    key_in_method,
    read_credential,
    verify_proofs,
)

if TYPE_CHECKING:
    from conftest import Issued

OB = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
VC = "https://www.w3.org/2018/credentials#"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"

Path = tuple[str | int, ...]
Respelling = Callable[[Any, str | int], None]


def in_list(parent: Any, key: str | int) -> None:
    parent[key] = [parent[key]]


def as_time_object(parent: Any, key: str | int) -> None:
    parent[key] = {"@value": parent[key], "@type": DATE_TIME}


def under(iri: str) -> Respelling:
    def rename(parent: Any, key: str | int) -> None:
        parent[iri] = parent.pop(key)

    return rename


def out_of_list(parent: Any, key: str | int) -> None:
    [parent[key]] = parent[key]


SUBJECT = ("credentialSubject",)
RESPELLINGS: dict[str, tuple[Path, Respelling]] = {
    "id as a keyword": (("id",), under("@id")),
    "issuer in a list": (("issuer",), in_list),
    "validFrom in a list": (("validFrom",), in_list),
    "validUntil in a list": (("validUntil",), in_list),
    "validUntil as an object": (("validUntil",), as_time_object),
    "status in a list": (("credentialStatus",), in_list),
    "status index in a list": (("credentialStatus", "statusListIndex"), in_list),
    "status under its IRI": (("credentialStatus",), under(VC + "credentialStatus")),
    "subject in a list": (SUBJECT, in_list),
    "subject under its IRI": (SUBJECT, under(VC + "credentialSubject")),
    "credits in a list": ((*SUBJECT, "creditsEarned"), in_list),
    "achievement in a list": ((*SUBJECT, "achievement"), in_list),
    "achievement's name in a list": ((*SUBJECT, "achievement", "name"), in_list),
    "learner without a list": ((*SUBJECT, "identifier"), out_of_list),
    "learner under its IRI": ((*SUBJECT, "identifier"), under(OB + "identifier")),
    "learner's name in a list": ((*SUBJECT, "identifier", 0, "identityHash"), in_list),
    "learner's kind in a list": ((*SUBJECT, "identifier", 0, "identityType"), in_list),
    "learner's flag in a list": ((*SUBJECT, "identifier", 0, "hashed"), in_list),
}


@pytest.mark.parametrize(("path", "respell"), RESPELLINGS.values(), ids=RESPELLINGS)
def test_a_respelling_hides_nothing(one: Issued, path: Path, respell: Respelling) -> None:
    document: Any = copy.deepcopy(one.credential)
    [document["proof"]] = [item for item in document["proof"] if item["cryptosuite"] == RDFC]
    StatusSlot.of(read_credential(document).status)
    *above, key = path
    parent = document
    for step in above:
        parent = parent[step]
    respell(parent, key)
    assert [result.passed for result in verify_proofs(document, key_in_method)] == [True]
    with pytest.raises((BadDocument, BadStatusList)):
        StatusSlot.of(read_credential(document).status)
