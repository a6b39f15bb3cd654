"""Texts that could deceive the eye: characters that reorder or hide others, and mixed alphabets.

Nothing is refused for it, since names are what they are; it is said, and shown by its number.
"""

import re
import unicodedata

# Joiners within words are spelling in Persian and the languages of India, not trickery.
_JOINERS = "\u200c\u200d"
_ALPHABETS = ("LATIN", "GREEK", "CYRILLIC")


def shown(text: str) -> str:
    """The text with controls, and whatever turns its direction, as `⟨U+XXXX⟩`."""
    if text.isprintable():
        return text
    return "".join(f"⟨U+{ord(char):04X}⟩" if _is_hidden(char) else char for char in text)


def hidden_characters(text: str) -> list[str]:
    """The controls in a text, and whatever turns its direction, each once."""
    return sorted({char for char in text if _is_hidden(char)})


def mixes_alphabets(text: str) -> bool:
    """Whether one word has letters of two alphabets that share their looks."""
    for word in re.findall(r"\w+", text):
        names = {unicodedata.name(char, "").partition(" ")[0] for char in word if char.isalpha()}
        if len(names.intersection(_ALPHABETS)) > 1:
            return True
    return False


def _is_hidden(char: str) -> bool:
    return char not in _JOINERS and unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")
