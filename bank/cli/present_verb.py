"""`creditbank present`: on the learner's side, show chosen awards to one verifier."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import signer_at


def present_command(
    file: Annotated[list[Path], typer.Argument(help="Bundles of the awards to be shown.")],
    key: Annotated[str, typer.Option(help="Keystore or URI of the holder's key.")],
    domain: Annotated[str, typer.Option(help="The verifier's domain.")],
    challenge: Annotated[str, typer.Option(help="The challenge the verifier gave.")],
    minutes: Annotated[int, typer.Option(help="How long it is good.", min=1, max=10_080)] = 10,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("presentation.json"),
) -> None:
    """Show chosen awards to one verifier: it holds for its challenge, and for some minutes."""
    from credentials.presentation import presentation
    from verifier import PRESENTATION, Collection, read_evidence, write_collection
    from verifier.files import read_limited
    from verifier.whole_file import write_whole

    evidence = [read_evidence(read_limited(path), str(path)) for path in file]
    signer = signer_at(key)
    shown = [item.credential for item in evidence]
    now, lasts = datetime.now(UTC), timedelta(minutes=minutes)
    document = presentation(shown, signer, domain, challenge, now, lasts)
    receipts = {
        str(item.credential.get("id")): item.receipt
        for item in evidence
        if item.receipt is not None
    }
    made = write_collection(Collection(PRESENTATION, document, receipts))
    typer.echo(str(write_whole(out, made)))


def fetch_did_command(
    did: Annotated[str, typer.Argument(help="A did:web.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("did.json"),
) -> None:
    """Fetch the DID document of a did:web, to verify offline with --foreign --did."""
    from bank.did_fetch import fetch_did
    from verifier.whole_file import write_whole

    typer.echo(str(write_whole(out, fetch_did(did))))
