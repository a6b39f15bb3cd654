"""What stands before every route: the table's rules, the cheap refusals before those that cost.

In order: the size, the type, whether there is any evidence at all, how often this address asked,
and only then signatures and the database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route

from bank.authorization.api_keys import ApiKey
from bank.authorization.bodies import Body
from bank.authorization.model import EVERYBODY, KEYS, PEOPLE, Caller, Media, Pace, Rule
from bank.errors import BadSetup, NotAllowed, NotYours, TooLarge, WrongType
from bank.http_signature import (
    API,
    FEDERATION,
    HEADERS,
    SignatureNeeded,
    Signed,
    Target,
    check_request,
)
from bank.limits import Bucket, Limit
from bank.operator_log import Act
from bank.pages.visitor import Visitors
from bank.service import Bank
from bank.threads import in_thread

_DEFAULT_PORT: Final = {"http": 80, "https": 443}
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


class Guard:
    """Lets a request through to its route, or refuses it."""

    def __init__(
        self, bank: Bank, visitors: Visitors, table: Mapping[tuple[str, str], Rule]
    ) -> None:
        self._bank = bank
        self._visitors = visitors
        self._table = table
        self._own = {
            urlsplit(f"//{host}").netloc.lower()
            for host in (bank.settings.domain, urlsplit(bank.settings.public_url).netloc)
        }
        limits = bank.settings.limits
        self._addresses = self._bucket(limits.address)
        self._keys = self._bucket(limits.key, "by this API key")
        self._signed = self._bucket(limits.signed)
        self._paces = {
            Pace.READ: self._addresses,
            Pace.DOOR: self._bucket(limits.door, tell=lambda: bank.operator_log.note(Act.PACED)),
            Pace.TRIAL: self._bucket(limits.trial),
        }

    def _bucket(
        self,
        limit: Limit,
        whose: str = "from your address",
        tell: Callable[[], None] = lambda: None,
    ) -> Bucket:
        return Bucket(self._bank.now, limit.burst, 1 / limit.per_second, whose, tell)

    def complete(self, routes: Sequence[BaseRoute]) -> None:
        """BadSetup where a route is in no row of the table, or this would not stand before it."""
        for route, method, path in served(routes):
            rule = self._table.get((method, path))
            if rule is None:
                raise BadSetup(f"{method} {path} is in no row of bank/authorization/table.py")
            if not isinstance(route, APIRoute) and rule.to != EVERYBODY:
                raise BadSetup(f"nothing stands before {method} {path}")

    async def __call__(self, request: Request) -> None:
        """A dependency of every route. What it learns of the caller is in the request's state."""
        method = "GET" if request.method == "HEAD" else request.method
        await self._check(request, self._table[method, request.scope["route"].path])

    async def _check(self, request: Request, rule: Rule) -> None:
        # As they came, once: looking each up by name costs as much as all the rest.
        headers: dict[bytes, bytes] = dict(request.scope["headers"])
        _check_size(headers.get(b"content-length", b"0"), rule.largest)
        Body.of(request.scope).largest = rule.largest
        _check_type(headers.get(b"content-type"), rule.takes)
        token = _bearer(headers.get(b"authorization", b""))
        if rule.to <= KEYS:
            await self._by_key(request, rule, token)
        elif rule.to == EVERYBODY or Caller.WALLET in rule.to:
            self._paces[rule.pace].attempt(_address(request))
        elif rule.to <= PEOPLE:
            self._addresses.attempt(_address(request))
            await self._by_session(request, rule)
        elif Caller.OWNER in rule.to:
            if not token:
                raise NotAllowed("give the owner's token as 'Authorization: Bearer …'")
            self._addresses.attempt(_address(request))
            await in_thread(self._bank.accounts.of_token, token)
            request.state.token = token
        else:
            await self._by_sister(request)

    async def _by_key(self, request: Request, rule: Rule, token: str) -> None:
        """An API key: a session's token, or the request itself is signed."""
        keys = self._bank.api_keys
        if token and rule.signed:
            raise NotYours("a session's token does not open this; sign the request itself")
        if token:
            found = keys.remembered(token)
            if found is None:
                self._addresses.attempt(_address(request))
                found = await in_thread(keys.session, token)
        else:
            signed = await self._open(request, API, keys.is_good)
            found = await in_thread(self._once, signed)
        self._keys.attempt(found.key)
        self._allow(found, rule)
        request.state.api_key, request.state.key = found, found.key

    def _once(self, signed: Signed) -> ApiKey:
        found = self._bank.api_keys.caller(signed.key)
        self._bank.nonces.spend(signed, API)
        return found

    def _allow(self, key: ApiKey, rule: Rule) -> None:
        own = key.institution == self._bank.settings.did
        caller = Caller.BANK if own else Caller.INSTITUTION
        if caller not in rule.to:
            whose = "the bank's own staff" if own else "an institution"
            raise NotYours(f"this is not for a key of {whose}")

    async def _by_sister(self, request: Request) -> None:
        def known(key: str) -> bool:
            agreements = self._bank.registry().agreements.values()
            return any(key in agreement.keys for agreement in agreements)

        signed = await self._open(request, FEDERATION, known)
        await in_thread(self._bank.nonces.spend, signed, FEDERATION)

    async def _open(self, request: Request, tag: str, known: Callable[[str], bool]) -> Signed:
        headers = request.headers
        if any(name not in headers for name in HEADERS):
            raise SignatureNeeded(tag)
        self._signed.attempt(_address(request))
        raw = request.scope.get("raw_path") or quote(request.url.path).encode()
        target = Target(
            request.method,
            self._authority(request),
            raw.decode("ascii", "replace"),
            request.url.query or None,
        )
        now = self._bank.now()
        signed = await in_thread(check_request, target, headers, tag, known, now)
        # Read only now: whoever cannot sign does not get a large body kept.
        signed.check_body(await request.body())
        return signed

    def _authority(self, request: Request) -> str:
        """The Host that a request names, where that is this bank: what was signed for another
        must not be handed on to us."""
        host = request.headers.get("host", "").lower()
        if host in self._own:
            return host
        try:
            parts = urlsplit(f"//{host}")
            port = parts.port or _DEFAULT_PORT.get(request.url.scheme)
        except ValueError:
            parts, port = urlsplit(""), None
        server = request.scope.get("server") or ("", None)
        if parts.hostname in {*_LOOPBACK, server[0]} and port == server[1]:
            return host
        raise NotAllowed(
            "the request is for another host than this bank; a proxy before it must hand on Host"
        )

    async def _by_session(self, request: Request, rule: Rule) -> None:
        session = await in_thread(self._visitors.session, request)
        if session is None:
            target = request.url.path if request.method == "GET" else "/"
            location = {"Location": f"/sign-in?next={quote(target)}"}
            raise HTTPException(303, "sign in first", location)
        role = session.person.role
        if Caller(role.value) not in rule.to:
            raise HTTPException(403, f"this page is not for a {role}; sign in as another person")


