"""Who visits: the session cookie, roles, and forms that no other site can send."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from bank.answers import json_answer
from bank.errors import BadRequest, NotAllowed
from bank.sign_in import Person, Session, SignIn, Site
from bank.sign_in.desk import LONGEST

_COOKIE: Final = "session"
_MOST_FIELDS: Final = 200
_LOOPBACK: Final = "localhost"


class Visitors:
    """Reads who visits from requests, and lets them in and out."""

    def __init__(self, sign_in: SignIn, public_url: str) -> None:
        self.sign_in = sign_in
        self._public_url = public_url

    def session(self, request: Request) -> Session | None:
        """Who is signed in, asked once a request."""
        if not hasattr(request.state, "session"):
            token = request.cookies.get(_cookie(request), "")
            request.state.session = self.sign_in.session(token) if token else None
        found: Session | None = request.state.session
        return found

    def person(self, request: Request) -> Person:
        """A dependency: the person signed in, where a route is for people of some roles alone."""
        session = self.session(request)
        if session is None:
            raise NotAllowed("sign in first")
        return session.person

    async def posted(self, request: Request) -> FormData:
        """A dependency: the form posted, from a page of this very site and session."""
        _check_same_site(request)
        form = await request.form(max_fields=_MOST_FIELDS, max_files=2)
        session = self.session(request)
        if session is not None:
            given = request.headers.get("x-form-token") or form.get("form_token")
            if given != session.csrf:
                raise BadRequest("this form is of an earlier session; open the page again")
        return form

    async def sent(self, request: Request) -> bytes:
        """A dependency: the body that a script of a page of this very session sent."""
        _check_same_site(request)
        session = self.session(request)
        if session is None or request.headers.get("x-form-token") != session.csrf:
            raise BadRequest("this page is of an earlier session; open it again")
        return await request.body()

    def site(self, request: Request) -> Site:
        """The site that passkeys belong to: the public one, or this machine's own."""
        host = request.url.hostname
        if host == _LOOPBACK:
            return Site(f"http://{request.url.netloc}")
        return Site(self._public_url)

    def enter(self, request: Request, token: str, target: str) -> Response:
        """Let somebody in with a new session, on to `target`."""
        return self.remember(request, RedirectResponse(target, 303), token)

    def remember(self, request: Request, response: Response, token: str) -> Response:
        """Give the browser a session's token."""
        response.set_cookie(
            _cookie(request),
            token,
            max_age=int(LONGEST.total_seconds()),
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
        return response

    def onward(self, token: str, target: str) -> str:
        """Where whoever got this session goes on to: to their own work, from the front page."""
        session = self.sign_in.session(token)
        return session.person.role.home if session is not None and target == "/" else target

    def leave(self, request: Request) -> Response:
        """End the session."""
        self.sign_in.sign_out(request.cookies.get(_cookie(request), ""))
        response = RedirectResponse("/", 303)
        response.delete_cookie(_cookie(request))
        return response


def field(form: Mapping[str, UploadFile | str], name: str) -> str:
    """A text field of a form; empty where it is not there."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def inner_path(target: str) -> str:
    """A path of this site to go on to; the front page for anything else."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if inside and not parts.netloc else "/"


def as_json(text: str) -> Response:
    """JSON that is written already, for a page's script."""
    return Response(text, media_type="application/json")


def next_page(target: str) -> Response:
    """Tells a page's script where to go on to."""
    return json_answer({"next": target})


def _check_same_site(request: Request) -> None:
    fetched = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if fetched is not None:
        alike = fetched in ("same-origin", "none")
    else:
        alike = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not alike:
        raise HTTPException(403, "this form came from another site, so it was not taken")


def _cookie(request: Request) -> str:
    # A name that browsers accept from this host over HTTPS only (RFC 6265bis, section 4.1.3.2).
    return f"__Host-{_COOKIE}" if request.url.scheme == "https" else _COOKIE
