"""Strict text encodings of bytes: base64url without padding (RFC 4648 section 5) and base58btc.

Strict means one text for each byte string: padding, foreign characters and non-zero
trailing bits are refused, so a changed character can never decode to the same bytes.
"""

import base64
import binascii

from keys.errors import NotCanonical

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUE = {char: value for value, char in enumerate(_BASE58)}
_BASE58_PAIRS = [high + low for high in _BASE58 for low in _BASE58]
_BASE58_TEN = 58**10
_URLSAFE = bytes.maketrans(b"+/", b"-_")


def b64u_encode(data: bytes) -> str:
    """Base64url of `data`, without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_URLSAFE, b"=").decode("ascii")


def b64u_decode(text: str, length: int | None = None) -> bytes:
    """Bytes of unpadded base64url `text`; NotCanonical if another text means the same bytes.

    `length`, where given, is the number of bytes that must come out.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotCanonical(f"not base64url without padding: {text[:40]!r}") from error
    if b64u_encode(data) != text:
        raise NotCanonical(f"not the one base64url form of its bytes: {text[:40]!r}")
    if length is not None and len(data) != length:
        raise NotCanonical(f"expected {length} bytes in base64url, got {len(data)}")
    return data


def base58_encode(data: bytes) -> str:
    """Base58btc of `data`, each leading zero byte a `1`."""
    number = int.from_bytes(data, "big")
    parts: list[str] = []
    while number:
        # Ten digits at a time: division of a long number is what costs.
        number, ten = divmod(number, _BASE58_TEN)
        for _ in range(5):
            ten, two = divmod(ten, 3364)
            parts.append(_BASE58_PAIRS[two])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(parts)).lstrip("1")


def base58_decode(text: str, limit: int = 256) -> bytes:
    """Bytes of base58btc `text`; NotCanonical on a foreign character or over `limit` characters."""
    if len(text) > limit:
        raise NotCanonical(f"base58 text of {len(text)} characters is over the limit of {limit}")
    number = 0
    for char in text:
        value = _BASE58_VALUE.get(char)
        if value is None:
            raise NotCanonical(f"{char!r} is not a base58btc character")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
