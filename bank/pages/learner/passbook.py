"""The passbook, and claiming what an invitation is to."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from bank import claims
from bank.claims import Holder
from bank.errors import BankError, NoLonger
from bank.learners import Conflict
from bank.pages.learner.desk import Desk, part
from bank.pages.learner.names import Names
from bank.pages.learner.picture import charts
from bank.pages.page import Pages
from bank.pages.visitor import Visitors, field
from bank.passbook import Expiry, Movement, plain
from bank.sign_in import Person

_MOVEMENTS = 20
_SOON = 8


@dataclass(frozen=True, slots=True)
class ShownMovement:
    """A movement as people read it."""

    day: str
    what: str
    title: str
    institution: str
    level: str
    scheme: str
    credits: str
    balance: str
    came: bool
    entry: int | None


@dataclass(frozen=True, slots=True)
class ShownExpiry:
    """Credits that lapse, in how many days."""

    day: str
    days: int
    title: str
    credits: str
    level: str
    scheme: str


def passbook_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The pages at `/learner` and `/learner/claim`."""
    routes = APIRouter(include_in_schema=False)
    bank, desk = pages.bank, Desk(pages)
    learner = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    @routes.get("/learner")
    def passbook(request: Request, person: learner, page: int = 1) -> Response:
        """Balance, what expires, movements."""
        names, time = desk.names(request), desk.time
        accounts = desk.accounts(person)
        found = bank.reckoning.passbook(accounts)
        titles = {
            award.lot.lot: names.unit(award.lot.facts.institution, award.lot.facts.unit)
            for award in bank.reckoning.awards(accounts)
        }
        moves = part(found.movements[::-1], page, _MOVEMENTS)
        today = date.fromisoformat(time[:10])
        return desk.show(
            request,
            person,
            "passbook.html",
            charts=charts(found.balances),
            scheme_name=names.scheme,
            moves=moves,
            movements=[_movement(one, names) for one in moves.items],
            expiring=[_expiry(one, names, titles, today) for one in found.expiring[:_SOON]],
            more_expiring=max(0, len(found.expiring) - _SOON),
            count=len(titles),
        )

    def show_claim(request: Request, person: Person, code: str, problem: str = "") -> Response:
        try:
            claim = claims.claim_of(bank, code)
        except (BankError, NoLonger) as error:
            status = 410 if isinstance(error, NoLonger) else 400
            return desk.show(
                request, person, "claim.html", status, claim=None, code="", problem=str(error)
            )
        holder = claim.holder(bank.learners.names(person.scope)[0])
        return desk.show(
            request,
            person,
            "claim.html",
            409 if problem else 200,
            claim=claim,
            code=code,
            at=desk.names(request).institution(claim.institution),
            mine=holder is Holder.MINE,
            anothers=holder is Holder.ANOTHER,
            problem=problem,
        )

    @routes.get("/learner/claim")
    def claim(request: Request, person: learner, code: str = "") -> Response:
        """What an invitation is to, before it is added."""
        return show_claim(request, person, code)

    @routes.post("/learner/claim")
    def add(request: Request, form: posted, person: learner) -> Response:
        """Add the awards to the record of whoever is signed in."""
        code = field(form, "code")
        try:
            claims.add(bank, code, person.scope)
        except (Conflict, NoLonger) as error:
            if isinstance(error, Conflict):
                return show_claim(request, person, code, str(error))
            return desk.show(
                request, person, "claim.html", 410, claim=None, code="", problem=str(error)
            )
        return desk.onward(request, person, "/learner", "claimed")

    return routes


def _movement(one: Movement, names: Names) -> ShownMovement:
    return ShownMovement(
        one.day,
        names.movement(one.kind),
        names.unit(one.institution, one.unit),
        names.institution(one.institution),
        one.level,
        names.scheme(one.scheme),
        plain(abs(one.credits)),
        plain(one.balance),
        one.credits > 0,
        one.entry,
    )


def _expiry(one: Expiry, names: Names, titles: dict[str, str], today: date) -> ShownExpiry:
    return ShownExpiry(
        one.day,
        (date.fromisoformat(one.day) - today).days,
        titles.get(one.lot, one.unit),
        plain(one.credits),
        one.level,
        names.scheme(one.scheme),
    )
