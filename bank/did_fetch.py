"""Fetching the DID document of a did:web, guarded: a name in a credential must not steer us.

Whoever writes a credential chooses the address. So: HTTPS alone, a host's name and never an
address, no redirects, no proxy, no address that is not public, the connection made to the very
address that was looked at, little and soon.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network

import httpx

from bank.errors import BadRequest
from keys import Json, KeysError, did_web_url, parse

LIMIT = 64 * 1024
SECONDS = 10.0
_GLOBAL_V6 = ip_network("2000::/3")
_NOT_HOSTS = (
    ip_network("2001::/23"),
    ip_network("2001:db8::/32"),
    ip_network("2002::/16"),
    ip_network("3fff::/20"),
    ip_network("192.0.0.0/24"),
    ip_network("192.88.99.0/24"),
)
"""Of protocols, of documents, and IPv6 addresses that stand for IPv4 ones (IANA's registries)."""

Lookup = Callable[[str, int], Sequence[str]]
"""The addresses of a host name, for a port."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses the system's resolver gives."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadRequest(f"the host {host} cannot be found: {error}") from error
    return [str(item[4][0]) for item in found]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's, by itself and in what it embeds."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_V6:
        return False
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _NOT_HOSTS)
    return ip.is_global and not special


def fetch_did(
    did: str,
    lookup: Lookup = look_up,
    transport: httpx.AsyncBaseTransport | None = None,
    allowed: Callable[[str], bool] = is_public,
    seconds: float = SECONDS,
) -> bytes:
    """The exact bytes of a did:web's document; BadRequest says why there is none to be had.

    `allowed` says whether an address may be connected to.
    """
    place = did_web_url(did)
    try:
        url = httpx.URL(place)
    except httpx.InvalidURL as error:
        raise BadRequest(f"{did[:100]} names no host: {error}") from error
    address = _checked(url.host, lookup, url.port or 443, allowed)
    try:
        data = asyncio.run(_get(url, address, transport, seconds))
    except TimeoutError as error:
        raise BadRequest(f"{url.host} cannot be reached: it took over {seconds:g} s") from error
    except httpx.HTTPError as error:
        raise BadRequest(f"{url.host} cannot be reached: {error}") from error
    _check(data, did)
    return data


def _checked(host: str, lookup: Lookup, port: int, allowed: Callable[[str], bool]) -> str:
    if _is_address(host):
        raise BadRequest(f"a did:web has a host's name, not an address such as {host}")
    addresses = lookup(host, port)
    if not addresses:
        raise BadRequest(f"the host {host} has no address")
    for address in addresses:
        if not allowed(address):
            raise BadRequest(f"{host} is at {address}, which is not a public address")
    return addresses[0]


def _is_address(host: str) -> bool:
    """Also in the spellings that only a system's resolver knows, such as 2130706433 or 0x7f.1."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        pass
    else:
        return True
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


async def _get(
    url: httpx.URL, address: str, transport: httpx.AsyncBaseTransport | None, seconds: float
) -> bytes:
    """What `url` answers at the address that was checked, its certificate being the host's."""
    headers = {
        "host": url.netloc.decode(),
        "accept": "application/did+json, application/json",
        "accept-encoding": "identity",
    }
    # A server that sends a byte now and then never times out by the byte: one clock for all of it.
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(transport=transport, timeout=seconds, trust_env=False) as http,
        http.stream(
            "GET",
            url.copy_with(host=address),
            headers=headers,
            extensions={"sni_hostname": url.host},
            follow_redirects=False,
        ) as got,
    ):
        if got.status_code != httpx.codes.OK:
            raise BadRequest(f"{url.host} answered {got.status_code} where {url} should be")
        if got.headers.get("content-encoding", "identity") != "identity":
            raise BadRequest(f"{url.host} answered in an encoding that was not asked for")
        data = bytearray()
        async for chunk in got.aiter_bytes():
            data += chunk
            if len(data) > LIMIT:
                raise BadRequest(f"the DID document at {url} is over {LIMIT} bytes")
        return bytes(data)


def _check(data: bytes, did: str) -> None:
    try:
        document: Json = parse(data, limit=LIMIT)
    except KeysError as error:
        raise BadRequest(f"the DID document of {did[:100]} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("id") != did:
        raise BadRequest(f"what was found at the place of {did[:100]} is not its DID document")
