"""Any credential of the shapes in use comes back exactly, whatever is in it."""

import base64
import binascii
import copy
import hashlib
import json
import string
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.qr import BadQR, from_digits, to_digits
from credentials.qr.compact import from_bytes, to_bytes
from credentials.qr.digits import bytes_to_digits, digits_to_bytes
from keys import Json, b64u_encode, encode

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "qr-format-1.json").read_text("utf-8")
)["vectors"]
CREDENTIALS: list[dict[str, Json]] = [vector["credential"] for vector in VECTORS]
BUNDLES = [vector for vector in VECTORS if "receipt" in vector]

names = st.one_of(
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=12),
    st.text(string.ascii_letters + " '-éüñß", min_size=1, max_size=40),
    st.text(st.characters(min_codepoint=0x0391, max_codepoint=0x03CE), min_size=1, max_size=30),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def members(value: Json) -> list[tuple[dict[str, Json], str]]:
    """Every object member in `value`, outermost first."""
    found: list[tuple[dict[str, Json], str]] = []
    if isinstance(value, dict):
        for name in sorted(value):
            found.append((value, name))
            found += members(value[name])
    if isinstance(value, list):
        for item in value:
            found += members(item)
    return found


def unsigned_members(credential: dict[str, Json]) -> list[tuple[dict[str, Json], str]]:
    return members({name: value for name, value in credential.items() if name != "proof"})


@st.composite
def changed_credentials(draw: Callable[..., object]) -> dict[str, Json]:
    """A credential with some strings replaced, members removed, and unknown members added."""
    credential: dict[str, Json] = copy.deepcopy(draw(st.sampled_from(CREDENTIALS)))  # type: ignore[assignment]
    for _ in range(draw(st.integers(0, 3))):  # type: ignore[call-overload]
        places = unsigned_members(credential)
        holder, name = draw(st.sampled_from(places))  # type: ignore[misc]
        if isinstance(holder[name], str):
            holder[name] = draw(names)  # type: ignore[assignment]
    for _ in range(draw(st.integers(0, 2))):  # type: ignore[call-overload]
        holder, name = draw(st.sampled_from(unsigned_members(credential)))  # type: ignore[misc]
        holder.pop(name, None)
        credential.pop(name, None) if holder.get("proof") else None
    for _ in range(draw(st.integers(0, 2))):  # type: ignore[call-overload]
        name = draw(names)  # type: ignore[assignment]
        if name != "proof":
            credential[str(name)] = draw(json_values)  # type: ignore[assignment]
    return credential


def receipt_for(receipt: str, credential: dict[str, Json]) -> str:
    """`receipt` made to fit another credential: its commitment, and the root above it."""
    head, _, note = receipt.partition("\n\n")
    lines = head.split("\n")
    entry = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    entry["statement"]["body"]["commitment"] = b64u_encode(
        hashlib.sha256(encode(unsigned)).digest()
    )
    data = encode(entry)
    node = hashlib.sha256(b"\0" + data).digest()
    for level, line in enumerate(lines[3:]):
        sibling = base64.b64decode(line)
        odd = entry["index"] >> level & 1
        node = hashlib.sha256(b"\1" + (sibling + node if odd else node + sibling)).digest()
    checkpoint = note.split("\n")
    checkpoint[2] = base64.b64encode(node).decode()
    lines[1] = "extra " + base64.b64encode(data).decode()
    return "\n".join(lines) + "\n\n" + "\n".join(checkpoint)


@given(changed_credentials())
@settings(max_examples=200, deadline=None)
def test_a_credential_comes_back_exactly(credential: dict[str, Json]) -> None:
    digits = to_digits(credential)
    read, receipt = from_digits(digits)
    assert encode(read) == encode(credential)
    assert receipt is None


@given(changed_credentials(), st.sampled_from(BUNDLES))
@settings(max_examples=100, deadline=None)
def test_a_receipt_comes_back_exactly(credential: dict[str, Json], bundle: dict[str, Json]) -> None:
    """Its entry says something else than the credential in places; that too must survive."""
    receipt = receipt_for(str(bundle["receipt"]), credential)
    read, receipt_back = from_digits(to_digits(credential, receipt))
    assert encode(read) == encode(credential)
    assert receipt_back == receipt


@given(st.binary(max_size=300))
def test_any_bytes_come_back_from_digits(data: bytes) -> None:
    assert digits_to_bytes(bytes_to_digits(data)) == data


@given(st.text(string.digits, max_size=80))
def test_digits_have_one_meaning_or_none(digits: str) -> None:
    try:
        data = digits_to_bytes(digits)
    except BadQR:
        return
    assert bytes_to_digits(data) == digits


@given(st.text(max_size=60))
def test_any_text_is_refused_as_digits(text: str) -> None:
    try:
        from_digits(text)
    except BadQR:
        return
    raise AssertionError("random text decoded to a credential")


@given(st.binary(min_size=1, max_size=300))
@settings(max_examples=300)
def test_any_bytes_behind_a_right_check_value_are_refused(data: bytes) -> None:
    framed = b"\x11" + data
    try:
        from_bytes(framed + binascii.crc_hqx(framed, 0).to_bytes(2, "big"))
    except BadQR:
        return
    raise AssertionError("random bytes decoded to a credential")


@given(st.sampled_from(BUNDLES), st.data())
@settings(max_examples=400, deadline=None)
def test_changed_fields_never_raise_anything_else(
    bundle: dict[str, Json], data: st.DataObject
) -> None:
    """Changes made behind the check value, some in the compressed text and some in the raw part."""
    credential, receipt = bundle["credential"], bundle["receipt"]
    assert isinstance(credential, dict)
    assert isinstance(receipt, str)
    payload = bytearray(to_bytes(credential, receipt)[:-2])
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        from_bytes(bytes(payload) + binascii.crc_hqx(bytes(payload), 0).to_bytes(2, "big"))
    except BadQR:
        return
