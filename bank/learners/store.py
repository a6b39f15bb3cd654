"""The tables of learners: what is sealed goes in and comes out here. One transaction is given."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select, text

from bank.deposits import hold_accounts
from bank.learners.errors import Conflict, Erased, NoSuchRecord
from bank.learners.identity import Document
from bank.learners.records import Consent, Event, Identity
from bank.tables import consents, learner_accounts, learner_events, learners
from bank.vault import AccountKey, Vault
from keys import encode, parse

_LOCK = 7_161_514_000_000_005


@dataclass(frozen=True, slots=True)
class Record:
    """A learner's record, opened."""

    learner: str
    key: AccountKey
    identity: Identity


def lock(connection: Connection) -> None:
    """Let no other transaction change learners until this one ends.

    On PostgreSQL; SQLite has one writer anyway. Whatever comes at once then comes in some order,
    and each finds the other's work done.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def row_of(connection: Connection, learner: str) -> Row[Any] | None:
    """The row of a learner, or of the one it was merged into."""
    row = _row(connection, learner)
    while row is not None and row.merged_into is not None:
        row = _row(connection, row.merged_into)
    return row


def open_record(connection: Connection, vault: Vault, learner: str) -> Record:
    """The record of a learner, or of the one it was merged into; NoSuchRecord, Erased."""
    row = row_of(connection, learner)
    if row is None:
        raise NoSuchRecord(
            f"this bank has no learner {learner[:40]}; look the identifier up again, or open one"
        )
    if row.key is None:
        raise Erased(f"the learner {learner[:40]} was erased; nothing is held or taken any more")
    key = vault.unwrap(_name(row.learner), row.key)
    value = parse(key.open(bytes(row.sealed), _name(row.learner, "identity")))
    return Record(row.learner, key, Identity.of_json(value))


def names_of(connection: Connection, learner: str) -> list[str]:
    """Every identifier that means a learner: its own, and those of what was merged into it."""
    query = select(learners.c.learner).where(learners.c.merged_into == learner)
    return [learner, *sorted(connection.execute(query).scalars())]


def add_record(connection: Connection, vault: Vault, learner: str, identity: Identity) -> Record:
    """A new record under a new key."""
    wrapped = vault.new_key(_name(learner))
    connection.execute(learners.insert().values(learner=learner, key=wrapped, erased=""))
    record = Record(learner, vault.unwrap(_name(learner), wrapped), identity)
    save_identity(connection, vault, record)
    return record


def save_identity(connection: Connection, vault: Vault, record: Record) -> None:
    """Keep a record's identity as it is now, and what it is found by."""
    document = record.identity.document
    sealed = record.key.seal(encode(record.identity.as_json()), _name(record.learner, "identity"))
    connection.execute(
        learners.update()
        .where(learners.c.learner == record.learner)
        .values(sealed=sealed, document=document and _hash(vault, document))
    )


def holder_of(connection: Connection, vault: Vault, document: Document) -> str | None:
    """The learner who has an identity document."""
    query = select(learners.c.learner).where(learners.c.document == _hash(vault, document))
    return connection.execute(query).scalar_one_or_none()


def link(connection: Connection, learner: str, account: str) -> bool:
    """Link an account to a learner; whether it was not before. NoSuchRecord, Conflict."""
    holder = learner_of(connection, account)
    if holder == learner:
        return False
    if holder is not None:
        raise Conflict(
            f"the account {account[:160]} is another learner's, {holder}; if both are one person, "
            "merge them"
        )
    if not hold_accounts(connection, [account]):
        raise NoSuchRecord(
            f"this bank has no account {account[:160]}; 'creditbank learners' lists them"
        )
    connection.execute(learner_accounts.insert().values(account=account, learner=learner))
    return True


def learner_of(connection: Connection, account: str) -> str | None:
    """The learner whom an account is of; None where it is nobody's yet."""
    query = select(learner_accounts.c.learner).where(learner_accounts.c.account == account)
    return connection.execute(query).scalar_one_or_none()


