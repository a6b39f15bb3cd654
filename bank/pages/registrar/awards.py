"""Awards: found again, each with what can be done with it; and learners invited to theirs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank import claims
from bank.errors import NoSuchThing
from bank.institution import APPEAL
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office
from bank.pages.visitor import Visitors
from bank.service import Bank
from bank.sign_in import Person
from credentials import read_credential
from ledger import LotState

_PAGE = 50
_NEWEST = 2**53
_LOT = 22


def award_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]
    registrar = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    @routes.get("/registrar/awards")
    def awards(
        request: Request,
        person: staff,
        unit: str = "",
        state: str = "",
        lot: str = "",
        before: int = _NEWEST,
    ) -> Response:
        """The institution's awards, newest first; of a unit, in a state, or one of them."""
        unit, lot = unit.strip(), lot.strip()
        if lot:
            return RedirectResponse(f"/registrar/awards/{_lot_name(bank, lot)}", 303)
        found = bank.lots.of_institution(office.did(person), before, _PAGE + 1, unit, state)
        return office.show(
            request,
            person,
            "awards.html",
            found=found[:_PAGE],
            more=found[_PAGE - 1].award_index if len(found) > _PAGE else None,
            unit=unit,
            state=state,
            states=list(LotState),
            first=before == _NEWEST,
        )

    @routes.get("/registrar/awards/{name}")
    def award(request: Request, name: str, person: staff) -> Response:
        """One award: what it is, whose, how it stands, and what can be done with it."""
        lot = office.own_lot(person, name)
        held = bank.lots.credential(name)
        learner, grade, day = "", None, ""
        if held is not None:
            facts = read_credential(bank.accounts.credential(bank.vault.token(held[1]), held[0]))
            learner, grade = facts.learner, facts.grade
            day = facts.valid_from.date().isoformat()
        waiting = [
            item
            for item in bank.approvals.waiting(office.did(person))
            if item.signed.statement.body.get("lot") == name
        ]
        today = bank.now().date()
        return office.show(
            request,
            person,
            "award.html",
            lot=lot,
            learner=learner,
            grade=grade,
            day=day,
            credential=held,
            waiting=waiting,
            appeal=(today + APPEAL).isoformat(),
            LotState=LotState,
        )

    @routes.post("/registrar/awards/{name}/invite")
    def invite(request: Request, name: str, form: posted, person: registrar) -> Response:
        """An invitation for the learner, shown this once."""
        office.own_lot(person, name)
        held = bank.lots.credential(name)
        if held is None:
            raise NoSuchThing("the credential of this lot is not kept here")
        code = claims.invite(bank, held[1])
        link = f"{visitors.site(request).origin}/join?code={code}"
        return office.show(request, person, "invited.html", lot=name, link=link, code_text=code)

    return routes


def _lot_name(bank: Bank, text: str) -> str:
    """The lot that a search names: by itself, or by the number of its entry."""
    return bank.lots.awarded_at(int(text)) if text.isdigit() and len(text) < _LOT else text
