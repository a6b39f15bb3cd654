"""A did:web is fetched only when asked for, only from public addresses, and only as itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bank.did_fetch import fetch_did
from bank.errors import BadRequest
from credentials import key_in_did_key, resolve_among, sign
from credentials.verifiable import Check
from keys import BadIdentifier, PrivateKey, did_document

DID = "did:web:issuer.example"
KEY = PrivateKey.from_seed(b"d" * 32)
DOCUMENT = did_document(DID, [KEY.public_key])
PUBLIC = "93.184.216.34"


def fetched(
    answer: Callable[[httpx.Request], httpx.Response] | None = None,
    addresses: list[str] | None = None,
    did: str = DID,
) -> bytes:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(request) if answer else httpx.Response(200, json=DOCUMENT)

    found = [PUBLIC] if addresses is None else addresses
    data = fetch_did(did, lambda host, port: found, httpx.MockTransport(respond))
    (request,) = asked
    assert request.url.scheme == "https"
    assert request.url.host == found[0]
    assert request.headers["host"] == "issuer.example"
    assert request.extensions["sni_hostname"] == "issuer.example"
    return data


def test_the_address_that_was_looked_at_is_the_one_called() -> None:
    assert json.loads(fetched()) == DOCUMENT
    assert json.loads(fetched(addresses=["2606:2800:220:1::1"])) == DOCUMENT


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "100.64.0.1",
        "224.0.0.1",
    ],
)
def test_no_address_that_is_not_public(address: str) -> None:
    for addresses in ([address], [PUBLIC, address]):
        with pytest.raises(BadRequest, match="not a public address"):
            fetched(addresses=addresses)


def test_what_is_found_must_be_the_document() -> None:
    other = {**DOCUMENT, "id": "did:web:other.example"}
    cases: list[tuple[httpx.Response, str]] = [
        (httpx.Response(302, headers={"Location": "http://127.0.0.1/"}), "answered 302"),
        (httpx.Response(404), "answered 404"),
        (httpx.Response(200, json=other), "not its DID document"),
        (httpx.Response(200, content=b"{"), "cannot be read"),
        (httpx.Response(200, content=b" " * 70_000), "over 65536 bytes"),
    ]
    for response, reason in cases:
        with pytest.raises(BadRequest, match=reason):
            fetched(lambda _, response=response: response)  # type: ignore[misc]
    with pytest.raises(BadRequest, match="no address"):
        fetched(addresses=[])
    with pytest.raises(BadIdentifier):
        fetched(did="did:key:z6Mk")


def test_a_hosts_failure_is_one_sentence() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too slow")

    with pytest.raises(BadRequest, match="cannot be reached: too slow"):
        fetched(fail)


def credential() -> dict[str, Any]:
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"id": "did:example:subject", "name": "x"},
    }
    method = f"{DID}#{KEY.public_key.multikey}"
    return sign(document, KEY, method, "2026-11-24T12:00:00Z")


def test_its_keys_verify_what_it_issued() -> None:
    at = datetime(2026, 11, 25, tzinfo=UTC)

    def check(*documents: Any) -> Check:
        return Check(key_in_did_key, at, resolve=resolve_among(documents))

    assert check(DOCUMENT).credential(credential()) == []
    for documents in ([], [{**DOCUMENT, "id": "did:web:other.example"}], ["x"], [None]):
        (fault, *_) = check(*documents).credential(credential())
        assert "there is no DID document" in fault.reason
    assert Check(key_in_did_key, at).credential(credential())