def accounts_of(connection: Connection, learner: str) -> list[str]:
    """The accounts of a learner, sorted."""
    query = select(learner_accounts.c.account).where(learner_accounts.c.learner == learner)
    return sorted(connection.execute(query).scalars())


def note(connection: Connection, record: Record, event: Event) -> None:
    """Write a line into a learner's journal."""
    sealed = record.key.seal(encode(event.as_json()), _name(record.learner, "event"))
    connection.execute(learner_events.insert().values(learner=record.learner, sealed=sealed))


def events_of(connection: Connection, record: Record) -> list[Event]:
    """A learner's journal, oldest first."""
    query = select(learner_events).where(learner_events.c.learner == record.learner)
    found = []
    for row in connection.execute(query.order_by(learner_events.c.number)):
        value: Any = parse(record.key.open(bytes(row.sealed), _name(record.learner, "event")))
        found.append(Event(value["time"], value["kind"], value["detail"], row.number))
    return found


def save_consent(connection: Connection, record: Record, consent: Consent) -> None:
    """Keep a consent, in place of its earlier state."""
    connection.execute(consents.delete().where(consents.c.consent == consent.consent))
    connection.execute(
        consents.insert().values(
            consent=consent.consent,
            learner=record.learner,
            sealed=_seal_consent(record, consent),
        )
    )


def consents_of(connection: Connection, record: Record) -> list[Consent]:
    """A learner's consents, in the order they were given."""
    query = select(consents).where(consents.c.learner == record.learner)
    found = [
        Consent.of_json(parse(record.key.open(bytes(row.sealed), _consent_name(record, row))))
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda consent: (consent.given, consent.consent))


def move(connection: Connection, source: Record, target: Record) -> None:
    """Give all of one learner's accounts, consents and journal to another; end the one's key."""
    for consent in consents_of(connection, source):
        save_consent(connection, target, consent)
    for event in events_of(connection, source):
        sealed = target.key.seal(encode(event.as_json()), _name(target.learner, "event"))
        connection.execute(
            learner_events.update()
            .where(learner_events.c.number == event.number)
            .values(learner=target.learner, sealed=sealed)
        )
    connection.execute(
        learner_accounts.update()
        .where(learner_accounts.c.learner == source.learner)
        .values(learner=target.learner)
    )
    connection.execute(
        learners.update()
        .where(or_(learners.c.learner == source.learner, learners.c.merged_into == source.learner))
        .values(key=None, sealed=None, document=None, merged_into=target.learner)
    )


def end_record(connection: Connection, learner: str, day: str) -> None:
    """Destroy a learner's key and all that was kept; of those merged into it too.

    What remains is that there was a record of this random identifier until `day`.
    """
    for table in (consents, learner_events, learner_accounts):
        connection.execute(table.delete().where(table.c.learner == learner))
    connection.execute(
        learners.update()
        .where(or_(learners.c.learner == learner, learners.c.merged_into == learner))
        # Which records were one person's is itself something about that person.
        .values(key=None, sealed=None, document=None, merged_into=None, erased=day)
    )


def _row(connection: Connection, learner: str) -> Row[Any] | None:
    return connection.execute(select(learners).where(learners.c.learner == learner)).first()


def _hash(vault: Vault, document: Document) -> bytes:
    return vault.document_hash(document.kind, document.number)


def _seal_consent(record: Record, consent: Consent) -> bytes:
    return record.key.seal(encode(consent.as_json()), _consent_name(record, consent))


def _consent_name(record: Record, item: Any) -> str:
    return _name(record.learner, f"consent|{item.consent}")


def _name(learner: str, part: str = "") -> str:
    # An account's name begins with "did:", so none is ever taken for a learner's.
    return f"learner|{learner}|{part}" if part else f"learner|{learner}"
