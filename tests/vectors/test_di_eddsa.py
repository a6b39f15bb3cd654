"""The published examples of the W3C's Data Integrity EdDSA Cryptosuites v1.0, appendix B."""

from __future__ import annotations

import copy
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from credentials import JCS, RDFC, SUITES, BadDocument, key_in_method, sign, verify_proofs
from credentials.rdf import canonical_nquads, canonical_nquads_reference, contexts, shapes
from keys import PrivateKey, base58_decode, base58_encode, encode

VECTORS = json.loads(Path(__file__).with_name("di-eddsa.json").read_text("utf-8"))
EXAMPLES = {example["section"]: example for example in VECTORS["examples"]}
SECRET_KEY_PREFIX = bytes.fromhex("8026")

each_example = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
each_suite = pytest.mark.parametrize("section", ["B.1", "B.3"], ids=[RDFC, JCS])


@pytest.fixture
def example_contexts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the examples' contexts be known, and nothing learnt of them outlive the test."""
    for number, (url, document) in enumerate(VECTORS["contexts"].items()):
        path = tmp_path / f"{number}.json"
        path.write_bytes(encode(document))
        monkeypatch.setitem(contexts._KNOWN, url, (str(path), sha256(encode(document)).hexdigest()))
    monkeypatch.setattr(shapes, "_shapes", shapes.Shapes())


def signer() -> PrivateKey:
    secret = base58_decode(VECTORS["secretKeyMultibase"].removeprefix("z"))
    assert secret[:2] == SECRET_KEY_PREFIX
    return PrivateKey.from_seed(secret[2:])


