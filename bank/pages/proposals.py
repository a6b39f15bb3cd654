"""The regulator's pages of proposals that wait for the governance's signatures."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from bank.errors import BadRequest
from bank.operator_log import Act
from bank.pages import regulator_words as say
from bank.pages.language import N_, Words
from bank.pages.page import Pages, Show
from bank.pages.reading import Naming
from bank.pages.sentences import because
from bank.pages.visitor import Visitors
from bank.proposal_tray import Waiting
from bank.proposals import Proposal
from bank.quorum import Approval, approval
from bank.service import Bank
from bank.sign_in import Person
from ledger import Registry, format_time
from ledger.sequencer import Declined

_MOST_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal as the pages show it."""

    name: str
    title: str
    about: str
    since: str
    approval: Approval
    fields: list[tuple[str, str]]


def proposal_routes(pages: Pages, visitors: Visitors, show: Show) -> APIRouter:
    """The routes of this module, for regulators alone; `show` frames a page."""
    routes = APIRouter(include_in_schema=False, prefix="/regulator")
    regulator = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    bank, oversight = pages.bank, pages.bank.oversight

    def tray(request: Request, problem: str = "", code: int = 200) -> Response:
        words, registry = pages.words(request), bank.registry()
        found = [
            _shown(bank, words, registry, waiting) for waiting in oversight.proposals.waiting()
        ]
        return show(request, "proposals.html", code, proposals=found, problem=problem)

    @routes.get("/proposals")
    def proposals(request: Request, person: regulator) -> Response:
        """What waits for signatures."""
        return tray(request)

    @routes.post("/proposals")
    def upload(request: Request, form: posted, person: regulator) -> Response:
        """Take a proposal, or a signed copy of one."""
        file, words = form.get("proposal"), pages.words(request)
        if not isinstance(file, UploadFile) or not file.filename:
            return tray(
                request, words.say(N_("No file was chosen. Choose a proposal's file.")), 400
            )
        try:
            name = oversight.proposals.keep(Proposal.parse(file.file.read(_MOST_BYTES + 1)))
        except BadRequest as error:
            problem = because(words, N_("The file was not taken: %(why)s"), error)
            return tray(request, problem, 400)
        return RedirectResponse(f"/regulator/proposals/{name}", 303)

    def one(request: Request, name: str, problem: str = "", code: int = 200) -> Response:
        waiting = oversight.proposals.find(name)
        found = _shown(bank, pages.words(request), bank.registry(), waiting)
        kind = waiting.proposal.statement.kind
        return show(
            request, "proposal.html", code, proposal=found, problem=problem, file=f"{kind}.json"
        )

    @routes.get("/proposals/{name}")
    def proposal(request: Request, name: str, person: regulator) -> Response:
        """One proposal: what it says, who signed, who is missing."""
        return one(request, name)

    @routes.get("/proposals/{name}/file")
    def proposal_file(request: Request, name: str, person: regulator) -> Response:
        """The file that goes round, with every signature handed in so far."""
        waiting = oversight.proposals.find(name)
        kind = waiting.proposal.statement.kind
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{kind}.json"',
        }
        return Response(waiting.proposal.encode(), media_type="application/json", headers=headers)

    @routes.post("/proposals/{name}/hand-in")
    def hand_in(request: Request, name: str, form: posted, person: regulator) -> Response:
        """Have it appended to the ledger, which checks every signature itself."""
        waiting = oversight.proposals.find(name)
        words, says = pages.words(request), N_("The ledger did not take it: %(why)s")
        try:
            (outcome,) = bank.intake.append([waiting.proposal.signed()])
        except BadRequest as error:
            return one(request, name, because(words, says, error), 400)
        if isinstance(outcome, Declined):
            return one(request, name, because(words, says, outcome.reason), 400)
        return RedirectResponse(f"/regulator/proposals/{name}", 303)

    @routes.post("/proposals/{name}/put-away")
    def put_away(request: Request, name: str, form: posted, person: regulator) -> Response:
        """Let it wait no more."""
        oversight.proposals.find(name)
        oversight.proposals.put_away(name)
        facts = {"by": person.person, "statement": name}
        bank.operator_log.note(Act.PROPOSAL_PUT_AWAY, **facts)
        return RedirectResponse("/regulator/proposals", 303)

    return routes


def _shown(bank: Bank, words: Words, registry: Registry, waiting: Waiting) -> Shown:
    """A proposal that waits, in the words of a page."""
    statement = waiting.proposal.statement
    about = statement.body.get("member")
    return Shown(
        waiting.name,
        say.proposed(words, statement.kind),
        Naming(words, registry).institution(str(about)) if about is not None else "",
        waiting.since,
        approval(
            waiting.proposal,
            registry,
            bank.identity(),
            bank.log.index_of(statement),
            format_time(bank.now()),
        ),
        say.fields(words, statement.body),
    )
