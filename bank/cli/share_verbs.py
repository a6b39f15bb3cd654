"""`creditbank share`: links under which a learner shows chosen awards, for a while."""

from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, bank_passphrase

share_app = typer.Typer(
    name="share", help="Links to chosen awards, that end.", no_args_is_help=True
)
Account = Annotated[str, typer.Argument(help="The account, as 'creditbank learners' lists it.")]


@share_app.command("new")
def new(
    account: Account,
    credential: Annotated[list[str], typer.Argument(help="Identifiers, urn:uuid:…")],
    days: Annotated[int, typer.Option(help="How long it lasts, 1 to 365.")] = 30,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a link to chosen awards; it is shown this once."""
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data))
    try:
        made, secret = bank.shares.make(bank.accounts.token(account), credential, days)
        typer.echo(f"{bank.settings.public_url}/s/{secret}")
        typer.echo(f"share {made.share}, until {made.expires}", err=True)
    finally:
        bank.close()


@share_app.command("list")
def list_command(account: Account, data: Data = DEFAULT_DATA) -> None:
    """List an account's links, and when each was opened."""
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data))
    try:
        for item in bank.shares.of(bank.accounts.token(account)):
            ended = f"withdrawn {item.withdrawn}" if item.withdrawn else f"until {item.expires}"
            typer.echo(f"{item.share}  {ended}  opened {len(item.openings)} times")
            for name in item.credentials:
                typer.echo(f"  {name}")
            for time in item.openings:
                typer.echo(f"  opened {time}")
    finally:
        bank.close()


@share_app.command("withdraw")
def withdraw(
    account: Account,
    share: Annotated[str, typer.Argument(help="The share, as 'creditbank share list' names it.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """End a link now; whoever has it sees that it was withdrawn."""
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data))
    try:
        bank.shares.withdraw(bank.accounts.token(account), share)
    finally:
        bank.close()
    typer.echo(f"{share} is withdrawn")


def offer_command(
    account: Account,
    credential: Annotated[list[str], typer.Argument(help="Identifiers, urn:uuid:…")],
    qr: Annotated[Path | None, typer.Option(help="Also write the link as a QR code, PNG.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Offer awards to the learner's wallet (OpenID4VCI): a link, and a code to be told apart."""
    from bank.openid4vci import offer_uri
    from bank.opening import open_bank
    from credentials.qr import link_png
    from verifier.whole_file import write_whole

    bank = open_bank(data, bank_passphrase(data))
    try:
        made = bank.wallets.offer(bank.accounts.token(account), credential)
        link = offer_uri(bank.settings.public_url, made.code)
    finally:
        bank.close()
    typer.echo(link)
    typer.echo(f"transaction code {made.tx_code}, until {made.expires}", err=True)
    if qr is not None:
        typer.echo(str(write_whole(qr, link_png(link))), err=True)
