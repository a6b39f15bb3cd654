"""Bodies of JSON: what a route takes, as the OpenAPI document says it, and what it answers."""

from collections.abc import Mapping

from fastapi.responses import Response

from keys import Json, encode

NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store"}
"""For an answer that nobody in between is to keep."""


def json_body(schema: Json, media: str = "application/json") -> dict[str, Json]:
    """A route's `openapi_extra`, where its body has this JSON Schema."""
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def an_object(*required: str, **properties: Json) -> dict[str, Json]:
    """The schema of an object, by those of its properties."""
    return {"type": "object", "required": list[Json](required), "properties": properties}


def a_list(items: Json, **bounds: Json) -> dict[str, Json]:
    """The schema of a list of things of one kind."""
    return {"type": "array", "items": items, **bounds}


def json_answer(
    value: dict[str, Json], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of canonical JSON."""
    return Response(encode(value), status, headers, media_type="application/json")
