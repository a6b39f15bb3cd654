"""Taking up an invitation."""

import base64
from typing import Annotated
from urllib.parse import quote

import qrcode
import qrcode.image.svg
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank import claims
from bank.claims import Claim
from bank.errors import BankError
from bank.pages.institution_names import name_by_did
from bank.pages.language import Words
from bank.pages.page import Pages
from bank.pages.roles import role_name, scope_name
from bank.pages.visitor import Visitors, as_json, field, next_page
from bank.service import Bank
from bank.sign_in import Invitation, Role, totp_uri
from bank.sign_in.oidc import Providers


def joining_routes(pages: Pages, visitors: Visitors, providers: Providers) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    desk, bank = visitors.sign_in, pages.bank
    posted = Annotated[FormData, Depends(visitors.posted)]

    def show_join(
        request: Request, code: str, problem: str = "", login: str = "", name: str = ""
    ) -> Response:
        invitation: Invitation | None = None
        totp: dict[str, str] = {"totp_picture": "", "totp_key": ""}
        words = pages.words(request)
        shown = {"role_name": "", "of": "", "provider": ""}
        claim: Claim | None = None
        if code:
            try:
                invitation = desk.invitation(code)
                if invitation.role is Role.LEARNER:
                    claim = claims.claim_of(bank, code)
            except BankError as error:
                invitation, problem = None, str(error)
            else:
                totp = _totp(desk.totp_secret(code), words.pick(bank.settings.names))
                shown = {
                    "role_name": role_name(words, invitation.role),
                    "of": scope_name(pages, words, invitation.role, invitation.scope),
                    "provider": _provider(providers, words, invitation),
                }
        return pages.show(
            request,
            "join.html",
            400 if problem else 200,
            invitation=invitation,
            code=code,
            problem=problem,
            login=login,
            name=name,
            claim=claim,
            claimed_at=_claimed_at(bank, words, claim) if claim else "",
            **totp,
            **shown,
        )

    def joining(code: str, form: FormData) -> tuple[str, str | None]:
        """Name and scope of whoever takes up an invitation."""
        if desk.invitation(code).role is not Role.LEARNER:
            return field(form, "name"), None
        # A learner's name is under seal, in the record; what is kept here in clear is the login.
        return field(form, "login"), claims.record_to_join(bank, claims.claim_of(bank, code))

    @routes.get("/set-up")
    def set_up(request: Request, code: str = "") -> Response:
        """The first operator, by the code that the server printed."""
        return show_join(request, code)

    @routes.get("/join")
    def join_page(request: Request, code: str = "") -> Response:
        """Take up an invitation."""
        session = visitors.session(request)
        if code and session is not None and session.person.role is Role.LEARNER:
            return RedirectResponse(f"/learner/claim?code={quote(code)}", 303)
        return show_join(request, code)

    @routes.post("/join")
    def join(request: Request, form: posted) -> Response:
        """Take up an invitation with a password."""
        code, login, name = (field(form, one) for one in ("code", "login", "name"))
        try:
            name, scope = joining(code, form)
            password, totp = str(form.get("password", "")), field(form, "totp")
            token = desk.accept(code, login, name, password, totp, scope)
        except BankError as error:
            return show_join(request, code, str(error), login, name)
        return visitors.enter(request, token, visitors.onward(token, "/"))

    @routes.post("/join/passkey/options")
    def join_options(request: Request, form: posted) -> Response:
        """What the browser is to ask for a new passkey."""
        return as_json(
            desk.joining_options(
                field(form, "code"),
                field(form, "login"),
                visitors.site(request),
                bank.settings.names["en"],
            )
        )

    @routes.post("/join/passkey")
    def join_passkey(request: Request, form: posted) -> Response:
        """Take up an invitation with a passkey."""
        code, login = field(form, "code"), field(form, "login")
        name, scope = joining(code, form)
        site, answer = visitors.site(request), field(form, "answer")
        token = desk.accept_with_passkey(code, login, name, site, answer, scope)
        return visitors.remember(request, next_page(visitors.onward(token, "/")), token)

    return routes


def _claimed_at(bank: Bank, words: Words, claim: Claim) -> str:
    return name_by_did(words, bank.registry(), bank.settings)(claim.institution)


def _provider(providers: Providers, words: Words, invitation: Invitation) -> str:
    if not invitation.role.is_institution or invitation.scope not in providers.known:
        return ""
    return words.pick(providers.known[invitation.scope].names)


def _totp(secret: bytes, issuer: str) -> dict[str, str]:
    uri = totp_uri(secret, "", issuer)
    image = qrcode.make(uri, image_factory=qrcode.image.svg.SvgPathImage, border=1)
    picture = base64.b64encode(image.to_string()).decode()
    key = base64.b32encode(secret).decode()
    shown = " ".join(key[start : start + 4] for start in range(0, len(key), 4))
    return {"totp_picture": picture, "totp_key": shown}
