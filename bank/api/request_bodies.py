"""What a route takes, as the OpenAPI document says it."""

from keys import Json


def json_body(schema: Json, media: str = "application/json") -> dict[str, Json]:
    """A route's `openapi_extra`, where its body has this JSON Schema."""
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def an_object(*required: str, **properties: Json) -> dict[str, Json]:
    """The schema of an object, by those of its properties."""
    return {"type": "object", "required": list[Json](required), "properties": properties}


def a_list(items: Json, **bounds: Json) -> dict[str, Json]:
    """The schema of a list of things of one kind."""
    return {"type": "array", "items": items, **bounds}
