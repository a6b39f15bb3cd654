"""The operator's pages: the condition of the bank, audits, errors, members, and who may sign in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.answers import NO_STORE, json_answer
from bank.errors import NoLonger
from bank.measures import standing
from bank.operator_log import Act
from bank.pages.language import N_
from bank.pages.operator_log import operator_log_routes
from bank.pages.page import Pages
from bank.pages.roles import role_name, scope_name
from bank.pages.supervision import slug_of
from bank.pages.visitor import Visitors, field
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
_INVITED = "invited"
_PEOPLE = "/operator/people"
_STAFF = (Role.ADMIN, Role.REGULATOR, Role.OPERATOR)
"""Whom an operator invites; an institution's administrator invites its other people."""


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

    def people_page(request: Request, problem: str = "", code: int = 200) -> Response:
        words, registry = pages.words(request), bank.registry()
        invited = request.cookies.get(_INVITED, "")
        told: tuple[str, str, str, str] | None = None
        if invited and not problem:
            told = _invitation(pages, visitors, request, invited)
        shown = [
            (one, role_name(words, one.role), scope_name(pages, words, one.role, one.scope))
            for one in desk.people()
        ]
        response = show(
            request,
            "people.html",
            code,
            people=[row for row in shown if not row[0].ended],
            gone=[row for row in shown if row[0].ended],
            institutions=[
                (slug_of(did), words.pick(member.names))
                for did, member in sorted(registry.members.items())
            ],
            roles=[(role.value, role_name(words, role)) for role in _STAFF],
            invited=told,
            problem=problem,
        )
        if invited:
            response.delete_cookie(_INVITED, path=_PEOPLE)
        return response

    @routes.get("/people")
    def people(request: Request, person: operator) -> Response:
        """Who may sign in; a link just made is shown this once."""
        return people_page(request)

    @routes.post("/people")
    def invite(request: Request, form: posted, person: operator) -> Response:
        """Make an invitation; its link is shown on the next page, and never again."""
        words = pages.words(request)
        known = {slug_of(did) for did in bank.registry().members}
        role, scope = field(form, "role"), field(form, "institution")
        if role not in _STAFF:
            problem = words.say(N_("Choose what the person is invited as."))
            return people_page(request, problem, 400)
        if role == Role.ADMIN and scope not in known:
            problem = words.say(
                N_("Choose the institution whose administrator the person is to be.")
            )
            return people_page(request, problem, 400)
        response = RedirectResponse(_PEOPLE, 303)
        # Not in an address: those are kept in histories and logs.
        response.set_cookie(
            _INVITED,
            desk.invite(Role(role), scope if role == Role.ADMIN else "", by=person.person),
            max_age=120,
            path=_PEOPLE,
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="strict",
        )
        return response

    @routes.post("/people/end")
    def end(request: Request, form: posted, person: operator) -> Response:
        """Let somebody sign in no more."""
        whom, words = field(form, "person"), pages.words(request)
        if whom == person.person:
            problem = words.say(N_("You cannot end your own access; another operator can."))
            return people_page(request, problem, 400)
        if all(one.person != whom or one.ended for one in desk.people()):
            problem = words.say(N_("This person could not sign in any more already."))
            return people_page(request, problem, 400)
        desk.end(whom, None, person.person)
        return RedirectResponse(_PEOPLE, 303)

    every = APIRouter(include_in_schema=False)
    every.include_router(routes)
    every.include_router(operator_log_routes(pages, visitors, Role.OPERATOR, show))
    return every


def _invitation(
    pages: Pages, visitors: Visitors, request: Request, code: str
) -> tuple[str, str, str, str] | None:
    """Link, role, institution and last moment of an invitation; None once it was taken up."""
    words = pages.words(request)
    try:
        found = visitors.sign_in.invitation(code)
    except NoLonger:
        return None
    return (
        f"{visitors.site(request).origin}/join?code={code}",
        role_name(words, found.role),
        scope_name(pages, words, found.role, found.scope),
        found.expires,
    )
