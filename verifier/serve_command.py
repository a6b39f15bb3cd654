"""`creditbank verifier serve`: a verifier behind HTTP, for programs of integrators."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8700
_MOST_REQUESTS = 64
"""At once; each may hold a file in memory. Whoever comes later is told to try again (503)."""

verifier_app = typer.Typer(
    name="verifier", help="Serve a verifier for other programs.", no_args_is_help=True
)


@verifier_app.callback()
def _root() -> None:
    """One verb for now; the callback keeps it a verb of its own."""


@verifier_app.command("serve")
def serve_command(
    trust: Annotated[
        Path, typer.Option(help="The credit bank's trust bundle; read again when it changes.")
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback take a proxy with TLS.")
    ] = LOOPBACK,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")
    ] = DEFAULT_PORT,
    root: Annotated[
        str, typer.Option(help="Fingerprint of the governance that must have signed the trust.")
    ] = "",
) -> None:
    """Serve POST /verify: a file in, its report out. Nothing of what is sent is kept or logged."""
    from rich.console import Console

    from verifier.memory import default_folder
    from verifier.server import run
    from verifier.trust_file import TrustFile

    trusted = TrustFile(trust, default_folder(), root.lower() or None)
    say = Console(stderr=True, highlight=False).print
    run(trusted, lambda: datetime.now(UTC), host, port, _MOST_REQUESTS, say)
