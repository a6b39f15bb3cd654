"""The log as static files over HTTP (C2SP tlog-tiles), for monitors and mirrors."""

from fastapi import APIRouter
from fastapi.responses import Response

from ledger import NotFound
from ledger.log import Log
from ledger.tiles import WIDTH
from ledger.tlog_tiles import BYTES, TEXT, Resource, encode_bundle

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_MOMENT = {"Cache-Control": "no-cache, max-age=5"}


def tile_routes(log: Log) -> APIRouter:
    """Checkpoint, tiles and entry bundles of `log`, under `/log`."""
    routes = APIRouter(prefix="/log", tags=["ledger"])

    @routes.get("/checkpoint", response_class=Response)
    def checkpoint() -> Response:
        """The newest checkpoint."""
        return Response(log.checkpoint(), media_type=TEXT, headers=_MOMENT)

    @routes.get("/tile/{rest:path}", response_class=Response)
    def tile(rest: str) -> Response:
        """A tile or an entry bundle, whole or partial."""
        resource = Resource.parse(f"tile/{rest}")
        if resource is None:
            raise NotFound(f"tile/{rest[:60]} is not the name of a tile")
        if resource.level is None:
            start = resource.index * WIDTH
            data = encode_bundle(list(log.entries(start, start + resource.width)))
        else:
            data = log.tile(resource.level, resource.index, resource.width)
        return Response(data, media_type=BYTES, headers=_FOREVER)

    return routes
