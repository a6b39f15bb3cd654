"""Errors as RFC 9457 problem documents."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from bank.errors import (
    BadRequest,
    BankError,
    NoLonger,
    NoSuchThing,
    NotAllowed,
    NotYours,
    TooFast,
    TooLarge,
    TooSlow,
    WrongType,
)
from bank.http_signature import SignatureNeeded
from bank.learners import Conflict, Erased, LearnersError, NoSuchRecord
from bank.openid4vci import WalletError
from keys import Json, KeysError, encode
from ledger import BadStatement, LedgerError, NotFound

Page = Callable[[Request, int, str], Response]
Answer = Callable[[Request, Exception], Awaitable[Response]]
Note = Callable[[str, int, Exception], None]
"""Takes the route's template, the status and the error."""
MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (NoSuchThing, 404),
    (NoLonger, 410),
    (NotAllowed, 401),
    (NotYours, 403),
    (TooFast, 429),
    (TooLarge, 413),
    (TooSlow, 408),
    (WrongType, 415),
    (BadRequest, 400),
    (NoSuchRecord, 404),
    (Conflict, 409),
    (Erased, 410),
    (LearnersError, 400),
    (BadStatement, 400),
    (KeysError, 400),
    (WalletError, 400),
    (BankError, 500),
    (LedgerError, 503),
)


def problem(status: int, detail: str) -> Response:
    """A problem document; its title is the status in words."""
    body: dict[str, Json] = {
        "detail": detail,
        "status": status,
        "title": HTTPStatus(status).phrase,
        "type": "about:blank",
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(encode(body), status, headers, media_type=MEDIA_TYPE)


def install(
    app: FastAPI, page: Page | None = None, note: Note = lambda *seen: None
) -> dict[type[Exception], Answer]:
    """Have every error answered by a problem document, or where a browser asks by a `page`.

    Those that are the server's own go to `note` as well. Gives what answers each kind.
    """

    def tell(request: Request, status: int, detail: str, error: Exception) -> Response:
        if status >= 500:
            note(_route(request), status, error)
        if page is not None and "text/html" in request.headers.get("accept", ""):
            # A page asks the database who is signed in, and that may be what failed.
            with suppress(BankError, LedgerError, SQLAlchemyError):
                return page(request, status, detail)
        return problem(status, detail)

    async def known(request: Request, error: Exception) -> Response:
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        response = tell(request, status, str(error), error)
        if isinstance(error, TooFast):
            response.headers["Retry-After"] = str(error.wait)
        if isinstance(error, SignatureNeeded):
            response.headers["Accept-Signature"] = error.asked_for
        if isinstance(error, (TooLarge, TooSlow)):
            # What is left of the body is not waited for.
            response.headers["Connection"] = "close"
        return response

    async def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = str(error.detail) if isinstance(error, HTTPException) else ""
        if isinstance(error, HTTPException) and "location" in {
            name.lower() for name in error.headers or {}
        }:
            return Response(status_code=status, headers=dict(error.headers or {}))
        if status == 404 and detail == "Not Found":
            detail = f"there is nothing at {request.url.path}"
        return tell(request, status, detail, error)

    async def malformed(request: Request, error: Exception) -> Response:
        first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
        where = ".".join(str(part) for part in first.get("loc", ()))
        return tell(request, 422, f"{where}: {first.get('msg', 'malformed')}", error)

    async def database(request: Request, error: Exception) -> Response:
        detail = "the database did not answer; nothing was lost, try again in a moment"
        return tell(request, 503, detail, error)

    async def unexpected(request: Request, error: Exception) -> Response:
        return tell(request, 500, "the server made a mistake; its operator is told of it", error)

    answers: dict[type[Exception], Answer] = {
        BankError: known,
        LedgerError: known,
        KeysError: known,
        HTTPException: http,
        RequestValidationError: malformed,
        SQLAlchemyError: database,
        Exception: unexpected,
    }
    for kind, answer in answers.items():
        app.add_exception_handler(kind, answer)
    return answers


def _route(request: Request) -> str:
    """The method and the template of the route, which has no identifier of anybody in it."""
    template = getattr(request.scope.get("route"), "path", "an address with no route")
    return f"{request.method} {template}"
