"""Member institutions as the log knows them: what they may do, and with which keys."""

from collections.abc import Mapping
from dataclasses import dataclass

from keys import Json
from ledger.checked import as_texts
from ledger.errors import Refused
from ledger.key_periods import KeyPeriod


@dataclass(frozen=True, slots=True)
class Grant:
    """What a member may award: fields (`*` for all), up to a level, from a day until another."""

    index: int
    fields: tuple[str, ...]
    level: int
    start: str
    until: str
    ended: bool = False

    def covers(self, field: str, level: int, day: str) -> bool:
        """Whether an award in `field` at `level` on `day` (YYYY-MM-DD) falls under it."""
        return (
            not self.ended
            and ("*" in self.fields or field in self.fields)
            and level <= self.level
            and self.start <= day <= self.until
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A member institution as the log knows it."""

    did: str
    names: Mapping[str, str]
    uscc: str
    capacities: tuple[str, ...]
    active: bool
    keys: Mapping[str, KeyPeriod]
    grants: tuple[Grant, ...]
    attested: frozenset[str] = frozenset()
    """Hashes (base64url) of statements by a key in doubt that it stands by."""


def grant_of(body: Mapping[str, Json], index: int) -> Grant:
    """The grant that the statement of entry `index` gives."""
    return Grant(
        index,
        as_texts(body["fields"]),
        int(str(body["level"])),
        str(body["from"]),
        str(body["until"]),
    )


def check_grant(member: Member, body: Mapping[str, Json]) -> None:
    """Refused unless such a grant can be given."""
    if str(body["from"]) > str(body["until"]):
        raise Refused("a grant's last day lies before its first")
    if "awarding" not in member.capacities:
        raise Refused(f"{member.did} was not admitted as an awarding institution")


def check_grant_end(member: Member, body: Mapping[str, Json]) -> None:
    """Refused unless the grant is there and was not ended."""
    known = [grant for grant in member.grants if grant.index == body["index"]]
    if not known or known[0].ended:
        raise Refused(f"{member.did} holds no grant by entry {body['index']}, or it was ended")


def check_standing(kind: str, member: Member) -> None:
    """Refused where a member is suspended twice, or reinstated without need."""
    active = kind == "member.suspend"
    if member.active is not active:
        raise Refused(f"{member.did} is {'suspended already' if active else 'not suspended'}")


def check_attestation(member: Member, body: Mapping[str, Json], index: int) -> None:
    """Refused unless a key of the member's is suspect, and nothing is attested twice."""
    if not any(p.suspect_from is not None and p.suspect_from < index for p in member.keys.values()):
        raise Refused(f"no key of {member.did} is in doubt, so it has nothing to attest")
    again = member.attested & set(as_texts(body["statements"]))
    if again:
        raise Refused(f"{member.did} attested the statement {min(again)} already")
