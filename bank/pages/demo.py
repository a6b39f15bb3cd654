"""Signing in to the demonstration: one button for each role, and nothing to remember.

Its people have neither password nor passkey, so that outside the demonstration nobody gets in as
one of them.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from bank.errors import NoSuchThing
from bank.pages.page import Pages
from bank.pages.roles import role_name, scope_name
from bank.pages.visitor import Visitors, field
from bank.sign_in import Person


def demo_routes(pages: Pages, visitors: Visitors, key: str, people: list[Person]) -> APIRouter:
    """The page at `/demo/KEY`, for whoever was told the key."""
    routes = APIRouter(include_in_schema=False)
    posted = Annotated[FormData, Depends(visitors.posted)]

    @routes.get("/demo/{given}")
    def demo(request: Request, given: str) -> Response:
        """The demonstration's people."""
        _check(given, key)
        words = pages.words(request)
        shown = [
            (item, role_name(words, item.role), scope_name(pages, words, item.role, item.scope))
            for item in people
        ]
        return pages.show(request, "demo.html", shown=shown)

    @routes.post("/demo/{given}")
    def enter(request: Request, given: str, form: posted) -> Response:
        """Sign in as one of them."""
        _check(given, key)
        chosen = next((item for item in people if item.person == field(form, "person")), None)
        if chosen is None:
            raise NoSuchThing("the demonstration has no such person")
        token = visitors.sign_in.begin(chosen.person)
        return visitors.enter(request, token, chosen.role.home)

    return routes


def _check(given: str, key: str) -> None:
    if given != key:
        raise NoSuchThing("this is not the demonstration's address; the server printed it")
