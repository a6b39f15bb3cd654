"""Whose key is it? What a DID's document must say before its key is believed."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from credentials import (
    AUTHENTICATION,
    ECDSA_JCS,
    ECDSA_RDFC,
    JCS,
    RDFC,
    BadProof,
    Terms,
    key_by_resolving,
    key_in_did_key,
    sign,
)
from credentials.verifiable import Check
from keys import (
    AnySigner,
    BadIdentifier,
    BadKey,
    Json,
    KeysError,
    PrivateKey,
    did_document,
    did_key,
    key_in_did_document,
    verification_method,
)
from keys.ecdsa import EcdsaPrivateKey

V2 = "https://www.w3.org/ns/credentials/v2"
NOW = "2026-11-24T12:00:00Z"
AT = datetime(2026, 11, 24, 13, tzinfo=UTC)
DID = "did:web:a.example"
KEY = PrivateKey.from_seed(b"a" * 32)
METHOD = verification_method(DID, KEY.public_key)
KEYS: dict[str, AnySigner] = {
    "Ed25519": KEY,
    "another Ed25519": PrivateKey.from_seed(b"b" * 32),
    "P-256": EcdsaPrivateKey.from_secret("P-256", 21),
    "another P-256": EcdsaPrivateKey.from_secret("P-256", 22),
    "P-384": EcdsaPrivateKey.from_secret("P-384", 23),
}


def document() -> dict[str, Any]:
    return did_document(DID, [KEY.public_key])


def found(changed: Any, purpose: str = "assertionMethod") -> str:
    return key_in_did_document(changed, METHOD, purpose, AT).multikey


@pytest.mark.parametrize("kind", KEYS)
def test_each_kind_of_key_is_found(kind: str) -> None:
    key = KEYS[kind].public_key
    method = verification_method(DID, key)
    made = did_document(DID, [other.public_key for other in KEYS.values()])
    for purpose in ("assertionMethod", "authentication"):
        assert key_in_did_document(made, method, purpose, AT) == key
    assert key_in_did_key(verification_method(did_key(key), key)) == key


def test_the_forms_that_others_write() -> None:
    full = document()
    [entry] = full["verificationMethod"]
    fragment = "#" + KEY.public_key.multikey
    assert found(full) == KEY.public_key.multikey
    forms: list[dict[str, Any]] = [
        {"id": DID, "assertionMethod": [entry]},
        {"id": DID, "assertionMethod": entry},
        {"id": DID, "assertionMethod": [fragment], "verificationMethod": [entry]},
        {"id": DID, "assertionMethod": METHOD, "verificationMethod": entry},
        {**full, "verificationMethod": [{**entry, "id": fragment}]},
        {**full, "verificationMethod": [{**entry, "type": "Ed25519VerificationKey2020"}]},
        {**full, "verificationMethod": [{**entry, "expires": "2030-01-01T00:00:00Z"}]},
        {**full, "verificationMethod": ["x", None, entry], "service": [{"id": "x"}]},
    ]
    for form in forms:
        assert found(form) == KEY.public_key.multikey
    named = {**entry, "id": f"{DID}#key-1"}
    made = {"id": DID, "assertionMethod": [named]}
    assert key_in_did_document(made, f"{DID}#key-1", "assertionMethod", AT) == KEY.public_key


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"id": "did:web:b.example"}, BadIdentifier, "not that of"),
        ({"id": None}, BadIdentifier, "not that of"),
        ({"assertionMethod": []}, BadIdentifier, "lists no key"),
        ({"assertionMethod": None}, BadIdentifier, "lists no key"),
        ({"assertionMethod": {"id": METHOD}}, BadIdentifier, "controlled by another"),
        ({"verificationMethod": []}, BadIdentifier, "lists no key"),
        ({"verificationMethod": 7}, BadIdentifier, "lists no key"),
        ({"controller": "did:web:b.example"}, BadIdentifier, "controlled by another"),
        ({"controller": None}, BadIdentifier, "controlled by another"),
        ({"controller": [DID]}, BadIdentifier, "controlled by another"),
        ({"type": "JsonWebKey2020"}, BadKey, "not known here"),
        ({"type": ["Multikey"]}, BadKey, "not known here"),
        ({"publicKeyMultibase": None}, BadKey, "not known here"),
        ({"publicKeyMultibase": "z6Mk"}, BadKey, "Ed25519"),
        ({"revoked": "2026-11-24T12:59:59Z"}, BadKey, "no longer in force"),
        ({"expires": "2026-11-24T13:00:00Z"}, BadKey, "no longer in force"),
        ({"expires": "never"}, BadIdentifier, "not a time"),
        ({"revoked": None}, BadIdentifier, "not a time"),
        ({"expires": "2030-01-01T00:00:00"}, BadIdentifier, "not a time"),
    ],
)
def test_what_a_document_must_say(
    change: dict[str, Any], error: type[KeysError], reason: str
) -> None:
    changed: Any = copy.deepcopy(document())
    [(name, value)] = change.items()
    place = changed if name in changed else changed["verificationMethod"][0]
    place[name] = value
    with pytest.raises(error, match=reason):
        found(changed)
    assert found(document()) == KEY.public_key.multikey


def test_a_key_serves_the_purposes_it_is_listed_for() -> None:
    made = document()
    made["authentication"] = []
    assert found(made) == KEY.public_key.multikey
    with pytest.raises(BadIdentifier, match="for authentication"):
        found(made, "authentication")
    made["keyAgreement"], made["assertionMethod"] = made["assertionMethod"], []
    with pytest.raises(BadIdentifier, match="for assertionMethod"):
        found(made)


def test_a_document_listing_a_method_twice_is_ambiguous() -> None:
    made = document()
    [entry] = made["verificationMethod"]
    other = {**entry, "publicKeyMultibase": KEYS["another Ed25519"].public_key.multikey}
    with pytest.raises(BadIdentifier):
        found({**made, "verificationMethod": [entry, other]})


def test_the_web_is_asked_only_where_there_is_a_resolver() -> None:
    asked: list[str] = []

    def resolve(did: str) -> Json:
        asked.append(did)
        return document()

    assert key_by_resolving(METHOD, "assertionMethod", AT, resolve) == KEY.public_key
    assert asked == [DID]
    with pytest.raises(BadProof, match="give its DID document"):
        key_by_resolving(METHOD, "assertionMethod", AT)
    own = verification_method(did_key(KEY.public_key), KEY.public_key)
    assert key_by_resolving(own, "assertionMethod", AT, resolve) == KEY.public_key
    for method in ("did:example:a#b", METHOD.partition("#")[0], "https://a.example#key", ""):
        with pytest.raises(BadProof):
            key_by_resolving(method, "assertionMethod", AT, resolve)
    assert asked == [DID, DID]


class World:
    """Issuers of both methods, each with a key of its own, and the documents they publish."""

    def __init__(self) -> None:
        self.documents: dict[str, Json] = {}
        self.issuers: dict[str, AnySigner] = {}
        for name, signer in KEYS.items():
            self.issuers[did_key(signer.public_key)] = signer
            host = f"did:web:{name.replace(' ', '-').lower()}.example"
            web_key: AnySigner = (
                PrivateKey.from_seed(name.encode().ljust(32))
                if "Ed25519" in name
                else EcdsaPrivateKey.from_secret(name[-5:], 100 + len(name))
            )
            self.issuers[host] = web_key
            self.documents[host] = did_document(host, [web_key.public_key])

    def resolve(self, did: str) -> Json:
        if did not in self.documents:
            raise BadIdentifier(f"there is no {did}")
        return self.documents[did]

    def check(self) -> Check:
        return Check(key_in_did_key, AT, resolve=self.resolve)


def suites(signer: AnySigner) -> tuple[str, ...]:
    return (RDFC, JCS) if signer.public_key.algorithm == "Ed25519" else (ECDSA_RDFC, ECDSA_JCS)


def test_only_the_diagonal_of_issuers_and_keys_verifies() -> None:
    world = World()
    check = world.check()
    passed = 0
    for issuer in world.issuers:
        credential: dict[str, Json] = {
            "@context": [V2],
            "id": "urn:uuid:3f1f4c1e-2f0a-4d3e-9d5a-0d9a3e9c1b11",
            "type": ["VerifiableCredential"],
            "issuer": issuer,
            "credentialSubject": {"id": "did:example:subject", "name": "张伟"},
        }
        for owner, signer in world.issuers.items():
            # The key under its owner's name, and under the name of the issuer it is not.
            for name in {owner, issuer}:
                method = verification_method(name, signer.public_key)
                signed = sign(credential, signer, method, NOW, suites(signer))
                faults = check.credential(signed)
                assert (faults == []) is (owner == issuer), (issuer, owner, name)
                passed += not faults
    assert passed == len(world.issuers) == 10


def test_a_did_web_cannot_claim_anothers_key() -> None:
    """Who lists a foreign key in its document could else claim what the key's owner signed."""
    world = World()
    [web, *_] = world.documents
    victim = KEYS["Ed25519"]
    credential: dict[str, Json] = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": web,
        "credentialSubject": {"id": "did:example:subject"},
    }
    method = verification_method(did_key(victim.public_key), victim.public_key)
    foreign = {"id": method, "controller": web, "type": "Multikey"}
    foreign["publicKeyMultibase"] = victim.public_key.multikey
    world.documents[web] = {"id": web, "assertionMethod": [foreign]}
    signed = sign(credential, victim, method, NOW, (JCS,))
    [fault] = world.check().credential(signed)
    assert f"not {web}'s" in fault.reason


def test_presentations_ask_for_keys_of_authentication() -> None:
    world = World()
    did = "did:web:ed25519.example"
    signer = world.issuers[did]
    presentation: dict[str, Json] = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": did,
    }
    method = verification_method(did, signer.public_key)
    terms = Terms(AUTHENTICATION)
    signed = sign(presentation, signer, method, NOW, (JCS,), terms)
    assert world.check().presentation(signed, terms) == []
    made = did_document(did, [signer.public_key])
    world.documents[did] = {**made, "authentication": []}
    [fault] = world.check().presentation(signed, terms)
    assert "for authentication" in fault.reason
