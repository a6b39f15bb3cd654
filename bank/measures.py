"""What the governance may decide about a member, as statements, and what it decided before."""

from dataclasses import dataclass
from enum import StrEnum

from bank.errors import BadRequest
from keys import Json
from ledger import Member
from ledger.authority import Grant, KeyPeriod


class Measure(StrEnum):
    """A decision that a page offers to propose."""

    SUSPEND = "member.suspend"
    REINSTATE = "member.reinstate"
    END_GRANT = "grant.end"
    RETIRE_KEY = "key.retire"


class Force(StrEnum):
    """Whether a grant or key holds."""

    HOLDS = "holds"
    NOT_YET = "not yet"
    OVER = "over"
    ENDED = "ended"
    IN_DOUBT = "in doubt"


@dataclass(frozen=True, slots=True)
class Standing:
    """A member with its grants and keys, and whether each holds."""

    member: Member
    grants: tuple[tuple[Grant, Force], ...]
    keys: tuple[tuple[KeyPeriod, Force], ...]

    @property
    def holding_grants(self) -> int:
        """How many grants hold."""
        return sum(force is Force.HOLDS for _, force in self.grants)

    @property
    def holding_keys(self) -> int:
        """How many keys hold."""
        return sum(force is Force.HOLDS for _, force in self.keys)


def standing(member: Member, day: str) -> Standing:
    """How a member stands on a day (YYYY-MM-DD), at the end of the log."""
    return Standing(
        member,
        tuple((grant, _grant_force(grant, day)) for grant in member.grants),
        tuple((period, _key_force(period)) for period in member.keys.values()),
    )


def measure(member: Member, what: str, about: str, reason: str) -> tuple[str, dict[str, Json]]:
    """The statement that a decision about a member takes: its type and body.

    `about` is the entry of the grant, or the key. BadRequest where it cannot be decided.
    """
    body: dict[str, Json] = {"member": member.did}
    match what:
        case Measure.SUSPEND | Measure.REINSTATE:
            if member.active is not (what == Measure.SUSPEND):
                state = "suspended already" if what == Measure.SUSPEND else "not suspended"
                raise BadRequest(f"{member.did} is {state}")
            body["reason"] = _reason(reason)
        case Measure.END_GRANT:
            open_grants = {str(grant.index): grant for grant in member.grants if not grant.ended}
            if about not in open_grants:
                raise BadRequest(f"{member.did} holds no grant by entry {about[:20]}")
            body |= {"index": open_grants[about].index, "reason": _reason(reason)}
        case Measure.RETIRE_KEY:
            period = member.keys.get(about)
            if period is None or period.end is not None:
                raise BadRequest(f"{member.did} has no such key in force")
            body["key"] = period.key
        case _:
            raise BadRequest(f"there is no decision {what[:40]!r} to propose here")
    return what, body


def again(body: dict[str, Json], number: int) -> dict[str, Json]:
    """The same decision for the `number`th time: the ledger takes each statement once.

    What was decided before for the same reason is told apart by a number behind the reason.
    """
    return {**body, "reason": f"{body['reason']}-{number}"} if "reason" in body else body


def _reason(reason: str) -> str:
    if not reason:
        raise BadRequest("choose a reason: it stands on the ledger for everybody to read")
    return reason


def _grant_force(grant: Grant, day: str) -> Force:
    if grant.ended:
        return Force.ENDED
    if day < grant.start:
        return Force.NOT_YET
    return Force.OVER if day > grant.until else Force.HOLDS


def _key_force(period: KeyPeriod) -> Force:
    if period.end is not None:
        return Force.ENDED
    return Force.IN_DOUBT if period.suspect_from is not None else Force.HOLDS
