"""Who of an institution may sign in, for its administrator; everybody else's are the operator's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.errors import BadRequest
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office
from bank.pages.roles import role_name, scope_name
from bank.pages.visitor import Visitors, field
from bank.sign_in import Person, Role

_OWN = (Role.REGISTRAR, Role.APPROVER, Role.ADMIN)


def people_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The page at `/registrar/people`."""
    routes = APIRouter(include_in_schema=False)
    desk, office = visitors.sign_in, Office(pages)
    posted = Annotated[FormData, Depends(visitors.posted)]
    keeper = Annotated[Person, Depends(visitors.person)]

    def show(request: Request, person: Person, link: str = "") -> Response:
        words = pages.words(request)
        found = [
            (item, role_name(words, item.role), scope_name(pages, words, item.role, item.scope))
            for item in desk.people(person.scope)
        ]
        named = [(role.value, role_name(words, role)) for role in _OWN]
        return office.show(request, person, "people.html", found=found, link=link, roles=named)

    @routes.get("/registrar/people")
    def people(request: Request, person: keeper) -> Response:
        """Who may sign in."""
        return show(request, person)

    @routes.post("/registrar/people")
    def invite(request: Request, form: posted, person: keeper) -> Response:
        """An invitation, shown this once."""
        role = next((item for item in _OWN if item.value == field(form, "role")), None)
        if role is None:
            raise BadRequest("choose what the person is to be")
        code = desk.invite(role, person.scope, by=person.person)
        return show(request, person, f"{visitors.site(request).origin}/join?code={code}")

    @routes.post("/registrar/people/end")
    def end(request: Request, form: posted, person: keeper) -> Response:
        """Let somebody sign in no more."""
        chosen = field(form, "person")
        if chosen == person.person:
            raise BadRequest("you cannot end your own access; another administrator can")
        desk.end(chosen, person.scope, person.person)
        return RedirectResponse("/registrar/people", 303)

    return routes
