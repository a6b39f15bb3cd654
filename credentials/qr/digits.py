"""Bytes as decimal digits, for the numeric mode of a QR code.

Seven bytes become seventeen digits (10**17 > 2**56), so a numeric segment spends 8.1 bits on a
byte. Work goes block by block: CPython refuses to convert integers of more than 4,300 digits, and
blocks keep both directions linear.
"""

import re

from credentials.errors import BadQR

BLOCK_BYTES = 7
MAX_DIGITS = 7089  # numeric capacity of the largest symbol, version 40 at level L

_DIGITS = re.compile("[0-9]*")
_DIGITS_OF_BYTES = (0, 3, 5, 8, 10, 13, 15, 17)
_BYTES_OF_DIGITS = {digits: size for size, digits in enumerate(_DIGITS_OF_BYTES)}


def bytes_to_digits(data: bytes) -> str:
    """`data` as decimal digits; the last block of 1 to 6 bytes has 3, 5, 8, 10, 13 or 15 digits."""
    blocks = (data[start : start + BLOCK_BYTES] for start in range(0, len(data), BLOCK_BYTES))
    return "".join(
        str(int.from_bytes(block, "big")).zfill(_DIGITS_OF_BYTES[len(block)]) for block in blocks
    )


def digits_to_bytes(digits: str) -> bytes:
    """The bytes behind `digits`; raises `BadQR` for anything `bytes_to_digits` would not write."""
    if not _DIGITS.fullmatch(digits):
        raise BadQR("the QR payload holds something other than the digits 0 to 9")
    if len(digits) > MAX_DIGITS:
        raise BadQR(f"the QR payload has {len(digits)} digits; no QR code holds over {MAX_DIGITS}")
    out = bytearray()
    full = _DIGITS_OF_BYTES[BLOCK_BYTES]
    for start in range(0, len(digits), full):
        block = digits[start : start + full]
        size = _BYTES_OF_DIGITS.get(len(block))
        if size is None:
            raise BadQR(f"the QR payload is cut off: {len(block)} digits are left over at its end")
        value = int(block)
        if value >> (8 * size):
            raise BadQR(f"the QR payload is damaged: digits {start} and on are no block of bytes")
        out += value.to_bytes(size, "big")
    return bytes(out)
