"""What institutions' software asks, let in by an API key: sessions, statements, slots, awards."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import Response

from bank.answers import NO_STORE, json_answer
from bank.api.recognition import lot_json
from bank.api.request_bodies import a_list, an_object, json_body
from bank.authorization import ApiKey
from bank.authorization.guard import api_key
from bank.authorization.table import LARGEST
from bank.errors import NotYours
from bank.institution import Submission
from bank.service import Bank
from bank.submissions import (
    MOST_LOTS,
    MOST_STATEMENTS,
    outcome_json,
    outcomes_json,
    read_batch,
    read_lots,
    read_submissions,
    slots_json,
    wants_together,
)
from bank.threads import in_thread
from keys import Json, parse_exact
from ledger import format_time
from ledger.body import MOST_IN_BATCH
from ledger.sequencer import Outcome

_SHORT = 4 * 1024
_PAGE = 200
_STATEMENT = an_object(
    "signed",
    signed={"type": "object"},
    credential={"type": "object"},
    learner={"type": "string", "maxLength": 64},
)
_STATEMENTS_BODY = json_body(
    an_object(
        "statements",
        together={"type": "boolean"},
        statements=a_list(_STATEMENT, minItems=1, maxItems=MOST_STATEMENTS),
    )
)
_BATCH_BODY = json_body(
    an_object(
        "awards",
        "signed",
        awards=a_list({"type": "string"}, minItems=1, maxItems=MOST_IN_BATCH),
        signed={"type": "object"},
    )
)
_LOT: Json = {"type": "string", "minLength": 22, "maxLength": 22}
_SLOTS_BODY = json_body(
    {**an_object("lots", lots=a_list(_LOT, maxItems=MOST_LOTS)), "additionalProperties": False}
)

Key = Annotated[ApiKey, Depends(api_key)]


def add_members(app: FastAPI, bank: Bank) -> None:
    """Add the routes of members."""
    _add_statements(app, bank)

    @app.post("/sessions", tags=["members"], status_code=201)
    async def begin(key: Key) -> Response:
        """A token that stands for a signed request for ten minutes, told this once.

        What it opens says the description of each route.
        """
        token, ends = await in_thread(bank.api_keys.begin, key.key)
        body: dict[str, Json] = {"expires": format_time(ends), "token": token}
        return json_answer(body, 201, NO_STORE)

    @app.post("/slots", tags=["members"], openapi_extra=_SLOTS_BODY)
    async def slots(request: Request, key: Key) -> Response:
        """Status slots for lots that the key's institution is to award.

        The same ones whenever they are asked for.
        """
        lots = read_lots(parse_exact(await request.body()))
        given = await in_thread(bank.slots.give, key.institution, lots)
        return json_answer(slots_json(given))

    @app.get("/batches/alone", tags=["members"])
    def alone(key: Key) -> Response:
        """How many awards the key's institution may still hand in today on one signature."""
        return json_answer({"left": bank.intake.alone(key.institution)})

    @app.post("/batches", tags=["members"], openapi_extra=_BATCH_BODY)
    async def approve(request: Request, key: Key) -> Response:
        """Let awards be handed in beyond that: their `batch.approve`, signed by two persons.

        `awards` are the SHA-256 of their statements' canonical bytes, as base64url.
        """
        body = await request.body()

        def approve_batch() -> Response:
            signed, awards = read_batch(parse_exact(body, limit=LARGEST))
            if signed.statement.author != key.institution:
                raise NotYours("a batch is approved by its own institution's software alone")
            return json_answer(outcome_json(bank.intake.approve_batch(signed, awards)))

        return await in_thread(approve_batch)

    @app.get("/awards", tags=["members"])
    def awards(
        key: Key,
        before: Annotated[int, Query(ge=0, le=2**53)] = 2**53,
        unit: Annotated[str, Query(max_length=80)] = "",
        state: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        """The awards of the key's institution, newest first, 200 at once.

        With the institution's own reference for each learner; `next`, where there is more, goes
        into `before`.
        """
        found = bank.lots.of_institution(key.institution, before, _PAGE + 1, unit, state)
        items: list[Json] = []
        for lot in found[:_PAGE]:
            held = bank.lots.credential(lot.lot)
            mine: dict[str, Json] = (
                {} if held is None else {"credential": held[0], "learner": _reference(held[1])}
            )
            items.append({**lot_json(lot), **mine})
        more: dict[str, Json] = {"next": found[_PAGE - 1].award_index} if found[_PAGE:] else {}
        return json_answer({"awards": items, **more})


def _add_statements(app: FastAPI, bank: Bank) -> None:
    @app.post("/statements", tags=["members"], openapi_extra=_STATEMENTS_BODY)
    async def submit(request: Request) -> Response:
        """Append signed statements; the answer comes when they are durable and checkpointed.

        One outcome for each statement, in order: its place in the log, or why it was declined.
        A statement sent again gets its first place. With `"together": true` all are appended or
        none. Anybody's statement may be handed in, for its own signatures decide; a credential is
        deposited by its institution alone.
        """
        key, body = api_key(request), await request.body()

        def read() -> tuple[list[Submission], bool]:
            value = parse_exact(body, limit=LARGEST)
            submissions = read_submissions(value)
            _check_carried(submissions, key)
            return submissions, wants_together(value)

        # A short request is checked at once: handing it to another thread would cost more.
        is_short = len(body) < _SHORT
        submissions, together = read() if is_short else await in_thread(read)
        if together:
            return json_answer(
                outcomes_json(await in_thread(bank.intake.submit_together, submissions))
            )
        waiting = (
            bank.intake.enqueue(submissions)
            if is_short
            else await in_thread(bank.intake.enqueue, submissions)
        )
        outcomes: list[Outcome] = await asyncio.wrap_future(waiting)
        return json_answer(outcomes_json(outcomes))


def _check_carried(submissions: Sequence[Submission], key: ApiKey) -> None:
    for position, item in enumerate(submissions):
        if item.credential is not None and item.signed.statement.author != key.institution:
            raise NotYours(
                f"statement {position}: its credential is deposited by its own institution alone; "
                "hand in the statement without it"
            )


def _reference(account: str) -> str:
    """The institution's own reference for the learner, of an account."""
    return account.partition("|")[2]
