"""From which entry until which a key is good, and what each statement about it makes of that.

`key.add` and `key.retire` are the plan, `key.suspect` is for a key that was stolen: what it signed
between the entry from which it is suspect and the entry that said so is in doubt. A key may
announce the one that comes after it, by digest alone; then its owner can hand over without the
governance, and whoever stole the key that is in use cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from keys import Json, b64u_encode
from ledger.errors import Refused
from ledger.statement import SignedStatement

ROTATE = "key.rotate"
KINDS = frozenset(("key.add", "key.retire", "key.suspect", ROTATE))
"""Statement types that change when a key is good."""


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """A member's key, good for entries `start` to `end` (exclusive).

    Entries from `suspect_from` to `suspect_at` (exclusive) are in doubt; later ones are not its
    own. `person` tells whose hand it is in; keys that do not say count as one and the same hand.
    """

    key: str
    start: int
    end: int | None = None
    suspect_from: int | None = None
    person: str = ""
    suspect_at: int | None = None
    next: str = ""
    """The digest of the key announced to come after it, or empty."""

    def good_at(self, index: int, attested: bool = False) -> bool:
        """Whether an entry at `index` may be signed by it; `attested` settles a doubt."""
        if index < self.start or (self.end is not None and index >= self.end):
            return False
        if self.suspect_from is None or index < self.suspect_from:
            return True
        return attested and self.suspect_at is not None and index < self.suspect_at

    def doubtful_at(self, index: int) -> bool:
        """Whether an entry at `index` that it signed is in doubt."""
        return not self.good_at(index) and self.good_at(index, attested=True)


def next_digest(key: str) -> str:
    """What announces a key (a Multikey) to come: SHA-256 of its text, in base64url."""
    return b64u_encode(sha256(key.encode()).digest())


def signer(periods: Mapping[str, KeyPeriod], key: str, did: str, index: int) -> KeyPeriod:
    """The key of `did` that may sign at `index`; Refused where it may not."""
    period = periods.get(key)
    if period is None:
        raise Refused(f"the key {key} is not registered for {did}")
    if not period.good_at(index):
        what = "retired" if period.suspect_from is None else "reported as suspect"
        raise Refused(f"the key {key} of {did} was {what}")
    return period


def check_known(
    kind: str, body: Mapping[str, Json], periods: Mapping[str, KeyPeriod], did: str
) -> None:
    """Refused unless the key that is retired or reported is one of `did`'s."""
    key = str(body["key"])
    period = periods.get(key)
    if period is None:
        raise Refused(f"{did} has no key {key}")
    if kind == "key.retire" and period.end is not None:
        raise Refused(f"the key {key} is retired already")


def check_rotation(
    signed: SignedStatement, periods: Mapping[str, KeyPeriod], did: str, index: int
) -> None:
    """Refused unless a key hands over to the very one it announced, and both sign."""
    body = signed.statement.body
    new, old = str(body["key"]), str(body["replaces"])
    if {key for key, _ in signed.signatures} != {new, old}:
        raise Refused("a key.rotate statement is signed by the key replaced and by the new one")
    period = signer(periods, old, did, index)
    if not period.next:
        raise Refused(
            f"the key {old} announced no next one; the governance registers another with key.add"
        )
    if next_digest(new) != period.next:
        raise Refused(
            f"the key {new} is not the one that {old} announced as its next; if that is lost, the "
            "governance registers another with key.add"
        )


def after(
    kind: str, body: Mapping[str, Json], periods: Mapping[str, KeyPeriod], index: int
) -> dict[str, KeyPeriod]:
    """The keys after a statement about one, checked before, at `index`."""
    key = str(body["key"])
    announced = str(body.get("next", ""))
    if kind == "key.add":
        period = KeyPeriod(key, index + 1, person=str(body.get("person", "")), next=announced)
        return {**periods, key: period}
    if kind == ROTATE:
        old = periods[str(body["replaces"])]
        period = KeyPeriod(key, index + 1, person=old.person, next=announced)
        return {**periods, old.key: replace(old, end=index + 1), key: period}
    if kind == "key.retire":
        return {**periods, key: replace(periods[key], end=index + 1)}
    start = body["from_index"]
    return {**periods, key: _suspect(periods[key], start if type(start) is int else index, index)}


def _suspect(period: KeyPeriod, start: int, index: int) -> KeyPeriod:
    """Reported once more, a key can only lose."""
    last = max(start, index)
    if period.suspect_from is not None:
        start = min(start, period.suspect_from)
        last = min(last, last if period.suspect_at is None else period.suspect_at)
    return replace(period, suspect_from=start, suspect_at=last)
