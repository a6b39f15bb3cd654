"""The operator's pages of who may sign in, and of whom an operator invites."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.errors import NoLonger
from bank.pages.language import N_
from bank.pages.page import Pages, Show
from bank.pages.roles import role_name, scope_name
from bank.pages.supervision import slug_of
from bank.pages.visitor import Visitors, field
from bank.sign_in import Person, Role

_INVITED = "invited"
_PEOPLE = "/operator/people"
_STAFF = (Role.ADMIN, Role.REGULATOR, Role.OPERATOR)
"""Whom an operator invites; an institution's administrator invites its other people."""


def operator_people_routes(pages: Pages, visitors: Visitors, show: Show) -> APIRouter:
    """The routes of this module, for operators alone; `show` frames a page."""
    routes = APIRouter(include_in_schema=False, prefix="/operator")
    operator = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    bank, desk = pages.bank, visitors.sign_in

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

    return routes


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
