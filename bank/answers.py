"""Answers of canonical JSON, to programs and to the scripts of pages."""

from collections.abc import Mapping
from typing import Final

from fastapi.responses import Response

from keys import Json, encode

NO_STORE: Final[Mapping[str, str]] = {"Cache-Control": "no-store"}
"""For an answer that nobody in between is to keep."""


def json_answer(
    value: dict[str, Json], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of canonical JSON."""
    return Response(encode(value), status, headers, media_type="application/json")
