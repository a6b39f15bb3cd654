"""The compact bundle: what comes back, what is left out, what is refused."""

import binascii
import json
import random
import zlib
from pathlib import Path

import pytest

from credentials.qr import BadQR, from_digits, to_digits
from credentials.qr.compact import from_bytes, to_bytes
from credentials.qr.digits import bytes_to_digits
from keys import Json, encode

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "qr-format-1.json").read_text("utf-8")
)["vectors"]
WITH_RECEIPT = next(vector for vector in VECTORS if "receipt" in vector)


def checked(data: bytes) -> bytes:
    """`data` with its check value put right, so that a test reaches what lies behind it."""
    return data[:-2] + binascii.crc_hqx(data[:-2], 0).to_bytes(2, "big")


@pytest.mark.parametrize("vector", VECTORS)
def test_published_digits_keep_their_meaning(vector: dict[str, Json]) -> None:
    credential, receipt = from_digits(str(vector["digits"]))
    assert encode(credential) == encode(vector["credential"])
    assert receipt == vector.get("receipt")


@pytest.mark.parametrize("vector", VECTORS)
def test_what_was_read_can_be_written_again(vector: dict[str, Json]) -> None:
    credential, receipt = from_digits(str(vector["digits"]))
    assert from_digits(to_digits(credential, receipt)) == (credential, receipt)


def test_only_the_jcs_proof_is_kept() -> None:
    jcs = WITH_RECEIPT["credential"]["proof"]
    other = {**jcs, "cryptosuite": "eddsa-rdfc-2022"}
    document = {**WITH_RECEIPT["credential"], "proof": [other, jcs]}
    assert from_digits(to_digits(document))[0] == WITH_RECEIPT["credential"]


@pytest.mark.parametrize("proof", [None, [], {"cryptosuite": "eddsa-rdfc-2022"}, "proof"])
def test_a_credential_without_a_jcs_proof_is_refused(proof: Json) -> None:
    document = {**WITH_RECEIPT["credential"], "proof": proof}
    with pytest.raises(BadQR, match="no eddsa-jcs-2022 proof"):
        to_digits(document)


def test_a_credential_that_is_not_exact_json_is_refused() -> None:
    with pytest.raises(BadQR, match="not exact JSON"):
        to_digits({**WITH_RECEIPT["credential"], "extra": float("nan")})


@pytest.mark.parametrize("length", [3000, 40_000])
def test_a_credential_no_symbol_could_hold_is_refused(length: int) -> None:
    dice = random.Random(1)
    name = "".join(chr(dice.randrange(0x4E00, 0x9FA5)) for _ in range(length))
    with pytest.raises(BadQR, match="too large for a QR code"):
        to_digits({**WITH_RECEIPT["credential"], "name": name})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("index 0", "index 00"), "number"),
        (lambda text: text.replace("extra ", "other "), "no extra line"),
        (lambda text: text[:-1], "one text form"),
        (lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"), "not a tlog-proof"),
        (lambda text: text.partition("\n\n")[0], "not a tlog-proof"),
        (lambda text: text.replace("— ", "- "), "malformed signature line"),
        (lambda text: text.replace("extra e", "extra f", 1), "does not lead"),
    ],
)
def test_a_receipt_that_does_not_hold_together_is_refused(change: object, why: str) -> None:
    text = str(WITH_RECEIPT["receipt"])
    index = text.split("\n")[2]
    text = text.replace(index, "index 0") if "number" in why else text
    assert callable(change)
    with pytest.raises(BadQR, match=why):
        to_digits(WITH_RECEIPT["credential"], change(text))


def test_another_checkpoint_root_is_refused() -> None:
    lines = WITH_RECEIPT["receipt"].split("\n")
    lines[lines.index("") + 3] = lines[3]
    with pytest.raises(BadQR, match="does not lead from its entry"):
        to_digits(WITH_RECEIPT["credential"], "\n".join(lines))


def test_a_checkpoint_without_ed25519_lines_is_refused() -> None:
    head, body, signatures = WITH_RECEIPT["receipt"].split("\n\n")
    long_line = signatures.split(" ")[1] + " " + "A" * 3232
    with pytest.raises(BadQR, match="no Ed25519 signature"):
        to_digits(WITH_RECEIPT["credential"], f"{head}\n\n{body}\n\n— {long_line}\n")


def test_flags_of_later_versions_are_refused_clearly() -> None:
    data = bytearray(to_bytes(WITH_RECEIPT["credential"], None))
    for flags, why in [
        (data[0] | 3, "something this version cannot read"),
        (data[0] | 8, "something this version cannot read"),
        (data[0] & 0x0F, "needs dictionary 0"),
        (data[0] & 0x0F | 0x20, "needs dictionary 2"),
    ]:
        data[0] = flags
        with pytest.raises(BadQR, match=why):
            from_bytes(checked(bytes(data)))
        data[0] = to_bytes(WITH_RECEIPT["credential"], None)[0]


def test_data_after_the_end_is_refused() -> None:
    data = to_bytes(WITH_RECEIPT["credential"], WITH_RECEIPT["receipt"])
    with pytest.raises(BadQR, match="left over"):
        from_bytes(checked(data[:-2] + b"\0" + data[-2:]))


def test_a_cut_payload_is_refused_at_every_length() -> None:
    data = to_bytes(WITH_RECEIPT["credential"], WITH_RECEIPT["receipt"])
    for size in range(len(data)):
        with pytest.raises(BadQR):
            from_bytes(data[:size])
    for size in range(len(data) - 2):
        with pytest.raises(BadQR):
            from_bytes(checked(data[:size] + b"\0\0"))


def test_a_deflate_bomb_is_refused() -> None:
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(b"x" * 2_000_000) + packer.flush()
    with pytest.raises(BadQR, match="expands to over 65536 bytes"):
        from_bytes(checked(b"\x10\x00" + bomb + b"\0\0"))


def test_a_one_digit_change_is_refused_or_means_something_else() -> None:
    digits = WITH_RECEIPT["digits"]
    same = (WITH_RECEIPT["credential"], WITH_RECEIPT["receipt"])
    for place, digit in enumerate(digits):
        other = str((int(digit) + 1 + place % 9) % 10)
        try:
            assert from_digits(digits[:place] + other + digits[place + 1 :]) != same
        except BadQR:
            continue


def test_a_one_byte_change_is_refused_before_and_behind_the_check_value() -> None:
    data = to_bytes(WITH_RECEIPT["credential"], WITH_RECEIPT["receipt"])
    for place in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[place] ^= flip
            with pytest.raises(BadQR):
                from_bytes(bytes(changed))
            try:
                from_digits(bytes_to_digits(checked(bytes(changed))))
            except BadQR:
                continue
