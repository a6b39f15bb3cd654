"""What a page signs for one person of an institution: what it starts from, what it hands in."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bank.errors import BadRequest, NoSuchThing
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office, answer, read_object
from bank.pages.visitor import Visitors
from bank.sign_in import Person
from bank.submissions import outcomes_json, read_lots, read_submissions, slots_json
from credentials import read_credential
from keys import Json
from ledger import Lot, Unit

_OF_ONE = frozenset(
    ("suspend", "reinstate", "supersede", "rule.publish", "rule.withdraw", "unit.publish")
)
"""What one person of the institution signs alone."""


def signing_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    registrar = Annotated[Person, Depends(visitors.person)]
    sent = Annotated[bytes, Depends(visitors.sent)]

    @routes.post("/registrar/slots")
    def slots(body: sent, person: registrar) -> Response:
        """Status slots for lots that the institution is to award."""
        lots = read_lots(read_object(body))
        return answer(slots_json(bank.slots.give(office.did(person), lots)))

    @routes.get("/registrar/awards/{name}/result")
    def result(name: str, person: registrar) -> Response:
        """What a correction starts from, for the page's script."""
        lot = office.own_lot(person, name)
        held = bank.lots.credential(name)
        if held is None:
            raise NoSuchThing("the credential of this lot is not kept here, so nothing tells whose")
        facts = read_credential(bank.accounts.credential(bank.vault.token(held[1]), held[0]))
        found = bank.registry().units[lot.facts.institution, lot.facts.unit]
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
                    "unit": _unit_json(lot, found),
                },
            }
        )

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

    return routes


def _unit_json(lot: Lot, unit: Unit) -> dict[str, Json]:
    """A lot's unit as the signing script takes it."""
    code, _, version = lot.facts.unit.partition("@")
    return {
        "code": code,
        "field": unit.field,
        "framework": unit.framework,
        "hours": unit.hours,
        "level": lot.facts.level,
        "scheme": lot.facts.scheme,
        "title_en": unit.titles["en"],
        "title_zh": unit.titles["zh"],
        "version": int(version),
    }