def unsecured(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


def options_of(example: dict[str, Any]) -> dict[str, Any]:
    """The proof's options as they are hashed: without its value, with the document's context."""
    signed = example["signed"]
    options = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
    return {**options, "@context": signed["@context"]}


def canonical(example: dict[str, Any], document: dict[str, Any]) -> list[bytes]:
    """The document's canonical bytes, by each way there is here."""
    if example["suite"] == JCS:
        return [encode(document)]
    # The third time, the fast path has learnt the document's shape.
    return [canonical_nquads_reference(document), *(canonical_nquads(document) for _ in range(3))]


def published(text: str | list[str]) -> bytes:
    return (text if isinstance(text, str) else "".join(f"{line}\n" for line in text)).encode()


def errors(document: dict[str, Any]) -> list[str | None]:
    results = verify_proofs(document, key_in_method)
    return [result.error if result.understood else "not understood" for result in results]


def altered(section: str, **changes: Any) -> dict[str, Any]:
    """An example's signed document, some members of its proof changed (None: removed)."""
    document = copy.deepcopy(EXAMPLES[section]["signed"])
    proof = {**document["proof"], **changes}
    document["proof"] = {name: value for name, value in proof.items() if value is not None}
    return document


def test_the_key_pair() -> None:
    assert signer().public_key.multikey == VECTORS["publicKeyMultibase"]


@pytest.mark.usefixtures("example_contexts")
@each_example
def test_the_canonical_document_and_its_hash(example: dict[str, Any]) -> None:
    expected = published(example["canonicalDocument"])
    assert set(canonical(example, unsecured(example["signed"]))) == {expected}
    assert sha256(expected).hexdigest() == example["documentHash"]


@pytest.mark.usefixtures("example_contexts")
@each_example
def test_the_canonical_proof_options_and_their_hash(example: dict[str, Any]) -> None:
    expected = published(example["canonicalOptions"])
    assert set(canonical(example, options_of(example))) == {expected}
    assert sha256(expected).hexdigest() == example["optionsHash"]


@each_example
def test_the_signature_of_the_two_hashes(example: dict[str, Any]) -> None:
    assert example["combinedHash"] == example["optionsHash"] + example["documentHash"]
    message, signature = bytes.fromhex(example["combinedHash"]), bytes.fromhex(example["signature"])
    assert signer().sign(message) == signature
    assert base58_decode(example["signed"]["proof"]["proofValue"].removeprefix("z")) == signature
    signer().public_key.verify(message, signature)


@pytest.mark.usefixtures("example_contexts")
@each_example
def test_signing_gives_the_published_document(example: dict[str, Any]) -> None:
    signed, proof = example["signed"], example["signed"]["proof"]
    assert (
        sign(signed, signer(), proof["verificationMethod"], proof["created"], [example["suite"]])
        == signed
    )


@pytest.mark.usefixtures("example_contexts")
@each_example
def test_the_published_document_verifies(example: dict[str, Any]) -> None:
    [result] = verify_proofs(example["signed"], key_in_method)
    assert result.passed
    assert (result.suite, result.created) == (example["suite"], "2023-02-24T23:36:38Z")
    assert example["suite"] in SUITES


@pytest.mark.usefixtures("example_contexts")
@each_example
def test_a_changed_document_does_not(example: dict[str, Any]) -> None:
    changed = {**example["signed"], "validFrom": "2023-01-01T00:00:01Z"}
    assert errors(changed) == ["the Ed25519 signature does not match"]


@pytest.mark.usefixtures("example_contexts")
@each_suite
@pytest.mark.parametrize("member", ["created", "expires"])
def test_a_changed_proof_option_does_not(section: str, member: str) -> None:
    changed = altered(section, **{member: "2033-02-24T23:36:38Z"})
    assert errors(changed) == ["the Ed25519 signature does not match"]


@pytest.mark.usefixtures("example_contexts")
@each_suite
@pytest.mark.parametrize("field", ["created", "expires"])
@pytest.mark.parametrize("value", ["yesterday", "2033-02-24T23:36:38", "", 2033])
def test_a_time_that_is_none_is_refused(section: str, field: str, value: Any) -> None:
    """Sections 3.2.5 and 3.3.5, and a proof's `created` in Verifiable Credential Data Integrity."""
    [error] = errors(altered(section, **{field: value}))
    assert error is not None
    assert error.startswith(f"{field} is not a time")


@pytest.mark.usefixtures("example_contexts")
def test_an_expiry_cannot_be_respelt() -> None:
    """RDF has the same quads for a value, a list of it and an object of it: the signature holds."""
    example = EXAMPLES["B.1"]
    expires = "2024-02-24T23:36:38Z"
    options = {**options_of(example), "expires": expires}
    respelt: list[Any] = [
        [expires],
        {"@value": expires, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
    ]
    for value in respelt:
        assert canonical_nquads({**options, "expires": value}) == canonical_nquads(options)
    config = sha256(canonical_nquads(options)).digest()
    signature = signer().sign(config + bytes.fromhex(example["documentHash"]))
    value = "z" + base58_encode(signature)
    assert errors(altered("B.1", proofValue=value, expires=expires)) == [None]
    for spelling in respelt:
        [error] = errors(altered("B.1", proofValue=value, expires=spelling))
        assert error is not None
        assert error.startswith("expires is not a time")


@each_suite
def test_nothing_is_signed_at_a_time_that_is_none(section: str) -> None:
    with pytest.raises(BadDocument, match="created is not a time"):
        sign(EXAMPLES[section]["signed"], signer(), "did:example:a#b", "2023-02-24", SUITES)


def test_a_context_that_is_not_known_is_an_error_under_rdfc_alone() -> None:
    [rdfc], [jcs] = errors(EXAMPLES["B.1"]["signed"]), errors(EXAMPLES["B.3"]["signed"])
    assert rdfc is not None
    assert "https://www.w3.org/ns/credentials/examples/v2" in rdfc
    assert jcs is None


# The proof's own @context. Under JCS it is signed with the other options (section 3.3.1, step 2);
# under RDFC the document's stands for it (section 3.2.5), so naming it changes nothing.
CONTEXT = EXAMPLES["B.3"]["signed"]["@context"]
NOT_SIGNED = "the document's @context is not the one that was signed"


def test_the_proofs_context_is_signed_under_jcs() -> None:
    assert errors(altered("B.3", **{"@context": None})) == ["the Ed25519 signature does not match"]


@pytest.mark.usefixtures("example_contexts")
def test_the_documents_context_stands_for_the_proofs_under_rdfc() -> None:
    assert errors(altered("B.1", **{"@context": CONTEXT})) == [None]


@pytest.mark.usefixtures("example_contexts")
@each_suite
@pytest.mark.parametrize(
    "context", [CONTEXT[:1], CONTEXT[::-1], [*CONTEXT, CONTEXT[0]], CONTEXT[0], []]
)
def test_a_proof_that_names_other_contexts_than_the_document_fails(
    section: str, context: Any
) -> None:
    """Stricter than the standard, by which a document may name further ones (decision 8)."""
    assert errors(altered(section, **{"@context": context})) == [NOT_SIGNED]


def test_a_context_added_to_the_document_fails() -> None:
    added = altered("B.3")
    added["@context"] = [*CONTEXT, "https://w3id.org/security/data-integrity/v2"]
    assert errors(added) == [NOT_SIGNED]


BAD_VALUES = {
    "no multibase": (lambda value: value[1:], "not base58btc multibase"),
    "base64url": (lambda value: "u" + value[1:], "not base58btc multibase"),
    "base58flickr": (lambda value: "Z" + value[1:], "not base58btc multibase"),
    "empty": (lambda value: "", "not base58btc multibase"),
    "a list": (lambda value: [value], "not base58btc multibase"),
    "none": (lambda value: None, "not base58btc multibase"),
    "no bytes": (lambda value: "z", "64 bytes"),
    "too short": (lambda value: value[:-2], "64 bytes"),
    "a zero byte before": (lambda value: "z1" + value[1:], "64 bytes"),
    "too long": (lambda value: value + "1", "64 bytes"),
    "white space": (lambda value: value + " ", "base58"),
    "no digit": (lambda value: value[:-1] + "0", "base58"),
    "not ASCII": (lambda value: value[:-1] + "é", "base58"),
    "another digit": (lambda value: value[:-1] + "3", "does not match"),
}


@each_suite
@pytest.mark.usefixtures("example_contexts")
@pytest.mark.parametrize(("change", "reason"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_a_proof_value_has_one_form(section: str, change: Any, reason: str) -> None:
    value = EXAMPLES[section]["signed"]["proof"]["proofValue"]
    [error] = errors(altered(section, proofValue=change(value)))
    assert error is not None
    assert reason in error


@pytest.mark.usefixtures("example_contexts")
def test_a_proof_set_by_two_keys() -> None:
    """B.5.1: each proof is over the document without any of them, in whatever order."""
    signed = VECTORS["proofSet"]["signed"]
    assert errors(signed) == [None, None]
    assert errors({**signed, "proof": signed["proof"][::-1]}) == [None, None]
    assert errors({**signed, "proof": signed["proof"][1]}) == [None]


@pytest.mark.usefixtures("example_contexts")
def test_a_proof_over_other_proofs() -> None:
    """B.5.2: a proof that builds on others signs them too."""
    signed = VECTORS["proofSet"]["signed"]
    first, second, third = *signed["proof"], VECTORS["chainedProof"]["proof"]
    assert errors({**signed, "proof": [first, second, third]}) == [None, None, None]
    named = third["previousProof"]
    names = named if isinstance(named, list) else [named]
    others = [proof for proof in (first, second) if proof.get("id") not in names]
    assert errors({**signed, "proof": [*others, third]})[-1] == (
        f"there is no earlier proof {names[0]!r}, which a proof builds on"
    )
    # The control: what was signed are the earlier proofs as they stood.
    for earlier in (first, second):
        if earlier.get("id") in names:
            changed = [
                {**p, "created": "2023-02-24T23:36:39Z"} if p is earlier else p
                for p in (first, second, third)
            ]
            assert errors({**signed, "proof": changed})[-1] == (
                "the Ed25519 signature does not match"
            )
