"""Which encoding bytes look like, among those that spreadsheet programs write.

Almost any bytes decode as GB 18030, so that they do proves nothing. What tells encodings apart
is which characters come out: text in the right encoding is made of that script's common ones.
Different characters are counted once, so that a value repeated in every row does not decide.
"""

import re
from collections.abc import Callable

GB18030 = "GB 18030 (GBK)"
UTF8 = "UTF-8"
_HIGH = re.compile(rb"[\x80-\xff]")
# A letter among ASCII, in one byte or, where two encodings were mixed, in the two of UTF-8.
_LONE_LETTER = re.compile(
    rb"(?<![\x80-\xff])[\xc0-\xff](?![\x80-\xff])"
    rb"|(?<=[A-Za-z])[\xc2-\xc5][\x80-\xbf](?![\x80-\xff])"
)


def looks_like(sample: bytes, *, gb_damaged: bool) -> str | None:
    """The likeliest encoding of `sample`, which is not quite UTF-8; None if none is likely.

    `gb_damaged` says that the file does not decode as GB 18030 throughout either.
    """
    likeness = {  # on a tie the first
        GB18030: _mean(sample, "gb18030", _chinese) * (0.9 if gb_damaged else 1),
        UTF8: _share(sample, len(_HIGH.findall(sample.decode("utf-8", "ignore").encode()))),
        "Big5": _mean(sample, "big5", _big5),
        "Shift_JIS": min(1.0, 5 * _mean(sample, "shift_jis", _kana, at_least=5)),
        "Windows-1252 or another Western encoding": _share(
            sample, sum(map(len, _LONE_LETTER.findall(sample)))
        ),
        "Windows-1251": _mean(sample, "cp1251", _cyrillic, at_least=5),
    }
    # A common Korean syllable has the code of a common Chinese character, but not the reverse.
    if _mean(sample, "euc_kr", _hangul, at_least=20) > max(0.95, likeness[GB18030] - 0.05):
        return "EUC-KR"
    best = max(likeness, key=lambda encoding: likeness[encoding])
    return best if likeness[best] >= 0.3 else None


def _share(sample: bytes, count: int) -> float:
    """`count` as a share of the sample's bytes above 127."""
    high = len(_HIGH.findall(sample))
    return count / high if high else 0.0


def _mean(sample: bytes, codec: str, weight: Callable[[str], float], at_least: float = 0) -> float:
    """How typical the different characters of the sample are; 0 if together `at_least` are not."""
    chars = {char for char in sample.decode(codec, "replace") if not char.isascii()}
    total = sum(weight(char) for char in chars if char != "\ufffd")
    return total / len(chars) if chars and total >= at_least else 0.0


def _chinese(char: str) -> float:
    """Simplified characters of everyday use count fully, rare and traditional ones half."""
    if len(char.encode("gb18030")) == 4:  # high, digit, high, digit: hardly ever by accident
        return 1.0
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return 0.5 if "\u4e00" <= char <= "\u9fff" else 0.0
    return 1.0


def _big5(char: str) -> float:
    return char.encode("big5") < b"\xc7"  # above that begin the rare characters


def _kana(char: str) -> float:
    return "\u3041" <= char <= "\u30ff"


def _cyrillic(char: str) -> float:
    return "\u0410" <= char <= "\u044f"


def _hangul(char: str) -> float:
    return "\uac00" <= char <= "\ud7a3"
