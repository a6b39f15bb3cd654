"""The regulator's pages of members, and the measures that are proposed about them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.errors import BadRequest, NoSuchThing
from bank.measures import again, measure, standing
from bank.pages import regulator_words as say
from bank.pages.figures import MemberFigures
from bank.pages.language import N_
from bank.pages.page import Pages, Show
from bank.pages.sentences import because
from bank.pages.visitor import Visitors, field
from bank.proposals import Proposal, propose
from bank.service import Bank
from bank.sign_in import Person
from keys import Json
from ledger import Member, Registry, format_time


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
            name = oversight.proposals.keep(_proposed(bank, kind, body))
        except BadRequest as error:
            problem = because(words, N_("The proposal could not be made: %(why)s"), error)
            return member_page(request, slug, problem, 400)
        return RedirectResponse(f"/regulator/proposals/{name}", 303)

    return routes


def _proposed(bank: Bank, kind: str, body: dict[str, Json]) -> Proposal:
    """The proposal of a measure; of one with a reason that was taken before, once more."""
    made, number = propose(bank.settings.did, kind, body), 2
    while "reason" in body and bank.log.index_of(made.statement) is not None:
        made = propose(bank.settings.did, kind, again(body, number))
        number += 1
    return made


def _member(registry: Registry, slug: str) -> Member:
    for did, member in registry.members.items():
        if slug_of(did) == slug:
            return member
    raise NoSuchThing(f"there is no member {slug[:60]}")
