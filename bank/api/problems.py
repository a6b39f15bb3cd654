"""Errors as RFC 9457 problem documents."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from bank.errors import BadRequest, BankError, NoLonger, NoSuchThing, NotAllowed, TooFast
from bank.learners import Conflict, Erased, LearnersError, NoSuchRecord
from bank.openid4vci import WalletError
from keys import Json, KeysError, encode
from ledger import BadStatement, LedgerError, NotFound

Page = Callable[[Request, int, str], Response]
MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (NoSuchThing, 404),
    (NoLonger, 410),
    (NotAllowed, 401),
    (TooFast, 429),
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


def install(app: FastAPI, page: Page | None = None) -> None:
    """Have every error answered by a problem document, or where a browser asks by a `page`."""

    def tell(request: Request, status: int, detail: str) -> Response:
        if page is not None and "text/html" in request.headers.get("accept", ""):
            return page(request, status, detail)
        return problem(status, detail)

    async def known(request: Request, error: Exception) -> Response:
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        response = tell(request, status, str(error))
        if isinstance(error, TooFast):
            response.headers["Retry-After"] = str(error.wait)
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
        return tell(request, status, detail)

    async def malformed(request: Request, error: Exception) -> Response:
        first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
        where = ".".join(str(part) for part in first.get("loc", ()))
        return tell(request, 422, f"{where}: {first.get('msg', 'malformed')}")

    async def database(request: Request, error: Exception) -> Response:
        return tell(
            request, 503, "the database did not answer; nothing was lost, try again in a moment"
        )

    for kind in (BankError, LedgerError, KeysError):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(SQLAlchemyError, database)
