"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.errors import BadRequest, BankError, NoLonger, NotAllowed
from bank.pages.page import Pages
from bank.pages.visitor import Visitors, as_json, field, inner_path, next_page
from bank.sign_in.oidc import Providers

_ASKED = "openid"


def door_routes(pages: Pages, visitors: Visitors, providers: Providers) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    desk = visitors.sign_in
    posted = Annotated[FormData, Depends(visitors.posted)]

    def show_sign_in(request: Request, target: str, problem: str = "", login: str = "") -> Response:
        words = pages.words(request)
        offered = {slug: words.pick(item.names) for slug, item in providers.known.items()}
        status = 401 if problem else 200
        return pages.show(
            request,
            "sign_in.html",
            status,
            next=target,
            problem=problem,
            login=login,
            providers=offered,
        )

    @routes.get("/sign-in")
    def sign_in_page(request: Request, next: str = "/") -> Response:
        """The ways to sign in."""
        session = visitors.session(request)
        if session is not None:
            return RedirectResponse(session.person.role.home, 303)
        return show_sign_in(request, inner_path(next))

    @routes.post("/sign-in")
    def sign_in(request: Request, form: posted) -> Response:
        """Sign in with a password and a code."""
        target, login = inner_path(field(form, "next")), field(form, "login")
        try:
            token = desk.sign_in_with_password(
                login, str(form.get("password", "")), field(form, "totp")
            )
        except BankError as error:
            return show_sign_in(request, target, str(error), login)
        return visitors.enter(request, token, visitors.onward(token, target))

    @routes.post("/sign-in/passkey/options")
    def passkey_options(request: Request, form: posted) -> Response:
        """What the browser is to ask a passkey."""
        return as_json(desk.sign_in_options(visitors.site(request)))

    @routes.post("/sign-in/passkey")
    def passkey(request: Request, form: posted, next: str = "/") -> Response:
        """Sign in with a passkey."""
        token = desk.sign_in_with_passkey(visitors.site(request), field(form, "answer"))
        answer = next_page(visitors.onward(token, inner_path(next)))
        return visitors.remember(request, answer, token)

    @routes.get("/sign-in/institution/{slug}")
    def provider(request: Request, slug: str, next: str = "/", code: str = "") -> Response:
        """On to an institution's own sign-in."""
        back = f"{visitors.site(request).origin}/sign-in/institution/{slug}/back"
        address, asked = providers.start(slug, back, inner_path(next), code)
        response = RedirectResponse(address, 303)
        secure = request.url.scheme == "https"
        response.set_cookie(_ASKED, asked, max_age=600, httponly=True, secure=secure)
        return response

    @routes.get("/sign-in/institution/{slug}/back")
    def back(request: Request, slug: str) -> Response:
        """Back from an institution's own sign-in."""
        address = f"{visitors.site(request).origin}{request.url.path}"
        try:
            asked = request.cookies.get(_ASKED, "")
            found = providers.finish(slug, address, request.url.query, asked)
            if found.code:
                token = desk.accept_as_identity(
                    found.code, found.login, found.name, found.issuer, found.subject
                )
            else:
                token = desk.sign_in_as_identity(found.issuer, found.subject)
        except (BadRequest, NotAllowed, NoLonger) as error:
            return show_sign_in(request, "/", str(error))
        return visitors.enter(request, token, visitors.onward(token, found.target))

    @routes.post("/sign-out")
    def sign_out(request: Request, form: posted) -> Response:
        """Sign out."""
        return visitors.leave(request)

    return routes
