"""Wycheproof's Ed25519 cases: everything valid passes, everything else is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from keys import BadSignature, KeysError, PublicKey


def test_every_case(shared_data: Callable[[str], Path]) -> None:
    data = json.loads(shared_data("vectors/wycheproof_ed25519.json").read_text(encoding="utf-8"))
    seen = {"valid": 0, "invalid": 0}
    for group in data["testGroups"]:
        key = PublicKey(bytes.fromhex(group["publicKey"]["pk"]))
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            seen[case["result"]] += 1
            if case["result"] == "valid":
                key.verify(message, signature)
            else:
                with pytest.raises(BadSignature):
                    key.verify(message, signature)
    assert seen == {"valid": 88, "invalid": 63}


# The eight points of small order and their encodings that are not canonical.
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


@pytest.mark.parametrize("raw", SMALL_ORDER)
def test_small_order_and_non_canonical_keys_are_refused(raw: str) -> None:
    with pytest.raises(KeysError, match="small order"):
        PublicKey(bytes.fromhex(raw))


def test_another_library_accepts_what_is_refused_here() -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    # Under the neutral element any message verifies with R = neutral element and S = 0.
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SMALL_ORDER[1]))
    forged = bytes.fromhex(SMALL_ORDER[1]) + bytes(32)
    accepted = 0
    for number in range(8):
        try:
            key.verify(forged, b"message %d" % number)
            accepted += 1
        except InvalidSignature:
            pass
    assert accepted == 8
