"""`creditbank bank`: make a bank, and serve it."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import (
    DEFAULT_DATA,
    Data,
    GovernanceKeys,
    bank_passphrase,
    passphrase,
    signer_at,
)

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bank.pages import Demo
    from bank.service import Bank

bank_app = typer.Typer(name="bank", help="Make a bank, and serve it.", no_args_is_help=True)
DEFAULT_PORT = 8400
LOOPBACK = "127.0.0.1"
_PATIENCE = 30
"""Seconds that requests may still take once the server was told to stop."""

Port = Annotated[
    int,
    typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one."),
]
Host = Annotated[
    str,
    typer.Option(help="IPv4 address to listen on. Other than loopback only where no stranger is."),
]


@bank_app.command("create")
def create(
    domain: Annotated[str, typer.Option(help="The bank's domain name.")],
    name_en: Annotated[str, typer.Option(help="The bank's name in English.")],
    name_zh: Annotated[str, typer.Option(help="The bank's name in Chinese.")],
    governance: GovernanceKeys,
    threshold: Annotated[int, typer.Option(help="How many governance keys sign together.")] = 2,
    log_key: Annotated[str, typer.Option(help="URI of the log's key, if in a token.")] = "",
    bank_key: Annotated[str, typer.Option(help="URI of the bank's key, if in a token.")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a bank: its keys, its settings, and the first entry of its log."""
    from bank.opening import create_bank, open_bank

    secret = passphrase(data)
    signers = [signer_at(key, data) for key in governance]
    keys = [signer.public_key.multikey for signer in signers]
    uris = {name: uri for name, uri in (("log", log_key), ("bank", bank_key)) if uri}
    names = {"en": name_en, "zh": name_zh}
    settings = create_bank(data, domain, names, keys, threshold, secret, uris)
    bank = open_bank(data, secret)
    try:
        bank.found(signers[:threshold])
    finally:
        bank.close()
    typer.echo(f"made the bank of {domain} in {data}; its log is {settings.origin}")


