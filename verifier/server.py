"""A small verifier behind HTTP, for programs of integrators: bytes in, a report out.

It keeps no state but the trust bundle, stores nothing and logs nothing of what it is sent. The
web framework comes with `creditbank[bank]` and is imported only when a server is made, so that
the base install holds this module without it.
"""

import logging
import os
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from keys import Json, encode
from ledger import format_time
from verifier.errors import CannotServe, Unreadable
from verifier.file_report import verify_file
from verifier.sentences import LANGUAGES
from verifier.trust_file import TrustFile

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

MOST_BYTES = 16 * 1024 * 1024
"""The longest file taken: a phone's photo of a QR code, with room to spare."""
_WHAT = "what was sent"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_ABOUT = {
    "en": """\
Credit Bank verifier

POST /verify    the bytes of one file as the body: a bundle, a credential, a transcript, a
                presentation, a certificate (PDF), a badge or a picture of a QR code (PNG, SVG,
                JPEG), or the text of a QR code, which is a URL. The answer is the report, as JSON.
                ?lang=en or zh; of a presentation also ?domain= and ?challenge=, which were yours.
GET /healthz    the trust bundle in use; 503 where it has expired, "problem" where a newer is bad
GET /v/         the same for people: a page that works without network
GET /openapi.json

    curl --data-binary @learner.bundle.json 'http://HOST/verify?lang=en'

Answers: 200 a report, whatever its verdict ("verdict", "exit_code"); 422 it could not be read;
413 it has more than 16 MiB. Errors are problem documents (RFC 9457), their "detail" one sentence.
Nothing of what is sent is stored or logged.
""",
    "zh": """\
学分银行验证服务

POST /verify    正文为一个文件的字节：凭证包、凭证、学习成果总表、出示文件、证书（PDF）、
                徽章或二维码图片（PNG、SVG、JPEG），或二维码的文本（URL）。答复为 JSON 格式的报告。
                ?lang=en 或 zh；出示文件另可加 ?domain= 与 ?challenge=（由您给出）。
GET /healthz    服务状态与所用的信任包
GET /v/         供人使用的验证页面，可离线工作
GET /openapi.json

    curl --data-binary @learner.bundle.json 'http://HOST/verify?lang=zh'

答复：200 为报告，不论结论如何（"verdict"、"exit_code"）；422 为无法读取；413 为超过 16 MiB。
错误为问题文档（RFC 9457），其 "detail" 为一句说明。所提交的内容不存储，也不记入日志。
""",
}


def make_server(trust_file: TrustFile, clock: Callable[[], datetime]) -> "FastAPI":
    """The application that verifies against the newest good bundle of `trust_file`."""
    from anyio import CapacityLimiter, to_thread
    from fastapi import FastAPI, Query, Request, Response
    from fastapi.responses import PlainTextResponse
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect

    from verifier.page_routes import page_routes

    app = FastAPI(title="Credit Bank verifier", version="1", docs_url=None, redoc_url=None)
    # More at once would only wait for each other, each with its file in memory.
    at_once = CapacityLimiter(max(2, os.cpu_count() or 1))

    async def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _problem(status, f"there is nothing that answers {request.method} here; see GET /")

    app.add_exception_handler(HTTPException, http_error)

    @app.get("/", response_class=PlainTextResponse)
    def about(lang: str = "en") -> Response:
        """What this is, and how it is asked."""
        return PlainTextResponse(_ABOUT.get(lang, _ABOUT["en"]), headers=_HEADERS)

    @app.get("/healthz")
    def health() -> Response:
        """Whether the trust bundle in use is still good, and why a newer one is not in use."""
        trust = trust_file.trust()
        over = clock() > trust.expires
        body: dict[str, Json] = {
            "expires": format_time(trust.expires),
            "issued": format_time(trust.issued),
            "ok": not over,
            "origin": trust.origin,
            "problem": trust_file.problem,
            "version": trust.version,
        }
        status = 503 if over else 200
        return Response(encode(body), status, _HEADERS, media_type="application/json")

    @app.post("/verify", openapi_extra=_BODY, responses=_ANSWERS)
    async def verify(
        request: Request,
        lang: str = Query("en", description="Language of the report: en or zh."),
        domain: str = Query("", description="Of a presentation: the domain it was made for."),
        challenge: str = Query("", description="Of a presentation: the challenge you gave."),
    ) -> Response:
        """Check one file against the trust bundle."""
        if lang not in LANGUAGES:
            return _problem(422, "lang is en or zh")
        if request.headers.get("content-type", "").startswith("multipart/"):
            return _problem(415, "send the bytes of the file as the body, not as a form")
        data = bytearray()
        try:
            async for chunk in request.stream():
                data += chunk
                if len(data) > MOST_BYTES:
                    return _problem(
                        413, f"{_WHAT} is too long: at most {MOST_BYTES} bytes are taken"
                    )
        except ClientDisconnect:
            return _problem(400, f"{_WHAT} did not arrive in full")

        def work() -> Response:
            return _answer(bytes(data), trust_file, clock(), lang, domain, challenge)

        return await to_thread.run_sync(work, limiter=at_once)

    app.include_router(page_routes(trust_file.data))
    return app


def run(
    trust_file: TrustFile,
    clock: Callable[[], datetime],
    host: str,
    port: int,
    most: int,
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted, `most` requests at once; CannotServe where the port is taken."""
    import socket

    import uvicorn

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise CannotServe(f"port {port} of {host} cannot be had: {error.strerror}") from error
    config = uvicorn.Config(
        make_server(trust_file, clock),
        log_level="warning",
        access_log=False,
        limit_concurrency=most,
        server_header=False,
    )
    with closing(listener), suppress(KeyboardInterrupt):
        address, number = listener.getsockname()[:2]
        where = f"[{address}]" if ":" in address else address
        say(f"The verifier is at http://{where}:{number}/ (stop with Ctrl-C)")
        uvicorn.Server(config).run([listener])


def _answer(
    data: bytes, trust_file: TrustFile, at: datetime, lang: str, domain: str, challenge: str
) -> "Response":
    from fastapi import Response

    # The text of a QR code comes out of readers with white space around it.
    if data[:64].lstrip().startswith(b"https://"):
        data = data.strip()
    try:
        trust = trust_file.trust()
        report = verify_file(data, _WHAT, trust, at, domain or None, challenge or None)
    except Unreadable as error:
        return _problem(422, str(error))
    except Exception as error:
        # Its message and its traceback could hold what was sent: only the kind is told.
        logging.getLogger(__name__).error("a verification failed: %s", type(error).__name__)
        return _problem(500, "the verifier failed over this; nothing is said of what was sent")
    body = encode(report.to_json(lang))
    return Response(body, media_type="application/json", headers=_HEADERS)


def _problem(status: int, detail: str) -> "Response":
    from fastapi import Response

    body: dict[str, Json] = {
        "detail": detail,
        "status": status,
        "title": HTTPStatus(status).phrase,
        "type": "about:blank",
    }
    return Response(encode(body), status, _HEADERS, media_type="application/problem+json")


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("application/octet-stream", "application/json", "application/pdf")
        }
        | {"image/png": {}, "text/plain": {"schema": {"type": "string", "format": "uri"}}},
    },
}
_PROBLEM: dict[str, object] = {"content": {"application/problem+json": {}}}
_ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"description": "The report, whatever its verdict", "content": {"application/json": {}}},
    413: {"description": "Too long", **_PROBLEM},
    422: {"description": "It could not be read", **_PROBLEM},
}
