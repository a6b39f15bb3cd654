"""The institution's keys: which are registered, which are at hand in this browser, and new ones."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bank.pages.page import Pages
from bank.pages.registrar.desk import Office
from bank.pages.visitor import Visitors
from bank.sign_in import Person


def key_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    office = Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]

    @routes.get("/registrar/keys")
    def keys(request: Request, person: staff) -> Response:
        """Registered keys with their periods, the keys in this browser, and how to change one."""
        periods = sorted(
            office.member(person).keys.values(), key=lambda period: period.start, reverse=True
        )
        return office.show(
            request, person, "keys.html", periods=periods, member_did=office.did(person)
        )

    return routes
