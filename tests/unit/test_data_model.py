"""What a verifiable credential or presentation must hold, each refusal beside what is accepted."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from credentials.data_model import check_credential, check_presentation, credentials_in
from credentials.errors import BadDocument
from credentials.rdf import context_bytes
from keys import b64u_encode

V2, V1 = "https://www.w3.org/ns/credentials/v2", "https://www.w3.org/2018/credentials/v1"
DIGEST = "u" + b64u_encode(sha256(context_bytes(V2)).digest())


def credential(**changes: Any) -> dict[str, Any]:
    document = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "credentialSubject": {"id": "did:example:subject"},
    }
    return {**document, **changes}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in credential().items() if key != name}


def v1(**changes: Any) -> dict[str, Any]:
    return credential(**{"@context": [V1], "issuanceDate": "2020-03-16T22:37:26.544Z", **changes})


def resource(**changes: Any) -> dict[str, Any]:
    return credential(relatedResource={"id": V2, "digestMultibase": DIGEST, **changes})


GOOD = {
    "the least": credential(),
    "one type": credential(type="VerifiableCredential"),
    "types in any order": credential(type=["https://a.example/T", "VerifiableCredential"]),
    "issuer as object": credential(issuer={"id": "https://a.example", "name": "A"}),
    "id": credential(id="urn:uuid:9c9a36f8-518f-4976-a934-6649502d0008"),
    "several subjects": credential(credentialSubject=[{"id": "did:a:b"}, {"name": "x"}]),
    "dates": credential(validFrom="2023-02-25T19:10:39-06:00", validUntil="2023-02-26T01:20:18.4Z"),
    "equal dates": credential(validFrom="2023-02-25T19:10:39Z", validUntil="2023-02-25T19:10:39Z"),
    "words": credential(name="Dog", description={"@value": "x", "@language": "zh-Hans"}),
    "words in languages": credential(
        name=[{"@value": "Dog", "@language": "en", "@direction": "ltr"}, {"@value": "狗"}]
    ),
    "status without id": credential(credentialStatus={"type": "S"}),
    "several of each": credential(
        credentialSchema=[{"id": "did:a:1", "type": "S"}, {"id": "did:a:2", "type": ["S"]}],
        evidence=[{"type": "E"}],
        termsOfUse={"type": "T", "id": "did:a:t"},
        refreshService=[{"type": "R"}],
    ),
    "digest": resource(),
    "digest by multihash": resource(
        digestMultibase="u" + b64u_encode(b"\x12\x20" + sha256(context_bytes(V2)).digest())
    ),
    "digest of an earlier edition": resource(
        digestMultibase="uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k"
    ),
    "digest of what is not here": credential(
        relatedResource=[{"id": "https://a.example/x", "digestSRI": "sha256-" + "A" * 43 + "="}]
    ),
    "version 1.1": v1(expirationDate="2030-03-16T22:37:26Z"),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_is_a_credential(case: str) -> None:
    check_credential(GOOD[case])


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "no context": ("@context", without("@context")),
    "context as text": ("@context", credential(**{"@context": V2})),
    "context in another order": ("@context", credential(**{"@context": ["https://x.example", V2]})),
    "context that is no URL": ("@context", credential(**{"@context": [V2, "https ://x"]})),
    "context as a number": ("@context", credential(**{"@context": [V2, 7]})),
    "no type": ("type", without("type")),
    "other types": ("VerifiableCredential", credential(type=["Other"])),
    "types with a number": ("type", credential(type=["VerifiableCredential", 2])),
    "enveloped": ("enveloped", credential(type="EnvelopedVerifiableCredential")),
    "data as id": ("data:", credential(id="data:application/vc+jwt,eyJ")),
    "null id": ("id", credential(id=None)),
    "several ids": ("id", credential(id=["did:a:b", "did:a:c"])),
    "id that is no URL": ("id", credential(id="https ://not-a-url")),
    "no issuer": ("issuer", without("issuer")),
    "issuer that is no URL": ("issuer", credential(issuer="somebody")),
    "issuer without id": ("issuer", credential(issuer={"name": "x"})),
    "issuer with a strange name": (
        "name of the issuer",
        credential(issuer={"id": "did:a:b", "name": {"@value": "x", "url": "did:a:c"}}),
    ),
    "no subject": ("credentialSubject", without("credentialSubject")),
    "empty subject": ("claim", credential(credentialSubject={})),
    "an empty one among subjects": ("claim", credential(credentialSubject=[{"id": "did:a:b"}, {}])),
    "no subjects": ("empty", credential(credentialSubject=[])),
    "subject as text": ("objects", credential(credentialSubject="did:a:b")),
    "subject with several ids": ("id", credential(credentialSubject={"id": ["did:a:b"]})),
    "a day": ("validFrom", credential(validFrom="2023-02-25")),
    "a time without zone": ("validFrom", credential(validFrom="2023-02-25T19:10:39")),
    "a date in words": ("validUntil", credential(validUntil="Sat 25 Feb 2023")),
    "dates in disorder": (
        "before",
        credential(validFrom="2024-01-01T00:00:00Z", validUntil="2023-01-01T00:00:00Z"),
    ),
    "name as number": ("name", credential(name=7)),
    "a language that is none": ("name", credential(name={"@value": "x", "@language": "!"})),
    "a direction that is none": ("name", credential(name={"@value": "x", "@direction": "up"})),
    "status without type": ("credentialStatus", credential(credentialStatus={"id": "did:a:b"})),
    "status of a numbered type": ("type", credential(credentialStatus={"type": 2})),
    "schema without id": ("credentialSchema", credential(credentialSchema={"type": "S"})),
    "schema without type": ("credentialSchema", credential(credentialSchema={"id": "did:a:b"})),
    "evidence without type": ("evidence", credential(evidence={})),
    "terms without type": ("termsOfUse", credential(termsOfUse={"id": "did:a:b"})),
    "refresh without type": ("refreshService", credential(refreshService={"id": "did:a:b"})),
    "resource as text": ("relatedResource", credential(relatedResource=[V2])),
    "resource without digest": ("digest", credential(relatedResource={"id": V2})),
    "resource with a wrong digest": (
        "not that of what is published",
        resource(digestMultibase="u" + b64u_encode(bytes(32))),
    ),
    "resource with half a digest": ("digest", resource(digestMultibase="uAAAA")),
    "resource with a strange digest": ("Subresource", resource(digestSRI="md5-AAAA")),
    "the same resource twice": (
        "two related",
        credential(relatedResource=[{"id": V2, "digestMultibase": DIGEST}] * 2),
    ),
    "version 1.1 without date": ("issuanceDate", credential(**{"@context": [V1]})),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_none(case: str) -> None:
    reason, document = BAD[case]
    with pytest.raises(BadDocument, match=reason):
        check_credential(document)


def presentation(**changes: Any) -> dict[str, Any]:
    return {"@context": [V2], "type": ["VerifiablePresentation"], **changes}


@pytest.mark.parametrize(
    "document",
    [
        presentation(),
        presentation(holder="did:key:z6Mk"),
        presentation(holder={"id": "did:key:z6Mk"}, id="urn:uuid:1"),
        presentation(verifiableCredential=[credential(), credential()]),
    ],
)
def test_what_is_a_presentation(document: dict[str, Any]) -> None:
    check_presentation(document)
    assert all(inside == credential() for inside in credentials_in(document))


@pytest.mark.parametrize(
    ("check", "document", "reason"),
    [
        (check_presentation, presentation(type=["Other"]), "VerifiablePresentation"),
        (check_presentation, presentation(type="EnvelopedVerifiablePresentation"), "enveloped"),
        (check_presentation, presentation(holder="z6Mk"), "holder"),
        (check_presentation, presentation(holder={"name": "Acme"}), "holder"),
        (credentials_in, presentation(verifiableCredential=["eyJ"]), "objects"),
        (credentials_in, presentation(verifiableCredential=[]), "empty"),
    ],
)
def test_what_is_no_presentation(
    check: Callable[[dict[str, Any]], object], document: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadDocument, match=reason):
        check(document)
