"""Award entries, read by one expression: nearly every entry is one, and an audit reads them all.

The expression matches exactly the canonical bytes of an award entry whose fields are in their
shapes (`ledger.body`), and nothing else; whatever it does not match goes the general way. A
property test holds the two ways together.
"""

import re
from functools import lru_cache

from keys import Json, KeysError, PublicKey, b64u_decode
from ledger.body import STATUS_LIST_LENGTH
from ledger.clock import parse_date, parse_time
from ledger.errors import LedgerError
from ledger.statement import SUITE, VERSION, SignedStatement, Statement

_B64U = b"[A-Za-z0-9_-]"
# The last character of base64url carries fewer bits: only those with the rest zero are canonical.
_LAST_OF_2_BITS = b"[AQgw]"
_LAST_OF_4_BITS = b"[AEIMQUYcgkosw048]"

_AWARD = re.compile(
    rb'\{"index":(0|[1-9]\d{0,14}),"prev":"([0-9a-f]{64})",'
    rb'"signatures":\[\{"key":"(z6Mk[1-9A-HJ-NP-Za-km-z]{44})",'
    rb'"value":"(' + _B64U + rb"{85}" + _LAST_OF_2_BITS + rb')"\}\],'
    rb'"statement":(\{"author":"(did:web:[A-Za-z0-9.%:_-]{1,200})",'
    rb'"body":\{"commitment":"(' + _B64U + rb"{42}" + _LAST_OF_4_BITS + rb')",'
    rb'"credits":"((?!0")(?:0|[1-9]\d{0,5})(?:\.\d{0,3}[1-9])?)",'
    rb'(?:"expires":"(\d{4}-\d\d-\d\d)",)?'
    rb'"level":"([1-9]\d?)","lot":"(' + _B64U + rb"{21}" + _LAST_OF_2_BITS + rb')",'
    rb'"scheme":"([a-z0-9][a-z0-9.-]{0,62})",'
    rb'"status":\{"index":(0|[1-9]\d{0,5}),"list":([1-9]\d{0,5})\},'
    rb'"unit":"([A-Za-z0-9][A-Za-z0-9._-]{0,31}@[1-9]\d{0,3})"\},'
    rb'"suite":"'
    + SUITE.encode()
    + rb'","type":"award","version":'
    + str(VERSION).encode()
    + rb"\}),"
    rb'"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"\}\Z'
)


def read_award_entry(data: bytes) -> tuple[int, bytes, str, SignedStatement] | None:
    """Index, prev, time and signed statement of a canonical award entry, or None."""
    match = _AWARD.match(data)
    if match is None:
        return None
    index, prev, key, value, statement, author, commitment, credits = match.group(*range(1, 9))
    expires, level, lot, scheme, slot, number, unit, time = match.group(*range(9, 17))
    place = int(slot)
    moment, signer = time.decode(), key.decode()
    if place >= STATUS_LIST_LENGTH or not _is_time(moment) or not _is_key(signer):
        return None
    body: dict[str, Json] = {
        "commitment": commitment.decode(),
        "credits": credits.decode(),
        "level": level.decode(),
        "lot": lot.decode(),
        "scheme": scheme.decode(),
        "status": {"index": place, "list": int(number)},
        "unit": unit.decode(),
    }
    if expires is not None:
        day = expires.decode()
        body["expires"] = day
        if not _is_date(day):
            return None
    made = Statement(author.decode(), "award", body, statement)
    signed = SignedStatement(made, ((signer, b64u_decode(value.decode(), 64)),))
    return int(index), bytes.fromhex(prev.decode()), moment, signed


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
