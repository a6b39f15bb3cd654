"""What sister banks ask: to take a lot, and who this bank is."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from bank.answers import json_answer
from bank.api.request_bodies import json_body
from bank.errors import BadRequest
from bank.federation import Federation
from bank.federation.sister import PATH
from bank.service import Bank
from bank.threads import in_thread
from keys import parse

_BODY = json_body({"type": "object", "required": ["receipt"]})


def add_federation(app: FastAPI, bank: Bank) -> None:
    """Add the routes of the federation."""
    federation = Federation(bank, bank.chance.name)

    @app.get("/federation", tags=["federation"])
    def party() -> Response:
        """This bank as one side of an agreement: its governance, log and keys."""
        return json_answer(federation.party())

    @app.post(PATH, tags=["federation"], openapi_extra=_BODY)
    async def transfer(request: Request) -> Response:
        """Take a lot that a sister bank has locked for us, or refuse it; the receipt says which.

        Signed by RFC 9421 with a key of the agreement. Asked again, the answer is the same.
        """
        body = await request.body()

        def answer() -> Response:
            value = parse(body)
            receipt = value.get("receipt") if isinstance(value, dict) else None
            if not isinstance(receipt, str):
                raise BadRequest("say receipt, the text of one")
            decided = federation.receive(receipt)
            return json_answer({"receipt": decided})

        return await in_thread(answer)
