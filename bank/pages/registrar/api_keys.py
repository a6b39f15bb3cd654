"""The API keys of an institution's software, for its administrator."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.errors import BadRequest
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office
from bank.pages.visitor import Visitors, field
from bank.sign_in import Person

_HERE = "/registrar/api-keys"


def api_key_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    posted = Annotated[FormData, Depends(visitors.posted)]
    keeper = Annotated[Person, Depends(visitors.person)]

    def show(request: Request, person: Person, problem: str = "") -> Response:
        found = bank.api_keys.all_of(office.did(person))
        status = 400 if problem else 200
        return office.show(request, person, "api_keys.html", status, found=found, problem=problem)

    @routes.get(_HERE)
    def keys(request: Request, person: keeper) -> Response:
        """Which keys open the API for the institution."""
        return show(request, person)

    @routes.post(_HERE)
    def add(request: Request, form: posted, person: keeper) -> Response:
        """Register a key."""
        try:
            bank.api_keys.add(office.did(person), field(form, "key"), field(form, "name"))
        except BadRequest as error:
            return show(request, person, str(error))
        return RedirectResponse(_HERE, 303)

    @routes.post(f"{_HERE}/retire")
    def retire(request: Request, form: posted, person: keeper) -> Response:
        """Let a key open nothing any more."""
        bank.api_keys.retire(field(form, "key"), office.did(person))
        return RedirectResponse(_HERE, 303)

    return routes
