"""Identifiers: the did:web forms that are refused, and the key that a name carries."""

import pytest

from keys import (
    BadIdentifier,
    PrivateKey,
    PublicKey,
    did_document,
    did_key,
    did_web,
    did_web_url,
    verification_method,
)

KEYS = [PrivateKey.from_seed(bytes([n]) * 32).public_key for n in range(3)]


@pytest.mark.parametrize("key", KEYS)
def test_the_key_is_readable_from_its_name(key: PublicKey) -> None:
    assert PublicKey.from_multikey(did_key(key).removeprefix("did:key:")) == key
    name = verification_method("did:web:bank.example", key)
    assert PublicKey.from_multikey(name.partition("#")[2]) == key


def test_a_host_is_written_small_and_its_port_escaped() -> None:
    did = did_web("Bank.Example:8080", "a", "B")
    assert did == "did:web:bank.example%3A8080:a:B"
    assert did_web_url(did) == "https://bank.example:8080/a/B/did.json"


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:web:",
        "did:key:z6Mk",
        "DID:web:a.example",
        "did:web:A.example",
        "did:web:a.example:",
        "did:web:a.example::b",
        "did:web:a.example%3a80",
        "did:web:a.example%3A",
        "did:web:a.example%2Fb",
        "did:web:a.example:b/c",
        "did:web:a.example#key",
        "did:web:a.example?b",
        "did:web:user@a.example",
        "did:web:a.example\n",
        " did:web:a.example",
    ],
)
def test_other_spellings_are_refused(did: str) -> None:
    with pytest.raises(BadIdentifier):
        did_web_url(did)


@pytest.mark.parametrize("segment", ["", "a/b", "a b", "a#b", "%2e", "\u00fc"])
def test_a_path_segment_of_other_characters_is_refused(segment: str) -> None:
    with pytest.raises(BadIdentifier):
        did_web("bank.example", segment)


def test_a_document_names_every_key_under_both_purposes() -> None:
    did = "did:web:bank.example"
    document = did_document(did, KEYS)
    names = [verification_method(did, key) for key in KEYS]
    assert document["id"] == did
    assert document["assertionMethod"] == document["authentication"] == names
    assert did_document(did, [])["verificationMethod"] == []
