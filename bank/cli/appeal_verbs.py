"""`creditbank appeal`: learners' appeals, kept on the ledger with a clock."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DASHED, DEFAULT_DATA, Data, Institutions, Members, bank_passphrase
from bank.errors import BadRequest
from keys.canonical import MAX_INTEGER

if TYPE_CHECKING:
    from bank.service import Bank
    from keys import Json
    from ledger.sequencer import Outcome

appeal_app = typer.Typer(
    name="appeal",
    help="Appeals: lodged for a learner by the bank, decided by others than those who decided.",
    no_args_is_help=True,
)
_DAYS = 30


@appeal_app.command("file")
def file_command(
    entry: Annotated[
        int,
        typer.Argument(
            min=0, max=MAX_INTEGER, help="The entry appealed against: what revoked, say."
        ),
    ],
    grounds: Annotated[
        Path, typer.Option(help="File with the learner's grounds: its hash alone is published.")
    ],
    days: Annotated[int, typer.Option(min=1, max=365, help="To be decided within.")] = _DAYS,
    data: Data = DEFAULT_DATA,
) -> None:
    """On the bank's side: lodge an appeal against a suspension, a correction or a revocation."""
    from hashlib import sha256

    from bank.lodging import lodge
    from verifier.files import read_limited

    hashed = sha256(read_limited(grounds)).digest()
    with _opened(data) as bank:
        made = lodge(bank, entry, hashed, days)
    typer.echo(
        f"the appeal {made.appeal} against entry {entry} is entry {made.index}; decide it by "
        f"{made.due}"
    )


@appeal_app.command("list")
def list_command(data: Data = DEFAULT_DATA) -> None:
    """List the appeals, those open first, with the day each is due."""
    with _opened(data) as bank:
        known = list(bank.registry().appeals.appeals.values())
        today = bank.now().date().isoformat()
    for item in sorted(known, key=lambda one: (bool(one.outcome), one.due)):
        late = ", overdue" if not item.outcome and item.due < today else ""
        state = f"{item.outcome} {item.decided}" if item.outcome else f"due {item.due}{late}"
        typer.echo(f"{item.name}  against {item.against}  lodged {item.lodged}  {state}")
    if not known:
        typer.echo("no appeals")


@appeal_app.command("decide", context_settings=DASHED)
def decide_command(
    appeal: Annotated[str, typer.Argument(help="The appeal, as 'appeal list' names it.")],
    outcome: Annotated[str, typer.Option(help="upheld or dismissed.")],
    reason: Annotated[str, typer.Option(help="A short code, such as new-evidence.")],
    slug: Annotated[str, typer.Option(help="The institution whose panel decides.")],
    institutions: Institutions,
    members: Members,
    data: Data = DEFAULT_DATA,
) -> None:
    """On the side of the panel: decide an appeal, with the signatures of two persons."""
    from bank.cli.members import institution_in
    from ledger import Statement

    body: dict[str, Json] = {"appeal": appeal, "outcome": outcome, "reason": reason}
    with _opened(data) as bank:
        own = institution_in(members, slug, institutions, bank.settings.domain)
        if own.approver is None:
            raise BadRequest(
                f"a panel is two persons: {members / slug} has no approver.keystore; use "
                "'creditbank statement propose' where that key is kept elsewhere"
            )
        statement = Statement.make(own.did, "appeal.decide", body)
        (found,) = bank.intake.append([statement.sign(own.signer, own.approver)])
        index = _placed(found)
    typer.echo(f"the appeal {appeal} is {outcome}, entry {index}")


@contextmanager
def _opened(data: Path) -> "Iterator[Bank]":
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        yield bank


def _placed(outcome: "Outcome") -> int:
    from ledger.sequencer import Declined

    if isinstance(outcome, Declined):
        raise BadRequest(outcome.reason)
    return outcome.index
