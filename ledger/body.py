"""What each type of statement may say: a whitelist of fields, and the shape of each.

Nothing else enters the log. Free text is refused where it holds anything shaped like a
citizen identity number (GB 11643): a plain hash of one can be searched in seconds, the
number itself read by anyone, for ever.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from keys import Json, KeysError, PublicKey, b64u_decode
from ledger.clock import parse_date
from ledger.errors import BadStatement, LedgerError
from ledger.note import VerifierKey

Check = Callable[[Json], bool]

_CREDITS = re.compile(r"(0|[1-9]\d{0,5})(\.\d{0,3}[1-9])?\Z", re.ASCII)
_LEVEL = re.compile(r"[1-9]\d?\Z", re.ASCII)
_DID = re.compile(r"did:(web:[A-Za-z0-9.%:_-]{1,200}|key:z6Mk[1-9A-HJ-NP-Za-km-z]{44})\Z", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}\Z", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z", re.ASCII)
_UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}@[1-9]\d{0,3}\Z", re.ASCII)
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}\Z", re.ASCII)
_HOST = re.compile(r"[a-z0-9.-]{1,200}(:\d{1,5})?\Z", re.ASCII)
_URL = re.compile(r"https?://[a-z0-9.:/_-]{1,200}\Z", re.ASCII)
_CITIZEN_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)", re.ASCII)

STATUS_LIST_LENGTH = 131_072
"""Entries in one status list: the herd a single revoked credential hides in."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a statement type's body; the optional ones may be left out."""

    fields: Mapping[str, Check]
    optional: Mapping[str, Check]


def check_body(kind: str, body: Mapping[str, Json]) -> None:
    """BadStatement unless `body` has the fields of statement type `kind`, each in its shape."""
    shape = SHAPES.get(kind)
    if shape is None:
        raise BadStatement(f"statement type {kind[:40]!r} is not known to this ledger")
    for field, check in shape.fields.items():
        if field not in body:
            raise BadStatement(f"a statement of type {kind} lacks its field {field!r}")
        if not check(body[field]):
            raise _bad_field(kind, field, body[field])
    if len(body) == len(shape.fields):
        return
    for field, value in body.items():
        if field in shape.fields:
            continue
        check_optional = shape.optional.get(field)
        if check_optional is None:
            raise BadStatement(
                f"a statement of type {kind} has no field {field[:40]!r}: only the listed fields "
                "may enter the log"
            )
        if not check_optional(value):
            raise _bad_field(kind, field, value)


def _bad_field(kind: str, field: str, value: Json) -> BadStatement:
    if _holds_citizen_number(value):
        return BadStatement(
            f"field {field!r} of a statement of type {kind} holds what looks like a citizen "
            "identity number; personal data never enters the log"
        )
    return BadStatement(
        f"field {field!r} of a statement of type {kind} is not valid: {value!r:.80}"
    )


def _holds_citizen_number(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_holds_citizen_number(item) for item in value.values())
    return isinstance(value, str) and _shows_citizen_number(value)


