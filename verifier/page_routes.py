"""The verifier page over HTTP, for the bank's server and for the verifier's own."""

import gzip
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.page import content_security_policy, page_files

if TYPE_CHECKING:
    from fastapi import APIRouter, Request, Response

_SMALL = 1024


def page_routes(trust: Callable[[], bytes]) -> "APIRouter":
    """The page under `/v/`, where QR codes point; `trust` gives the newest trust bundle."""
    # Here, so that an install without the web framework can hold this module.
    from fastapi import APIRouter, Request
    from fastapi.responses import RedirectResponse, Response

    routes = APIRouter(include_in_schema=False)

    @routes.get("/v")
    def without_slash() -> RedirectResponse:
        """A QR code's link; browsers keep its fragment over a redirect."""
        return RedirectResponse("/v/", status_code=308)

    @routes.get("/v/")
    async def page(request: Request) -> Response:
        """The page itself."""
        return _file(request, "index.html")

    @routes.get("/v/trust.json")
    def trust_bundle(request: Request) -> Response:
        """The newest trust bundle, sent only where it is another than the browser has."""
        data = trust()
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return _unless_kept(request, data, "application/json", headers)

    @routes.get("/v/{name:path}")
    async def part(request: Request, name: str) -> Response:
        """A file of the page."""
        return _file(request, name)

    return routes


def _file(request: "Request", name: str) -> "Response":
    from fastapi import Response

    file = page_files().get(name)
    if file is None:
        return Response("there is no such file of the verifier page\n", status_code=404)
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": content_security_policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if name == "sw.js":
        headers["Service-Worker-Allowed"] = "/v"
    data = file.data
    if len(data) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        data = _packed(name)
        headers["Content-Encoding"] = "gzip"
    return _unless_kept(request, data, file.media_type, headers)


def _unless_kept(
    request: "Request", data: bytes, media_type: str, headers: dict[str, str]
) -> "Response":
    """The data, or 304 where the browser has it already (RFC 9110, section 13.1.2)."""
    from fastapi import Response

    tag = f'"{sha256(data).hexdigest()[:32]}"'
    headers["ETag"] = tag
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers=headers)


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(page_files()[name].data, mtime=0)
