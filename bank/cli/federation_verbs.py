"""`creditbank federation`: agreements with sister banks, and lots that move between them."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DASHED, DEFAULT_DATA, Data, bank_passphrase
from bank.errors import BadRequest, BadSetup

if TYPE_CHECKING:
    from bank.federation import Federation, SisterPort
    from bank.service import Bank

federation_app = typer.Typer(
    name="federation", help="Sister banks: agreements and transfers.", no_args_is_help=True
)

Urls = Annotated[
    list[str] | None,
    typer.Option(
        "--url", help="DID=URL where a sister bank is reached elsewhere than its domain says."
    ),
]


@federation_app.command("party")
def party_command(
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("out/party.json"),
    data: Data = DEFAULT_DATA,
) -> None:
    """Write this bank as one side of an agreement: governance, log, keys. For the sister bank."""
    from bank.federation import Federation
    from bank.opening import open_bank
    from keys import encode
    from verifier.whole_file import write_whole

    with closing(open_bank(data, bank_passphrase(data))) as bank:
        content = encode(Federation(bank, bank.chance.name).party())
    typer.echo(str(write_whole(out, content + b"\n")))


@federation_app.command("agree")
def agree_command(
    theirs: Annotated[Path, typer.Argument(help="What 'federation party' wrote at the sister's.")],
    start: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option(help="The proposal's file.")] = Path("agreement.json"),
    data: Data = DEFAULT_DATA,
) -> None:
    """Propose an agreement: both governances sign the file, and it is handed in at both banks."""
    from bank.federation import Federation
    from bank.opening import open_bank
    from bank.proposals import describe, propose
    from keys import Json, parse
    from verifier.whole_file import write_whole

    if out.exists():
        raise BadSetup(f"{out} is there already, perhaps with signatures: give another --out")
    other = parse(theirs.read_bytes())
    with closing(open_bank(data, bank_passphrase(data))) as bank:
        own = Federation(bank, bank.chance.name).party()
    banks: list[Json] = [own, other]
    body: dict[str, Json] = {"banks": banks, "from": start, "until": until}
    proposal = propose(str(own["bank"]), "agreement", body)
    for line in describe(proposal, None):
        typer.echo(line)
    typer.echo(str(write_whole(out, proposal.encode())))


@federation_app.command("send", context_settings=DASHED)
def send_command(
    lot: Annotated[str, typer.Argument(help="The lot, as 'creditbank learners' lists it.")],
    to: Annotated[str, typer.Option(help="DID of the sister bank.")],
    days: Annotated[int, typer.Option(min=1, max=90, help="How long it may take to answer.")] = 7,
    url: Urls = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Move a lot into a sister bank's custody: lock it, ask, and close by the answer."""
    from bank.federation import Federation
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        federation = Federation(bank, bank.chance.name)
        transfer = federation.send(lot, to, days)
        typer.echo(f"{lot} is locked for the transfer {transfer}")
        _settle(federation, bank, url or [])


@federation_app.command("settle")
def settle_command(url: Urls = None, data: Data = DEFAULT_DATA) -> None:
    """Ask about every lot that is on its way; run again as often as one likes."""
    from bank.federation import Federation
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        federation = Federation(bank, bank.chance.name)
        if not federation.pending():
            typer.echo("no lot is on its way")
            return
        _settle(federation, bank, url or [])


def _settle(federation: "Federation", bank: "Bank", urls: list[str]) -> None:
    import httpx

    from bank.cli.web_address import web_address
    from bank.federation import HttpSister

    known = dict(map(_address, urls))

    def reach(did: str) -> "SisterPort":
        base = known.get(did) or f"https://{did.removeprefix('did:web:').replace('%3A', ':')}"
        http = httpx.Client(base_url=web_address(base), timeout=60)
        return HttpSister(http, bank.signer, bank.now, bank.chance.name)

    for moved in federation.settle(reach):
        reason = f": {moved.reason}" if moved.reason else ""
        typer.echo(f"{moved.lot} to {moved.to}: {moved.outcome}{reason}")


def _address(text: str) -> tuple[str, str]:
    from bank.cli.web_address import web_address

    did, found, url = text.partition("=")
    if not found or not did.startswith("did:"):
        raise BadRequest(f"--url takes DID=URL, not {text[:80]!r}")
    return did, web_address(url)
