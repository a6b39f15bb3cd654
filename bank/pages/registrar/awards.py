"""Awards: found again, corrected, suspended, revoked by two; and learners invited to theirs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank import claims
from bank.errors import BadRequest, NoSuchThing
from bank.institution import APPEAL
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office, answer, read_object, read_signed
from bank.pages.visitor import Visitors
from bank.service import Bank
from bank.sign_in import Person
from bank.submissions import outcomes_json, read_lots, read_submissions, slots_json
from credentials import read_credential
from keys import Json
from ledger import LotState, SignedStatement
from ledger.batch import KIND
from ledger.sequencer import Declined

_PAGE = 50
_NEWEST = 2**53
_LOT = 22
_OF_ONE = frozenset(
    ("suspend", "reinstate", "supersede", "rule.publish", "rule.withdraw", "unit.publish")
)
"""What one person of the institution signs alone."""


def award_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]
    registrar = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    sent = Annotated[bytes, Depends(visitors.sent)]

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

    @routes.post("/registrar/slots")
    def slots(body: sent, person: registrar) -> Response:
        """Status slots for lots that the institution is to award."""
        lots = read_lots(read_object(body))
        return answer(slots_json(bank.slots.give(office.did(person), lots)))

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

    @routes.get("/registrar/awards/{name}/result")
    def result(name: str, person: registrar) -> Response:
        """What a correction starts from, for the page's script."""
        lot = office.own_lot(person, name)
        held = bank.lots.credential(name)
        if held is None:
            raise NoSuchThing("the credential of this lot is not kept here, so nothing tells whose")
        facts = read_credential(bank.accounts.credential(bank.vault.token(held[1]), held[0]))
        found = bank.registry().units[lot.facts.institution, lot.facts.unit]
        code, _, version = lot.facts.unit.partition("@")
        unit: dict[str, Json] = {
            "code": code,
            "field": found.field,
            "framework": found.framework,
            "hours": found.hours,
            "level": lot.facts.level,
            "scheme": lot.facts.scheme,
            "title_en": found.titles["en"],
            "title_zh": found.titles["zh"],
            "version": int(version),
        }
        return answer(
            {
                "available": format(found.credits, "f"),
                "result": {
                    "awarded": facts.valid_from.date().isoformat(),
                    "credits": lot.facts.credits,
                    "expires": lot.facts.expires or None,
                    "grade": facts.grade,
                    "learner": held[1].partition("|")[2],
                    "learner_name": facts.learner,
                    "unit": unit,
                },
            }
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

    @routes.post("/registrar/signed/statements")
    def statements(body: sent, person: registrar) -> Response:
        """Append what the page signed, of what one person signs alone."""
        submissions = read_submissions(read_object(body))
        for item in submissions:
            statement = item.signed.statement
            if statement.author != office.did(person):
                raise BadRequest("a statement is another institution's than the one you serve")
            if statement.kind not in _OF_ONE:
                raise BadRequest(f"a {statement.kind} is not signed at this page")
        return answer(outcomes_json(bank.intake.submit(submissions)))

    @routes.post("/registrar/signed/proposals")
    def propose(body: sent, person: registrar) -> Response:
        """Keep what one person signed until the second has signed too."""
        signed = read_signed(read_object(body))
        if signed.statement.kind == KIND:
            raise BadRequest("a batch is proposed where its file is signed, with its awards")
        made = bank.approvals.propose(office.did(person), signed, person.person)
        return answer({"next": "/registrar/approvals", "approval": made.approval})

    @routes.get("/registrar/approvals")
    def approvals(request: Request, person: staff) -> Response:
        """What waits for a second signature."""
        people = {one.person: one.name for one in visitors.sign_in.people(person.scope)}
        found = [
            {
                "approval": item.approval,
                "made": item.made,
                "by": people.get(item.made_by, ""),
                "own": item.made_by == person.person,
                "kind": item.signed.statement.kind,
                "body": item.signed.statement.body,
                "signed": encode_text(item.signed),
            }
            for item in bank.approvals.waiting(office.did(person))
        ]
        return office.show(request, person, "approvals.html", found=found)

    @routes.post("/registrar/approvals/{approval}/sign")
    def second(approval: str, body: sent, person: staff) -> Response:
        """The second signature: the statement goes to the ledger."""
        author = office.did(person)
        given = read_signed(read_object(body))
        signed = bank.approvals.joined(author, approval, given, person.person)
        (outcome,) = bank.intake.append([signed])
        if isinstance(outcome, Declined):
            raise BadRequest(f"the ledger declined it: {outcome.reason}")
        if signed.statement.kind == KIND:
            bank.batches.approve(signed.statement)
        bank.approvals.drop(author, approval)
        return answer({"next": "/registrar/approvals", "index": outcome.index})

    @routes.post("/registrar/approvals/{approval}/drop")
    def drop(approval: str, form: posted, person: staff) -> Response:
        """Let a statement wait no longer."""
        dropped = bank.approvals.drop(office.did(person), approval).signed.statement
        if dropped.kind == KIND and bank.log.index_of(dropped) is None:
            bank.batches.drop(dropped)
        return RedirectResponse("/registrar/approvals", 303)

    return routes


def encode_text(signed: SignedStatement) -> str:
    """A signed statement as the page's script takes it."""
    return signed.data.decode()


def _lot_name(bank: Bank, text: str) -> str:
    """The lot that a search names: by itself, or by the number of its entry."""
    return bank.lots.awarded_at(int(text)) if text.isdigit() and len(text) < _LOT else text
