"""A witness behind HTTP (C2SP tlog-witness): submission and monitoring under one prefix."""

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from bank.threads import in_thread
from ledger.tlog_tiles import TEXT
from ledger.witness import SIZE_TYPE, AddCheckpoint, Turned, Witness

_LIMIT = 128 * 1024


def make_witness_app(witness: Witness) -> FastAPI:
    """An application that is a witness and nothing else."""
    app = FastAPI(title="Witness", docs_url=None, redoc_url=None)
    app.include_router(witness_routes(witness))
    return app


def witness_routes(witness: Witness) -> APIRouter:
    """The witness's routes."""
    routes = APIRouter(tags=["witness"])

    @routes.post("/add-checkpoint", response_class=Response)
    async def add_checkpoint(request: Request) -> Response:
        """Cosign a checkpoint that continues what was seen; 409 tells the size that was."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LIMIT:
                return Response("the request is too large\n", 400, media_type=TEXT)
        try:
            lines = await in_thread(lambda: witness.add_checkpoint(AddCheckpoint.parse(body)))
        except Turned as turned:
            if turned.status == 409:
                # As a header, since as `media_type` a charset would be added to any text type.
                return Response(f"{turned.size}\n", 409, {"Content-Type": SIZE_TYPE})
            return Response(f"{turned}\n", turned.status, media_type=TEXT)
        return Response(lines, media_type=TEXT)

    @routes.get("/{origin_hash}/checkpoint", response_class=Response)
    def newest(origin_hash: str) -> Response:
        """The newest checkpoint cosigned of the log whose origin has this SHA-256."""
        note = witness.newest(origin_hash)
        if note is None:
            return Response("this witness has cosigned nothing of that log\n", 404, media_type=TEXT)
        return Response(note, media_type=TEXT)

    return routes
