"""The operator's log: what those who run the bank do with it, as a log of its own.

Whoever acts is named by their random identifier, by `shell` for whoever works at the server
itself, or by `server` for what it does of itself. No name, address or account of a person is in
it: what was done to a learner's data is recorded without saying whose.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Connection, Engine

from keys import Json, encode
from ledger import format_time
from ledger.journal import (
    Journal,
    JournalReport,
    Record,
    audit_journal,
    journal_checkpoint,
    latest,
    records,
)
from ledger.store import reading, writing

SHELL = "shell"
"""Whoever works at the server itself, by a command."""
SERVER = "server"
"""The server, of itself."""
_NEWEST = 2**53


class Act(StrEnum):
    """What is recorded."""

    ACCESS_ENDED = "access.end"
    API_KEY_ADDED = "api-key.add"
    API_KEY_RETIRED = "api-key.retire"
    AUDIT_STARTED = "audit.start"
    BACKED_UP = "backup.make"
    ERASED = "learner.erase"
    INVITED = "invitation.make"
    JOINED = "access.begin"
    LOCKED = "sign-in.lock"
    LOG_REBUILT = "ledger.rebuild"
    LOG_RECOVERED = "ledger.recover"
    PACED = "sign-in.pace"
    PASSKEY_ADDED = "passkey.add"
    PASSKEY_DROPPED = "passkey.drop"
    PROPOSAL_PUT_AWAY = "proposal.put-away"
    RESTORED = "backup.restore"
    SETTINGS = "settings.change"
    SIGNED_IN = "session.begin"
    SIGNED_OUT = "session.end"
    TRUST_EXPORTED = "trust.export"
    UPLOAD_DISCARDED = "upload.discard"
    WITNESSES = "witnesses.change"


class OperatorLog:
    """Records acts, and lets them be read and checked."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        clock: Callable[[], datetime],
        *,
        ended: bool = False,
    ) -> None:
        """`ended` where the ledger has ended: its key signs no more, and nothing is recorded."""
        self._engine = engine
        self._journal = journal
        self._clock = clock
        self._ended = ended
        self.keys = journal.keys

    def record(self, connection: Connection, act: Act, **facts: str | int) -> None:
        """Record an act within its own transaction, as the last thing done in it."""
        if not self._ended:
            self._journal.append(connection, act.value, facts, format_time(self._clock()))

    def note(self, act: Act, **facts: str | int) -> None:
        """Record an act that is no transaction."""
        with writing(self._engine) as connection:
            self.record(connection, act, **facts)

    def note_change(self, act: Act, value: Json, **facts: str | int) -> None:
        """Record that something is `value` now, by its hash; nothing where it was so before."""
        digest = sha256(encode(value)).hexdigest()
        with reading(self._engine) as connection:
            last = latest(connection, act.value)
        if last is None or last.facts.get("digest") != digest:
            self.note(act, digest=digest, **facts)

    def newest(self, count: int, before: int = _NEWEST) -> list[Record]:
        """At most `count` records that stand before one, the newest first."""
        with reading(self._engine) as connection:
            return records(connection, before, count)

    def checkpoint(self) -> str:
        """The signed checkpoint that reaches the newest record; NotFound before the first."""
        with reading(self._engine) as connection:
            return journal_checkpoint(connection)

    def audit(self, known: Sequence[str] = ()) -> JournalReport:
        """Recheck all of it, and that it continues the checkpoints `known` from elsewhere."""
        with reading(self._engine) as connection:
            return audit_journal(connection, self.keys, known)
