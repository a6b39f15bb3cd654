"""Fetching the DID document of a did:web, guarded: a name in a credential must not steer us.

Whoever writes a credential chooses the address. So: HTTPS alone, no redirects, no address that
is not public, the connection made to the very address that was looked at, little and soon.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from bank.errors import BadRequest
from keys import Json, KeysError, did_web_url, parse

_LIMIT = 64 * 1024
_SECONDS = 5.0

Lookup = Callable[[str, int], Sequence[str]]
"""The addresses of a host name, for a port."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses the system's resolver gives."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadRequest(f"the host {host} cannot be found: {error}") from error
    return [str(item[4][0]) for item in found]


def fetch_did(
    did: str, lookup: Lookup = look_up, transport: httpx.BaseTransport | None = None
) -> bytes:
    """The exact bytes of a did:web's document; BadRequest says why there is none to be had."""
    url = urlsplit(did_web_url(did))
    host, port = url.hostname or "", url.port or 443
    address = _public(host, lookup(host, port))
    literal = f"[{address}]" if ":" in address else address
    target = url._replace(netloc=f"{literal}:{port}").geturl()
    headers = {"Host": url.netloc, "Accept": "application/did+json, application/json"}
    try:
        with (
            httpx.Client(transport=transport, timeout=_SECONDS, trust_env=False) as http,
            # The certificate is checked for the name, though the address is what is called.
            http.stream("GET", target, headers=headers, extensions={"sni_hostname": host}) as got,
        ):
            if got.status_code != 200:
                raise BadRequest(f"{url.netloc} answered {got.status_code} for {did[:100]}")
            data = b""
            for chunk in got.iter_bytes():
                data += chunk
                if len(data) > _LIMIT:
                    raise BadRequest(f"the DID document of {did[:100]} is over {_LIMIT} bytes")
    except httpx.HTTPError as error:
        raise BadRequest(f"{url.netloc} cannot be reached: {error}") from error
    _check(data, did)
    return data


def _public(host: str, addresses: Sequence[str]) -> str:
    if not addresses:
        raise BadRequest(f"the host {host} has no address")
    for address in addresses:
        parsed = ip_address(address.partition("%")[0])
        if not parsed.is_global or parsed.is_multicast:
            raise BadRequest(f"{host} is at {address}, which is not a public address")
    return addresses[0]


def _check(data: bytes, did: str) -> None:
    try:
        document: Json = parse(data, limit=_LIMIT)
    except KeysError as error:
        raise BadRequest(f"the DID document of {did[:100]} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("id") != did:
        raise BadRequest(f"what was found at the place of {did[:100]} is not its DID document")
