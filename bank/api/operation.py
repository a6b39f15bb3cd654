"""Whether the server lives, and whether it can do its work."""

from fastapi import FastAPI
from fastapi.responses import Response

from bank.service import Bank
from keys import Json, encode


def add_operation(app: FastAPI, bank: Bank) -> None:
    """Add the routes."""

    @app.get("/health", tags=["operation"])
    def health() -> Response:
        """Whether the bank answers: its log's size and origin."""
        return _json({"status": "ok", "origin": bank.settings.origin, "size": bank.log.size()})

    @app.get("/livez", tags=["operation"])
    async def live() -> Response:
        """Whether the process answers at all; if it does not, start it anew."""
        return _json({"status": "ok"})

    @app.get("/readyz", tags=["operation"])
    def ready() -> Response:
        """Whether statements can be appended; 503 with the reason where they cannot.

        A reason: the database is down, its shape is an older one, or signing is refused.
        """
        reason = bank.health.refusal()
        if reason:
            return _json({"status": "not ready", "reason": reason}, 503)
        return _json({"status": "ok"})


def _json(value: dict[str, Json], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(encode(value), status, headers, media_type="application/json")
