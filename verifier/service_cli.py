"""The command `creditbank verifier`: the page to hand out, and an HTTP verifier to run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from verifier.errors import Unreadable

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8700
_MOST_REQUESTS = 64
"""At once; each may hold a file in memory. Whoever comes later is told to try again (503)."""

verifier_app = typer.Typer(
    name="verifier",
    help="The verifier's page as a file, and an HTTP verifier.",
    no_args_is_help=True,
)


@verifier_app.command("export")
def export_command(
    out: Annotated[
        Path,
        typer.Argument(
            help="page.html for one self-contained file; a new folder to serve it from."
        ),
    ],
    trust: Annotated[
        Path | None, typer.Option(help="A trust bundle for the page to begin with.")
    ] = None,
) -> None:
    """Write the verifier page: one HTML file that works from a disk, or a folder for any server."""
    from verifier.page import one_file, page_files
    from verifier.trust import open_trust
    from verifier.trust_file import naming, read_trust

    data = None
    if trust is not None:
        data = read_trust(trust)
        with naming(trust):
            open_trust(data)
    if out.suffix.lower() in (".html", ".htm"):
        _write(out, one_file(data))
        print(f"{out}: open it in any browser; it needs no server and no network")
        return
    if out.exists():
        raise Unreadable(f"{out} is there already: name a new folder, or a file page.html")
    for name, file in page_files().items():
        _write(out / name, file.data)
    if data is not None:
        _write(out / "trust.json", data)
    print(f"{out}/: serve it under /v/ of the bank's domain, where its QR codes point")


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
        str | None,
        typer.Option(help="Fingerprint of the governance that must have signed the trust."),
    ] = None,
) -> None:
    """Serve POST /verify: a file in, its report out. Nothing of what is sent is kept or logged."""
    from rich.console import Console

    from verifier.memory import default_folder
    from verifier.server import run
    from verifier.trust import fingerprint
    from verifier.trust_file import TrustFile, naming

    pinned = None if root is None else fingerprint(root)
    with naming(trust):
        trusted = TrustFile(trust, default_folder(), pinned)
    say = Console(stderr=True, highlight=False).print
    run(trusted, lambda: datetime.now(UTC), host, port, _MOST_REQUESTS, say)


def _write(path: Path, data: bytes) -> None:
    from verifier.whole_file import write_whole

    try:
        write_whole(path, data)
    except OSError as error:
        raise Unreadable(f"{path} cannot be written: {error.strerror}") from error
