"""The end of a log whose key was lost or stolen, and the log of the same bank that goes on.

A log's key is in its origin, so it never changes: another key is another log. What stands in the
old one stays provable there, up to its last checkpoint, which the first entry of the new one
names. Members, their keys and grants are stated anew by the governance; units, rules and
qualifications by the institutions that published them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bank.errors import BadSetup
from bank.opening import create_bank, govern, open_bank
from bank.service import Bank
from bank.settings import Settings, database_url, read_settings, write_settings
from keys import Json, Signer
from ledger import Checkpoint, Entry, Member, open_note
from ledger.identity import identity_of
from ledger.key_roles import multikeys
from ledger.log import Log
from ledger.store import open_store

_CARRIED = ("framework.publish", "scheme.publish", "policy.publish")
"""What the governance published, and publishes again."""


def end_log(folder: Path) -> str:
    """Set the log's key of the bank in `folder` aside, for good; its Multikey.

    Needs no secret: the key may be lost. It is the one that the log's first entry names.
    """
    settings = read_settings(folder)
    engine = open_store(database_url(settings))
    try:
        opened = Entry.parse(Log(engine).entry(0)).signed.statement
    finally:
        engine.dispose()
    (key,) = multikeys(identity_of(opened.author, opened.body).log_keys)
    write_settings(folder, keys={**settings.keys, "log": f"public:{key}"})
    return key


def _sign_in(settings: Settings) -> dict[str, Mapping[str, str]]:
    """The providers' tables; their secrets stay where they are, in the old bank's folder."""
    return {
        slug: {
            **table.model_dump(),
            "client_secret_file": str((settings.folder / table.client_secret_file).resolve()),
        }
        for slug, table in settings.sign_in.items()
    }


def succeed(
    old: Bank, folder: Path, governance: Sequence[Signer], passphrase: str
) -> tuple[Settings, int]:
    """Make the bank's new log in `folder`, after `old`; its settings, and how many members it has.

    BadSetup unless the old log has ended, by the key of its own.
    """
    identity, settings = old.identity(), old.settings
    if not settings.ended:
        raise BadSetup(
            f"the log {settings.origin} has not ended: 'creditbank bank end' sets its key aside"
        )
    note = old.log.signed()
    last = Checkpoint.parse(open_note(note, ()).text)
    if last.size != old.log.size():
        raise BadSetup(
            f"the log {settings.origin} holds {old.log.size()} entries and its last checkpoint "
            f"speaks of {last.size}: what nobody signed was never acknowledged, so restore the "
            "store to that checkpoint first"
        )
    made = create_bank(
        folder,
        settings.domain,
        dict(identity.names),
        identity.governance,
        identity.threshold,
        passphrase,
    )
    write_settings(folder, witness_urls=settings.witness_urls, sign_in=_sign_in(settings))
    made = read_settings(folder)
    members = [one for _, one in sorted(old.registry().members.items()) if one.active]
    bank = open_bank(folder, passphrase)
    try:
        bank.found(governance, _cosigned(old.log, note))
        published = {Entry.parse(item).signed.statement.data for item in bank.log.entries()}
        govern(bank, list(_published(old, published)), governance)
        for member in members:
            govern(bank, list(_admission(member)), governance)
    finally:
        bank.close()
    return made, len(members)


def _cosigned(log: Log, note: str) -> str:
    """The last checkpoint with the witnesses' signatures, if they gave theirs."""
    shown = log.checkpoint()
    return shown if open_note(shown, ()).text == open_note(note, ()).text else note


def _published(old: Bank, known: set[bytes]) -> Iterator[tuple[str, dict[str, Json]]]:
    for item in old.log.entries():
        statement = Entry.parse(item).signed.statement
        if statement.kind in _CARRIED and statement.data not in known:
            yield statement.kind, dict(statement.body)


def _admission(member: Member) -> Iterator[tuple[str, dict[str, Json]]]:
    """The statements that make a member what it was, with the keys nobody doubts."""
    capacities: list[Json] = list(member.capacities)
    names: dict[str, Json] = dict(member.names)
    yield (
        "member.admit",
        {"capacities": capacities, "member": member.did, "name": names, "uscc": member.uscc},
    )
    for grant in member.grants:
        if not grant.ended:
            fields: list[Json] = list(grant.fields)
            yield (
                "grant",
                {
                    "fields": fields,
                    "from": grant.start,
                    "level": str(grant.level),
                    "member": member.did,
                    "until": grant.until,
                },
            )
    for period in member.keys.values():
        if period.end is None and period.suspect_from is None:
            body: dict[str, Json] = {"key": period.key, "member": member.did}
            if period.person:
                body["person"] = period.person
            if period.next:
                body["next"] = period.next
            yield "key.add", body
