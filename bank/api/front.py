"""The front of the application: routes that ask little of the framework are answered without it.

The framework looks at its routes one after the other, and makes of each request more than most of
ours use: that took four fifths of what an answer from the log cost. So a route whose function asks
for nothing but the request, parts of its path and what the guard has found is called from here,
behind the same guard and with the same answers to errors; every other request is passed on. What a
route is, the framework's description included, is said once, where it is added.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from re import Pattern
from typing import Annotated, Final, get_args, get_origin, get_type_hints

from fastapi import Request
from fastapi.params import Depends, Path
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bank.api.problems import Answer
from bank.authorization.guard import Guard, api_key, owner_token, served
from bank.errors import BadSetup
from bank.threads import in_thread

Number = Annotated[int, Path(ge=0, le=2**53)]
"""A whole number in a path, up to the largest that JSON can say."""
_DIGITS: Final = 15
"""Of a whole number that is surely below that; one with more is the framework's to judge."""
_FOUND = (api_key, owner_token)
"""What the guard leaves in a request's state."""
_Take = Callable[[Request, Mapping[str, str]], object]


@dataclass(frozen=True, slots=True)
class _Direct:
    """A route whose function is called from here, and how its arguments are come by."""

    route: Route
    takes: tuple[tuple[str, _Take], ...]
    numbers: frozenset[str]
    """The parts of the path that are whole numbers."""
    is_coroutine: bool
    """Else it runs in a thread of its own."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    shape: Pattern[str]
    direct: _Direct | None
    """None where the framework is to answer."""


class Front:
    """ASGI middleware, the last before the framework."""

    def __init__(
        self,
        app: ASGIApp,
        guard: Guard,
        routes: Sequence[BaseRoute],
        answers: Mapping[type[Exception], Answer],
    ) -> None:
        """`answers` are the framework's own: what is told of each kind of error."""
        self._app = app
        self._guard = guard
        self._answers = answers
        self._fixed: dict[tuple[str, str], _Direct | None] = {}
        self._shapes: dict[tuple[str, str], list[_Candidate]] = {}
        known = list(served(routes))
        for route, method, path in known:
            if path.startswith("/{"):
                raise BadSetup(f"{method} {path}: the first part of a path is always the same one")
            candidate = _Candidate(route.path_regex, _direct(route))
            self._shapes.setdefault((method, _first(path)), []).append(candidate)
        for _, method, path in known:
            if "{" not in path:
                self._fixed[method, path] = self._find(method, path)[0]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        direct, parts = self._choose(scope)
        if direct is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["path_params"] = direct.route, parts
        request = Request(scope, receive, send)
        try:
            response = await self._respond(direct, request, parts)
        except Exception as error:
            answer = self._answer(error)
            if answer is None:
                raise
            response = await answer(request, error)
        await response(scope, receive, send)

    def _choose(self, scope: Scope) -> tuple[_Direct | None, dict[str, str]]:
        if scope["type"] != "http" or scope.get("root_path"):
            return None, {}
        method, path = scope["method"], scope["path"]
        if (method, path) in self._fixed:
            return self._fixed[method, path], {}
        direct, parts = self._find(method, path)
        plain = direct is None or all(_is_plain(parts[name]) for name in direct.numbers)
        return (direct, parts) if plain else (None, {})

    def _find(self, method: str, path: str) -> tuple[_Direct | None, dict[str, str]]:
        # In the order in which they were added, as the framework would.
        for candidate in self._shapes.get((method, _first(path)), ()):
            if found := candidate.shape.match(path):
                return candidate.direct, found.groupdict()
        return None, {}

    async def _respond(
        self, direct: _Direct, request: Request, parts: Mapping[str, str]
    ) -> Response:
        await self._guard(request)
        given = {name: take(request, parts) for name, take in direct.takes}
        if direct.is_coroutine:
            response: Response = await direct.route.endpoint(**given)
            return response
        return await in_thread(direct.route.endpoint, **given)

    def _answer(self, error: Exception) -> Answer | None:
        # What nobody foresaw is for whoever stands around everything, and answers 500.
        kinds = (kind for kind in type(error).__mro__ if kind is not Exception)
        return next((self._answers[kind] for kind in kinds if kind in self._answers), None)


def _first(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else path


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _direct(route: Route) -> _Direct | None:
    """How to call a route's function; None where it asks for more than is known here."""
    call = route.endpoint
    if not isinstance(route, APIRoute) or len(route.dependencies) > 1:
        return None
    hints = get_type_hints(call, include_extras=True)
    parts = {name: hints.get(name) for name in route.param_convertors}
    takes = {
        name: _part(name, parts[name]) if name in parts else _evidence(hints[name])
        for name in inspect.signature(call).parameters
    }
    known = tuple((name, take) for name, take in takes.items() if take is not None)
    if hints.get("return") is not Response or len(known) < len(takes):
        return None
    numbers = frozenset(name for name, hint in parts.items() if hint in (int, Number))
    return _Direct(route, known, numbers, inspect.iscoroutinefunction(call))


def _part(name: str, hint: object) -> _Take | None:
    """How to come by a part of the path."""
    if hint in (int, Number):
        return lambda request, parts: int(parts[name])
    return (lambda request, parts: parts[name]) if hint is str else None


def _evidence(hint: object) -> _Take | None:
    """How to come by the request, or what the guard found."""
    if hint is Request:
        return lambda request, parts: request
    asked = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    for item in asked:
        if isinstance(item, Depends) and item.dependency in _FOUND:
            found: Callable[[Request], object] = item.dependency
            return lambda request, parts: found(request)
    return None
