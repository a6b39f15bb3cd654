"""Where a log's static files are read from: a folder, or a web server."""

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ledger.errors import NotFound, StoreFault
from ledger.static import Fetch, StaticLog, folder_fetch

if TYPE_CHECKING:
    import httpx

# What a file may take, in seconds and in bytes: a bundle has 256 entries of at most 64 KiB.
_LONGEST, _LARGEST = 120.0, 32 * 1024 * 1024


def open_source(source: str, http: "httpx.Client | None" = None) -> StaticLog:
    """The log at `source`, an http(s) URL or a folder."""
    if source.lower().startswith(("http://", "https://")):
        return StaticLog(_web_fetch(source.rstrip("/"), http), source)
    folder = Path(source)
    if not folder.is_dir():
        raise NotFound(f"{source} is neither a folder nor an http(s) URL")
    return StaticLog(folder_fetch(folder), source)


def _web_fetch(prefix: str, given: "httpx.Client | None") -> Fetch:
    import httpx

    http = given or httpx.Client(timeout=30, headers={"User-Agent": "creditbank-monitor"})

    def fetch(path: str) -> bytes | None:
        data, deadline = bytearray(), monotonic() + _LONGEST
        try:
            with http.stream("GET", f"{prefix}/{path}") as response:
                if response.status_code == 404:
                    return None
                if response.status_code != 200:
                    raise StoreFault(f"{prefix}/{path} answered {response.status_code}")
                for chunk in response.iter_bytes():
                    data += chunk
                    # Whoever runs the log is not believed: no answer may be endless.
                    if len(data) > _LARGEST or monotonic() > deadline:
                        raise StoreFault(f"{prefix}/{path} does not stop answering")
        except httpx.InvalidURL as error:
            raise NotFound(f"{prefix!r} is no address of a server: {error}") from error
        except httpx.HTTPError as error:
            raise StoreFault(f"{prefix}/{path} did not answer: {error}") from error
        return bytes(data)

    return fetch
