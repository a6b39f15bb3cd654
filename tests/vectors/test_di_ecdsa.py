"""The published examples of the W3C's Data Integrity ECDSA Cryptosuites v1.0, appendix A."""

from __future__ import annotations

import copy
import json
from hashlib import sha256, sha384
from pathlib import Path
from typing import Any

import pytest

from credentials import key_in_did_key, verify_proofs
from credentials.rdf import canonical_nquads_written
from keys import base58_decode, encode

VECTORS = json.loads(Path(__file__).with_name("di-ecdsa.json").read_text("utf-8"))
EXAMPLES = {f"{e['suite']} {e['curve']}": e for e in VECTORS["examples"]}
each_example = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


def errors(document: dict[str, Any]) -> list[str | None]:
    results = verify_proofs(document, key_in_did_key, canonicalise=canonical_nquads_written)
    return [result.error if result.understood else "not understood" for result in results]


@each_example
def test_every_step(example: dict[str, Any]) -> None:
    signed = example["signed"]
    document = {name: value for name, value in signed.items() if name != "proof"}
    options = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
    by_jcs = "jcs" in example["suite"]
    canonicalise = encode if by_jcs else canonical_nquads_written
    config = options if by_jcs else {**options, "@context": signed["@context"]}
    digest = sha384 if example["curve"] == "P-384" else sha256
    assert canonicalise(document) == example["canonicalDocument"].encode()
    assert canonicalise(config) == example["canonicalProof"].encode()
    assert digest(canonicalise(document)).hexdigest() == example["documentHash"]
    assert digest(canonicalise(config)).hexdigest() == example["proofHash"]
    signature = bytes.fromhex(example["signature"])
    assert base58_decode(signed["proof"]["proofValue"][1:]) == signature
    key = key_in_did_key(options["verificationMethod"])
    assert key.algorithm == example["curve"]
    key.verify(bytes.fromhex(example["proofHash"] + example["documentHash"]), signature)


@each_example
def test_it_verifies_and_no_change_does(example: dict[str, Any]) -> None:
    signed = example["signed"]
    assert errors(signed) == [None]
    for path, value in (
        (("proof", "created"), "2023-02-24T23:36:39Z"),
        (("proof", "proofPurpose"), "authentication"),
        (("credentialSubject", "alumniOf"), "Another School"),
        (("validFrom",), "2023-01-02T00:00:00Z"),
        (("name",), "Another Name"),
    ):
        changed = copy.deepcopy(signed)
        place = changed
        for name in path[:-1]:
            place = place[name]
        assert place[path[-1]] != value
        place[path[-1]] = value
        assert errors(changed) != [None], path
