"""The counter for learners: each operation one transaction, safe to repeat."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from bank.deposits import list_credentials
from bank.learners import store
from bank.learners.archive import pack
from bank.learners.erasure import erase_account
from bank.learners.errors import BadIdentity, Conflict, Erased, NoSuchRecord
from bank.learners.holdings import Receipts, holdings
from bank.learners.identity import Document, read_name
from bank.learners.records import Consent, Event, FormerName, Identity, Terms
from bank.operator_log import Act, OperatorLog
from bank.sign_in.store import forget_people
from bank.vault import Vault
from keys import Json, KeysError, b64u_decode
from ledger import format_time
from ledger.store import reading, scrub, writing


class Learners:
    """The bank's sealed records about learners.

    An identifier of a learner is 128 random bits in base64url. That of a learner merged into
    another stands for the other from then on.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], datetime],
        identifier: Callable[[], str],
        receipts: Receipts,
        log: OperatorLog,
    ) -> None:
        """`identifier` gives 128 new random bits in base64url, `receipts` those of entries."""
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._identifier = identifier
        self._receipts = receipts
        self._log = log

    def new_identifier(self) -> str:
        """An identifier for `open`, by which it can be repeated safely."""
        return self._identifier()

    def open(self, name: str, document: Document | None = None, learner: str | None = None) -> str:
        """Open a record, or find the one with this document; its identifier.

        Without a document only the identifier tells a repetition from another person of that name.
        Conflict where the document or the identifier is known under another name.
        """
        name = read_name(name)
        wanted = self._identifier() if learner is None else _check_identifier(learner)
        with writing(self._engine) as connection:
            store.lock(connection)
            if learner is not None and store.row_of(connection, learner) is not None:
                found = store.open_record(connection, self._vault, learner)
                if (found.identity.name, found.identity.document) != (name, document):
                    raise Conflict(
                        f"the learner {learner} is open with another name or identity document; "
                        "take a new identifier for another person, or rename"
                    )
                return found.learner
            holder = document and store.holder_of(connection, self._vault, document)
            if holder:
                return self._match(connection, holder, name)
            identity = Identity(name, self._now(), (), document)
            record = store.add_record(connection, self._vault, wanted, identity)
            self._note(connection, record, "opened")
            return record.learner

    def _match(self, connection: Connection, holder: str, name: str) -> str:
        record = store.open_record(connection, self._vault, holder)
        if record.identity.name != name:
            raise Conflict(
                f"this identity document is the learner {holder}'s, under another name; check "
                "both, and rename that learner if the name was changed"
            )
        self._note(connection, record, "matched")
        return record.learner

    def link(self, learner: str, account: str) -> None:
        """Say that an account is a learner's; Conflict where it is another's."""
        with writing(self._engine) as connection:
            record = self._open(connection, learner)
            if store.link(connection, record.learner, account):
                self._note(connection, record, "linked", {"account": account})

    def record_of(self, account: str) -> str | None:
        """The learner whom an account is of; None where it is nobody's yet."""
        with reading(self._engine) as connection:
            return store.learner_of(connection, account)

    def identify(self, learner: str, document: Document) -> bool:
        """Add an identity document to a record without one; whether it was not there before.

        Conflict where the record has another, or another record has this one.
        """
        with writing(self._engine) as connection:
            record = self._open(connection, learner)
            if record.identity.document == document:
                return False
            if record.identity.document is not None:
                raise Conflict(
                    f"the learner {record.learner} has another identity document already; if it "
                    "was mistaken, erase that record and open another"
                )
            holder = store.holder_of(connection, self._vault, document)
            if holder is not None:
                raise Conflict(
                    f"this identity document is the learner {holder}'s; if both are one person, "
                    "merge them"
                )
            identified = replace(record, identity=replace(record.identity, document=document))
            store.save_identity(connection, self._vault, identified)
            self._note(connection, identified, "identified")
            return True

    def names(self, learner: str) -> list[str]:
        """Every identifier that means a learner, first the one that stands today."""
        with reading(self._engine) as connection:
            record = store.open_record(connection, self._vault, learner)
            return store.names_of(connection, record.learner)

    def find(self, document: Document) -> str:
        """The learner with an identity document; NoSuchRecord if there is none."""
        with reading(self._engine) as connection:
            learner = store.holder_of(connection, self._vault, document)
        if learner is None:
            raise NoSuchRecord("no learner here has this identity document; check it, or open one")
        return learner

    def merge(self, first: str, second: str) -> str:
        """Make one of two records of one person; the identifier that remains, the first's.

        Accounts, consents and journal of the second become the first's. What the second was is
        kept in the journal, so that a mistaken merge can be told apart again.
        Conflict where each has an identity document.
        """
        if first == second:
            raise Conflict("a learner cannot be merged with itself; name two")
        with writing(self._engine) as connection:
            target, source = self._open(connection, first), self._open(connection, second)
            if target.learner == source.learner:
                return target.learner
            mine, other = target.identity.document, source.identity.document
            if mine is not None and other is not None:
                raise Conflict(
                    f"the learners {target.learner} and {source.learner} have different identity "
                    "documents, so they are not merged; check that they are one person's"
                )
            detail: dict[str, Json] = {
                "accounts": list(store.accounts_of(connection, source.learner)),
                "consents": [item.consent for item in store.consents_of(connection, source)],
                "events": [event.number for event in store.events_of(connection, source)],
                "identity": source.identity.as_json(),
                "learner": source.learner,
            }
            store.move(connection, source, target)
            merged = replace(target, identity=replace(target.identity, document=mine or other))
            store.save_identity(connection, self._vault, merged)
            self._note(connection, merged, "merged", detail)
            return target.learner

    def rename(self, learner: str, name: str) -> None:
        """Change a learner's name; the old one stays in the record, credentials as issued."""
        name = read_name(name)
        with writing(self._engine) as connection:
            record = self._open(connection, learner)
            before = record.identity
            if before.name == name:
                return
            former = (*before.former, FormerName(before.name, self._now()))
            renamed = replace(record, identity=replace(before, name=name, former=former))
            store.save_identity(connection, self._vault, renamed)
            self._note(connection, renamed, "renamed", {"from": before.name, "to": name})

    def consent(self, learner: str, terms: Terms) -> Consent:
        """Note a learner's consent; the one there is, where the same is in force already."""
        with writing(self._engine) as connection:
            record = self._open(connection, learner)
            for consent in store.consents_of(connection, record):
                if consent.terms == terms and not consent.withdrawn:
                    return consent
            held = {
                name
                for account in store.accounts_of(connection, record.learner)
                for name, _ in list_credentials(connection, account)
            }
            missing = [name for name in terms.credentials or () if name not in held]
            if missing:
                raise NoSuchRecord(
                    f"this learner's accounts hold no credential {missing[0][:60]}; link the "
                    "account first, or leave it out"
                )
            made = Consent(self._identifier(), terms, self._now())
            store.save_consent(connection, record, made)
            self._note(connection, record, "consent given", {"consent": made.consent})
            return made

    def withdraw(self, learner: str, consent: str) -> Consent:
        """End a consent now; one withdrawn before stays as it is."""
        with writing(self._engine) as connection:
            record = self._open(connection, learner)
            known = {item.consent: item for item in store.consents_of(connection, record)}
            if consent not in known:
                raise NoSuchRecord(
                    f"this learner gave no consent {consent[:40]}; 'creditbank learner consents' "
                    "lists them"
                )
            if known[consent].withdrawn:
                return known[consent]
            ended = replace(known[consent], withdrawn=self._now())
            store.save_consent(connection, record, ended)
            self._note(connection, record, "consent withdrawn", {"consent": consent})
            return ended

    def consents(self, learner: str) -> list[Consent]:
        """A learner's consents, in the order they were given."""
        with reading(self._engine) as connection:
            record = store.open_record(connection, self._vault, learner)
            return store.consents_of(connection, record)

    def identity(self, learner: str) -> Identity:
        """Who a learner is."""
        with reading(self._engine) as connection:
            return store.open_record(connection, self._vault, learner).identity

    def accounts(self, learner: str) -> list[str]:
        """The accounts of a learner, sorted."""
        with reading(self._engine) as connection:
            record = store.open_record(connection, self._vault, learner)
            return store.accounts_of(connection, record.learner)

    def events(self, learner: str) -> list[Event]:
        """A learner's journal, oldest first."""
        with reading(self._engine) as connection:
            record = store.open_record(connection, self._vault, learner)
            return store.events_of(connection, record)

    def export(self, learner: str) -> bytes:
        """Everything held about a learner, as one ZIP: the same bytes for the same state and time.

        The journal in it ends with this export, which is noted once for each second.
        """
        with writing(self._engine) as connection:
            record = self._open(connection, learner)
            exported = Event(self._now(), "exported")
            if store.events_of(connection, record)[-1:] != [exported]:
                store.note(connection, record, exported)
            held = holdings(connection, self._vault, record, self._receipts)
        return pack(held, self._now())

    def erase(self, learner: str) -> bool:
        """Erase a learner and every linked account for good; whether it was not done before.

        Whoever signs in as this learner signs in no more, and is forgotten too. The ledger stays
        as it is: it never held anything of the person's.
        """
        with writing(self._engine) as connection:
            store.lock(connection)
            try:
                record = store.open_record(connection, self._vault, learner)
            except Erased:
                return False
            for account in store.accounts_of(connection, record.learner):
                erase_account(connection, self._vault, account)
            forget_people(connection, store.names_of(connection, record.learner))
            store.end_record(connection, record.learner, self._now()[:10])
            self._log.record(connection, Act.ERASED)
        scrub(self._engine)
        return True

    def _open(self, connection: Connection, learner: str) -> store.Record:
        store.lock(connection)
        return store.open_record(connection, self._vault, learner)

    def _note(
        self,
        connection: Connection,
        record: store.Record,
        kind: str,
        detail: dict[str, Json] | None = None,
    ) -> None:
        store.note(connection, record, Event(self._now(), kind, detail or {}))

    def _now(self) -> str:
        return format_time(self._clock())


def _check_identifier(text: str) -> str:
    try:
        b64u_decode(text, 16)
    except KeysError:
        raise BadIdentity(
            "the identifier of a learner is 128 random bits in base64url, 22 characters; leave it "
            "out to have one made"
        ) from None
    return text
