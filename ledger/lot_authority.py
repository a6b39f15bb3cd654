"""What a statement about lots needs besides its signatures and the lot's own standing."""

from collections.abc import Mapping
from decimal import Decimal

from keys import Json
from ledger.catalogue import Catalogue
from ledger.checked import as_object
from ledger.errors import Refused
from ledger.members import Member
from ledger.rules import add_months
from ledger.statement import Statement

_CAPACITIES = {
    "appeal.decide": "evaluation",
    "batch.approve": "awarding",
    "convert": "receiving",
    "exempt": "receiving",
    "redeem": "receiving",
    "reserve": "receiving",
    "rule.publish": "receiving",
}
"""What an institution must have been admitted for, to state such a thing."""


def check_lot_event(catalogue: Catalogue, member: Member, statement: Statement, time: str) -> None:
    """Refused unless the member may state this about a lot, at `time`."""
    kind, body, day = statement.kind, statement.body, time[:10]
    needed = _CAPACITIES.get(kind)
    if needed is not None and needed not in member.capacities:
        raise Refused(f"{member.did} was not admitted for {needed}; it cannot {kind}")
    match kind:
        case "award":
            if "evaluation" not in member.capacities:
                raise Refused(f"{member.did} was not admitted for evaluation of prior learning")
            check_award(catalogue, member, body, day)
        case "supersede":
            successor = as_object(body["successor"])
            if successor["lot"] == body["lot"]:
                raise Refused("a lot is not its own successor")
            check_award(catalogue, member, successor, day)
        case "convert":
            derived = as_object(body["derived"])
            unit = catalogue.check_conversion(member.did, body, time, derived)
            named = {**derived, "unit": f"{unit.code}@{unit.version}"}
            check_award(catalogue, member, named, day)
        case "exempt":
            rule = catalogue.rules.get((member.did, str(body["rule"])))
            if rule is None or not rule.in_force(time):
                raise Refused(f"{member.did} has no rule {body['rule']} in force")
        case "confer":
            _check_confer(catalogue, member, body, time)
        case _:
            pass


def check_award(catalogue: Catalogue, member: Member, body: Mapping[str, Json], day: str) -> None:
    """Refused unless the award keeps to its unit, to the policy and to a grant in force."""
    unit = catalogue.units.get((member.did, str(body["unit"])))
    if unit is None:
        raise Refused(f"{member.did} has not published unit {body['unit']}")
    if body["scheme"] != unit.scheme or body["level"] != str(unit.level):
        raise Refused(
            f"unit {body['unit']} is of level {unit.level} in {unit.scheme}, the award says "
            f"level {body['level']} in {body['scheme']}"
        )
    if Decimal(str(body["credits"])) > unit.credits:
        raise Refused(
            f"unit {body['unit']} gives {unit.credits} credits, the award {body['credits']}"
        )
    _check_ceiling(catalogue.ceiling, str(body.get("expires", "")), day)
    if not any(grant.covers(unit.field, unit.level, day) for grant in member.grants):
        raise Refused(
            f"{member.did} holds no grant in force for field {unit.field!r} at level {unit.level}"
        )


def _check_confer(
    catalogue: Catalogue, member: Member, body: Mapping[str, Json], time: str
) -> None:
    name = str(body["qualification"])
    known = catalogue.qualifications.get((member.did, name))
    if known is None:
        raise Refused(f"{member.did} has not published the qualification {name}")
    when = str(body.get("as_of", time))
    if not known.in_force(when):
        raise Refused(f"the qualification {name} is not in force on {when[:10]}")
    if body["level"] != str(known.level):
        raise Refused(f"the qualification {name} is of level {known.level}")
    if not any(grant.covers("*", known.level, time[:10]) for grant in member.grants):
        raise Refused(f"{member.did} holds no grant in force for all fields at level {known.level}")


def _check_ceiling(ceiling: int, expires: str, day: str) -> None:
    if ceiling:
        last = add_months(day, ceiling)
        if not expires or expires > last:
            raise Refused(
                f"credits of this bank are valid for {ceiling} months at most, "
                f"until {last}; the award says {expires or 'nothing'}"
            )
