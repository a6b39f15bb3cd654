"""Appeals, lodged by the owner of an award."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from bank.answers import json_answer
from bank.api.request_bodies import an_object, json_body
from bank.authorization.guard import owner_token
from bank.errors import BadRequest
from bank.lodging import lodge_as_owner
from bank.service import Bank
from bank.threads import in_thread
from keys import KeysError, b64u_decode, parse

_LIMIT = 4 * 1024
_BODY = json_body(
    an_object(
        "entry",
        "grounds",
        entry={"type": "integer", "minimum": 0},
        grounds={"type": "string", "minLength": 43, "maxLength": 43},
    )
)


def add_appeals(app: FastAPI, bank: Bank) -> None:
    """Add the route."""

    @app.post("/appeals", tags=["learners"], openapi_extra=_BODY, status_code=201)
    async def lodge(request: Request, token: Annotated[str, Depends(owner_token)]) -> Response:
        """Appeal against a suspension, a correction or a revocation of one's own award.

        `entry` is the decision's, `grounds` the SHA-256 of what the learner has to say, as
        base64url: its text is handed to the panel, never to the ledger.
        """
        try:
            value = parse(await request.body(), limit=_LIMIT)
        except KeysError as error:
            raise BadRequest(str(error)) from error
        entry = value.get("entry") if isinstance(value, dict) else None
        grounds = value.get("grounds") if isinstance(value, dict) else None
        if type(entry) is not int or not 0 <= entry < 2**53 or not isinstance(grounds, str):
            raise BadRequest("say entry (a number) and grounds (a SHA-256 as base64url)")
        try:
            hashed = b64u_decode(grounds, 32)
        except KeysError as error:
            raise BadRequest(f"grounds: {error}") from error
        made = await in_thread(lodge_as_owner, bank, token, entry, hashed)
        return json_answer({"appeal": made.appeal, "due": made.due, "entry": made.index}, 201)
