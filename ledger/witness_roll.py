"""The witnesses that the governance admitted, and the quorum of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from keys import Json
from ledger.checked import as_texts
from ledger.errors import Refused
from ledger.note import ED25519, VerifierKey


@dataclass(frozen=True, slots=True)
class WitnessRecord:
    """A witness the governance admitted: its operator, where it is asked, and its keys."""

    operator: str
    url: str
    keys: tuple[VerifierKey, ...]


def witness_of(body: Mapping[str, Json]) -> WitnessRecord:
    """The witness that a statement admits."""
    return WitnessRecord(str(body["operator"]), str(body["url"]), witness_keys(body))


def witness_keys(body: Mapping[str, Json]) -> tuple[VerifierKey, ...]:
    """The keys in a statement about a witness; none where it retires one."""
    return tuple(map(VerifierKey.parse, as_texts(body.get("keys"))))


def check_witness(
    kind: str,
    body: Mapping[str, Json],
    witnesses: Mapping[str, WitnessRecord],
    log_keys: tuple[VerifierKey, ...],
) -> None:
    """Refused unless the witness can be admitted or retired, and the quorum be reached."""
    operator = str(body["operator"])
    count = len(witnesses.keys() | {operator})
    if kind == "witness.retire":
        if operator not in witnesses:
            raise Refused(f"{operator} is not a witness of this log")
        count -= 1
    if int(str(body["quorum"])) > count:
        raise Refused(f"{count} witnesses cannot give a quorum of {body['quorum']}")
    taken = {
        key.raw: other
        for other, record in witnesses.items()
        if other != operator
        for key in record.keys
    }
    own = {key.raw for key in log_keys}
    for key in witness_keys(body):
        if key.kind == ED25519:
            raise Refused("a witness's key is a cosignature key, not a log's")
        if key.raw in own:
            raise Refused("a log is no witness of itself: this key is its own")
        # One operator under two names would count twice towards the quorum.
        if key.raw in taken:
            raise Refused(f"the key {key.name} is the witness {taken[key.raw]}'s already")
