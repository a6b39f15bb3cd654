"""The figures at a port of their own, where no visitor of the bank comes."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from bank.errors import BadSetup
from bank.operations.figures import Figures


@contextmanager
def serving_figures(address: str, figures: Figures) -> Iterator[None]:
    """Serve them at `address`, HOST:PORT, meanwhile; nothing where it is empty.

    BadSetup if the port cannot be had.
    """
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), figures.registry)
    except OSError as error:
        raise BadSetup(f"the metrics cannot be served at {address}: {error.strerror}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
