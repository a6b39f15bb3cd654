"""`creditbank member doubts`: what a stolen key signed, listed and attested again."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, bank_passphrase
from bank.errors import BadRequest, BadSetup


def doubts_command(
    slug: Annotated[str, typer.Argument(help="The institution's short name.")],
    entry: Annotated[
        list[int] | None,
        typer.Option(help="An entry to be attested, after looking at it; give each one."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All of those listed.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the attestation here, to be signed.")
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """List what a suspect key of an institution signed and nobody has attested since.

    With --out, write a statement that attests the entries chosen; an institution's good key signs
    it with 'statement sign', and it is handed in with 'statement submit'.
    """
    from bank.doubts import attestation, doubts
    from bank.opening import open_bank
    from keys import did_web
    from ledger import Entry
    from verifier.whole_file import write_whole

    if out is not None and out.exists():
        raise BadSetup(f"{out} is there already, perhaps with signatures: give another --out")
    with closing(open_bank(data, bank_passphrase(data))) as bank:
        member = bank.registry().members.get(did_web(bank.settings.domain, "members", slug))
        if member is None:
            raise BadRequest(f"{slug} is not a member of this bank")
        found = list(doubts((Entry.parse(item) for item in bank.log.entries()), member))
    if out is None:
        for doubt in found:
            typer.echo(f"{doubt.index}\t{doubt.time}\t{doubt.kind}\t{doubt.lot}")
        count = "1 entry" if len(found) == 1 else f"{len(found)} entries"
        typer.echo(f"{count} of {slug} in doubt")
        return
    wanted = set(entry or ())
    strangers = wanted - {doubt.index for doubt in found}
    if strangers:
        raise BadRequest(f"entry {min(strangers)} is not one of {slug}'s in doubt")
    chosen = [doubt for doubt in found if every or doubt.index in wanted]
    write_whole(out, attestation(member, chosen).encode())
    typer.echo(f"{out} attests {len(chosen)} of {len(found)} entries, once it is signed")
