"""The application: one bank behind HTTP. What it says of the log can be checked offline."""

import logging
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response

from bank.answers import json_answer
from bank.api.appeals import add_appeals
from bank.api.description import describe
from bank.api.federation import add_federation
from bank.api.front import Front, Number
from bank.api.heads import Heads
from bank.api.learner_records import add_learner_records
from bank.api.members import add_members
from bank.api.openid4vci import add_openid4vci
from bank.api.operation import add_operation
from bank.api.problems import install
from bank.api.recognition import add_recognition
from bank.api.registers import add_registers
from bank.api.reports import add_reports
from bank.api.request_bodies import a_list, an_object, json_body
from bank.api.tiles import tile_routes
from bank.api.watch import Watch
from bank.authorization.bodies import Bodies
from bank.authorization.guard import Guard, owner_token, served
from bank.authorization.table import LARGEST, TABLE
from bank.errors import BadRequest
from bank.operations.figures import Figures
from bank.operations.log_lines import LOGGER
from bank.operations.tracing import start_tracing
from bank.pages import Demo, add_pages, problem_page
from bank.pages.visitor import Visitors
from bank.qualifications import evaluation_to_json
from bank.service import Bank
from bank.shares import MOST_DAYS
from bank.threads import in_thread
from credentials.rdf import context_bytes
from credentials.transcript import BANK_CONTEXT
from keys import Json, PublicKey, b64u_encode, did_document, did_web, encode, parse
from ledger import NotFound
from verifier.page_routes import page_routes

_TEXT = "text/plain; charset=utf-8"
_VC = "application/vc"
_PROBLEMS: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "A problem document (RFC 9457)",
        "content": {"application/problem+json": {}},
    }
}
_SHARE_BODY = json_body(
    an_object(
        "credentials",
        credentials=a_list({"type": "string"}),
        days={"type": "integer", "minimum": 1, "maximum": MOST_DAYS},
    )
)

Size = Annotated[int, Query(ge=0, le=2**53)]


def make_app(bank: Bank, demo: Demo | None = None) -> FastAPI:
    """The application that serves `bank`, with the sign-ins of a demonstration if it is one."""
    app = FastAPI(
        title="Credit Bank",
        version="1",
        description=(
            "Signed credit awards in a transparent ledger. Bodies sent are canonical JSON "
            "(RFC 8785); errors are problem documents (RFC 9457)."
        ),
        # Spans are our own: those of the framework name addresses.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        docs_url=None,
        redoc_url=None,
        responses=_PROBLEMS,
    )
    visitors = Visitors(bank.sign_in, bank.settings.public_url)
    guard = Guard(bank, visitors, TABLE)
    # Before anything is added: routes take the dependencies that there are when they come.
    app.router.dependencies.append(Depends(guard))
    # Before the pages, which show it.
    describe(app, TABLE)
    pages = add_pages(app, bank, visitors, demo)
    figures = Figures(bank.health.condition, bank.health.refusal, bank.now)
    answers = install(app, partial(problem_page, pages), partial(_note, bank, figures))
    _add_ledger(app, bank)
    add_members(app, bank)
    add_learner_records(app, bank)
    add_recognition(app, bank)
    add_registers(app, bank)
    add_reports(app, bank)
    _add_learner(app, bank)
    _add_shares(app, bank)
    add_appeals(app, bank)
    _add_trust(app, bank)
    add_openid4vci(app, bank)
    add_federation(app, bank)
    app.include_router(tile_routes(bank.log))
    app.include_router(page_routes(bank.trust.newest))
    add_operation(app, bank)
    guard.complete(app.routes)
    app.add_middleware(Front, guard=guard, routes=app.routes, answers=answers)
    app.add_middleware(Bodies, largest=LARGEST)
    # Around all those, so that it sees whatever they refuse.
    span = start_tracing() if bank.settings.tracing else None
    paths = {path for _, _, path in served(app.routes)}
    fixed = frozenset(path for path in paths if "{" not in path)
    app.add_middleware(Watch, figures=figures, fixed=fixed, span=span)
    app.add_middleware(Heads)
    app.state.figures = figures
    bank.health.watch_commits(figures.append)
    return app


