"""Signed requests: what only a member may ask of the bank, with no password to share.

`{"request": {author, lots, time}, "signature": {key, value}}`; what is signed is
`creditbank request v1\\n` and the JCS of `request`. It is good for five minutes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bank.errors import BadRequest, NotAllowed
from keys import Json, KeysError, PublicKey, Signer, b64u_decode, b64u_encode, encode
from ledger import LedgerError, Registry, format_time, parse_time

_CONTEXT = b"creditbank request v1\n"
_GOOD_FOR = timedelta(minutes=5)
_MOST_LOTS = 5000


def sign_slot_request(
    author: str, lots: Sequence[str], signer: Signer, now: datetime
) -> dict[str, Json]:
    """A request for status slots."""
    request: dict[str, Json] = {"author": author, "lots": list(lots), "time": format_time(now)}
    value = b64u_encode(signer.sign(_CONTEXT + encode(request)))
    return {"request": request, "signature": {"key": signer.public_key.multikey, "value": value}}


def open_slot_request(value: Json, registry: Registry, now: datetime) -> tuple[str, list[str]]:
    """Author and lots of a request; BadRequest if malformed, NotAllowed if not by a member."""
    if not isinstance(value, dict) or set(value) != {"request", "signature"}:
        raise BadRequest("a slot request has the fields request and signature")
    request, signature = value["request"], value["signature"]
    if not isinstance(request, dict) or set(request) != {"author", "lots", "time"}:
        raise BadRequest("a slot request's request has the fields author, lots and time")
    author, lots, time = request["author"], request["lots"], request["time"]
    if not (isinstance(author, str) and isinstance(lots, list) and isinstance(time, str)):
        raise BadRequest("a slot request's author and time are text, its lots a list")
    names = [lot for lot in lots if isinstance(lot, str)]
    if len(names) != len(lots) or len(lots) > _MOST_LOTS:
        raise BadRequest(f"a slot request names at most {_MOST_LOTS} lots, as text")
    _check(author, time, _CONTEXT + encode(request), signature, registry, now)
    try:
        for name in names:
            b64u_decode(name, 16)
    except KeysError as error:
        raise BadRequest(f"a lot is 16 bytes in base64url: {error}") from error
    return author, names


def request_key(value: Json) -> str:
    """The key that signed a request, once it was opened."""
    signature = value["signature"] if isinstance(value, dict) else None
    return str(signature["key"]) if isinstance(signature, dict) else ""


def _check(
    author: str, time: str, message: bytes, signature: Json, registry: Registry, now: datetime
) -> None:
    if not isinstance(signature, dict) or set(signature) != {"key", "value"}:
        raise BadRequest("a request's signature has the fields key and value")
    key = str(signature["key"])
    try:
        PublicKey.from_multikey(key).verify(message, b64u_decode(str(signature["value"]), 64))
        if abs(parse_time(time) - now) > _GOOD_FOR:
            raise NotAllowed("the request's time is more than five minutes off; check the clock")
    except KeysError as error:
        raise NotAllowed(f"the request's signature does not hold: {error}") from error
    except LedgerError as error:
        raise BadRequest(str(error)) from error
    member = registry.members.get(author)
    period = member.keys.get(key) if member and member.active else None
    if period is None or period.end is not None or period.suspect_from is not None:
        raise NotAllowed(f"the key {key} is not a registered key of {author}")
