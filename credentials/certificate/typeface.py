"""The two typefaces that certificates and badges are set in, and what neither can write.

Noto Sans Hans writes Chinese, DejaVu Sans the Latin, Greek and Cyrillic letters it lacks.
"""

import unicodedata
from functools import cache
from pathlib import Path

MAIN = "NotoSansHans-Regular.otf"
FALLBACK = "DejaVuSans.ttf"


def typeface(name: str) -> Path:
    """Where a typeface's file is."""
    return Path(__file__).parent / "fonts" / name


def writable(text: str) -> str:
    """The text with what no typeface has, or would reorder it, as `U+XXXX`, so that it is seen."""
    return "".join(
        char if _is_written(char) else f"⟨U+{ord(char):04X}⟩"
        for char in unicodedata.normalize("NFC", text)
    )


def unwritable(text: str) -> list[str]:
    """The characters of a text that are shown by their code point only."""
    composed = unicodedata.normalize("NFC", text)
    return sorted({char for char in composed if not _is_written(char)})


def _is_written(char: str) -> bool:
    if char == " ":
        return True
    # Marks and controls could reorder or hide what stands beside them.
    visible = unicodedata.category(char)[0] not in "CZM"
    return visible and any(char in characters(name) for name in (MAIN, FALLBACK))


@cache
def characters(name: str) -> frozenset[str]:
    """The characters a typeface has."""
    from fontTools.ttLib import TTFont

    with TTFont(typeface(name), lazy=True) as font:
        return frozenset(chr(code) for code in font.getBestCmap() or {})