def _note(bank: Bank, figures: Figures, route: str, status: int, error: Exception) -> None:
    """Let an answer of 500 and above be known to whoever looks: page, log and figures."""
    bank.oversight.errors.note(route, status, error)
    figures.error(error)
    extra = {"route": route, "status": status}
    logging.getLogger(LOGGER).error("request failed", extra=extra, exc_info=error)


def _add_ledger(app: FastAPI, bank: Bank) -> None:
    @app.get("/ledger/checkpoint", tags=["ledger"], response_class=Response)
    def checkpoint() -> Response:
        """The latest signed checkpoint (C2SP tlog-checkpoint)."""
        return Response(bank.log.checkpoint(), media_type=_TEXT)

    @app.get("/ledger/entries/{index}", tags=["ledger"], response_class=Response)
    def entry(index: Number) -> Response:
        """The exact bytes of an entry."""
        return Response(bank.log.entry(index), media_type="application/json")

    @app.get("/ledger/entries/{index}/receipt", tags=["ledger"], response_class=Response)
    def receipt(index: Number) -> Response:
        """The receipt of an entry under the latest checkpoint (C2SP tlog-proof)."""
        return Response(bank.log.receipt(index).encode(), media_type=_TEXT)

    @app.get("/ledger/consistency", tags=["ledger"])
    def consistency(old: Size, new: Size) -> Response:
        """The proof that the first `old` entries are a prefix of the first `new` (RFC 6962)."""
        path: list[Json] = [b64u_encode(node) for node in bank.log.consistency(old, new)]
        return json_answer({"old": old, "new": new, "path": path})


def _add_learner(app: FastAPI, bank: Bank) -> None:
    @app.get("/credentials", tags=["learners"])
    def owned(token: Annotated[str, Depends(owner_token)]) -> Response:
        """The credentials of the token's owner: identifiers and ledger entries."""
        found: list[Json] = [
            {"id": identifier, "entry": index}
            for identifier, index in bank.accounts.credentials(token)
        ]
        return json_answer({"credentials": found})

    @app.get("/credentials/{identifier}", tags=["learners"], response_class=Response)
    def credential(identifier: str, token: Annotated[str, Depends(owner_token)]) -> Response:
        """One credential of the token's owner."""
        return Response(encode(bank.accounts.credential(token, identifier)), media_type=_VC)

    @app.get("/credentials/{identifier}/bundle", tags=["learners"], response_class=Response)
    def bundle(identifier: str, token: Annotated[str, Depends(owner_token)]) -> Response:
        """One credential of the token's owner with its receipt, to be shared as a file."""
        return Response(bank.accounts.bundle(token, identifier), media_type="application/json")

    @app.get("/passbook", tags=["learners"])
    def passbook(token: Annotated[str, Depends(owner_token)]) -> Response:
        """The owner's statement of account: movements, balances, and what expires when."""
        return json_answer(bank.reckoning.passbook([bank.accounts.of_token(token)]).to_json())

    @app.get("/progress", tags=["learners"])
    def progress(
        author: Annotated[str, Query(max_length=255)],
        qualification: Annotated[str, Query(max_length=80)],
        token: Annotated[str, Depends(owner_token)],
    ) -> Response:
        """What of a qualification the owner's credits meet, line by line, and what is missing."""
        found = bank.reckoning.progress([bank.accounts.of_token(token)], author, qualification)
        lines: list[Json] = [
            {"code": line.code, "en": line.en, "met": line.met, "zh": line.zh}
            for line in found.lines
        ]
        return json_answer({**evaluation_to_json(found), "lines": lines})

    @app.get("/transcript", tags=["learners"], response_class=Response)
    def transcript(token: Annotated[str, Depends(owner_token)]) -> Response:
        """All that the token's owner holds, as a transcript (CLR 2.0) with the awards' receipts."""
        return Response(bank.transcripts.make(token), media_type="application/json")


