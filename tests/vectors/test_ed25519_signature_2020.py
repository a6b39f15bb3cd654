"""The published example of Ed25519Signature2020, step by step."""

import copy
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from credentials import key_in_did_key, verify_proofs
from credentials.rdf import canonical_nquads_written
from keys import base58_decode

VECTOR = json.loads(Path(__file__).with_name("ed25519-signature-2020.json").read_text("utf-8"))
SIGNED: dict[str, Any] = VECTOR["signed"]


def errors(document: dict[str, Any]) -> list[str | None]:
    results = verify_proofs(document, key_in_did_key, canonicalise=canonical_nquads_written)
    return [result.error if result.understood else "not understood" for result in results]


def test_every_step() -> None:
    document = {name: value for name, value in SIGNED.items() if name != "proof"}
    options = {name: value for name, value in SIGNED["proof"].items() if name != "proofValue"}
    canonical_document = canonical_nquads_written(document)
    canonical_proof = canonical_nquads_written({**options, "@context": SIGNED["@context"]})
    assert canonical_document == VECTOR["canonicalDocument"].encode()
    assert canonical_proof == VECTOR["canonicalProof"].encode()
    assert sha256(canonical_document).hexdigest() == VECTOR["documentHash"]
    assert sha256(canonical_proof).hexdigest() == VECTOR["proofHash"]
    signature = bytes.fromhex(VECTOR["signature"])
    assert base58_decode(SIGNED["proof"]["proofValue"][1:]) == signature
    message = bytes.fromhex(VECTOR["proofHash"] + VECTOR["documentHash"])
    key_in_did_key(options["verificationMethod"]).verify(message, signature)
    assert errors(SIGNED) == [None]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("credentialSubject", "alumniOf"), "Another School"),
        (("proof", "created"), "2023-02-24T23:36:39Z"),
        (("proof", "type"), "DataIntegrityProof"),
        (("proof", "cryptosuite"), "eddsa-rdfc-2022"),
        (("proof", "proofPurpose"), "authentication"),
        (("name",), "Another Name"),
    ],
)
def test_no_change_verifies(path: tuple[str, ...], value: str) -> None:
    changed = copy.deepcopy(SIGNED)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    results = verify_proofs(changed, key_in_did_key, canonicalise=canonical_nquads_written)
    assert not any(result.passed for result in results)
