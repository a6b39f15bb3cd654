"""A holder shows chosen credentials: whose, to whom, in answer to what, and until when."""

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
    BadDocument,
    BadProof,
    Terms,
    key_in_did_key,
    sign,
)
from credentials.errors import WrongChallenge, WrongDomain
from credentials.presentation import (
    read_presentation,
    sign_presentation,
    verifiable_presentation,
)
from credentials.verifiable import MOST_CREDENTIALS, Check, Fault
from keys import AnySigner, PrivateKey, did_key, verification_method
from keys.ecdsa import EcdsaPrivateKey

V2 = "https://www.w3.org/ns/credentials/v2"
NOW = "2026-11-24T12:00:00Z"
ISSUER = PrivateKey.from_seed(b"i" * 32)
HOLDERS: dict[str, AnySigner] = {
    "Ed25519": PrivateKey.from_seed(b"h" * 32),
    "P-256": EcdsaPrivateKey.from_secret("P-256", 17),
    "P-384": EcdsaPrivateKey.from_secret("P-384", 18),
}
HOLDER = HOLDERS["Ed25519"]
TERMS = Terms(AUTHENTICATION, "employer.example", "c-1", "2026-11-24T13:00:00Z")


def name_of(signer: AnySigner) -> str:
    return did_key(signer.public_key)


def award(number: int, subject: str, suites: tuple[str, ...] = (RDFC, JCS)) -> dict[str, Any]:
    document: dict[str, Any] = {
        "@context": [V2],
        "id": f"urn:uuid:3f1f4c1e-2f0a-4d3e-9d5a-{number:012}",
        "type": ["VerifiableCredential"],
        "issuer": name_of(ISSUER),
        "credentialSubject": {"id": subject, "name": "张伟"},
    }
    method = verification_method(name_of(ISSUER), ISSUER.public_key)
    return sign(document, ISSUER, method, NOW, suites)


def shown(
    holder: AnySigner = HOLDER, count: int = 2, terms: Terms = TERMS, suite: str = ""
) -> dict[str, Any]:
    did = name_of(holder)
    document = verifiable_presentation([award(n, did) for n in range(count)], did)
    return sign_presentation(document, holder, NOW, terms, suite)


def faults(document: Any, terms: Terms = TERMS, minutes: int = 1) -> list[Fault]:
    at = datetime(2026, 11, 24, 12, minutes, tzinfo=UTC)
    return Check(key_in_did_key, at).presentation(document, terms)


@pytest.mark.parametrize("kind", HOLDERS)
@pytest.mark.parametrize("form", ["", "jcs"])
def test_what_a_holder_signs_verifies_and_no_change_does(kind: str, form: str) -> None:
    holder = HOLDERS[kind]
    ed25519 = kind == "Ed25519"
    rdfc, jcs = (RDFC, JCS) if ed25519 else (ECDSA_RDFC, ECDSA_JCS)
    document = shown(holder, suite=jcs if form else "")
    assert document["proof"]["cryptosuite"] == (jcs if form else rdfc)
    assert faults(document) == []
    for change in (
        lambda d: d["verifiableCredential"].pop(),
        lambda d: d["verifiableCredential"].reverse() if form else d.update(id="urn:uuid:other"),
        lambda d: d["verifiableCredential"].append(award(7, name_of(holder))),
        lambda d: d["verifiableCredential"][0].update(id="urn:uuid:other"),
        lambda d: d.update(holder=name_of(ISSUER)),
        lambda d: d.pop("holder"),
        lambda d: d["proof"].pop("challenge"),
        lambda d: d["proof"].update(expires="2027-11-24T13:00:00Z"),
    ):
        changed = copy.deepcopy(document)
        change(changed)
        assert changed != document
        assert faults(changed) != []


def test_what_is_expected_of_it_must_be_in_it() -> None:
    document = shown()
    assert faults(document, Terms(AUTHENTICATION)) == []
    for terms, problem in (
        (Terms(AUTHENTICATION, "other.example", "c-1"), WrongDomain.problem),
        (Terms(AUTHENTICATION, "employer.example", "c-2"), WrongChallenge.problem),
        (Terms(), BadProof.problem),
    ):
        assert [fault.problem for fault in faults(document, terms)] == [problem]
    bare = shown(terms=Terms(AUTHENTICATION))
    assert faults(bare, Terms(AUTHENTICATION)) == []
    assert [f.problem for f in faults(bare, TERMS)] == [WrongDomain.problem]


