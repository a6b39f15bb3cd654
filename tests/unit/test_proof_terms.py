"""Proofs say what they are for, whose they are, and build on one another."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
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
    add_proof,
    commitment,
    key_in_did_key,
    key_in_method,
    sign,
    verify_proofs,
)
from credentials.errors import BadDocument, WrongChallenge, WrongDomain
from credentials.proofs import ED25519_2020, ProofResult, only_suite
from credentials.verifiable import Check
from keys import AnySigner, BadKey, Json, PrivateKey, base58_encode, encode
from keys.ecdsa import EcdsaPrivateKey, EcdsaPublicKey

V2 = "https://www.w3.org/ns/credentials/v2"
NOW = "2026-11-24T12:00:00Z"
SIGNERS: dict[str, AnySigner] = {
    "Ed25519": PrivateKey.from_seed(b"e" * 32),
    "P-256": EcdsaPrivateKey.from_secret("P-256", 7),
    "P-384": EcdsaPrivateKey.from_secret("P-384", 8),
}
SUITES = {
    "Ed25519": (RDFC, JCS),
    "P-256": (ECDSA_RDFC, ECDSA_JCS),
    "P-384": (ECDSA_RDFC, ECDSA_JCS),
}


def did(signer: AnySigner) -> str:
    return f"did:key:{signer.public_key.multikey}"


def method(signer: AnySigner) -> str:
    return f"{did(signer)}#{signer.public_key.multikey}"


def credential(issuer: str) -> dict[str, Any]:
    return {
        "@context": [V2],
        "id": "urn:uuid:3f1f4c1e-2f0a-4d3e-9d5a-0d9a3e9c1b11",
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": {"id": "did:example:subject", "name": "张伟"},
    }


def signed(
    signer: AnySigner, terms: Terms | None = None, suites: tuple[str, ...] = ()
) -> dict[str, Any]:
    chosen = suites or SUITES[signer.public_key.algorithm]
    document = credential(did(signer))
    return sign(document, signer, method(signer), NOW, chosen, terms or Terms())


@pytest.mark.parametrize("kind", SIGNERS)
def test_each_kind_of_key_signs_both_ways(kind: str) -> None:
    document = signed(SIGNERS[kind])
    assert [r.passed for r in verify_proofs(document, key_in_did_key)] == [True, True]
    changed = {**document, "credentialSubject": {"id": "did:example:other", "name": "张伟"}}
    for result in verify_proofs(changed, key_in_did_key):
        assert result.error is not None
        assert "does not match" in result.error
        assert result.problem == BadProof.problem


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_suite_takes_its_own_kind_of_key(kind: str) -> None:
    for other, suites in SUITES.items():
        if suites != SUITES[kind]:
            with pytest.raises(BadProof, match=f"a key of {kind} makes no proof"):
                signed(SIGNERS[kind], suites=suites)
            document = signed(SIGNERS[other])
            for proof in document["proof"]:
                proof["verificationMethod"] = method(SIGNERS[kind])
            errors = [r.error for r in verify_proofs(document, key_in_did_key)]
            assert errors == [f"a key of {kind} makes no proof of {suite}" for suite in suites]


def test_only_the_issuers_own_key_will_do() -> None:
    """Each issuer with each key: only the diagonal verifies."""
    check = Check(key_in_did_key, datetime(2026, 11, 24, 13, tzinfo=UTC))
    for issuer in SIGNERS.values():
        for signer in SIGNERS.values():
            suites = SUITES[signer.public_key.algorithm]
            document = sign(credential(did(issuer)), signer, method(signer), NOW, suites)
            faults = check.credential(document)
            assert bool(faults) is (issuer is not signer)
            assert all(f"not {did(issuer)}" in fault.reason for fault in faults)
            # Saying that the key is the issuer's makes it no more so.
            for proof in document["proof"]:
                multikey = signer.public_key.multikey
                proof["verificationMethod"] = f"{did(issuer)}#{multikey}"
            assert bool(check.credential(document)) is (issuer is not signer)


def test_purpose_domain_and_challenge() -> None:
    made = Terms(AUTHENTICATION, "a.example", "c1", "2030-01-01T00:00:00Z")
    document = signed(SIGNERS["Ed25519"], made)

    def problems(terms: Terms) -> set[str]:
        return {result.problem for result in verify_proofs(document, key_in_did_key, terms)}

    assert problems(made) == problems(Terms(AUTHENTICATION)) == {""}
    assert problems(Terms()) == {BadProof.problem}
    assert problems(Terms(AUTHENTICATION, "b.example", "c1")) == {WrongDomain.problem}
    assert problems(Terms(AUTHENTICATION, "a.example", "c2")) == {WrongChallenge.problem}
    bare = signed(SIGNERS["Ed25519"], Terms(AUTHENTICATION))
    for result in verify_proofs(bare, key_in_did_key, Terms(AUTHENTICATION, None, "c1")):
        assert result.problem == WrongChallenge.problem
    # They are signed: nobody can put them in afterwards.
    for proof in document["proof"]:
        proof["challenge"] = "c2"
    changed = verify_proofs(document, key_in_did_key, Terms(AUTHENTICATION, "a.example", "c2"))
    assert all(result.problem == BadProof.problem for result in changed)


@pytest.mark.parametrize(
    "name", ["did:key:invalid", "did:key:z6Mk#z6Mk", "did:web:a.example#{key}", "#{key}", "{key}"]
)
def test_methods_that_name_no_key(name: str) -> None:
    key = SIGNERS["Ed25519"].public_key.multikey
    with pytest.raises(BadProof, match="verification method"):
        key_in_did_key(name.format(key=key))
    assert key_in_method(f"did:web:a.example#{key}").multikey == key


def test_ecdsa_keys_have_one_form() -> None:
    key = SIGNERS["P-256"].public_key
    assert isinstance(key, EcdsaPublicKey)
    assert EcdsaPublicKey.from_multikey(key.multikey) == key
    assert key.multikey.startswith("zDn")
    assert SIGNERS["P-384"].public_key.multikey.startswith("z82")
    code = b"\x80\x24"
    bad = [
        code + b"\x04" + key.raw[1:],
        code + key.raw + b"\0",
        code + key.raw[:-1],
        code + b"\x02" + bytes(31) + b"\x01",  # x = 1 is on no point of the curve
        code + b"\x02" + b"\xff" * 32,
        b"\x81\x24" + key.raw,
        b"\xed\x01" + key.raw[1:],
        code + bytes(33),
    ]
    for data in bad:
        with pytest.raises(BadKey):
            EcdsaPublicKey.from_multikey("z" + base58_encode(data))
    for text in ("", "z", "u" + key.multikey[1:], key.multikey + "1", "z0OIl"):
        with pytest.raises(BadKey):
            EcdsaPublicKey.from_multikey(text)


@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_ecdsa_signatures_that_are_none(kind: str) -> None:
    signer = SIGNERS[kind]
    good = signer.sign(b"message")
    signer.public_key.verify(b"message", good)
    assert signer.sign(b"message") == good
    half = len(good) // 2
    for bad in (
        bytes(len(good)),
        good[:-1],
        good + b"\0",
        good[:half] + bytes(half),
        b"",
        bytes(half) + good[half:],
        b"\xff" * len(good),
    ):
        with pytest.raises(Exception, match="signature"):
            signer.public_key.verify(b"message", bad)


def chained(suite: str = JCS) -> dict[str, Any]:
    """A credential signed by its issuer, then twice more: over the first, and over both."""
    issuer, second = SIGNERS["Ed25519"], PrivateKey.from_seed(b"s" * 32)
    document = credential(did(issuer))
    first, then = "urn:uuid:proof-1", "urn:uuid:proof-2"
    document = add_proof(document, issuer, method(issuer), NOW, suite, identifier=first)
    assert document["proof"]["id"] == first  # type: ignore[call-overload,index]
    document = add_proof(
        document, second, method(second), NOW, suite, identifier=then, previous=[first]
    )
    return add_proof(document, issuer, method(issuer), NOW, suite, previous=[first, then])


def errors(document: dict[str, Any]) -> list[str | None]:
    results = verify_proofs(document, key_in_did_key)
    return [result.error if result.understood else "not understood" for result in results]


@pytest.mark.parametrize("suite", [JCS, RDFC])
def test_a_chain_of_proofs(suite: str) -> None:
    document = chained(suite)
    first, second, third = document["proof"]
    assert second["previousProof"] == first["id"]
    assert third["previousProof"] == [first["id"], second["id"]]
    assert errors(document) == [None, None, None]
    # Each proof is over those it names and no others, so a later one may go.
    assert errors({**document, "proof": [first, second]}) == [None, None]
    for kept in ([second, third], [first, third]):
        assert any("no earlier proof" in (e or "") for e in errors({**document, "proof": kept}))


def test_a_chain_falls_with_its_first_proof() -> None:
    document = chained()
    first = document["proof"][0]
    stranger = PrivateKey.from_seed(b"x" * 32)
    forged = {**first, "verificationMethod": method(stranger)}
    # Who can sign later links may build on what does not verify: they are no better than it.
    links = {**credential(document["issuer"]), "proof": forged}
    second = PrivateKey.from_seed(b"s" * 32)
    links = add_proof(
        links, second, method(second), NOW, JCS, identifier="urn:uuid:p2", previous=[first["id"]]
    )
    links = add_proof(links, second, method(second), NOW, JCS, previous=["urn:uuid:p2"])
    one, two, three = errors(links)
    assert one is not None
    assert "does not match" in one
    assert two == f"the proof {first['id']!r}, on which it builds, does not verify"
    assert three == "the proof 'urn:uuid:p2', on which it builds, does not verify"
    # Nor is a link any better than one of a kind that is not known.
    unknown = {**first, "cryptosuite": "bbs-2023"}
    links = add_proof(
        {**links, "proof": unknown}, second, method(second), NOW, JCS, previous=[first["id"]]
    )
    results = verify_proofs(links, key_in_did_key)
    assert results[1].problem == BadProof.problem
    assert [result.understood for result in results] == [False, True]
    assert not any(result.passed for result in results)


@pytest.mark.parametrize("named", [[], "", 7, [7], [["urn:uuid:proof-1"]], {}, None, ["", "a"]])
def test_earlier_proofs_are_named_by_their_ids(named: Any) -> None:
    document = chained()
    document["proof"][1]["previousProof"] = named
    assert errors(document)[1] is not None
    assert "previousProof is not the id" in str(errors(document)[1])


def test_proofs_are_added_to_what_is_there() -> None:
    issuer = SIGNERS["Ed25519"]
    document = chained()

    def add(**more: Any) -> dict[str, Any]:
        return add_proof(document, issuer, method(issuer), NOW, JCS, **more)

    assert errors(add()) == [None] * 4
    with pytest.raises(BadProof, match="no earlier proof"):
        add(previous=["urn:uuid:none"])
    with pytest.raises(BadProof, match="already"):
        add(identifier="urn:uuid:proof-1")
    with pytest.raises(BadProof, match="a key of Ed25519 makes no proof"):
        add_proof(document, issuer, method(issuer), NOW, ECDSA_JCS)
    document["proof"] = document["proof"][:1] * 8
    with pytest.raises(BadProof, match="the most there may be"):
        add()


@pytest.mark.parametrize("field", ["id", "nonce", "challenge"])
def test_fields_that_are_text(field: str) -> None:
    issuer = SIGNERS["Ed25519"]
    document = credential(did(issuer))
    signed_by = {"type": "DataIntegrityProof", "verificationMethod": method(issuer)}
    for value, good in (("urn:uuid:x", True), (["urn:uuid:x"], False), (7, False), ({}, False)):
        options = {
            **signed_by,
            "@context": document["@context"],
            "cryptosuite": JCS,
            "created": NOW,
            "proofPurpose": "assertionMethod",
            field: value,
        }
        data = b"".join(sha256(encode(part)).digest() for part in (options, document))
        proof = {**options, "proofValue": "z" + base58_encode(issuer.sign(data))}
        assert (errors({**document, "proof": proof}) == [None]) is good


ISSUER = SIGNERS["Ed25519"]
TWO = signed(ISSUER)


def test_a_result_says_all_of_its_proof() -> None:
    expires = "2030-01-01T00:00:00Z"
    document = signed(ISSUER, Terms(expires=expires), (JCS,))
    (result,) = verify_proofs(document, key_in_did_key)
    assert result == ProofResult(JCS, method(ISSUER), NOW, expires, True, None, "")
    strange = {"type": "X", "verificationMethod": 7, "created": []}
    results = verify_proofs({**document, "proof": ["x", strange]}, key_in_did_key)
    assert results == (
        ProofResult("", "", "", "", True, "a proof is not an object", BadProof.problem),
        ProofResult("X", "", "", "", False, None, ""),
    )
    for proof, suite in (
        ({"type": "DataIntegrityProof", "cryptosuite": "x"}, "x"),
        ({"type": "X", "cryptosuite": JCS}, JCS),
        ({"type": "DataIntegrityProof", "cryptosuite": ED25519_2020}, ED25519_2020),
        ({"type": ED25519_2020, "cryptosuite": JCS}, JCS),
        ({"type": ED25519_2020, "cryptosuite": 7}, ED25519_2020),
        ({"type": "DataIntegrityProof"}, "DataIntegrityProof"),
        ({}, ""),
    ):
        (result,) = verify_proofs({**document, "proof": proof}, key_in_did_key)
        assert (result.suite, result.understood, result.passed) == (suite, False, False)


def test_one_to_eight_proofs_are_checked() -> None:
    proof = TWO["proof"][1]
    assert errors({**TWO, "proof": [proof] * 8}) == [None] * 8
    bare = {name: value for name, value in TWO.items() if name != "proof"}
    for document in (bare, {**bare, "proof": []}, {**bare, "proof": [proof] * 9}):
        with pytest.raises(BadProof, match="carries no proof, or more than 8"):
            verify_proofs(document, key_in_did_key)
    assert errors({**bare, "proof": proof}) == [None]
    assert errors({**bare, "proof": None}) == ["a proof is not an object"]


def test_the_proofs_of_one_suite() -> None:
    rdfc, jcs = TWO["proof"]
    assert only_suite(TWO, JCS) == {**TWO, "proof": jcs}
    assert only_suite({**TWO, "proof": rdfc}, RDFC) == {**TWO, "proof": rdfc}
    assert only_suite({**TWO, "proof": [jcs, "x", rdfc, jcs]}, JCS)["proof"] == [jcs, jcs]
    for document in (TWO, {**TWO, "proof": []}, {**TWO, "proof": "x"}):
        with pytest.raises(BadProof, match="the document has no ecdsa-jcs-2019 proof"):
            only_suite(document, ECDSA_JCS)


def test_a_commitment_is_the_hash_of_everything_but_the_proofs() -> None:
    wanted = sha256(encode(credential(did(ISSUER)))).digest()
    assert commitment(TWO) == commitment(credential(did(ISSUER))) == wanted
    assert commitment({**TWO, "name": "x"}) != wanted


@pytest.mark.parametrize("created", ["", "today", "2026-02-30T00:00:00Z"])
def test_nothing_is_signed_without_a_time(created: str) -> None:
    document = credential(did(ISSUER))
    with pytest.raises(BadDocument, match=r"^created is not a time"):
        sign(document, ISSUER, method(ISSUER), created, (JCS,))
    with pytest.raises(BadDocument, match=r"^created is not a time"):
        add_proof(document, ISSUER, method(ISSUER), created, JCS)


def test_no_other_suite_can_be_made() -> None:
    for suite in (ED25519_2020, "x", ""):
        with pytest.raises(BadProof, match="a key of Ed25519 makes no proof"):
            signed(ISSUER, suites=(suite,))


def made(**changes: Any) -> dict[str, Any]:
    """A JCS proof with these options, signed as it stands; None leaves one out."""
    document = credential(did(ISSUER))
    options: dict[str, Any] = {
        "@context": document["@context"],
        "created": NOW,
        "cryptosuite": JCS,
        "proofPurpose": "assertionMethod",
        "type": "DataIntegrityProof",
        "verificationMethod": method(ISSUER),
        **changes,
    }
    options = {name: value for name, value in options.items() if value is not None}
    data = b"".join(sha256(encode(part)).digest() for part in (options, document))
    return {**document, "proof": {**options, "proofValue": "z" + base58_encode(ISSUER.sign(data))}}


def test_every_known_option_may_stand_in_a_proof_and_no_other() -> None:
    assert errors(made()) == [None]
    known = {"nonce": "n", "id": "urn:x", "expires": NOW, "challenge": "c", "domain": "a.example"}
    assert errors(made(**known)) == [None]
    assert errors(made(created=None)) == [None]
    for name in ("colour", "Created", "y" * 50):
        (error,) = errors(made(**{name: "x", "zz": "x"}))
        assert error == f"the proof has a field that is not understood: {name[:40]!r}"


@pytest.mark.parametrize(
    ("changes", "problem", "error"),
    [
        ({"proofPurpose": None}, BadProof.problem, "the proof is for None, not assertionMethod"),
        ({"expires": ["x"]}, BadDocument.problem, "expires is not a time"),
        ({"created": "x"}, BadDocument.problem, "created is not a time"),
        ({"@context": ["x"]}, BadProof.problem, "the document's @context is not the one"),
        ({"verificationMethod": None}, BadProof.problem, "the verification method ''"),
        ({"challenge": 7}, BadProof.problem, "the proof's challenge is not text"),
    ],
)
def test_what_is_wrong_with_a_proof(changes: dict[str, Any], problem: str, error: str) -> None:
    (result,) = verify_proofs(made(**changes), key_in_did_key)
    assert (result.problem, result.passed) == (problem, False)
    assert str(result.error).startswith(error)


def test_a_domain_may_be_one_of_several() -> None:
    for domain, wanted, good in (
        (["a.example", "b.example"], "b.example", True),
        (["a.example"], "b.example", False),
        ("b.example", "b.example", True),
        ("a.b.example", "b.example", False),
        (None, "b.example", False),
        (None, None, True),
    ):
        (result,) = verify_proofs(made(domain=domain), key_in_did_key, Terms(domain=wanted))
        assert result.passed is good
        assert result.problem == ("" if good else WrongDomain.problem)


@pytest.mark.parametrize("value", [None, 7, "", "x", "z", "u" + "1" * 88, "z0OIl", "z1x"])
def test_proof_values_that_are_none(value: Any) -> None:
    document = made()
    document["proof"]["proofValue"] = value
    (result,) = verify_proofs(document, key_in_did_key)
    assert (result.problem, result.passed) == (BadProof.problem, False)


def test_a_proof_carries_the_context_it_signs_only_under_jcs() -> None:
    rdfc, jcs = TWO["proof"]
    assert jcs["@context"] == TWO["@context"]
    assert "@context" not in rdfc
    plain = {"id": "urn:x"}
    proof = sign(plain, ISSUER, method(ISSUER), NOW, (JCS,))["proof"]
    assert isinstance(proof, dict)
    assert set(proof) == {
        *("type", "created", "cryptosuite", "proofPurpose", "proofValue", "verificationMethod")
    }
    assert errors({**plain, "proof": proof}) == [None]


def test_added_proofs_are_plain_where_they_build_on_none() -> None:
    document = credential(did(ISSUER))
    once = add_proof(document, ISSUER, method(ISSUER), NOW, JCS)
    assert isinstance(once["proof"], dict)
    assert not {"id", "previousProof"} & set(once["proof"])
    twice = add_proof(once, ISSUER, method(ISSUER), NOW, RDFC, Terms(AUTHENTICATION, "d", "c"))
    assert isinstance(twice["proof"], list)
    assert twice["proof"][0] == once["proof"]
    later = twice["proof"][1]
    assert isinstance(later, dict)
    assert (later["proofPurpose"], later["domain"], later["challenge"]) == (
        *(AUTHENTICATION, "d", "c"),
    )
    assert errors(twice)[0] is None
    (_, second) = verify_proofs(twice, key_in_did_key, Terms(AUTHENTICATION, "d", "c"))
    assert second.passed
    many = {**document, "proof": [once["proof"]] * 7}
    assert errors(add_proof(many, ISSUER, method(ISSUER), NOW, JCS)) == [None] * 8


def test_a_chain_beside_what_is_no_proof() -> None:
    document = chained()
    document["proof"].insert(0, "x")
    assert errors(document) == ["a proof is not an object", None, None, None]


@pytest.mark.parametrize(("kind", "wanted"), [("P-256", "sha256"), ("P-384", "sha384")])
def test_blank_nodes_are_ordered_by_the_hash_of_the_curve(kind: str, wanted: str) -> None:
    asked: list[str] = []

    def canonicalise(document: Json, digest: str = "none") -> bytes:
        asked.append(digest)
        return encode(document)

    signer = SIGNERS[kind]
    document = credential(did(signer))
    sign(document, signer, method(signer), NOW, (ECDSA_RDFC,), Terms(), canonicalise)
    assert asked == [wanted, wanted]
