"""Who may sign in: an institution's people for its administrator, everybody's for the operator."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.access import Person, Role
from bank.errors import BadRequest
from bank.pages.door import role_name, scope_name
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office
from bank.pages.visitor import Visitors, field

_OWN = (Role.REGISTRAR, Role.APPROVER, Role.ADMIN)
_WIDE = (Role.REGULATOR, Role.OPERATOR, Role.ADMIN)


def people_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The pages at `/registrar/people` and `/operator/people`."""
    routes = APIRouter(include_in_schema=False)
    access, office = visitors.access, Office(pages)
    posted = Annotated[FormData, Depends(visitors.posted)]
    keeper = Annotated[Person, Depends(visitors.only(Role.ADMIN, Role.OPERATOR))]

    def show(request: Request, person: Person, link: str = "") -> Response:
        words = pages.words(request)
        own = person.role is Role.ADMIN
        found = [
            (item, role_name(words, item.role), scope_name(pages, words, item.role, item.scope))
            for item in access.people(person.scope if own else None)
        ]
        offered = _OWN if own else _WIDE
        institutions = {} if own else _institutions(pages, request)
        named = [(role.value, role_name(words, role)) for role in offered]
        if own:
            return office.show(
                request,
                person,
                "people.html",
                found=found,
                link=link,
                roles=named,
                institutions=institutions,
            )
        return pages.show(
            request,
            "operator/people.html",
            found=found,
            link=link,
            roles=named,
            institutions=institutions,
        )

    def check_area(request: Request, person: Person) -> None:
        if not request.url.path.startswith(f"{person.role.home}/"):
            raise BadRequest("that page is for another role")

    @routes.get("/registrar/people")
    @routes.get("/operator/people")
    def people(request: Request, person: keeper) -> Response:
        """Who may sign in."""
        check_area(request, person)
        return show(request, person)

    @routes.post("/registrar/people")
    @routes.post("/operator/people")
    def invite(request: Request, form: posted, person: keeper) -> Response:
        """An invitation, shown this once."""
        check_area(request, person)
        offered = _OWN if person.role is Role.ADMIN else _WIDE
        role = next((item for item in offered if item.value == field(form, "role")), None)
        if role is None:
            raise BadRequest("choose what the person is to be")
        scope = person.scope
        if person.role is Role.OPERATOR:
            scope = field(form, "institution") if role.is_institution else ""
            if role.is_institution and scope not in _institutions(pages, request):
                raise BadRequest("choose the institution that the administrator is to be of")
        code = access.invite(role, scope)
        return show(request, person, f"{visitors.site(request).origin}/join?code={code}")

    @routes.post("/registrar/people/end")
    @routes.post("/operator/people/end")
    def end(request: Request, form: posted, person: keeper) -> Response:
        """Let somebody sign in no more."""
        check_area(request, person)
        chosen = field(form, "person")
        if chosen == person.person:
            raise BadRequest("you cannot end your own access; another administrator can")
        access.end(chosen, person.scope if person.role is Role.ADMIN else None)
        return RedirectResponse(request.url.path.removesuffix("/end"), 303)

    return routes


def _institutions(pages: Pages, request: Request) -> dict[str, str]:
    words = pages.words(request)
    members = pages.bank.registry().members
    return {did.rpartition(":")[2]: words.pick(member.names) for did, member in members.items()}