def test_it_expires() -> None:
    document = shown(terms=Terms(AUTHENTICATION, expires="2026-11-24T12:30:00Z"))
    assert faults(document, Terms(AUTHENTICATION), minutes=29) == []
    [fault] = faults(document, Terms(AUTHENTICATION), minutes=31)
    assert "expired" in fault.reason


def test_only_the_holder_signs_for_the_holder() -> None:
    """Each holder with each key: only the diagonal verifies."""
    for holder in HOLDERS.values():
        document = verifiable_presentation([award(1, name_of(holder))], name_of(holder))
        for signer in HOLDERS.values():
            if signer is not holder:
                with pytest.raises(BadDocument, match="holder is not"):
                    sign_presentation(document, signer, NOW)
            ed25519 = signer.public_key.algorithm == "Ed25519"
            method = verification_method(name_of(signer), signer.public_key)
            suites = (JCS,) if ed25519 else (ECDSA_JCS,)
            signed = sign(document, signer, method, NOW, suites, Terms(AUTHENTICATION))
            assert (faults(signed, Terms(AUTHENTICATION)) == []) is (signer is holder)


def test_a_proof_of_assertion_is_no_presentation() -> None:
    document = shown(terms=Terms())
    [fault] = faults(document, Terms(AUTHENTICATION))
    assert "not authentication" in fault.reason
    assert faults(document, Terms()) == []


def test_each_credential_keeps_its_own_proofs() -> None:
    did = name_of(HOLDER)
    good, changed, bare = award(1, did), award(2, did), award(3, did)
    changed["credentialSubject"]["name"] = "李娜"
    del bare["proof"]
    for bad in (changed, bare):
        document = sign_presentation(
            verifiable_presentation([good, bad], did), HOLDER, NOW, TERMS, JCS
        )
        assert faults(document) != []
    document = sign_presentation(verifiable_presentation([good], did), HOLDER, NOW, TERMS, JCS)
    assert faults(document) == []


def test_what_it_says() -> None:
    document = shown()
    read = read_presentation(document)
    assert read.holder == name_of(HOLDER)
    assert read.credentials == tuple(document["verifiableCredential"])
    assert all(read.shows_own(credential) for credential in read.credentials)
    assert not read.shows_own(award(1, "did:example:another"))
    assert not read.shows_own({**award(1, read.holder), "credentialSubject": []})
    both = [{"id": read.holder}, {"id": "did:example:another"}]
    assert not read.shows_own({**award(1, read.holder), "credentialSubject": both})
    nameless = {name: value for name, value in document.items() if name != "holder"}
    assert read_presentation(nameless).holder == read.holder
    for proof in (None, [], ["x"], [document["proof"], {"verificationMethod": "did:key:z#z"}]):
        with pytest.raises(BadDocument, match="names no holder"):
            read_presentation({**nameless, "proof": proof})


@pytest.mark.parametrize(
    "kind", ["EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation"]
)
def test_enveloped_ones_are_named_as_unsupported(kind: str) -> None:
    document = shown(count=1)
    enveloped = {"@context": V2, "id": "data:application/vc+jwt,e30.e30.AA", "type": kind}
    if kind == "EnvelopedVerifiableCredential":
        inside = {**document, "verifiableCredential": [enveloped]}
        with pytest.raises(BadDocument):
            verifiable_presentation([enveloped], name_of(HOLDER))
        assert any("not" in fault.reason for fault in faults(inside))
    contexts = {**enveloped, "@context": [V2]}
    [fault] = faults(contexts)
    assert "enveloped document is not supported" in fault.reason
    with pytest.raises(BadDocument, match="not supported"):
        read_presentation(contexts)


def test_a_presentation_is_bounded() -> None:
    did = name_of(HOLDER)
    one = award(1, did, (JCS,))
    many = {**shown(count=1), "verifiableCredential": [one] * (MOST_CREDENTIALS + 1)}
    [fault] = faults(many)
    assert "at most" in fault.reason
    most = verifiable_presentation([one] * MOST_CREDENTIALS, did)
    assert faults(sign_presentation(most, HOLDER, NOW, TERMS)) == []


def test_nothing_else_is_read_as_one() -> None:
    for document in (None, [], {}, award(1, "did:example:s")):
        with pytest.raises(BadDocument):
            read_presentation(document)
    with pytest.raises(BadDocument):
        verifiable_presentation([{"type": "VerifiableCredential"}], name_of(HOLDER))
