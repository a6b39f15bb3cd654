"""`creditbank member`: an institution's keys on its own side, and its admission."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bank.cli.api_key_verbs import api_key_app, api_key_of
from bank.cli.convert_verb import convert_command
from bank.cli.correct_verb import correct_command
from bank.cli.doubt_verbs import doubts_command
from bank.cli.options import (
    DASHED,
    DEFAULT_DATA,
    BankDomain,
    BankUrl,
    Data,
    GovernanceKeys,
    Institutions,
    Members,
    Slug,
    bank_passphrase,
    passphrase,
    signer_at,
)
from bank.cli.qualification_verbs import apply_command, redeem_command, reserve_command
from bank.errors import BadRequest, BadSetup

member_app = typer.Typer(
    name="member", help="Members: their keys and their admission.", no_args_is_help=True
)

Key = Annotated[str, typer.Option(help="The institution's public key, a Multikey.")]


@member_app.command("key")
def make_key(
    folder: Annotated[Path, typer.Argument(help="The institution's own folder for its keys.")],
) -> None:
    """On the institution's side: make its key, and print what the bank is to register."""
    from bank.opening import create_member

    typer.echo(create_member(folder, passphrase(folder)).public_key.multikey)


@member_app.command("approver-key")
def make_approver_key(
    folder: Annotated[Path, typer.Argument(help="A folder for the second person's key.")],
) -> None:
    """On the institution's side: make the key of the second person that revocations take."""
    from bank.opening import create_approver

    typer.echo(create_approver(folder, passphrase(folder)).public_key.multikey)


@member_app.command("admit")
def admit_command(
    institutions: Institutions,
    slug: Slug,
    key: Key,
    governance: GovernanceKeys,
    approver_key: Annotated[
        str, typer.Option(help="The key of its second person, without whom it cannot revoke.")
    ] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """On the bank's side: admit an institution, grant it authority and register its keys."""
    from bank.opening import admit, open_bank, read_admissions
    from keys import PublicKey

    public = PublicKey.from_multikey(key)
    chosen = [item for item in read_admissions(institutions) if item.slug == slug]
    if not chosen:
        raise BadSetup(f"{institutions} describes no institution {slug!r}")
    secret = bank_passphrase(data)
    signers = [signer_at(text, data) for text in governance]
    bank = open_bank(data, secret)
    try:
        second = PublicKey.from_multikey(approver_key) if approver_key else None
        admit(bank, chosen[0], public, signers, second)
    finally:
        bank.close()
    typer.echo(f"{slug} is a member, and its key {key} is registered")


@member_app.command("retire-key")
def retire_key(slug: Slug, key: Key, governance: GovernanceKeys, data: Data = DEFAULT_DATA) -> None:
    """On the bank's side: retire a key; what it signed before stays good."""
    from bank.opening import govern, open_bank
    from keys import did_web

    secret = bank_passphrase(data)
    signers = [signer_at(text, data) for text in governance]
    bank = open_bank(data, secret)
    try:
        did = did_web(bank.settings.domain, "members", slug)
        govern(bank, [("key.retire", {"key": key, "member": did})], signers)
    finally:
        bank.close()
    typer.echo(f"the key {key} of {slug} is retired")


def _lot_verb(kind: str, summary: str) -> None:
    def command(
        lot: Annotated[str, typer.Argument(help="The lot, as 'creditbank learners' lists it.")],
        slug: Slug,
        reason: Annotated[str, typer.Option(help="A short code, such as misconduct.")],
        institutions: Institutions,
        members: Members,
        data: Data = DEFAULT_DATA,
        bank: BankUrl = "",
        domain: BankDomain = "",
    ) -> None:
        _move_lot(kind, lot, slug, reason, institutions, members, data, bank, domain)

    command.__doc__ = summary
    member_app.command(kind, context_settings=DASHED)(command)


member_app.add_typer(api_key_app)
member_app.command("convert")(convert_command)
member_app.command("correct")(correct_command)
member_app.command("apply")(apply_command)
member_app.command("reserve")(reserve_command)
member_app.command("redeem")(redeem_command)
member_app.command("doubts")(doubts_command)
_lot_verb("revoke", "On the institution's side: revoke an award, for good.")
_lot_verb("suspend", "On the institution's side: suspend an award until it is reinstated.")
_lot_verb("reinstate", "On the institution's side: reinstate a suspended award.")


def _move_lot(
    kind: str,
    lot: str,
    slug: str,
    reason: str,
    institutions: Path,
    members: Path,
    data: Path,
    url: str,
    domain: str,
) -> None:
    from bank.cli.members import institution_in
    from bank.cli.proposal_verbs import submit_one
    from bank.settings import read_settings
    from ledger.sequencer import Declined

    if url and not domain:
        raise BadSetup("give the bank's domain with --domain where --bank is a URL")
    own = institution_in(members, slug, institutions, domain if url else read_settings(data).domain)
    today = datetime.now(UTC).date()
    key = api_key_of(members, slug) if url else None
    outcome = submit_one(own.lot_event(kind, lot, reason, today), data, url, key)
    if isinstance(outcome, Declined):
        raise BadRequest(outcome.reason)
    said = "stood in the ledger already" if outcome.repeated else "is in the ledger"
    typer.echo(f"{kind} of {lot} {said}, entry {outcome.index}")
