"""An S3-compatible object store as a publishing target: reads then cost the bank nothing.

`s3://bucket/prefix`; endpoint, region and credentials come from the usual AWS_* variables.
"""

import os
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from ledger.errors import StoreFault
from ledger.tlog_tiles import CHECKPOINT

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_FOREVER = "public, max-age=31536000, immutable"
_MOMENT = "no-cache, max-age=5"


class ObjectStoreTarget:
    """A bucket, or a prefix in one."""

    def __init__(self, url: str) -> None:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        options: ClientConfig = {"allow_http": bool(endpoint and endpoint.startswith("http://"))}
        try:
            self._store = S3Store.from_url(
                url, client_options=options, virtual_hosted_style_request=False
            )
        except BaseError as error:
            raise StoreFault(f"the object store {url} cannot be used: {error}") from error
        self._url = url

    def get(self, path: str) -> bytes | None:
        """An object's bytes, or None."""
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except (NotFoundError, FileNotFoundError):
            return None
        except BaseError as error:
            raise StoreFault(f"{self._url}/{path} cannot be read: {error}") from error

    def put(self, path: str, data: bytes, media_type: str) -> None:
        """Write an object; the store makes it visible whole or not at all."""
        caching = _MOMENT if path == CHECKPOINT else _FOREVER
        attributes = {"Content-Type": media_type, "Cache-Control": caching}
        try:
            obstore.put(self._store, path, data, attributes=attributes)
        except (BaseError, FileNotFoundError) as error:
            raise StoreFault(f"{self._url}/{path} cannot be written: {error}") from error
