"""Every request watched from outside: one log line, the figures, and a span where that is wanted.

Of its address only the route's template is told. Who asks is told by role and by key, from what
the routes leave in the request's state: `session` (of the pages) and `key` (a member's signature).
"""

import itertools
import logging
import secrets
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bank.operations.figures import Figures
from bank.operations.log_lines import LOGGER

NO_ROUTE = "no route"
Span = Callable[[], AbstractContextManager[Callable[[str, str, int], str]]]
"""Begins a span; what it gives is told method, route and status, and gives the trace's id."""


class Watch:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        figures: Figures,
        fixed: Collection[str] = (),
        span: Span | None = None,
    ) -> None:
        """`fixed` are addresses that are templates themselves, for routes that leave no trace."""
        self._app = app
        self._fixed = fixed
        self._figures = figures
        self._span = span or (lambda: nullcontext(lambda method, route, status: ""))
        # A number tells requests apart and need not be hard to guess: no random bytes for each.
        self._begun, self._numbers = secrets.token_hex(4), itertools.count()
        self._log = logging.getLogger(f"{LOGGER}.request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch one request, and tell its number in `X-Request-Id`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Never one that the other side sent: it could say anything.
        number, start, status = f"{self._begun}{next(self._numbers):08x}", perf_counter(), 500
        scope.setdefault("state", {})["request"] = number

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", number.encode()),
                ]
            await send(message)

        with self._span() as told:
            try:
                await self._app(scope, receive, sent)
            finally:
                trace = told(_method(scope), self._route(scope), status)
                self._tell(scope, number, status, perf_counter() - start, trace)

    def _route(self, scope: Scope) -> str:
        """The template of a request's route, in which there is no identifier of anybody."""
        if scope["path"] in self._fixed:
            return str(scope["path"])
        return str(getattr(scope.get("route"), "path", NO_ROUTE))

    def _tell(self, scope: Scope, number: str, status: int, seconds: float, trace: str) -> None:
        method, route = _method(scope), self._route(scope)
        self._figures.request(method, route, status, seconds)
        if not self._log.isEnabledFor(logging.INFO):
            return
        line: dict[str, Any] = {
            "request": number,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        state = scope["state"]
        session = state.get("session")
        if session is not None:
            line["role"] = str(session.person.role)
        line |= {"key": state["key"]} if state.get("key") else {}
        line |= {"trace": trace} if trace else {}
        self._log.info("request", extra=line)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _method(scope: Scope) -> str:
    return str(scope["method"]) if scope["method"] in _METHODS else "OTHER"
