"""Whether the server lives, and whether it can do its work."""

from fastapi import FastAPI
from fastapi.responses import Response

from bank.answers import NO_STORE, json_answer
from bank.service import Bank


def add_operation(app: FastAPI, bank: Bank) -> None:
    """Add the routes."""

    @app.get("/health", tags=["operation"])
    def health() -> Response:
        """Whether the bank answers: its log's size and origin."""
        return json_answer(
            {"status": "ok", "origin": bank.settings.origin, "size": bank.log.size()},
            headers=NO_STORE,
        )

    @app.get("/livez", tags=["operation"])
    async def live() -> Response:
        """Whether the process answers at all; if it does not, start it anew."""
        return json_answer({"status": "ok"}, headers=NO_STORE)

    @app.get("/readyz", tags=["operation"])
    def ready() -> Response:
        """Whether statements can be appended; 503 with the reason where they cannot.

        A reason: the database is down, its shape is an older one, or signing is refused.
        """
        reason = bank.health.refusal()
        if reason:
            return json_answer({"status": "not ready", "reason": reason}, 503, headers=NO_STORE)
        return json_answer({"status": "ok"}, headers=NO_STORE)
