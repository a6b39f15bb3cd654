"""Shapes of single values in statements: each a function that says whether a value has it.

Free text is refused where it holds anything shaped like a citizen identity number (GB 11643):
a plain hash of one can be searched in seconds, the number itself read by anyone, for ever.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal

from keys import Json, KeysError, PublicKey, b64u_decode
from ledger.clock import parse_date, parse_time
from ledger.errors import LedgerError
from ledger.note import VerifierKey
from ledger.receipt import HEADER

Check = Callable[[Json], bool]

_CREDITS = re.compile(r"(0|[1-9]\d{0,5})(\.\d{0,3}[1-9])?\Z", re.ASCII)
LEVEL = re.compile(r"[1-9]\d?\Z", re.ASCII)
DID = re.compile(r"did:(web:[A-Za-z0-9.%:_-]{1,200}|key:z6Mk[1-9A-HJ-NP-Za-km-z]{44})\Z", re.ASCII)
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}\Z", re.ASCII)
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z", re.ASCII)
UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}@[1-9]\d{0,3}\Z", re.ASCII)
USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}\Z", re.ASCII)
HOST = re.compile(r"[a-z0-9.-]{1,200}(:\d{1,5})?\Z", re.ASCII)
URL = re.compile(r"https?://[a-z0-9.:/_-]{1,200}\Z", re.ASCII)
_CITIZEN_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)", re.ASCII)
_NOTE = re.compile(r"[ -~\n—]*")
"""Text of a note or a receipt. A pattern is 40 times as fast as a loop."""

STATUS_LIST_LENGTH = 131_072
"""Entries in one status list: the herd a single revoked credential hides in."""


def holds_citizen_number(value: Json) -> bool:
    """Whether anything in it is shaped like a citizen identity number."""
    if isinstance(value, dict):
        return any(holds_citizen_number(item) for item in value.values())
    if isinstance(value, list):
        return any(map(holds_citizen_number, value))
    return isinstance(value, str) and shows_citizen_number(value)


def shows_citizen_number(text: str) -> bool:
    """Also in full-width digits, as Chinese keyboards write them."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _CITIZEN_NUMBER.search(plain) is not None


def matches(pattern: re.Pattern[str]) -> Check:
    """Text that a pattern matches."""
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


def word(pattern: re.Pattern[str]) -> Check:
    """A short word that somebody chose, and may have chosen badly."""
    return lambda value: (
        isinstance(value, str)
        and pattern.match(value) is not None
        and not shows_citizen_number(value)
    )


def raw(length: int) -> Check:
    """Bytes of one length, in base64url."""

    def check(value: Json) -> bool:
        try:
            return isinstance(value, str) and len(b64u_decode(value, length)) == length
        except KeysError:
            return False

    return check


def is_credits(value: Json) -> bool:
    """Credits: a decimal over zero."""
    return isinstance(value, str) and _CREDITS.match(value) is not None and Decimal(value) > 0


def is_decimal(value: Json) -> bool:
    """A decimal of at most six digits before the point and four after it."""
    return isinstance(value, str) and _CREDITS.match(value) is not None


def is_date(value: Json) -> bool:
    """A day, YYYY-MM-DD."""
    try:
        return isinstance(value, str) and parse_date(value) is not None
    except LedgerError:
        return False


def is_index(value: Json) -> bool:
    """An entry's place in a log."""
    return type(value) is int and 0 <= value < 2**53


def is_multikey(value: Json) -> bool:
    """An Ed25519 public key as a Multikey."""
    try:
        return isinstance(value, str) and PublicKey.from_multikey(value) is not None
    except KeysError:
        return False


def is_vkey(value: Json) -> bool:
    """A verifier key of a signed note."""
    try:
        return isinstance(value, str) and VerifierKey.parse(value) is not None
    except LedgerError:
        return False


def is_text(value: Json) -> bool:
    """Up to 200 printable characters."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= 200
        and value.isprintable()
        and not shows_citizen_number(value)
    )


def is_names(value: Json) -> bool:
    """A name in English and in Chinese."""
    return (
        isinstance(value, dict) and set(value) == {"en", "zh"} and all(map(is_text, value.values()))
    )


def list_of(check: Check, most: int = 100) -> Check:
    """A list of 1 to `most` texts of one shape, none twice."""

    def check_list(value: Json) -> bool:
        if not isinstance(value, list) or not 0 < len(value) <= most:
            return False
        texts = [item for item in value if isinstance(item, str)]
        return len(set(texts)) == len(value) and all(map(check, value))

    return check_list


def is_status(value: Json) -> bool:
    """A place in a status list."""
    return (
        isinstance(value, dict)
        and set(value) == {"index", "list"}
        and is_index(value["index"])
        and is_index(value["list"])
        and int(str(value["index"])) < STATUS_LIST_LENGTH
        and 0 < int(str(value["list"])) < 1_000_000
    )


def is_governance(value: Json) -> bool:
    """Keys, and how many of them sign together."""
    return (
        isinstance(value, dict)
        and set(value) == {"keys", "threshold"}
        and isinstance(value["keys"], list)
        and list_of(is_multikey)(value["keys"])
        and type(value["threshold"]) is int
        and 0 < value["threshold"] <= len(value["keys"])
    )


def is_version(value: Json) -> bool:
    """A version, from 1."""
    return type(value) is int and 0 < value < 10_000


def is_time(value: Json) -> bool:
    """A moment in the ledger's one spelling."""
    try:
        return isinstance(value, str) and parse_time(value) is not None
    except LedgerError:
        return False


def number(low: int, high: int) -> Check:
    """A whole number from `low` to `high`."""
    return lambda value: type(value) is int and low <= value <= high


def one_of(*words: str) -> Check:
    """One of these words."""
    return lambda value: isinstance(value, str) and value in words


def items(check: Check, most: int = 100) -> Check:
    """A list of 1 to `most` values of one shape."""
    return lambda value: (
        isinstance(value, list) and 0 < len(value) <= most and all(map(check, value))
    )


def record(fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object of these fields and no others."""
    more = optional or {}

    def check(value: Json) -> bool:
        return (
            isinstance(value, dict)
            and set(fields) <= set(value) <= {*fields, *more}
            and all((fields.get(name) or more[name])(item) for name, item in value.items())
        )

    return check


def is_receipt(value: Json) -> bool:
    """A receipt as text; whether it holds is found out where it is opened."""
    return (
        isinstance(value, str)
        and value.startswith(HEADER)
        and len(value) <= 40_000
        and _NOTE.fullmatch(value) is not None
    )


def is_checkpoint(value: Json) -> bool:
    """A signed note as text; whether it is one of the log it names is found out by who checks."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= 20_000
        and "\n\n" in value
        and _NOTE.fullmatch(value) is not None
    )
