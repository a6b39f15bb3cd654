"""Award entries, read by one expression: nearly every entry is one, and an audit reads them all.

The expression matches exactly the canonical bytes of an award entry whose fields are in their
shapes (`ledger.body`), and nothing else; whatever it does not match goes the general way. A
property test holds the two ways together.
"""

import re
from binascii import a2b_base64
from functools import lru_cache
from typing import NamedTuple

from keys import Json, KeysError, PublicKey
from ledger.body import STATUS_LIST_LENGTH
from ledger.clock import parse_date, parse_time
from ledger.errors import LedgerError
from ledger.statement import SUITE, VERSION, SignedStatement, Statement

_STANDARD = bytes.maketrans(b"-_", b"+/")
_B64U = "[A-Za-z0-9_-]"
# The last character of base64url carries fewer bits: only those with the rest zero are canonical.
_LAST_OF_2_BITS = "[AQgw]"
_LAST_OF_4_BITS = "[AEIMQUYcgkosw048]"

_AWARD = re.compile(
    r'\{"index":(0|[1-9]\d{0,14}),"prev":"([0-9a-f]{64})",'
    r'("signatures":\[\{"key":"(z6Mk[1-9A-HJ-NP-Za-km-z]{44})",'
    rf'"value":"({_B64U}{{85}}{_LAST_OF_2_BITS})"\}}\],'
    r'"statement":(\{"author":"(did:web:[A-Za-z0-9.%:_-]{1,200})",'
    rf'"body":\{{"commitment":"({_B64U}{{42}}{_LAST_OF_4_BITS})",'
    r'"credits":"((?!0")(?:0|[1-9]\d{0,5})(?:\.\d{0,3}[1-9])?)",'
    r'(?:"expires":"(\d{4}-\d\d-\d\d)",)?'
    rf'"level":"([1-9]\d?)","lot":"({_B64U}{{21}}{_LAST_OF_2_BITS})",'
    r'"scheme":"([a-z0-9][a-z0-9.-]{0,62})",'
    r'"status":\{"index":(0|[1-9]\d{0,5}),"list":([1-9]\d{0,5})\},'
    r'"unit":"([A-Za-z0-9][A-Za-z0-9._-]{0,31}@[1-9]\d{0,3})"\},'
    rf'"suite":"{SUITE}","type":"award","version":{VERSION}\}})),'
    r'"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"\}\Z',
    re.ASCII,
)


class AwardFields(NamedTuple):
    """The fields of an award entry, as they stand in its JSON."""

    place: str
    prev: str
    signed: str
    """Signatures and statement, as they were submitted but for the braces."""
    key: str
    signature: str
    statement: str
    author: str
    commitment: str
    credits: str
    expires: str | None
    level: str
    lot: str
    scheme: str
    slot: str
    status_list: str
    unit: str
    time: str


def read_award_fields(data: bytes) -> AwardFields | None:
    """The fields of a canonical award entry, or None."""
    try:
        match = _AWARD.match(data.decode("ascii"))
    except UnicodeDecodeError:
        return None
    if match is None:
        return None
    fields = AwardFields(*match.groups())
    if (
        int(fields.slot) >= STATUS_LIST_LENGTH
        or not _is_time(fields.time)
        or not _is_key(fields.key)
        or not (fields.expires is None or _is_date(fields.expires))
    ):
        return None
    return fields


def read_award_entry(data: bytes) -> tuple[int, bytes, str, SignedStatement] | None:
    """Index, prev, time and signed statement of a canonical award entry, or None."""
    fields = read_award_fields(data)
    if fields is None:
        return None
    return int(fields.place), bytes.fromhex(fields.prev), fields.time, signed_award(fields)


def signed_award(fields: AwardFields) -> SignedStatement:
    """The signed statement of an award entry's fields."""
    body: dict[str, Json] = {
        "commitment": fields.commitment,
        "credits": fields.credits,
        "level": fields.level,
        "lot": fields.lot,
        "scheme": fields.scheme,
        "status": {"index": int(fields.slot), "list": int(fields.status_list)},
        "unit": fields.unit,
    }
    if fields.expires is not None:
        body["expires"] = fields.expires
    made = Statement(fields.author, "award", body, fields.statement.encode())
    data = f"{{{fields.signed}}}".encode()
    return SignedStatement.as_read(made, ((fields.key, b64(fields.signature)),), data)


def b64(text: str) -> bytes:
    """The bytes of base64url without padding, checked before to be canonical."""
    return a2b_base64(text.encode().translate(_STANDARD) + b"==")


@lru_cache(maxsize=1024)
def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except LedgerError:
        return False
    return True


@lru_cache(maxsize=4096)
def _is_date(text: str) -> bool:
    try:
        parse_date(text)
    except LedgerError:
        return False
    return True


@lru_cache(maxsize=4096)
def _is_key(text: str) -> bool:
    try:
        PublicKey.from_multikey(text)
    except KeysError:
        return False
    return True
