"""`creditbank governance` and `creditbank statement`: facts that several people sign offline."""

import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, bank_passphrase, passphrase, signer_at
from bank.errors import BadRequest, BadSetup

if TYPE_CHECKING:
    from bank.institution import Submission
    from bank.proposals import Proposal
    from keys import Json, Signer
    from ledger.authority import Registry
    from ledger.sequencer import Outcome

governance_app = typer.Typer(
    name="governance",
    help="What the regulator decides: proposed, signed by enough of its keys, handed in.",
    no_args_is_help=True,
)
statement_app = typer.Typer(
    name="statement",
    help="Any statement of an institution: proposed, signed by one or two, handed in.",
    no_args_is_help=True,
)

_MAX_BODY = 100_000

Kind = Annotated[str, typer.Argument(help="The statement type, such as member.suspend.")]
Body = Annotated[
    Path | None, typer.Argument(help="TOML or JSON file with the statement's fields; - for stdin.")
]
Fields = Annotated[
    list[str] | None, typer.Option("--set", help="One field, name=value; over the file's.")
]
Out = Annotated[Path, typer.Option(help="The proposal's file.")]
File = Annotated[Path, typer.Argument(help="A proposal's file.")]
Files = Annotated[list[Path], typer.Argument(help="A proposal's file, or signed copies of one.")]
Url = Annotated[str, typer.Option(help="URL of a bank's API, instead of a bank in a folder.")]


@governance_app.command("propose")
def propose_command(
    kind: Kind,
    body: Body = None,
    fields: Fields = None,
    out: Out = Path("proposal.json"),
    data: Data = DEFAULT_DATA,
) -> None:
    """Write a proposal in the bank's name: of an admission, a grant, a suspension, a key…"""
    from bank.settings import read_settings
    from ledger.body import GOVERNANCE_TYPES

    if kind not in GOVERNANCE_TYPES:
        raise BadRequest(
            f"{kind[:60]} is not for the governance to state, which signs "
            f"{', '.join(sorted(GOVERNANCE_TYPES))}"
        )
    _propose(read_settings(data).did, kind, body, fields or [], out)


@statement_app.command("propose")
def propose_statement(
    kind: Kind,
    author: Annotated[str, typer.Option(help="DID of the institution that states it.")],
    body: Body = None,
    fields: Fields = None,
    out: Out = Path("statement.json"),
) -> None:
    """Write a statement in an institution's name: of a rule, a revocation, a review…"""
    _propose(author, kind, body, fields or [], out)


def _propose(author: str, kind: str, body: Path | None, fields: list[str], out: Path) -> None:
    from bank.proposals import propose
    from verifier.whole_file import write_whole

    if out.exists():
        raise BadSetup(f"{out} is there already, perhaps with signatures: give another --out")
    proposal = propose(
        author, kind, {**read_body(body), **dict(_field(kind, text) for text in fields)}
    )
    _tell(proposal, None)
    typer.echo(str(write_whole(out, proposal.encode())))


def show_command(file: File, data: Data = DEFAULT_DATA) -> None:
    """Say what a proposal is, who has signed it and, where the bank is here, what it lacks."""
    from bank.settings import FILE

    proposal = read_proposal(file)
    if not (data / FILE).exists():
        _tell(proposal, None)
        return
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data))) as bank:
        _tell(proposal, bank.registry())


def sign_command(
    file: File,
    key: Annotated[str, typer.Option(help="The signer's keystore, or the URI of a key.")],
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
) -> None:
    """Read a proposal and sign it with one key, where that key is; needs no bank."""
    from verifier.whole_file import write_whole

    proposal = read_proposal(file)
    _tell(proposal, None)
    if not yes and sys.stdin.isatty():
        typer.confirm("Sign this?", abort=True)
    signed = proposal.sign(signer_at(key))
    write_whole(file, signed.encode())
    count = len(signed.signatures)
    typer.echo(f"{file} has {count} signature{'s' if count > 1 else ''} now")


def submit_command(
    files: Files,
    data: Data = DEFAULT_DATA,
    bank: Url = "",
    api_key: Annotated[
        Path | None,
        typer.Option(help="Folder with an API key of whoever hands it in, where --bank is a URL."),
    ] = None,
) -> None:
    """Put together the signatures of copies of one proposal, and hand it in."""
    from bank.cli.api_key_verbs import open_api_key
    from bank.institution import Submission
    from bank.proposals import merge
    from ledger.sequencer import Declined

    proposal = merge([read_proposal(file) for file in files])
    if bank and api_key is None:
        raise BadSetup("give the folder of an API key with --api-key where --bank is a URL")
    key = open_api_key(api_key, passphrase(api_key)) if bank and api_key else None
    outcome = submit_one(Submission(proposal.signed()), data, bank, key)
    kind = proposal.statement.kind
    if isinstance(outcome, Declined):
        raise BadRequest(f"{kind} was declined: {outcome.reason}")
    said = "stood in the ledger already" if outcome.repeated else "is in the ledger"
    typer.echo(f"{kind} {said}, entry {outcome.index}")


def submit_one(submission: "Submission", data: Path, url: str, key: "Signer | None") -> "Outcome":
    """Hand one statement to the bank in `data`, or to the one behind `url` by an API key."""
    if key is not None:
        from bank.cli.api_key_verbs import remote

        with remote(url, {submission.signed.statement.author: key}) as there:
            (outcome,) = there.submit([submission])
            return outcome
    from bank.opening import LocalBank, open_bank

    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        (outcome,) = LocalBank(bank).submit([submission])
        return outcome


def read_proposal(file: Path) -> "Proposal":
    """The proposal in a file."""
    from bank.proposals import Proposal
    from verifier.files import read_limited

    try:
        return Proposal.parse(read_limited(file))
    except BadRequest as error:
        raise BadRequest(f"{file}: {error}") from error


def _tell(proposal: "Proposal", registry: "Registry | None") -> None:
    from bank.proposals import describe

    for line in describe(proposal, registry):
        typer.echo(line)


def read_body(path: Path | None) -> "dict[str, Json]":
    """The fields of a statement in a TOML or JSON file, or on standard input for `-`."""
    from keys import KeysError, parse

    if path is None:
        return {}
    data = sys.stdin.buffer.read(_MAX_BODY) if str(path) == "-" else path.read_bytes()
    try:
        value = parse(data) if data.lstrip()[:1] == b"{" else _plain(tomllib.loads(data.decode()))
    except (KeysError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequest(f"{path} cannot be read as JSON or TOML: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest(f"{path} is not an object with the statement's fields")
    return value


def _plain(value: object) -> "Json":
    """TOML's values as JSON; its dates as text."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (str, int, float, bool)):
        return value
    raise BadRequest(f"{value!r:.60} is no text, number, list or table")


def _field(kind: str, text: str) -> "tuple[str, Json]":
    from bank.proposals import read_value

    name, found, value = text.partition("=")
    if not found or not name:
        raise BadRequest(f"--set takes name=value, not {text[:60]!r}")
    return name, read_value(kind, name, value)


def _shared(name: str, command: Callable[..., None]) -> None:
    for app in (governance_app, statement_app):
        app.command(name)(command)


_shared("show", show_command)
_shared("sign", sign_command)
_shared("submit", submit_command)
