"""`creditbank bank`: make a bank, and serve it."""

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, GovernanceKeys, bank_passphrase, passphrase
from bank.errors import BadSetup

if TYPE_CHECKING:
    from bank.pages import Demo
    from bank.service import Bank

bank_app = typer.Typer(name="bank", help="Make a bank, and serve it.", no_args_is_help=True)
DEFAULT_PORT = 8400
LOOPBACK = "127.0.0.1"

Port = Annotated[
    int,
    typer.Option(min=0, max=65535, help="Port on the loopback interface; 0 takes any free one."),
]


@bank_app.command("create")
def create(
    domain: Annotated[str, typer.Option(help="The bank's domain name.")],
    name_en: Annotated[str, typer.Option(help="The bank's name in English.")],
    name_zh: Annotated[str, typer.Option(help="The bank's name in Chinese.")],
    governance: GovernanceKeys,
    threshold: Annotated[int, typer.Option(help="How many governance keys sign together.")] = 2,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a bank: its keys, its settings, and the first entry of its log."""
    from bank.opening import create_bank, open_bank
    from keys import open_signer

    secret = passphrase(data)
    signers = [open_signer(f"file:{path}", secret) for path in governance]
    keys = [signer.public_key.multikey for signer in signers]
    settings = create_bank(data, domain, {"en": name_en, "zh": name_zh}, keys, threshold, secret)
    bank = open_bank(data, secret)
    try:
        bank.found(signers[:threshold])
    finally:
        bank.close()
    typer.echo(f"made the bank of {domain} in {data}; its log is {settings.origin}")


@bank_app.command("serve")
def serve_command(
    data: Data = DEFAULT_DATA,
    port: Port = DEFAULT_PORT,
) -> None:
    """Serve the bank's API and pages on loopback."""
    from bank.opening import open_bank

    serve(lambda: open_bank(data, bank_passphrase(data), witnessed=True), port)


def serve(
    opener: "Callable[[], Bank]", port: int, demo: "Callable[[Bank], Demo] | None" = None
) -> None:
    """Serve a bank until interrupted, with the sign-ins of a demonstration if it is one."""
    import uvicorn

    from bank.api.app import make_app
    from bank.api.slow_headers import Impatient
    from bank.cli.progress import console

    with closing(_listen(port)) as listener, closing(opener()) as bank, suppress(KeyboardInterrupt):
        port = listener.getsockname()[1]
        # By name, since browsers give passkeys to names alone.
        url = f"http://localhost:{port}/"
        console.print(f"The bank is at {url} (stop with Ctrl-C)")
        shown = None if demo is None else demo(bank)
        if shown is not None:
            console.print(
                "[yellow]Sign-ins for the demonstration only[/], one for each role:\n"
                f"{url}demo/{shown.key}"
            )
            if shown.hint:
                console.print(shown.hint)
        elif not bank.access.anybody():
            console.print(
                f"Nobody may sign in yet. Set up the first operator within a day, at\n"
                f"{url}set-up?code={bank.access.set_up_code()}"
            )
        config = uvicorn.Config(make_app(bank, shown), http=Impatient, log_level="warning")
        uvicorn.Server(config).run([listener])


def _listen(port: int) -> socket.socket:
    """A socket on the loopback interface; BadSetup if the port cannot be had."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        # Now, not when the bank is open: a port that another has taken is found out here.
        listener.listen()
    except OSError as error:
        listener.close()
        raise BadSetup(f"port {port} of {LOOPBACK} cannot be had: {error.strerror}") from error
    return listener
