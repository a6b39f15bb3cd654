"""Approvals: what one person has signed, and waits for a second who signs it too."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.errors import BadRequest
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office, answer, read_object, read_signed
from bank.pages.visitor import Visitors
from bank.sign_in import Person
from ledger import SignedStatement
from ledger.batch import KIND
from ledger.sequencer import Declined


def approval_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]
    registrar = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    sent = Annotated[bytes, Depends(visitors.sent)]

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
