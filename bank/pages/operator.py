"""The operator's pages: the condition of the bank, audits, errors and members."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.answers import NO_STORE, json_answer
from bank.measures import standing
from bank.operator_log import Act
from bank.pages.language import N_
from bank.pages.operator_log import operator_log_routes
from bank.pages.operator_people import operator_people_routes
from bank.pages.page import Pages
from bank.pages.supervision import slug_of
from bank.pages.visitor import Visitors
from bank.sign_in import Person, Role
from keys import Json
from ledger import NotFound, format_time

_TABS = (
    ("/operator", N_("Overview")),
    ("/operator/audit", N_("Audit")),
    ("/operator/errors", N_("Errors")),
    ("/operator/members", N_("Members")),
    ("/operator/people", N_("Sign-ins")),
    ("/operator/log", N_("Log")),
)


def operator_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module, for operators alone."""
    routes = APIRouter(include_in_schema=False, prefix="/operator")
    operator = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    bank, desk, oversight = pages.bank, visitors.sign_in, pages.bank.oversight

    def show(request: Request, template: str, code: int = 200, /, **context: object) -> Response:
        words = pages.words(request)
        tabs = [(path, words.say(name)) for path, name in _TABS]
        return pages.show(request, f"operator/{template}", code, tabs=tabs, **context)

    @routes.get("")
    def overview(request: Request, person: operator) -> Response:
        """Store, queue and witnesses at this moment."""
        try:
            condition = bank.health.condition()
        except NotFound:
            condition = None  # nothing was ever signed here
        members = bank.registry().members.values()
        return show(
            request,
            "overview.html",
            condition=condition,
            members=len(members),
            suspended=sum(not member.active for member in members),
            people=sum(not one.ended for one in desk.people()),
            lots=oversight.lots.look(),
            audit=oversight.audits.state(),
            errors=oversight.errors.newest(),
        )

    @routes.get("/audit")
    def audit(request: Request, person: operator) -> Response:
        """The last audit, and how far one is that runs."""
        return show(request, "audit.html", audit=oversight.audits.state(), size=bank.log.size())

    @routes.post("/audit")
    def start_audit(request: Request, form: posted, person: operator) -> Response:
        """Begin an audit, if none runs."""
        if oversight.audits.start():
            bank.operator_log.note(Act.AUDIT_STARTED, by=person.person)
        return RedirectResponse("/operator/audit", 303)

    @routes.get("/audit/progress.json")
    def progress(request: Request, person: operator) -> Response:
        """How far the audit is that runs."""
        now = oversight.audits.state()
        state: dict[str, Json] = {"running": now.running, "done": now.done, "total": now.total}
        return json_answer(state, headers=NO_STORE)

    @routes.get("/errors")
    def errors(request: Request, person: operator) -> Response:
        """The last errors of this server."""
        return show(request, "errors.html", errors=oversight.errors.newest())

    @routes.get("/members")
    def members(request: Request, person: operator) -> Response:
        """Every member, and how many of its people may sign in."""
        registry, day = bank.registry(), format_time(bank.now())[:10]
        staff: dict[str, int] = {}
        for one in desk.people():
            if one.role.is_institution and not one.ended:
                staff[one.scope] = staff.get(one.scope, 0) + 1
        found = [
            (slug_of(did), standing(member, day), staff.get(slug_of(did), 0))
            for did, member in sorted(registry.members.items())
        ]
        return show(request, "members.html", members=found)

    every = APIRouter(include_in_schema=False)
    every.include_router(routes)
    every.include_router(operator_people_routes(pages, visitors, show))
    every.include_router(operator_log_routes(pages, visitors, Role.OPERATOR, show))
    return every
