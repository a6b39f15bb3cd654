"""Who a learner is: a name and at most one identity document, in their one normal form. Pure.

A Chinese citizen identity number (GB 11643-1999) has 18 characters: administrative division (6
digits), date of birth (8), sequence (3), and the check character of ISO 7064 MOD 11-2, a digit or
X. Weights are powers of 2, and 11 is prime and divides neither a weight nor the difference of two
neighbouring ones: one wrong character, or two neighbours swapped, never passes.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from bank.learners.errors import BadIdentity

CITIZEN = "citizen-id"
"""The kind of a citizen identity number; every other kind is a word and the country."""
_CHARACTERS = "0123456789X"
_WEIGHTS = [pow(2, 17 - position, 11) for position in range(17)]
_CITIZEN = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_KIND = re.compile(r"[a-z][a-z-]{1,30}/[A-Z]{3}", re.ASCII)
_NUMBER = re.compile(r"[A-Z0-9]{4,32}", re.ASCII)
_FIRST_YEAR = 1900
_LONGEST_NAME = 200
# Spaces and hyphens are how people group digits, never part of a number.
_GROUPING = re.compile(r"[\s\-‐-―−]+")


@dataclass(frozen=True, slots=True)
class Document:
    """An identity document: its kind, and its number in normal form.

    The kind is `citizen-id`, or a word and the issuing country (ISO 3166-1 alpha-3), such as
    `passport/DEU`: two countries may give out the same number.
    """

    kind: str
    # Kept out of repr, and so out of tracebacks and test reports.
    number: str = field(repr=False)


def read_document(kind: str, number: str, today: date) -> Document:
    """The document of a kind and number as people write them; BadIdentity if there is none such.

    `today` is the last date of birth that is possible.
    """
    plain = _GROUPING.sub("", unicodedata.normalize("NFKC", number)).upper()
    if kind == CITIZEN:
        return Document(CITIZEN, _check_citizen_number(plain, today))
    if not _KIND.fullmatch(kind):
        raise BadIdentity(
            f"the kind of an identity document is {CITIZEN}, or a word and the country that issued "
            "it in three capital letters, such as passport/DEU"
        )
    if not _NUMBER.fullmatch(plain):
        raise BadIdentity(
            "the number of the identity document must be 4 to 32 letters A to Z and digits; copy "
            "it from the document again"
        )
    return Document(kind, plain)


def read_name(text: str) -> str:
    """A person's name in NFC, single-spaced; BadIdentity if it is empty, long or no text."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise BadIdentity(
            f"a name has 1 to {_LONGEST_NAME} characters, this one has {len(name)}; give the full "
            "name as the identity document spells it"
        )
    # Cc, Cs, Co, Cn: what no name holds. Cf stays: some scripts join letters by it.
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") for char in name):
        raise BadIdentity("the name holds a character that is no text; type it again")
    return name


def check_character(first: str) -> str:
    """The check character after the first 17 digits of a citizen number; BadIdentity if not 17."""
    if len(first) != 17 or not (first.isascii() and first.isdigit()):
        raise BadIdentity("a check character follows 17 digits")
    total = sum(int(char) * weight for char, weight in zip(first, _WEIGHTS, strict=True))
    return _CHARACTERS[(1 - total) % 11]


def _check_citizen_number(number: str, today: date) -> str:
    if len(number) != 18:
        raise BadIdentity(
            f"a citizen identity number has 18 characters, this one has {len(number)}; look for "
            "one left out or typed twice"
        )
    if not _CITIZEN.fullmatch(number):
        raise BadIdentity(
            "a citizen identity number is 17 digits, the first not 0, and a digit or X; this one "
            "is not, so type it again"
        )
    # First, for a mistyped character is the likeliest fault wherever it is.
    if check_character(number[:17]) != number[17]:
        raise BadIdentity(
            "the citizen identity number's last character does not match the others; look for a "
            "mistyped character"
        )
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        born = date.min
    if not date(_FIRST_YEAR, 1, 1) <= born <= today:
        raise BadIdentity(
            "characters 7 to 14 of the citizen identity number are no possible date of birth; "
            "copy it from the document again"
        )
    return number
