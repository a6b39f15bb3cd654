"""Bodies that are too large, or do not come: stopped while they arrive."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bank.errors import TooLarge, TooSlow

_KEY: Final = "creditbank.body"
_FIRST: Final = 20.0
_LEAST_RATE: Final = 2000
"""Seconds that any body has to arrive, and one more for every so many bytes that did (the rule of
Apache's RequestReadTimeout)."""


class Body:
    """The body of a request, counted."""

    __slots__ = ("_done", "_receive", "_started", "_total", "largest", "patience")

    def __init__(self, receive: Receive, largest: int, patience: float) -> None:
        self._receive = receive
        self._total = 0
        self._started: float | None = None
        self._done = False
        self.largest = largest
        self.patience = patience

    @classmethod
    def of(cls, scope: Scope) -> "Body":
        """The body of the request with this scope."""
        found: Body = scope[_KEY]
        return found

    async def receive(self) -> Message:
        """The next message; TooLarge or TooSlow where there is to be none."""
        if self._done:
            # Now what arrives is that somebody has gone, for which any time will do.
            return await self._receive()
        loop = asyncio.get_running_loop()
        if self._started is None:
            self._started = loop.time()
        try:
            async with asyncio.timeout_at(
                self._started + self.patience + self._total / _LEAST_RATE
            ):
                message = await self._receive()
        except TimeoutError as error:
            raise TooSlow(f"the body did not arrive in time, after {self._total} bytes") from error
        if message["type"] != "http.request":
            return message
        self._total += len(message.get("body", b""))
        self._done = not message.get("more_body", False)
        if self._total > self.largest:
            raise TooLarge(f"the body is over {self.largest} bytes; send less at once")
        return message


class Bodies:
    """ASGI middleware: whatever reads a body gets it counted."""

    def __init__(self, app: ASGIApp, largest: int, patience: float = _FIRST) -> None:
        """`largest` bytes of any body, unless its route says otherwise."""
        self._app = app
        self._largest = largest
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = scope[_KEY] = Body(receive, self._largest, self._patience)
        await self._app(scope, body.receive, send)
