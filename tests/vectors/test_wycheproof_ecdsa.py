"""Wycheproof's ECDSA cases on P-256 and P-384: everything valid passes, nothing else does."""

import json
from pathlib import Path

import pytest

from keys import BadSignature, base58_encode
from keys.ecdsa import EcdsaPublicKey

DATA = json.loads(Path(__file__).with_name("wycheproof-ecdsa.json").read_text("utf-8"))
CODES = {"P-256": b"\x80\x24", "P-384": b"\x81\x24"}


def public_key(curve: str, uncompressed: str) -> EcdsaPublicKey:
    point = bytes.fromhex(uncompressed)
    half = len(point) // 2
    assert (len(point), point[0]) == (2 * half + 1, 4)
    compressed = bytes([2 + (point[-1] & 1)]) + point[1 : half + 1]
    return EcdsaPublicKey.from_multikey("z" + base58_encode(CODES[curve] + compressed))


@pytest.mark.parametrize(("curve", "valid", "invalid"), [("P-256", 173, 89), ("P-384", 193, 87)])
def test_every_case(curve: str, valid: int, invalid: int) -> None:
    seen = {"valid": 0, "invalid": 0}
    for name, _, result, place, message, signature in DATA["cases"]:
        if name != curve:
            continue
        key = public_key(curve, DATA["keys"][place])
        seen[result] += 1
        if result == "valid":
            key.verify(bytes.fromhex(message), bytes.fromhex(signature))
        else:
            with pytest.raises(BadSignature):
                key.verify(bytes.fromhex(message), bytes.fromhex(signature))
    assert seen == {"valid": valid, "invalid": invalid}
