"""The routes of the VC-API, their requests and answers (VC-API for Lifecycle Management)."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response

from bank.api.problems import install
from bank.api.request_bodies import json_body
from bank.errors import BadRequest
from bank.threads import in_thread
from bank.vc_api.instance import Instance
from credentials import CredentialsError
from credentials.verifiable import Fault
from keys import Json, encode, parse

PREFIX = "/vc-api"
_LIMIT = 1024 * 1024
_JSON = "application/json"
_BODY = json_body({"type": "object"})


def make_vc_api(instance: Instance) -> FastAPI:
    """The application that serves `instance` under `/vc-api`."""
    app = FastAPI(title="VC-API", version="1", docs_url=None, redoc_url=None)
    install(app)
    _add_issuer(app, instance)
    _add_verifier(app, instance)
    _add_holder(app, instance)
    return app


def _add_issuer(app: FastAPI, instance: Instance) -> None:
    @app.post(PREFIX + "/credentials/issue", tags=["issuer"], openapi_extra=_BODY)
    async def issue(request: Request) -> Response:
        """Issue a credential: `{credential, options}`."""
        body = await _body(request)
        identifier = _options(body).get("credentialId")

        def work() -> Response:
            name = identifier if isinstance(identifier, str) else None
            signed = instance.issue(body.get("credential"), name)
            return _answer(201, signed if _bare(request) else {"verifiableCredential": signed})

        return await _told(work)

    @app.post(PREFIX + "/credentials/status", tags=["issuer"], openapi_extra=_BODY)
    async def status(request: Request) -> Response:
        """Set a status of a credential issued here: `{credentialId, credentialStatus, status}`."""
        body = await _body(request)
        identifier, value = body.get("credentialId"), body.get("status", True)
        entry = body.get("credentialStatus")
        purposes = [
            one.get("statusPurpose") if isinstance(one, dict) else None
            for one in (entry if isinstance(entry, list) else [entry])
        ]
        if not isinstance(identifier, str) or not isinstance(value, bool) or not all(purposes):
            raise BadRequest("say credentialId, credentialStatus with a statusPurpose, and status")
        for purpose in purposes:
            instance.set_status(identifier, str(purpose), value)
        return _answer(200, {})

    @app.get(PREFIX + "/status/{purpose}", tags=["issuer"])
    def status_list(purpose: str) -> Response:
        """The status list credential of a purpose."""
        body = encode(instance.status_list(purpose))
        headers = {"Cache-Control": "max-age=60"}
        return Response(body, media_type=_JSON, headers=headers)

    @app.post(PREFIX + "/status/{purpose}/publish", tags=["issuer"], status_code=204)
    def publish(purpose: str) -> Response:
        """Lists are always current here: there is nothing to be done."""
        instance.status_list(purpose)
        return Response(status_code=204)


def _add_verifier(app: FastAPI, instance: Instance) -> None:
    @app.post(PREFIX + "/credentials/verify", tags=["verifier"], openapi_extra=_BODY)
    async def verify(request: Request) -> Response:
        """Verify a credential: `{verifiableCredential, options}`."""
        body = await _body(request)
        return await _told(lambda: _verdict(*instance.verify(body.get("verifiableCredential"))))

    @app.post(PREFIX + "/presentations/verify", tags=["verifier"], openapi_extra=_BODY)
    async def verify_presentation(request: Request) -> Response:
        """Verify a presentation and all it holds: `{verifiablePresentation, options}`."""
        body = await _body(request)
        presentation = body.get("verifiablePresentation")
        return await _told(
            lambda: _verdict(*instance.verify_presentation(presentation, *_terms(body)))
        )


def _add_holder(app: FastAPI, instance: Instance) -> None:
    @app.post(PREFIX + "/presentations/prove", tags=["holder"], openapi_extra=_BODY)
    async def prove(request: Request) -> Response:
        """Sign a presentation: `{presentation, options: {domain, challenge}}`."""
        body = await _body(request)

        def work() -> Response:
            signed = instance.prove(body.get("presentation"), *_terms(body))
            return _answer(201, signed if _bare(request) else {"verifiablePresentation": signed})

        return await _told(work)


async def _told(work: Callable[[], Response]) -> Response:
    """The answer of `work`, or a problem document that names the kind of error."""
    try:
        return await in_thread(work)
    except CredentialsError as error:
        found = _problem(Fault(error.problem, str(error)))
        return Response(encode(found), 400, media_type="application/problem+json")


def _verdict(faults: list[Fault], unknown: list[str]) -> Response:
    problems: list[Json] = [_problem(fault) for fault in faults]
    warnings: list[Json] = list(unknown)
    checks: list[Json] = ["proof", "credentialStatus"]
    answer: dict[str, Json] = {
        "verified": not faults,
        "checks": checks,
        "errors": problems,
        "problemDetails": problems,
        "warnings": warnings,
    }
    return _answer(400 if faults else 200, answer)


def _problem(fault: Fault) -> dict[str, Json]:
    title = fault.problem.rpartition("#")[2].replace("_", " ").capitalize()
    return {"type": fault.problem, "title": title, "detail": fault.reason, "status": 400}


def _answer(status: int, body: Json) -> Response:
    return Response(encode(body), status, media_type=_JSON)


def _bare(request: Request) -> bool:
    """Whether the document alone is wanted, as by clients that accept JSON and nothing else.

    The W3C's data model suite reads the answer so where it does not use TLS.
    """
    return request.headers.get("accept", "*/*") == _JSON


def _terms(body: dict[str, Json]) -> tuple[str | None, str | None]:
    options = _options(body)
    found = []
    for name in ("domain", "challenge"):
        value = options.get(name)
        if value is not None and not isinstance(value, str):
            raise BadRequest(f"the option {name!r} is text")
        found.append(value)
    return found[0], found[1]


def _options(body: dict[str, Json]) -> dict[str, Json]:
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise BadRequest("'options' is an object")
    return options


async def _body(request: Request) -> dict[str, Json]:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _LIMIT:
            raise BadRequest(f"the request is over {_LIMIT} bytes")
        chunks.append(chunk)
    value = parse(b"".join(chunks), limit=_LIMIT)
    if not isinstance(value, dict):
        raise BadRequest("a request is a JSON object")
    return value
