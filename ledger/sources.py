"""Where a log's static files are read from: a folder, or a web server."""

from pathlib import Path

from ledger.errors import NotFound, StoreFault
from ledger.static import Fetch, StaticLog, folder_fetch

_LARGEST = 32 * 1024 * 1024


def open_source(source: str) -> StaticLog:
    """The log at `source`, an http(s) URL or a folder."""
    if source.lower().startswith(("http://", "https://")):
        return StaticLog(_web_fetch(source.rstrip("/")), source)
    folder = Path(source)
    if not folder.is_dir():
        raise NotFound(f"{source} is neither a folder nor an http(s) URL")
    return StaticLog(folder_fetch(folder), source)


def _web_fetch(prefix: str) -> Fetch:
    import httpx

    http = httpx.Client(timeout=30, headers={"User-Agent": "creditbank-monitor"})

    def fetch(path: str) -> bytes | None:
        try:
            response = http.get(f"{prefix}/{path}")
        except httpx.InvalidURL as error:
            raise NotFound(f"{prefix!r} is no address of a server: {error}") from error
        except httpx.HTTPError as error:
            raise StoreFault(f"{prefix}/{path} did not answer: {error}") from error
        if response.status_code == 404:
            return None
        if response.status_code != 200 or len(response.content) > _LARGEST:
            raise StoreFault(f"{prefix}/{path} answered {response.status_code}")
        return response.content

    return fetch
