"""Showing a page: its template, its language, who is signed in, and the headers that confine it."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bank.errors import NoSuchThing
from bank.pages.language import COOKIE, LANGUAGES, Words, catalogue, language_of
from bank.pages.sentences import told
from bank.service import Bank
from bank.sign_in import Role, Session
from credentials.rdf import shapes_path

_HERE: Final = Path(__file__).parent
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
}
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}
_SMALL: Final = 1024
_YEAR: Final = 365 * 24 * 3600

Show = Callable[..., Response]
"""Shows a template in the frame of an area of the pages: its tabs, and what all of it needs."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load."""

    data: bytes
    packed: bytes
    media_type: str
    tag: str


class Pages:
    """Shows the templates of this package for one bank."""

    def __init__(self, bank: Bank, session: Callable[[Request], Session | None]) -> None:
        """`session` says who is signed in."""
        self.bank = bank
        self.session = session

    def show(
        self, request: Request, template: str, code: int = 200, /, **context: object
    ) -> HTMLResponse:
        """A page."""
        language = language_of(request)
        words = Words(language)
        session = self.session(request)
        others = {code: name for code, name in LANGUAGES.items() if code != language}
        query = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]

        def in_language(code: str) -> str:
            return f"{request.url.path}?{urlencode([*query, ('lang', code)])}"

        text = (
            environment(language)
            .get_template(template)
            .render(
                bank_names=self.bank.settings.names,
                domain=self.bank.settings.domain,
                csrf=session.csrf if session else "",
                in_language=in_language,
                language=language,
                languages=others,
                path=request.url.path,
                person=session.person if session else None,
                Role=Role,
                words=words,
                **context,
            )
        )
        response = HTMLResponse(text, code, headers=dict(_HEADERS))
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(COOKIE, language, max_age=_YEAR, samesite="lax")
        return response

    def words(self, request: Request) -> Words:
        """How the visitor's language says things."""
        return Words(language_of(request))


@cache
def environment(language: str) -> Environment:
    """The templates in a language."""
    found = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    found.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    words = Words(language)
    found.filters |= {
        "amount": words.amount,
        "bytes": words.bytes,
        "day": words.day,
        "moment": words.moment,
        "pick": words.pick,
        "told": partial(told, words),
    }
    found.globals["asset"] = asset_url
    return found


@cache
def assets() -> dict[str, Asset]:
    """Every file under `static`, by its name there."""
    root = _HERE / "static"
    found = {
        path.relative_to(root).as_posix(): _asset(path)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    return {**found, "signing/shapes.json": _asset(shapes_path())}


def asset_url(name: str) -> str:
    """Where a file is, in this version of it, so that browsers may keep it."""
    return f"/static/{name}?v={assets()[name].tag}"


def asset_routes() -> APIRouter:
    """The files that pages load."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/static/{name:path}")
    def static(request: Request, name: str, v: str = "") -> Response:
        """A file that pages load."""
        file = assets().get(name)
        if file is None:
            raise NoSuchThing(f"there is no file {name[:80]}")
        kept = f"public, max-age={_YEAR}, immutable" if v == file.tag else "no-cache"
        headers = {
            "Cache-Control": kept,
            "ETag": f'"{file.tag}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        data = file.data
        if len(data) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
            data = file.packed
            headers["Content-Encoding"] = "gzip"
        return Response(data, media_type=file.media_type, headers=headers)

    return routes


def _asset(path: Path) -> Asset:
    data = path.read_bytes()
    kind = _TYPES.get(path.suffix[1:], "text/plain; charset=utf-8")
    return Asset(data, gzip.compress(data, mtime=0), kind, sha256(data).hexdigest()[:12])
