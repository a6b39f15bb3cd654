"""From the text of a cell to a value in its one normal form, or `BadValue` with the reason.

Every function takes text without surrounding white space and returns text, so that two spellings
of one value (`2.50`, `2.5`) become equal before anything is compared, stored or signed. What ends
up on the public ledger is held to the ledger's own rules, so that it refuses nothing later.
"""

import datetime
import re
import unicodedata

from bank.results.errors import BadValue

_TEXT_LIMIT = 200
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,40}")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_LEVEL = re.compile("[1-9][0-9]?")
_VERSION = re.compile("[1-9][0-9]{0,3}")
_SPACE = re.compile(r"[^\S\x00-\x1f\x7f-\x9f\u2028\u2029]")
# GB 11643: seventeen digits and a check digit or X.
_CITIZEN_NUMBER = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_WHOLE_DIGITS = 6
_DECIMALS = 4
# Controls, line and paragraph separators, what reorders the text around it or takes no room, the
# mark of an earlier wrong decoding, and code points that are no characters.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069"
    "\ufdd0-\ufdef\ufeff\ufffd-\uffff\ud800-\udfff]"
)
_YMD = "(?P<y>[0-9]{4})"
DATE_FORMATS = {
    "YYYY-MM-DD": re.compile(_YMD + "-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"),
    "YYYYMMDD": re.compile(_YMD + "(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    "YYYY/M/D": re.compile(_YMD + "/(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})"),
    "YYYY.M.D": re.compile(_YMD + r"\.(?P<m>[0-9]{1,2})\.(?P<d>[0-9]{1,2})"),
    "YYYY年M月D日": re.compile(_YMD + "年(?P<m>[0-9]{1,2})月(?P<d>[0-9]{1,2})日"),
    "D/M/YYYY": re.compile("(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/" + _YMD),
    "M/D/YYYY": re.compile("(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/" + _YMD),
}
"""How a mapping may say that dates are written; the first is understood always."""


def quoted(text: str) -> str:
    """`text` in quotation marks for a message, cut short, with control characters escaped."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def text(value: str) -> str:
    """A name or other text for people, in Unicode's composed form (NFC), with plain spaces."""
    # A cell may be long, and composing it can change its length.
    if not value.isascii() and len(value) <= 4 * _TEXT_LIMIT:
        value = _SPACE.sub(" ", unicodedata.normalize("NFC", value))
    if len(value) > _TEXT_LIMIT:
        raise BadValue(f"{quoted(value)} has {len(value)} characters; at most 200 are allowed")
    found = _FORBIDDEN.search(value)
    if found:
        raise BadValue(
            f"{quoted(value)} holds the control or invisible character U+{ord(found[0]):04X}; "
            "remove it"
        )
    return value


def title(value: str) -> str:
    """The title of a unit, which everyone may read."""
    value = text(value)
    if not value.isprintable():
        raise BadValue(f"{quoted(value)} holds a character that cannot be shown; replace it")
    return _public(value)


def _public(value: str) -> str:
    if _CITIZEN_NUMBER.search(value):
        raise BadValue(
            f"{quoted(value)} looks like a citizen identity number, which must never be published; "
            "look for a wrong column in the mapping"
        )
    return value


def code(value: str) -> str:
    """The code of a unit."""
    if not _CODE.fullmatch(value):
        raise BadValue(
            f"{quoted(value)} is not a code: use 1 to 32 of A-Z, a-z, 0-9, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
    return _public(value)


def name(value: str) -> str:
    """The short name of a field, framework or scheme."""
    if not _NAME.fullmatch(value):
        raise BadValue(
            f"{quoted(value)} is not a short name: use 1 to 63 of a-z, 0-9, '.' and '-', "
            "beginning with a letter or digit"
        )
    return _public(value)


def level(value: str) -> str:
    """A level of a framework: a whole number from 1 to 99."""
    if not _LEVEL.fullmatch(value):
        raise BadValue(f"{quoted(value)} is not a level; write a whole number from 1 to 99")
    return value


def slug(value: str) -> str:
    """An institution's short name."""
    if not _SLUG.fullmatch(value):
        raise BadValue(
            f"{quoted(value)} is not an institution's slug: use 2 to 41 of a-z, 0-9 and '-', "
            "beginning with a letter or digit"
        )
    return value


def amount(value: str) -> str:
    """Credits or hours: above zero, at most four decimals, without zeros that say nothing."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        raise BadValue(f"{quoted(value)} is not a number; write it like 3 or 2.5")
    sign, whole, fraction = found[1], found[2].lstrip("0"), (found[3] or "").rstrip("0")
    if sign and (whole or fraction):
        raise BadValue(f"{quoted(value)} is negative; it must be above 0")
    if not whole and not fraction:
        raise BadValue(f"{quoted(value)} is zero; it must be above 0")
    if len(fraction) > _DECIMALS:
        raise BadValue(f"{quoted(value)} has {len(fraction)} decimals; at most 4 are allowed")
    if len(whole) > _WHOLE_DIGITS:
        raise BadValue(f"{quoted(value)} is too large; at most 999999 is allowed")
    return (whole or "0") + ("." + fraction if fraction else "")


def version(value: str) -> str:
    """The version of a unit: a whole number from 1 to 9999."""
    if not _VERSION.fullmatch(value):
        raise BadValue(f"{quoted(value)} is not a version; write a whole number from 1 to 9999")
    return value


def date(value: str, written: str = "YYYY-MM-DD") -> str:
    """A date as YYYY-MM-DD, from that or from the way the mapping says dates are `written`."""
    found = DATE_FORMATS["YYYY-MM-DD"].fullmatch(value) or DATE_FORMATS[written].fullmatch(value)
    if found is None:
        raise BadValue(f"{quoted(value)} is not a date written {written}")
    try:
        day = datetime.date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        raise BadValue(f"{quoted(value)} is not a day of the calendar") from None
    if day.year < 1900:
        raise BadValue(f"{quoted(value)} is before 1900; look for a mistyped year")
    return day.isoformat()