def api_key(request: Request) -> ApiKey:
    """A dependency: the key by which a request was let in."""
    found: ApiKey = request.state.api_key
    return found


def owner_token(request: Request) -> str:
    """A dependency: the owner's token by which a request was let in."""
    return str(request.state.token)


def served(routes: Sequence[BaseRoute]) -> Iterator[tuple[Route, str, str]]:
    """Every route with its methods and path, those of routers that were included too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from served(inner.routes)
        elif isinstance(route, Route):
            methods = sorted((route.methods or set()) - {"HEAD"})
            yield from ((route, method, route.path) for method in methods)
        else:
            raise BadSetup(f"{route!r} is no route that a table could name")


def _check_size(length: bytes, largest: int) -> None:
    plain = length.isdigit() and len(length) <= len(str(largest))
    if not plain or int(length) > largest:
        raise TooLarge(f"the body is over {largest} bytes; send less at once")


def _check_type(given: bytes | None, takes: Media) -> None:
    if takes is Media.NOTHING or given is None:
        return
    text = given.decode("latin-1")
    if text.partition(";")[0].strip().lower() not in takes.value:
        raise WrongType(f"the body must be {' or '.join(takes.value)}, not {text[:60]!r}")


def _bearer(authorization: bytes) -> str:
    scheme, _, token = authorization.partition(b" ")
    return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else ""


def _address(request: Request) -> str:
    host = request.client.host if request.client else ""
    if ":" not in host:
        return host
    try:
        # Whoever has one address of IPv6 has all 2^64 of its network.
        return IPv6Address(host.partition("%")[0]).exploded[:19]
    except ValueError:
        return host
