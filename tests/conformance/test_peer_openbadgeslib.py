"""Credentials of the bank in openbadgeslib, an Open Badges 3.0 library in Python.

It knows `eddsa-rdfc-2022` alone of the two cryptosuites: of a set of proofs it takes the one it
knows and passes over the others in silence, so here it speaks for that proof only. It canonises
with PyLD, as the bank's slow path does; @digitalbazaar/vc is the peer that shares no code with us.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from openbadgeslib.ob3 import OB3LdpVerifier, OB3VerificationError, add_data_integrity_proof

from credentials import (
    JCS,
    RDFC,
    REVOCATION,
    StatusList,
    key_in_method,
    status_list_credential,
    verify_proofs,
)
from keys import did_web_url, verification_method

if TYPE_CHECKING:
    from conftest import Issued

STATUS_URL = "https://chongqing.creditbank.example/status/3"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("openbadgeslib went to the network")

    monkeypatch.setattr("socket.socket.connect", refuse)


def web(*documents: tuple[str, Any]) -> Callable[[str], bytes]:
    """A fetcher, for openbadgeslib's `download`, that knows these documents and no others."""
    pages = {url: json.dumps(document).encode() for url, document in documents}
    return pages.__getitem__


def did_page(issued: Issued) -> tuple[str, Any]:
    return did_web_url(str(issued.controller["id"])), issued.controller


def check(issued: Issued, credential: Any, **options: Any) -> Any:
    text = json.dumps(credential, ensure_ascii=False)
    return OB3LdpVerifier().verify(text, download=web(did_page(issued)), **options)


def with_proof(credential: dict[str, Any], suite: str) -> dict[str, Any]:
    [proof] = [proof for proof in credential["proof"] if proof["cryptosuite"] == suite]
    return {**credential, "proof": proof}


def test_it_verifies_what_the_bank_issues(issued: Issued) -> None:
    subject: Any = issued.credential["credentialSubject"]
    for credential in (issued.credential, with_proof(issued.credential, RDFC)):
        badge = check(issued, credential)
        assert badge.id == credential["id"]
        assert badge.issuer.id == issued.controller["id"]
        assert badge.achievement.name == credential["name"]
        assert badge.credits_earned == subject["creditsEarned"]
        assert badge.achievement.credits_available == 16.5
        [learner] = badge.identifiers
        assert (learner.identity_type, learner.hashed) == ("name", False)
        assert learner.identity_hash == subject["identifier"][0]["identityHash"]
        assert [result.value for result in badge.results] == [
            result["value"] for result in subject.get("result", [])
        ]
        assert [alignment.target_code for alignment in badge.achievement.alignments] == [
            "4",
            "standard-credit",
        ]
        until = credential.get("validUntil")
        assert badge.expiration_date == (until and datetime.fromisoformat(until))


def test_it_makes_the_same_proof(issued: Issued) -> None:
    pem = Ed25519PrivateKey.from_private_bytes(issued.signer.seed).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    signed = add_data_integrity_proof(
        issued.unsecured, pem, issued.method, created=datetime.fromisoformat(issued.created)
    )
    assert [result.passed for result in verify_proofs(signed, key_in_method)] == [True]
    assert signed == with_proof(issued.credential, RDFC)


def test_it_does_not_know_the_jcs_suite(one: Issued) -> None:
    with pytest.raises(OB3VerificationError, match="found: eddsa-jcs-2022"):
        check(one, with_proof(one.credential, JCS))


def test_it_passes_over_the_proof_it_does_not_know(one: Issued) -> None:
    broken = copy.deepcopy(one.credential)
    [jcs] = [proof for proof in broken["proof"] if proof["cryptosuite"] == JCS]
    jcs["created"] = "2024-07-01T08:30:01Z"
    assert check(one, broken).id == broken["id"]
    results = verify_proofs(broken, key_in_method)
    assert {result.suite: result.passed for result in results} == {RDFC: True, JCS: False}


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Something else"), ("validUntil", "2099-01-02T23:59:59Z")],
)
def test_one_changed_value_fails_in_both(one: Issued, field: str, value: str) -> None:
    altered = {**one.credential, field: value}
    with pytest.raises(OB3VerificationError, match="signature mismatch"):
        check(one, altered)
    assert [result.passed for result in verify_proofs(altered, key_in_method)] == [False, False]


def test_a_changed_learner_fails_in_both(one: Issued) -> None:
    altered = copy.deepcopy(one.credential)
    altered["credentialSubject"]["identifier"][0]["identityHash"] = "Someone else"
    with pytest.raises(OB3VerificationError, match="signature mismatch"):
        check(one, altered)
    assert [result.passed for result in verify_proofs(altered, key_in_method)] == [False, False]


def test_a_key_the_issuer_does_not_list_is_refused(one: Issued) -> None:
    other = copy.deepcopy(one.controller)
    other["verificationMethod"][0]["id"] = verification_method(
        str(one.controller["id"]), type(one.signer).from_seed(bytes(32)).public_key
    )
    url, _ = did_page(one)
    with pytest.raises(OB3VerificationError, match="no verificationMethod with id"):
        OB3LdpVerifier().verify(one.credential, download=web((url, other)))


@pytest.mark.parametrize("set_bits", [[76, 78], [77]], ids=["valid", "revoked"])
def test_it_reads_the_banks_status_list(one: Issued, set_bits: list[int]) -> None:
    """It reads the list's bits, and checks its signature only if it is a JWT, as ours is not."""
    page = status_list_credential(
        STATUS_URL,
        str(one.controller["id"]),
        REVOCATION,
        StatusList.of(set_bits),
        "2024-07-01T00:00:00Z",
        "2099-07-02T00:00:00Z",
    )
    documents = web(did_page(one), (STATUS_URL, page))

    def ask(verify_status_list: bool) -> Any:
        return OB3LdpVerifier().verify(
            one.credential,
            check_status=True,
            verify_status_list=verify_status_list,
            download=documents,
        )

    with pytest.raises(OB3VerificationError, match="is not a signed JWT-VC"):
        ask(verify_status_list=True)
    if 77 in set_bits:
        with pytest.raises(OB3VerificationError, match="status 'revocation' is set at index 77"):
            ask(verify_status_list=False)
    else:
        assert ask(verify_status_list=False).id == one.credential["id"]