def _shows_citizen_number(text: str) -> bool:
    """Also in full-width digits, as Chinese keyboards write them."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _CITIZEN_NUMBER.search(plain) is not None


def _matches(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


def _word(pattern: re.Pattern[str]) -> Check:
    """A short word that somebody chose, and may have chosen badly."""
    return lambda value: (
        isinstance(value, str)
        and pattern.match(value) is not None
        and not _shows_citizen_number(value)
    )


def _bytes(length: int) -> Check:
    def check(value: Json) -> bool:
        try:
            return isinstance(value, str) and len(b64u_decode(value, length)) == length
        except KeysError:
            return False

    return check


def _credits(value: Json) -> bool:
    return isinstance(value, str) and _CREDITS.match(value) is not None and Decimal(value) > 0


def _hours(value: Json) -> bool:
    return isinstance(value, str) and _CREDITS.match(value) is not None


def _date(value: Json) -> bool:
    try:
        return isinstance(value, str) and parse_date(value) is not None
    except LedgerError:
        return False


def _index(value: Json) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _multikey(value: Json) -> bool:
    try:
        return isinstance(value, str) and PublicKey.from_multikey(value) is not None
    except KeysError:
        return False


def _vkey(value: Json) -> bool:
    try:
        return isinstance(value, str) and VerifierKey.parse(value) is not None
    except LedgerError:
        return False


def _text(value: Json) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= 200
        and value.isprintable()
        and not _shows_citizen_number(value)
    )


def _names(value: Json) -> bool:
    return (
        isinstance(value, dict) and set(value) == {"en", "zh"} and all(map(_text, value.values()))
    )


def _list_of(check: Check) -> Check:
    def check_list(value: Json) -> bool:
        if not isinstance(value, list) or not 0 < len(value) <= 100:
            return False
        texts = [item for item in value if isinstance(item, str)]
        return len(set(texts)) == len(value) and all(map(check, value))

    return check_list


def _status(value: Json) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"index", "list"}
        and _index(value["index"])
        and _index(value["list"])
        and int(str(value["index"])) < STATUS_LIST_LENGTH
        and 0 < int(str(value["list"])) < 1_000_000
    )


def _governance(value: Json) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"keys", "threshold"}
        and isinstance(value["keys"], list)
        and _list_of(_multikey)(value["keys"])
        and type(value["threshold"]) is int
        and 0 < value["threshold"] <= len(value["keys"])
    )


def _version(value: Json) -> bool:
    return type(value) is int and 0 < value < 10_000


_did, _level, _slug, _code = _matches(_DID), _matches(_LEVEL), _word(_NAME), _word(_CODE)
_field_pattern = _list_of(lambda value: value == "*" or _slug(value))
_capacity = _list_of(
    lambda value: value in ("awarding", "receiving", "evaluation", "sub-centre", "accreditation")
)
_lot = _bytes(16)
_MEMBER_KEY: dict[str, Check] = {"key": _multikey, "member": _did}
_LOT_EVENT = Shape({"lot": _lot, "reason": _slug}, {})

SHAPES: Mapping[str, Shape] = {
    "log.open": Shape(
        {
            "domain": _matches(_HOST),
            "governance": _governance,
            "log": _list_of(_vkey),
            "name": _names,
            "origin": _text,
        },
        {},
    ),
    "member.admit": Shape(
        {"capacities": _capacity, "member": _did, "name": _names, "uscc": _matches(_USCC)}, {}
    ),
    "member.suspend": Shape({"member": _did, "reason": _slug}, {}),
    "key.add": Shape(_MEMBER_KEY, {}),
    "key.retire": Shape(_MEMBER_KEY, {}),
    "key.suspect": Shape({**_MEMBER_KEY, "from_index": _index}, {}),
    "grant": Shape(
        {"fields": _field_pattern, "from": _date, "level": _level, "member": _did, "until": _date},
        {},
    ),
    "unit.publish": Shape(
        {
            "credits": _credits,
            "field": _slug,
            "framework": _slug,
            "hours": _hours,
            "level": _level,
            "scheme": _slug,
            "title": _names,
            "unit": _code,
            "version": _version,
        },
        {},
    ),
    "witness.admit": Shape(
        {"keys": _list_of(_vkey), "operator": _slug, "quorum": _index, "url": _matches(_URL)}, {}
    ),
    "witness.retire": Shape({"operator": _slug, "quorum": _index}, {}),
    "award": Shape(
        # Its words are those of a published unit, which were checked there.
        {
            "commitment": _bytes(32),
            "credits": _credits,
            "level": _level,
            "lot": _lot,
            "scheme": _matches(_NAME),
            "status": _status,
            "unit": _matches(_UNIT),
        },
        {"expires": _date},
    ),
    "revoke": _LOT_EVENT,
    "suspend": _LOT_EVENT,
    "reinstate": _LOT_EVENT,
}
"""Every statement type this ledger takes. The set grows, the envelope does not."""

GOVERNANCE_TYPES = frozenset(
    (
        "log.open",
        "member.admit",
        "member.suspend",
        "key.add",
        "key.retire",
        "key.suspect",
        "grant",
        "witness.admit",
        "witness.retire",
    )
)
"""Statement types that only the governance quorum signs, in the bank's name."""
