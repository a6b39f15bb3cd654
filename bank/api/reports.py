"""Open data over HTTP: the published figures of the ledger, and drafts of rules tried on it.

All of it is public: anyone with the log comes to the same.
"""

from typing import Annotated

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response

from bank.answers import json_answer
from bank.api.request_bodies import an_object, json_body
from bank.errors import BadRequest, TooFast
from bank.recognition import RecognitionError, try_rule
from bank.reports import Report
from bank.service import Bank
from bank.threads import in_thread
from keys import Json, parse
from ledger import format_time

_MOST_TRIED = 200_000
_LARGEST = 64 * 1024
_WAIT = 5
_TRY_BODY = json_body(
    an_object("author", "rule", author={"type": "string"}, rule={"type": "object"})
)


def add_reports(app: FastAPI, bank: Bank) -> None:
    """Add the routes of open data."""

    def report() -> Report:
        look = bank.oversight.report.look()
        if look.made is None:
            raise TooFast("the figures are being made for the first time", _WAIT)
        return look.made.value

    @app.get("/reports", tags=["reports"], response_class=Response)
    def every() -> Response:
        """Every published table, small cells left out; with the entry it was made as of."""
        return json_answer(report().open_data())

    @app.get("/reports/{name}.csv", tags=["reports"], response_class=Response)
    def table(name: Annotated[str, Path(max_length=60)]) -> Response:
        """One table as CSV; what is not to be shown is empty."""
        return Response(report().table(name).csv(), media_type="text/csv; charset=utf-8")

    @app.post("/rules/try", tags=["recognition"], openapi_extra=_TRY_BODY)
    async def try_draft(request: Request) -> Response:
        """What a draft of an institution's rule would change for past lots; nothing is published.

        A few a minute for each address: it reads up to 200,000 lots.
        """
        value = parse(await request.body(), limit=_LARGEST)
        author = value.get("author") if isinstance(value, dict) else None
        rule = value.get("rule") if isinstance(value, dict) else None
        if not isinstance(author, str) or not isinstance(rule, dict):
            raise BadRequest("send author, the institution's DID, and rule, its draft")
        return await in_thread(_tried, bank, author, rule)


def _tried(bank: Bank, author: str, rule: dict[str, Json]) -> Response:
    known = ((lot.lot, lot.facts) for lot in bank.lots.each())
    limited = (pair for _, pair in zip(range(_MOST_TRIED), known, strict=False))
    try:
        trial = try_rule(author, rule, bank.registry(), limited, format_time(bank.now()))
    except RecognitionError as error:
        raise BadRequest(str(error)) from error
    return json_answer(trial.to_json())
