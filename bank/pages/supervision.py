"""The regulator's pages of members, and of proposals that wait for the governance's signatures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from bank.errors import BadRequest, NoSuchThing
from bank.measures import again, measure, standing
from bank.operator_log import Act
from bank.pages import regulator_words as say
from bank.pages.figures import MemberFigures
from bank.pages.language import N_, Words
from bank.pages.page import Pages
from bank.pages.reading import Naming
from bank.pages.sentences import told
from bank.pages.visitor import Visitors, field
from bank.proposal_tray import Waiting
from bank.proposals import Proposal, propose
from bank.quorum import Approval, approval
from bank.sign_in import Person
from ledger import Member, Registry, format_time
from ledger.sequencer import Declined

Show = Callable[..., Response]
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


def slug_of(did: str) -> str:
    """How a member is called in addresses."""
    return did.rpartition(":")[2]


def supervision_routes(pages: Pages, visitors: Visitors, show: Show) -> APIRouter:
    """The routes of this module, for regulators alone; `show` frames a page."""
    routes = APIRouter(include_in_schema=False, prefix="/regulator")
    regulator = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    bank, oversight = pages.bank, pages.bank.oversight

    def today() -> str:
        return format_time(bank.now())[:10]

    def member_page(request: Request, slug: str, problem: str = "", code: int = 200) -> Response:
        registry, look = bank.registry(), oversight.report.look()
        member = _member(registry, slug)
        report = look.made.value if look.made is not None else None
        words = pages.words(request)
        return show(
            request,
            "member.html",
            code,
            look=look,
            figures=MemberFigures(words, registry, report, member.did) if report else None,
            acts=[
                (act, say.act(words, act))
                for act in (report.acts.get(member.did, ()) if report else ())
            ][::-1],
            slug=slug,
            standing=standing(member, today()),
            problem=problem,
        )

    @routes.get("/members")
    def members(request: Request, person: regulator) -> Response:
        """Every member and its standing."""
        registry, day = bank.registry(), today()
        found = [
            (slug_of(did), standing(member, day))
            for did, member in sorted(registry.members.items())
        ]
        return show(request, "members.html", members=found)

    @routes.get("/members/{slug}")
    def one_member(request: Request, slug: str, person: regulator) -> Response:
        """One member: grants, keys, what was decided about it, its figures."""
        return member_page(request, slug)

    @routes.post("/members/{slug}")
    def propose_about(request: Request, slug: str, form: posted, person: regulator) -> Response:
        """Make a proposal about a member; it waits for signatures."""
        member, words = _member(bank.registry(), slug), pages.words(request)
        what, about, reason = (field(form, name) for name in ("measure", "about", "reason"))
        try:
            kind, body = measure(member, what, about, reason)
            made, number = propose(bank.settings.did, kind, body), 2
            while "reason" in body and bank.log.index_of(made.statement) is not None:
                made = propose(bank.settings.did, kind, again(body, number))
                number += 1
            name = oversight.proposals.keep(made)
        except BadRequest as error:
            problem = _because(words, N_("The proposal could not be made: %(why)s"), error)
            return member_page(request, slug, problem, 400)
        return RedirectResponse(f"/regulator/proposals/{name}", 303)

    def shown(words: Words, registry: Registry, waiting: Waiting) -> Shown:
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

    def tray(request: Request, problem: str = "", code: int = 200) -> Response:
        words, registry = pages.words(request), bank.registry()
        found = [shown(words, registry, waiting) for waiting in oversight.proposals.waiting()]
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
            problem = _because(words, N_("The file was not taken: %(why)s"), error)
            return tray(request, problem, 400)
        return RedirectResponse(f"/regulator/proposals/{name}", 303)

    def one(request: Request, name: str, problem: str = "", code: int = 200) -> Response:
        waiting = oversight.proposals.find(name)
        found = shown(pages.words(request), bank.registry(), waiting)
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
            return one(request, name, _because(words, says, error), 400)
        if isinstance(outcome, Declined):
            return one(request, name, _because(words, says, outcome.reason), 400)
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


def _because(words: Words, says: str, why: object) -> str:
    """What did not work, and why, as far as that is known in the visitor's language."""
    return words.say(says) % {"why": told(words, str(why))}


def _member(registry: Registry, slug: str) -> Member:
    for did, member in registry.members.items():
        if slug_of(did) == slug:
            return member
    raise NoSuchThing(f"there is no member {slug[:60]}")
