"""Keys and identifiers: one text for each key, and a clear word for what is none."""

import pytest

from keys import (
    BadIdentifier,
    BadKey,
    BadSignature,
    PrivateKey,
    PublicKey,
    base58_encode,
    did_document,
    did_key,
    did_web,
    did_web_url,
    ed25519,
    verification_method,
)

KEY = PrivateKey.from_seed(bytes(range(32))).public_key


def test_multikey_round_trip() -> None:
    assert KEY.multikey.startswith("z6Mk")
    assert PublicKey.from_multikey(KEY.multikey) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z6Mk",
        KEY.multikey[:-1],
        KEY.multikey + "1",
        KEY.multikey.replace("z6Mk", "z6LS"),
        "u" + KEY.multikey[1:],
        KEY.multikey[:10] + "0" + KEY.multikey[11:],
        "z6Mk" + "1" * 300,
    ],
)
def test_what_is_no_multikey_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        PublicKey.from_multikey(text)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(BadSignature, match=f"this one {length}"):
        KEY.verify(b"m", bytes(length))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(BadKey, match=f"this one {length}"):
        PublicKey(bytes(length))
    with pytest.raises(BadKey, match=f"this one {length}"):
        PrivateKey.from_seed(bytes(length))


def test_identifiers() -> None:
    assert did_key(KEY) == f"did:key:{KEY.multikey}"
    did = did_web("bank.example", "members", "bayu-open")
    assert did == "did:web:bank.example:members:bayu-open"
    assert did_web_url(did) == "https://bank.example/members/bayu-open/did.json"
    assert did_web("localhost:8400") == "did:web:localhost%3A8400"
    assert did_web_url("did:web:localhost%3A8400") == "https://localhost:8400/.well-known/did.json"
    assert verification_method(did, KEY) == f"{did}#{KEY.multikey}"


@pytest.mark.parametrize("domain", ["", "a b", "a/b", "a#b", "ü.example"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(BadIdentifier):
        did_web(domain)
    with pytest.raises(BadIdentifier):
        did_web_url(f"did:web:{domain}")


def test_did_document_names_each_key() -> None:
    document = did_document("did:web:bank.example", [KEY])
    name = verification_method("did:web:bank.example", KEY)
    assert document["assertionMethod"] == [name]
    assert document["verificationMethod"] == [
        {
            "controller": "did:web:bank.example",
            "id": name,
            "publicKeyMultibase": KEY.multikey,
            "type": "Multikey",
        }
    ]


@pytest.mark.parametrize("segment", [".", "..", "..."])
def test_a_path_that_climbs_is_refused(segment: str) -> None:
    with pytest.raises(BadIdentifier):
        did_web("a.example", segment, "x")
    with pytest.raises(BadIdentifier):
        did_web_url(f"did:web:a.example:{segment}:x")
    assert did_web("a.example", "a..b") == "did:web:a.example:a..b"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("u" + KEY.multikey[1:], "would start with z6Mk"),
        (KEY.multikey.replace("z6Mk", "z6Mj"), "would start with z6Mk"),
        ("z6Mk" + "1" * 300, "over the limit"),
        ("z6Mk" + "1" * 60, "not an Ed25519 Multikey: 'z6Mk"),
        ("z" + base58_encode(b"\xed\x02" + KEY.raw), "not an Ed25519 Multikey: 'z6M"),
        ("z" + base58_encode(b"\xed\x00" + KEY.raw), "not an Ed25519 Multikey: 'z6M"),
    ],
)
def test_a_refused_multikey_is_told_why(text: str, says: str) -> None:
    with pytest.raises(BadKey, match=says):
        PublicKey.from_multikey(text)


def test_a_key_read_again_is_the_same_and_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, PublicKey] = {}
    monkeypatch.setattr(ed25519, "_CACHE", kept)
    first = PublicKey.from_multikey(KEY.multikey)
    assert PublicKey.from_multikey(KEY.multikey) is first
    kept.clear()
    kept.update({str(number): KEY for number in range(4095)})
    last = PublicKey.from_multikey(KEY.multikey)
    assert len(kept) == 4096
    other = PrivateKey.from_seed(b"o" * 32).public_key.multikey
    assert PublicKey.from_multikey(other) is not PublicKey.from_multikey(other)
    assert len(kept) == 4096
    assert PublicKey.from_multikey(KEY.multikey) is last


def test_a_key_pair_keeps_its_seed_to_itself() -> None:
    seed = bytes(range(32))
    pair = PrivateKey.from_seed(seed)
    assert pair.seed == seed
    assert repr(pair) == f"PrivateKey(public_key={KEY!r})"
    assert KEY.algorithm == "Ed25519"


def test_new_keys_differ_and_sign() -> None:
    one, other = PrivateKey.generate(), PrivateKey.generate()
    assert one.seed != other.seed
    assert len(one.seed) == 32
    one.public_key.verify(b"m", one.sign(b"m"))
    with pytest.raises(BadSignature):
        other.public_key.verify(b"m", one.sign(b"m"))