@bank_app.command("end")
def end(
    data: Data = DEFAULT_DATA,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """End a log whose key was lost or stolen: it is set aside for good, and signs no more."""
    from bank.settings import read_settings
    from bank.succession import end_log

    read_settings(data)
    if not yes:
        typer.confirm(f"End the log of {data} for good?", abort=True)
    typer.echo(f"the key {end_log(data)} was set aside; the log takes no more entries")


@bank_app.command("succeed")
def succeed_command(
    old: Annotated[Path, typer.Option("--from", help="Folder of the bank whose log ended.")],
    governance: GovernanceKeys,
    data: Annotated[Path, typer.Option(help="The new folder.")],
) -> None:
    """Make the log that goes on after one that ended, and admit its members there again."""
    from bank.opening import open_bank
    from bank.succession import succeed

    secret = bank_passphrase(old)
    signers = [signer_at(key, old) for key in governance]
    with closing(open_bank(old, secret)) as before:
        made, members = succeed(before, data, signers, secret)
    typer.echo(
        f"made the log {made.origin} in {data}, after {before.settings.origin}, with {members} "
        "members; their institutions publish their units, rules and qualifications there again"
    )


@bank_app.command("serve")
def serve_command(
    data: Data = DEFAULT_DATA,
    port: Port = DEFAULT_PORT,
    host: Host = LOOPBACK,
) -> None:
    """Serve the bank's API and pages, on loopback unless told otherwise."""
    from bank.opening import open_bank

    serve(lambda: open_bank(data, bank_passphrase(data), witnessed=True), port, host=host)


@bank_app.command("operator-log")
def operator_log_command(
    audit: Annotated[
        bool, typer.Option("--audit", help="Recheck every record and checkpoint instead.")
    ] = False,
    known: Annotated[
        list[Path] | None,
        typer.Option(help="With --audit: a checkpoint kept elsewhere, that it must continue."),
    ] = None,
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint", help="Print the newest checkpoint, to be kept.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many records.")] = 50,
    data: Data = DEFAULT_DATA,
) -> None:
    """What was done with the bank by those who run it: the newest first.

    Exit code 1, with --audit, where anything was changed, removed or put in.
    """
    from bank.opening import open_bank
    from verifier.files import read_limited

    with closing(open_bank(data, bank_passphrase(data))) as bank:
        log = bank.operator_log
        if checkpoint:
            typer.echo(log.checkpoint(), nl=False)
            return
        if not audit:
            for record in log.newest(limit):
                facts = " ".join(f"{name}={value}" for name, value in record.facts.items())
                typer.echo(f"{record.index:>6}  {record.time}  {record.act:<18} {facts}".rstrip())
            return
        notes = [read_limited(path).decode("utf-8", "replace") for path in known or []]
        report = log.audit(notes)
    for problem in report.problems:
        typer.echo(problem, err=True)
    typer.echo(f"{report.size} records, root {report.root.hex()}")
    if report.problems:
        typer.echo(f"the operator's log does NOT hold: {len(report.problems)} problems", err=True)
        raise typer.Exit(1)
    typer.echo("the operator's log holds: every record, the chain, the tree and each checkpoint")


@bank_app.command("backup")
def backup_command(
    out: Annotated[Path, typer.Argument(help="File to write, or a folder to write one into.")],
    keys: Annotated[bool, typer.Option(help="Put the keystores in, encrypted as they are.")] = True,
    data: Data = DEFAULT_DATA,
) -> None:
    """Back up the bank into one archive, while it goes on."""
    from bank.operations.backup import make_backup
    from bank.settings import read_settings

    made = make_backup(read_settings(data), out, datetime.now(UTC), keys=keys)
    what = f"{made.keys} keystores" if made.keys else "NO keystores: keep them apart"
    typer.echo(f"{made.path}: {made.entries} entries, {what}, {made.bytes} bytes")


@bank_app.command("restore")
def restore_command(
    archive: Annotated[Path, typer.Argument(help="What 'bank backup' wrote.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Restore a backup into a new folder. What came after it is brought by 'ledger recover'."""
    from bank.operations.restore import restore_backup

    restored = restore_backup(archive, data)
    typer.echo(f"restored {restored.origin} as of {restored.made}: {restored.entries} entries")
    if not restored.has_keys:
        typer.echo(f"the archive has no keystores: put them into {data / 'keys'}", err=True)
    typer.echo(f"next: creditbank ledger recover --data {data} --from PUBLISHED-COPY")


def serve(
    opener: "Callable[[], Bank]",
    port: int,
    demo: "Callable[[Bank], Demo] | None" = None,
    host: str = LOOPBACK,
) -> None:
    """Serve a bank until it is told to stop, with the sign-ins of a demonstration if it is one.

    On SIGTERM or Ctrl-C no connection is taken any more; what was asked is answered, then the
    bank is closed.
    """
    from bank.api.app import make_app
    from bank.cli.progress import console
    from bank.listening import listen

    _stop_on_sigterm()
    with (
        closing(listen(host, port)) as listener,
        closing(opener()) as bank,
        suppress(KeyboardInterrupt),
    ):
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
        elif not bank.sign_in.anybody():
            console.print(
                "Nobody may sign in yet. Set up the first operator within a day, at\n"
                + set_up_link(bank, url, shown=sys.stderr.isatty())
            )
        # What a demonstration prints is for whoever plays it.
        level = bank.settings.log_level if shown is None else "warning"
        _run(bank, make_app(bank, shown), listener, level)


def set_up_link(bank: "Bank", url: str, *, shown: bool) -> str:
    """The link for the first operator; where it would end up in a log, the file that has it."""
    link = f"{url}set-up?code={bank.sign_in.set_up_code()}"
    if shown:
        return link
    path = bank.settings.folder / "set-up-link"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(link + "\n")
    return f"the address in {path}"


def _run(bank: "Bank", app: "FastAPI", listener: socket.socket, level: str) -> None:
    """Serve the application and, where the settings say so, its figures, until a signal."""
    import logging

    from bank.operations.figures_server import serving_figures
    from bank.operations.log_lines import LOGGER, start_logging
    from bank.serving import serve

    start_logging(level)
    log, port = logging.getLogger(LOGGER), listener.getsockname()[1]
    with serving_figures(bank.settings.metrics, app.state.figures):
        log.info("serving", extra={"port": port, "size": bank.log.size()})
        try:
            serve(app, listener, _PATIENCE)
        finally:
            log.info("stopped", extra={"port": port})


def _stop_on_sigterm() -> None:
    """Let SIGTERM unwind the stack, so that the bank is closed: by itself it ends the process."""

    def stop(number: int, frame: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
