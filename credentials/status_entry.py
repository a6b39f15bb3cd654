"""Status entries of any issuer, looked up in a list (Bitstring Status List 1.0, section 3.2).

Our own entries are exact (`StatusSlot`); these may have the fields the specification leaves open.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from credentials.errors import BadStatusList, MalformedStatus, StatusOutOfRange
from credentials.moment import parse_moment
from credentials.status import StatusList
from keys import Json

ENTRY = "BitstringStatusListEntry"
_INDEX = re.compile(r"(0|[1-9]\d{0,14})\Z", re.ASCII)
_MOST_BITS = 8


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Where a credential's status is found: a list's URL, a purpose, a place and its width."""

    url: str
    purpose: str
    index: int
    size: int
    messages: dict[int, str]

    @classmethod
    def of(cls, entry: dict[str, Json]) -> "StatusEntry":
        """The entry of its JSON object; BadStatusList says what is wrong with it."""
        if entry.get("type") != ENTRY:
            raise MalformedStatus(f"not a {ENTRY}: {entry.get('type')!r:.60}")
        url, purpose, index = (
            entry.get(name) for name in ("statusListCredential", "statusPurpose", "statusListIndex")
        )
        if not (isinstance(url, str) and isinstance(purpose, str) and isinstance(index, str)):
            raise MalformedStatus("a status entry's list, purpose and index are texts")
        if not _INDEX.match(index):
            raise MalformedStatus(f"a status entry's index is a whole number: {index!r:.40}")
        if entry.get("id") == url:
            raise MalformedStatus("a status entry's id is not that of its list")
        size = entry.get("statusSize", 1)
        if type(size) is not int or not 0 < size <= _MOST_BITS:
            raise MalformedStatus(f"statusSize is a whole number from 1 to {_MOST_BITS}")
        return cls(url, purpose, int(index), size, _messages(entry, size))


def value_in(entry: StatusEntry, document: Json, at: datetime) -> int:
    """The value at the entry's place in a list credential, whose proofs were verified before.

    BadStatusList, or a more exact error, where the list does not answer for the entry.
    """
    subject = document.get("credentialSubject") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(subject, dict):
        raise BadStatusList("not a status list credential")
    if "id" in document and document["id"] != entry.url:
        raise BadStatusList("the status list is another than the entry names")
    kinds = document.get("type")
    if not isinstance(kinds, list) or "BitstringStatusListCredential" not in kinds:
        raise BadStatusList("the status list's type is not BitstringStatusListCredential")
    if subject.get("type") != "BitstringStatusList":
        raise BadStatusList("the status list's subject is not a BitstringStatusList")
    purposes = subject.get("statusPurpose")
    if entry.purpose not in (purposes if isinstance(purposes, list) else [purposes]):
        raise BadStatusList(f"the status list is for {purposes!r:.60}, not {entry.purpose}")
    _check_period(document, at)
    encoded = subject.get("encodedList")
    if not isinstance(encoded, str):
        raise MalformedStatus("the status list has no encodedList")
    bits = StatusList.decode(encoded)
    start = entry.index * entry.size
    if start + entry.size > 8 * len(bits.bits):
        raise StatusOutOfRange(f"the status list has no entry {entry.index}")
    value = 0
    for place in range(start, start + entry.size):
        value = value << 1 | bits[place]
    return value


def _messages(entry: dict[str, Json], size: int) -> dict[int, str]:
    messages = entry.get("statusMessage")
    if messages is None and size == 1:
        return {}
    if not isinstance(messages, list) or len(messages) != 2**size:
        raise MalformedStatus(f"statusSize {size} takes {2**size} status messages")
    found: dict[int, str] = {}
    for item in messages:
        status = item.get("status") if isinstance(item, dict) else None
        message = item.get("message") if isinstance(item, dict) else None
        if not isinstance(status, str) or not isinstance(message, str):
            raise MalformedStatus("a status message has the texts status and message")
        if not re.fullmatch(r"0x[0-9a-fA-F]{1,4}", status):
            raise MalformedStatus(f"a status is a hexadecimal number such as 0x1: {status!r:.40}")
        found[int(status, 16)] = message
    return found


def _check_period(document: dict[str, Json], at: datetime) -> None:
    since, until = document.get("validFrom"), document.get("validUntil")
    if isinstance(since, str) and parse_moment(since, "the status list's validFrom") > at:
        raise BadStatusList(f"the status list is valid only from {since}")
    if isinstance(until, str) and parse_moment(until, "the status list's validUntil") < at:
        raise BadStatusList(f"the status list was valid until {until}")
