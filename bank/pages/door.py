"""Signing in and out, taking up an invitation, and one's own account."""

import base64
import json
from typing import Annotated
from urllib.parse import quote

import qrcode
import qrcode.image.svg
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank import claims
from bank.claims import Claim
from bank.errors import BadRequest, BankError, NoLonger, NotAllowed
from bank.pages.language import N_, Words
from bank.pages.page import Pages
from bank.pages.visitor import Visitors, field, inner_path
from bank.sign_in import Invitation, Person, Role, totp_uri
from bank.sign_in.oidc import Providers
from keys import b64u_decode, b64u_encode

_ASKED = "openid"


def role_name(words: Words, role: Role) -> str:
    """What a role is called."""
    names = {
        Role.REGISTRAR: N_("Registrar"),
        Role.APPROVER: N_("Approver"),
        Role.ADMIN: N_("Institution's administrator"),
        Role.OPERATOR: N_("Operator"),
        Role.REGULATOR: N_("Regulator"),
        Role.LEARNER: N_("Learner"),
    }
    return words.say(names[role])


def door_routes(pages: Pages, visitors: Visitors, providers: Providers) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    desk, bank = visitors.sign_in, pages.bank
    anybody = Annotated[Person, Depends(visitors.person)]
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
            claimed_at=institution_name(pages, words, claim.institution) if claim else "",
            **totp,
            **shown,
        )

    def joining(code: str, form: FormData) -> tuple[str, str | None]:
        """Name and scope of whoever takes up an invitation."""
        if desk.invitation(code).role is not Role.LEARNER:
            return field(form, "name"), None
        # A learner's name is under seal, in the record; what is kept here in clear is the login.
        return field(form, "login"), claims.record_to_join(bank, claims.claim_of(bank, code))

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
        return visitors.enter(request, token, _onward(token, target))

    @routes.post("/sign-in/passkey/options")
    def passkey_options(request: Request, form: posted) -> Response:
        """What the browser is to ask a passkey."""
        return _json_text(desk.sign_in_options(visitors.site(request)))

    @routes.post("/sign-in/passkey")
    def passkey(request: Request, form: posted, next: str = "/") -> Response:
        """Sign in with a passkey."""
        token = desk.sign_in_with_passkey(visitors.site(request), field(form, "answer"))
        answer = _next(_onward(token, inner_path(next)))
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
        return visitors.enter(request, token, _onward(token, found.target))

    @routes.post("/sign-out")
    def sign_out(request: Request, form: posted) -> Response:
        """Sign out."""
        return visitors.leave(request)

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
        return visitors.enter(request, token, _onward(token, "/"))

    @routes.post("/join/passkey/options")
    def join_options(request: Request, form: posted) -> Response:
        """What the browser is to ask for a new passkey."""
        return _json_text(
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
        return visitors.remember(request, _next(_onward(token, "/")), token)

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
        return _json_text(desk.passkey_options(person, site, bank.settings.names["en"]))

    @routes.post("/account/passkey")
    def add(request: Request, form: posted, person: anybody) -> Response:
        """Add a passkey."""
        site = visitors.site(request)
        desk.add_passkey(person, site, field(form, "answer"), field(form, "name"))
        return _next("/account")

    @routes.post("/account/passkey/remove")
    def remove(request: Request, form: posted, person: anybody) -> Response:
        """Remove a passkey."""
        desk.drop_passkey(person, b64u_decode(field(form, "passkey")))
        return RedirectResponse("/account", 303)

    def _onward(token: str, target: str) -> str:
        session = desk.session(token)
        return session.person.role.home if session is not None and target == "/" else target

    return routes


def scope_name(pages: Pages, words: Words, role: Role, scope: str) -> str:
    """The name of the institution that a person serves; empty for others."""
    if not role.is_institution:
        return ""
    members = pages.bank.registry().members
    found = [item.names for did, item in members.items() if did.endswith(f":members:{scope}")]
    return words.pick(found[0]) if found else scope


def institution_name(pages: Pages, words: Words, did: str) -> str:
    """What a member is called; its DID where it is none."""
    member = pages.bank.registry().members.get(did)
    return words.pick(member.names) if member is not None else did


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


def _json_text(text: str) -> Response:
    return Response(text, media_type="application/json")


def _next(target: str) -> Response:
    return _json_text(json.dumps({"next": target}))
