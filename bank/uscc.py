"""The unified social credit code of a Chinese legal person (统一社会信用代码, GB 32100-2015).

Eighteen characters: registering authority and kind of organisation (2), administrative division
(6 digits), organisation code (9), check character. Digits and capital letters without I, O, S, V
and Z. The check character makes the sum of each character's value times 3^position divisible
by 31, so one wrong character, or two neighbours swapped, never passes.
"""

import re

_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {char: value for value, char in enumerate(_CHARACTERS)}
_WEIGHTS = [pow(3, position, 31) for position in range(17)]
_LENGTH = 18
_DIVISION = re.compile(r"[0-9]{6}")


class BadUscc(ValueError):
    """A text that is not a unified social credit code; the message says why."""


def check_uscc(text: str) -> str:
    """The code in `text` in its one normal form: capitals, no spaces; `BadUscc` if it is none."""
    # Capitals only for ASCII: some foreign letters turn into ASCII ones when raised.
    code = "".join(text.split())
    code = code.upper() if code.isascii() else code
    shown = repr(text if len(text) <= 40 else text[:40] + "…")
    if len(code) != _LENGTH:
        raise BadUscc(
            f"{shown} is not a unified social credit code: it has {len(code)} characters, not 18"
        )
    for char in code:
        if char not in _VALUE:
            raise BadUscc(
                f"{shown} is not a unified social credit code: {char!r} does not occur in one "
                "(digits and capital letters without I, O, S, V, Z)"
            )
    if not _DIVISION.fullmatch(code[2:8]):
        raise BadUscc(
            f"{shown} is not a unified social credit code: characters 3 to 8 must be the digits "
            "of an administrative division"
        )
    if check_character(code[:17]) != code[17]:
        raise BadUscc(
            f"{shown} is not a unified social credit code: its last character does not match the "
            "others; look for a mistyped character"
        )
    return code


def check_character(first: str) -> str:
    """The check character that follows the `first` 17 characters of a code."""
    if len(first) != _LENGTH - 1 or any(char not in _VALUE for char in first):
        raise BadUscc(f"{first!r} is not the first 17 characters of a unified social credit code")
    total = sum(_VALUE[char] * weight for char, weight in zip(first, _WEIGHTS, strict=True))
    return _CHARACTERS[-total % 31]
