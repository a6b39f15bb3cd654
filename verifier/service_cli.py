"""The command `creditbank verifier`: the page to hand out, and an HTTP verifier to run."""

import os
from pathlib import Path
from typing import Annotated

import typer

from verifier.errors import Unreadable

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
    from verifier.files import read_limited
    from verifier.page import one_file, page_files
    from verifier.trust import open_trust

    data = None
    if trust is not None:
        data = read_limited(trust)
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
    trust: Annotated[Path, typer.Option(help="The trust bundle; read again when it changes.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8500,
) -> None:
    """Serve verification over HTTP, and the verifier page under /v/; nothing sent is kept."""
    import uvicorn

    from verifier.server import TrustFile, make_server

    app = make_server(TrustFile(trust))
    print(f"verifying at http://{host}:{port}/verify, the page at http://{host}:{port}/v/")
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise Unreadable(f"{path} cannot be written: {error.strerror}") from error
