"""`creditbank import`: a registrar's results become signed awards, on the institution's side."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import (
    DEFAULT_DATA,
    BankDomain,
    BankUrl,
    Data,
    Institutions,
    Members,
    bank_passphrase,
    passphrase,
)
from bank.cli.proposal_verbs import read_proposal
from bank.errors import BadRequest, BadSetup, NeedsSecondPerson

if TYPE_CHECKING:
    from bank.importing import Imported
    from bank.institution import Institution
    from bank.opening import Admission
    from bank.port import BankPort
    from bank.results import Preview
    from ledger import SignedStatement

_SHOWN = 20


def import_command(
    file: Annotated[Path, typer.Argument(help="The results, a CSV file.")],
    mapping: Annotated[Path, typer.Option(help="TOML file that explains the CSV's columns.")],
    institutions: Institutions,
    members: Members,
    data: Data = DEFAULT_DATA,
    bank: BankUrl = "",
    domain: BankDomain = "",
    check: Annotated[bool, typer.Option("--check", help="Only read and check the file.")] = False,
    approved: Annotated[
        list[Path] | None,
        typer.Option(help="A batch's approval, signed by the second person; once for each."),
    ] = None,
    proposals: Annotated[
        Path, typer.Option(help="Folder for approvals that the second person is to sign.")
    ] = Path("out"),
) -> None:
    """Import results: sign them here, submit them in batches; safe to run again.

    More awards of an institution than one person hands in a day take a second person: by the
    key approver.keystore if it lies beside the other keys, else by a file to sign elsewhere.
    """
    from bank.opening import LocalBank, open_bank, read_admissions
    from bank.results import read_mapping, read_results

    admissions = {item.slug: item for item in read_admissions(institutions)}
    names = {slug: item.names["zh"] for slug, item in admissions.items()}
    preview = read_results(file, read_mapping(mapping), names)
    if check:
        _tell_preview(preview)
        return
    signed = [read_proposal(path).signed() for path in approved or []]
    try:
        if bank:
            if not domain:
                raise BadSetup("give the bank's domain with --domain where --bank is a URL")
            own = open_institutions(preview, members, domain, admissions)
            imported = _over_http(bank, preview, own, members, signed)
        else:
            with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as opened:
                own = open_institutions(preview, members, opened.settings.domain, admissions)
                title = f"Awards from {file.name}"
                imported = run_import(preview, own, LocalBank(opened), title, approvals=signed)
    except NeedsSecondPerson as error:
        raise BadRequest(f"{error}\n{_hand_round(error, proposals)}") from error
    tell(imported)


def _hand_round(error: NeedsSecondPerson, folder: Path) -> str:
    """Write what the second person is to sign; what to do with it."""
    from bank.proposals import Proposal
    from verifier.whole_file import write_whole

    statement = error.proposed.statement
    path = folder / f"batch-{statement.hash.hex()[:12]}.json"
    write_whole(path, Proposal(statement, error.proposed.signatures).encode())
    return (
        f"they sign with 'creditbank statement sign {path} --key their.keystore'; then run this "
        f"again with --approved {path}"
    )


def open_institutions(
    preview: "Preview", members: Path, domain: str, admissions: "dict[str, Admission]"
) -> "dict[str, Institution]":
    """The institutions that a file speaks of, their keys unlocked."""
    from bank.opening import open_member

    return {
        slug: open_member(
            members / slug, domain, admissions[slug], passphrase_of(members, members / slug)
        )
        for slug in sorted({result.institution for result in preview.results})
    }


def passphrase_of(members: Path, folder: Path) -> str:
    """The passphrase of an institution's keystores: its own file, the demo's, or the common one."""
    return passphrase(folder if (folder / "passphrase").is_file() else members.parent)


def run_import(
    preview: "Preview",
    institutions: "dict[str, Institution]",
    bank: "BankPort",
    title: str,
    clock: "Callable[[], datetime]" = lambda: datetime.now(UTC),
    approvals: "Sequence[SignedStatement]" = (),
) -> "Imported":
    """Import with a progress bar."""
    from bank.cli.progress import progress
    from bank.importing import import_results

    with progress(title, len(preview.results)) as done:
        return import_results(preview, institutions, bank, clock, done, approvals)


def tell(imported: "Imported") -> None:
    """Say what became of an import; exit code 1 if anything was declined."""
    typer.echo(f"{imported.awarded} awarded, {imported.repeated} already in the ledger")
    if imported.declined:
        typer.echo(f"{len(imported.declined)} declined:", err=True)
        for reason in imported.declined[:_SHOWN]:
            typer.echo(reason, err=True)
        raise typer.Exit(1)


def _over_http(
    url: str,
    preview: "Preview",
    own: "dict[str, Institution]",
    members: Path,
    approvals: "Sequence[SignedStatement]",
) -> "Imported":
    from bank.cli.api_key_verbs import api_key_of, remote

    keys = {institution.did: api_key_of(members, slug) for slug, institution in own.items()}
    with remote(url, keys) as bank:
        return run_import(preview, own, bank, "Awards", approvals=approvals)


def _tell_preview(preview: "Preview") -> None:
    typer.echo(
        f"{preview.rows} rows: {len(preview.results)} results, {preview.skipped} left out by the "
        f"mapping, {len(preview.problems)} problems"
    )
    for problem in preview.problems[:_SHOWN]:
        typer.echo(str(problem), err=True)
    if preview.problems:
        raise typer.Exit(1)
