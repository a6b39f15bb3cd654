"""All pages of a bank, added to its application."""

from dataclasses import dataclass

from fastapi import FastAPI, Request, Response

from bank.pages import learner, registrar
from bank.pages.account import account_routes
from bank.pages.demo import demo_routes
from bank.pages.door import door_routes
from bank.pages.explorer import explorer_routes, register_routes
from bank.pages.front import front_routes
from bank.pages.joining import joining_routes
from bank.pages.language import N_
from bank.pages.operator import operator_routes
from bank.pages.page import Pages, asset_routes
from bank.pages.people import people_routes
from bank.pages.regulator import regulator_routes
from bank.pages.visitor import Visitors
from bank.service import Bank
from bank.sign_in import Person
from bank.sign_in.oidc import Providers


@dataclass(frozen=True, slots=True)
class Demo:
    """The people of a demonstration, and the secret part of the address to sign in at."""

    key: str
    people: list[Person]
    hint: str = ""
    """What whoever starts it is told besides."""


_ELSE = N_("Something went wrong")
_TITLES = {
    400: N_("That could not be done"),
    401: N_("Please sign in"),
    403: N_("Not for you"),
    404: N_("There is nothing here"),
    408: N_("That took too long"),
    410: N_("This has ended"),
    413: N_("That is too much at once"),
    429: N_("Please wait a little"),
}


def add_pages(app: FastAPI, bank: Bank, visitors: Visitors, demo: Demo | None = None) -> Pages:
    """Add the pages to the application; what shows them, for its error pages."""
    pages = Pages(bank, visitors.session)
    providers = Providers(bank.settings.providers, bank.vault, bank.now)
    app.include_router(asset_routes())
    app.include_router(front_routes(pages, app.openapi))
    app.include_router(door_routes(pages, visitors, providers))
    app.include_router(joining_routes(pages, visitors, providers))
    for public in (explorer_routes, register_routes):
        app.include_router(public(pages))
    for routes in (account_routes, people_routes, *registrar.ROUTES, *learner.ROUTES):
        app.include_router(routes(pages, visitors))
    for watching in (regulator_routes, operator_routes):
        app.include_router(watching(pages, visitors))
    if demo is not None:
        app.include_router(demo_routes(pages, visitors, demo.key, demo.people))
    return pages


def problem_page(pages: Pages, request: Request, status: int, detail: str) -> Response:
    """A problem, as people are told it."""
    title = pages.words(request).say(_TITLES.get(status, _ELSE))
    return pages.show(request, "problem.html", status, status=status, title=title, detail=detail)
