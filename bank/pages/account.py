"""One's own account: who one is here, and the passkeys that one signs in with."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.pages.page import Pages
from bank.pages.roles import role_name, scope_name
from bank.pages.visitor import Visitors, as_json, field, next_page
from bank.sign_in import Person
from keys import b64u_decode, b64u_encode


def account_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    desk = visitors.sign_in
    anybody = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    @routes.get("/account")
    def account(request: Request, person: anybody) -> Response:
        """One's own account."""
        words = pages.words(request)
        known = [
            (b64u_encode(key), name, added) for key, name, added in desk.passkeys_of(person.person)
        ]
        return pages.show(
            request,
            "account.html",
            passkeys=known,
            role_name=role_name(words, person.role),
            of=scope_name(pages, words, person.role, person.scope),
        )

    @routes.post("/account/passkey/options")
    def more_options(request: Request, form: posted, person: anybody) -> Response:
        """What the browser is to ask for one more passkey."""
        site = visitors.site(request)
        return as_json(desk.passkey_options(person, site, pages.bank.settings.names["en"]))

    @routes.post("/account/passkey")
    def add(request: Request, form: posted, person: anybody) -> Response:
        """Add a passkey."""
        site = visitors.site(request)
        desk.add_passkey(person, site, field(form, "answer"), field(form, "name"))
        return next_page("/account")

    @routes.post("/account/passkey/remove")
    def remove(request: Request, form: posted, person: anybody) -> Response:
        """Remove a passkey."""
        desk.drop_passkey(person, b64u_decode(field(form, "passkey")))
        return RedirectResponse("/account", 303)

    return routes
