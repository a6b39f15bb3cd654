"""A small HTTP verifier for integrators: a file in, its report out. It keeps nothing."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.concurrency import run_in_threadpool

from verifier.errors import BadTrust, VerifierError
from verifier.file_report import verify_file
from verifier.files import read_limited
from verifier.page_routes import page_routes
from verifier.trust import Trust, open_trust

MOST_BYTES = 16 * 1024 * 1024
_LOG = logging.getLogger("creditbank.verifier")
_ABOUT = """\
POST /verify        the bytes of a bundle, credential, certificate (PDF), badge or picture of a QR
                    code, or the QR code's link as text; ?lang=en or zh. Answers with the report.
GET  /healthz       whether there is a trust bundle, its version, and until when it is good
GET  /v/            the page that does the same in a browser, without this server
Nothing that is sent is kept.
"""


class TrustFile:
    """The trust bundle of a file, read again when the file changes.

    A newer file that is bad, of another root or rolled back is refused, and said in the log; the
    last good one goes on being used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._stamp()
        self.data = read_limited(path)
        self.trust = open_trust(self.data)

    def current(self) -> Trust:
        """The newest good trust bundle."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self._reload()
        return self.trust

    def _reload(self) -> None:
        try:
            data = read_limited(self._path)
            trust = open_trust(data, self.trust.governance.fingerprint)
            if trust.origin != self.trust.origin or trust.version < self.trust.version:
                raise BadTrust(f"version {trust.version} of {trust.origin} is older, or another's")
        except VerifierError as error:
            _LOG.warning("the changed trust bundle is not used: %s", error)
            return
        self.data, self.trust = data, trust

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size


def make_server(file: TrustFile) -> FastAPI:
    """The application, which verifies against the trust bundle of `file`."""
    app = FastAPI(title="Credit verifier", version="1", docs_url=None, redoc_url=None)

    @app.get("/", include_in_schema=False)
    def about() -> PlainTextResponse:
        """What there is here."""
        return PlainTextResponse(_ABOUT)

    @app.get("/healthz")
    def health() -> JSONResponse:
        """Whether verification works, and by which trust bundle."""
        trust = file.current()
        over = datetime.now(UTC) > trust.expires
        told = {
            "ok": not over,
            "origin": trust.origin,
            "version": trust.version,
            "expires": trust.expires.isoformat().replace("+00:00", "Z"),
        }
        return JSONResponse(told, status_code=503 if over else 200)

    @app.post("/verify")
    async def verify(
        request: Request, lang: Annotated[Literal["en", "zh"], Query()] = "en"
    ) -> JSONResponse:
        """The report on the file in the body (`application/octet-stream`)."""
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return _problem(413, f"a file has at most {MOST_BYTES} bytes")
        try:
            report = await run_in_threadpool(
                verify_file, bytes(body), "the body", file.current(), datetime.now(UTC)
            )
        except VerifierError as error:
            return _problem(422, str(error))
        return JSONResponse(report.to_json(lang))

    def bundle() -> bytes:
        file.current()
        return file.data

    app.include_router(page_routes(bundle))
    return app


def _problem(status: int, detail: str) -> JSONResponse:
    """A problem document (RFC 9457)."""
    return JSONResponse(
        {"status": status, "detail": detail},
        status_code=status,
        media_type="application/problem+json",
    )
