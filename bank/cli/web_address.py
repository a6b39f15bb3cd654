"""The address of a server, as a person gives it."""

from bank.errors import BadRequest


def web_address(text: str) -> str:
    """An http(s) URL that names a server; BadRequest otherwise."""
    import httpx

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise BadRequest(
            f"{text[:100]!r} is no address of a server: those begin with https:// and a name"
        )
    return text