def _add_shares(app: FastAPI, bank: Bank) -> None:
    @app.post("/shares", tags=["learners"], openapi_extra=_SHARE_BODY, status_code=201)
    async def share(request: Request, token: Annotated[str, Depends(owner_token)]) -> Response:
        """Share chosen credentials under a link for some days; the link is told this once."""
        body = parse(await request.body())
        names = body.get("credentials") if isinstance(body, dict) else None
        days = body.get("days", 30) if isinstance(body, dict) else None
        if not isinstance(names, list) or type(days) is not int:
            raise BadRequest("say credentials (a list of identifiers) and days (a number)")
        identifiers = [str(name) for name in names]
        made, secret = await in_thread(bank.shares.make, token, identifiers, days)
        url = f"{bank.settings.public_url}/s/{secret}"
        return json_answer({"share": made.share, "url": url, "expires": made.expires}, 201)

    @app.get("/shares", tags=["learners"])
    def shares(token: Annotated[str, Depends(owner_token)]) -> Response:
        """The owner's links, with when each was opened."""
        found: list[Json] = [
            {
                "share": item.share,
                "credentials": list(item.credentials),
                "made": item.made,
                "expires": item.expires,
                "withdrawn": item.withdrawn,
                "openings": list(item.openings),
            }
            for item in bank.shares.of(token)
        ]
        return json_answer({"shares": found})

    @app.delete("/shares/{share}", tags=["learners"], status_code=204)
    def unshare(share: str, token: Annotated[str, Depends(owner_token)]) -> Response:
        """End a link now."""
        bank.shares.withdraw(token, share)
        return Response(status_code=204)

    @app.get("/s/{secret}", tags=["learners"], response_class=Response)
    def shared(secret: str, request: Request) -> Response:
        """The bundles that a link shows; a browser is sent to the page that verifies them.

        That page asks for them itself, so what only looks ahead at a link has not opened it.
        """
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(
                f"/v/#share={quote(secret)}", 303, {"Cache-Control": "no-store", "Vary": "Accept"}
            )
        body = b'{"bundles":[' + b",".join(bank.shares.open(secret)) + b"]}"
        headers = {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",
        }
        return Response(body, media_type="application/json", headers=headers)


def _add_trust(app: FastAPI, bank: Bank) -> None:
    @app.get("/trust.json", tags=["trust"], response_class=Response)
    def trust() -> Response:
        """The newest trust bundle, as the governance signed it."""
        return Response(bank.trust.newest(), media_type="application/json")

    @app.get("/status/{number}", tags=["trust"], response_class=Response)
    def revocations(number: int) -> Response:
        """A revocation list (Bitstring Status List 1.0)."""
        return _status_list(bank, f"{number}")

    @app.get("/status/{number}/suspension", tags=["trust"], response_class=Response)
    def suspensions(number: int) -> Response:
        """A suspension list (Bitstring Status List 1.0)."""
        return _status_list(bank, f"{number}/suspension")

    @app.get("/ns/credit-bank/1", tags=["trust"], response_class=Response)
    def terms() -> Response:
        """The JSON-LD context of the terms that transcripts add."""
        return Response(context_bytes(BANK_CONTEXT), media_type="application/ld+json")

    @app.get("/.well-known/did.json", tags=["trust"])
    def bank_did() -> Response:
        """The bank's DID document."""
        return Response(encode(bank.did_document()), media_type="application/did+json")

    @app.get("/members/{slug}/did.json", tags=["trust"])
    def member_did(slug: str) -> Response:
        """A member's DID document, with the keys in force now."""
        member = next(
            (m for did, m in bank.registry().members.items() if did.endswith(f":members:{slug}")),
            None,
        )
        if member is None:
            raise NotFound(f"there is no member {slug[:60]}")
        keys = [
            PublicKey.from_multikey(period.key)
            for period in member.keys.values()
            if period.end is None and period.suspect_from is None
        ]
        document = did_document(did_web(bank.settings.domain, "members", slug), keys)
        return Response(encode(document), media_type="application/did+json")


def _status_list(bank: Bank, name: str) -> Response:
    document = bank.trust.status_lists().get(f"https://{bank.settings.domain}/status/{name}")
    if document is None:
        raise NotFound(f"there is no status list {name}")
    return Response(encode(document), media_type=_VC, headers={"Cache-Control": "max-age=300"})
