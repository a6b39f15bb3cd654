"""The bank's sealed records about learners, for its own staff's software.

Each request is signed itself: a session's token, which is sent along and may be seen, opens no
records about people. Names and numbers travel in bodies, never in addresses, which are logged.
"""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response

from bank.answers import NO_STORE, json_answer
from bank.api.request_bodies import an_object, json_body
from bank.learners import Document, read_terms
from bank.learners.forms import document_of, needed_document, read_form, text_of
from bank.qualifications import evaluation_to_json
from bank.service import Bank
from bank.threads import in_thread
from keys import Json

_WHERE = "the request"
Learner = Annotated[str, Path(min_length=1, max_length=60)]


def _takes(*required: str, **properties: str) -> dict[str, Json]:
    shown: dict[str, Json] = {
        name: {"type": "string", "description": text} for name, text in properties.items()
    }
    return json_body(an_object(*required, **shown))


_NAME = {"name": "As the identity document spells it."}
_DOCUMENT = {"kind": "citizen-id, or like passport/DEU.", "number": "The document's number."}
_CONSENT = {
    "credentials": "'all', or identifiers.",
    "from": "A day; today without it.",
    "purpose": "What for.",
    "recipient": "To whom.",
    "until": "The last day.",
}


def add_learner_records(app: FastAPI, bank: Bank) -> None:
    """Add the routes of learners' records."""
    _add_identities(app, bank)
    _add_contents(app, bank)


def _add_identities(app: FastAPI, bank: Bank) -> None:
    learners = bank.learners

    @app.post("/learners", tags=["staff"], openapi_extra=_takes("name", **_NAME, **_DOCUMENT))
    async def open_record(
        request: Request, learner: Annotated[str | None, Query(max_length=60)] = None
    ) -> Response:
        """Open a learner's record, or find the one with this document.

        `learner` is an identifier of your own making, so that repeating opens no second.
        """
        form = read_form(await request.body(), ("name", "kind", "number"), _WHERE)
        name = text_of(form, "name", _WHERE)
        document = document_of(form, _WHERE, bank.now().date())
        found = await in_thread(learners.open, name, document, learner)
        return _answer({"learner": found})

    @app.post("/learners/find", tags=["staff"], openapi_extra=_takes("number", **_DOCUMENT))
    async def find(request: Request) -> Response:
        """The learner with an identity document."""
        document = await _document(request, bank)
        return _answer({"learner": await in_thread(learners.find, document)})

    @app.post(
        "/learners/{learner}/document",
        tags=["staff"],
        openapi_extra=_takes("number", **_DOCUMENT),
    )
    async def identify(learner: Learner, request: Request) -> Response:
        """Add an identity document to a record that has none."""
        document = await _document(request, bank)
        new = await in_thread(learners.identify, learner, document)
        return _answer({"learner": learner, "new": new})

    @app.post("/learners/{learner}/name", tags=["staff"], openapi_extra=_takes("name", **_NAME))
    async def rename(learner: Learner, request: Request) -> Response:
        """Change a learner's name; earlier names are kept."""
        form = read_form(await request.body(), ("name",), _WHERE)
        await in_thread(learners.rename, learner, text_of(form, "name", _WHERE))
        return _answer({"learner": learner})

    @app.post(
        "/learners/{learner}/merge",
        tags=["staff"],
        openapi_extra=_takes("learner", learner="The record that becomes part of this one."),
    )
    async def merge(learner: Learner, request: Request) -> Response:
        """Make one of two records of the same person; the one that remains."""
        form = read_form(await request.body(), ("learner",), _WHERE)
        second = text_of(form, "learner", _WHERE)
        return _answer({"learner": await in_thread(learners.merge, learner, second)})

    @app.post(
        "/learners/{learner}/accounts",
        tags=["staff"],
        openapi_extra=_takes("account", account="The account."),
    )
    async def link(learner: Learner, request: Request) -> Response:
        """Say that an account is this learner's."""
        form = read_form(await request.body(), ("account",), _WHERE)
        await in_thread(learners.link, learner, text_of(form, "account", _WHERE))
        return _answer({"learner": learner})


def _add_contents(app: FastAPI, bank: Bank) -> None:
    learners = bank.learners

    @app.get("/learners/{learner}", tags=["staff"])
    def record(learner: Learner) -> Response:
        """A record: who it is, the accounts, the consents."""
        accounts: list[Json] = list(learners.accounts(learner))
        consents: list[Json] = [item.as_json() for item in learners.consents(learner)]
        body: dict[str, Json] = {
            "accounts": accounts,
            "consents": consents,
            "identity": learners.identity(learner).as_json(),
            "learner": learners.names(learner)[0],
        }
        return _answer(body)

    @app.get("/learners/{learner}/passbook", tags=["staff"])
    def passbook(learner: Learner) -> Response:
        """The statement of account of all of a learner's accounts together."""
        return _answer(bank.reckoning.passbook(learners.accounts(learner)).to_json())

    @app.get("/learners/{learner}/progress", tags=["staff"])
    def progress(
        learner: Learner,
        author: Annotated[str, Query(max_length=255)],
        qualification: Annotated[str, Query(max_length=80)],
    ) -> Response:
        """What of a qualification a learner's credits meet, line by line."""
        found = bank.reckoning.progress(learners.accounts(learner), author, qualification)
        return _answer(evaluation_to_json(found))

    @app.post(
        "/learners/{learner}/consents",
        tags=["staff"],
        openapi_extra=_takes("credentials", "purpose", "recipient", "until", **_CONSENT),
    )
    async def consent(learner: Learner, request: Request) -> Response:
        """Note what a learner agrees to."""
        form = read_form(await request.body(), tuple(_CONSENT), _WHERE)
        terms = read_terms(form, bank.now().date())
        given = await in_thread(learners.consent, learner, terms)
        return _answer(given.as_json())

    @app.delete("/learners/{learner}/consents/{consent}", tags=["staff"])
    def withdraw(learner: Learner, consent: Annotated[str, Path(max_length=60)]) -> Response:
        """End a consent now."""
        return _answer(learners.withdraw(learner, consent).as_json())

    @app.get("/learners/{learner}/archive", tags=["staff"], response_class=Response)
    def archive(learner: Learner) -> Response:
        """Everything held about a learner in one ZIP, for the learner alone."""
        bank.checkpoints.gather()
        return Response(learners.export(learner), headers=NO_STORE, media_type="application/zip")

    @app.delete("/learners/{learner}", tags=["staff"])
    def erase(learner: Learner) -> Response:
        """Erase a learner and the linked accounts for good; the ledger stays as it is."""
        return _answer({"erased": learners.erase(learner)})


async def _document(request: Request, bank: Bank) -> Document:
    form = read_form(await request.body(), ("kind", "number"), _WHERE)
    return needed_document(form, _WHERE, bank.now().date())


def _answer(body: dict[str, Json]) -> Response:
    return json_answer(body, headers=NO_STORE)
