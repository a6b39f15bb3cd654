"""Awards in bulk: how many an institution may hand in on one person's signature, and those beyond.

What two persons have approved by a `batch.approve` may be handed in besides. Which awards that
are is kept here until each is in the ledger; how many were handed in by one person is counted in
the transaction that appends them, so no two servers can both be the last to be let through.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, exists, select, update

from bank.errors import BadRequest
from bank.tables import alone, batch_awards, batches
from ledger import Entry, Refused, Registry, SignedStatement, Statement, format_time
from ledger.batch import KIND, batch_approval
from ledger.body import MOST_IN_BATCH
from ledger.bulk import insert_rows, select_rows
from ledger.store import execute, reading, writing

_COUNTED = frozenset(("award", "supersede"))
_CHUNK = 400


class Batches:
    """What two persons are to approve, or have approved, and is not in the ledger yet."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def keep(self, statement: Statement, awards: Sequence[bytes]) -> bool:
        """Keep which awards a `batch.approve` speaks of, before it is in the ledger.

        Whether they were not kept before; BadRequest where it speaks of others. Kept first and
        approved after: so a batch that is in the ledger and not here has been handed in whole.
        """
        check_batch(statement, awards)
        batch = statement.hash
        with writing(self._engine) as connection:
            known = select(batches.c.batch).where(batches.c.batch == batch)
            if connection.execute(known).first() is not None:
                return False
            values = {"batch": batch, "institution": statement.author, "approved": False}
            connection.execute(batches.insert().values(**values))
            insert_rows(connection, batch_awards, [(award, batch) for award in sorted(set(awards))])
        return True

    def approve(self, statement: Statement) -> None:
        """Let what was kept of a batch be handed in; its statement stands in the ledger."""
        with writing(self._engine) as connection:
            connection.execute(
                update(batches).where(batches.c.batch == statement.hash).values(approved=True)
            )

    def drop(self, statement: Statement) -> None:
        """Forget a batch that is not to be approved."""
        with writing(self._engine) as connection:
            _drop(connection, statement.hash)

    def left(self, institution: str, most: int) -> int:
        """How many awards an institution may still hand in today on one person's signature."""
        today = format_time(self._clock())[:10]
        with reading(self._engine) as connection:
            given = _given(connection, [institution]).get((institution, today), 0)
        return max(0, most - given)


def check_batch(statement: Statement, awards: Sequence[bytes]) -> None:
    """BadRequest unless a statement is the `batch.approve` of exactly these awards."""
    if statement.kind != KIND:
        raise BadRequest(f"a batch of awards is approved by a {KIND}, not by a {statement.kind}")
    if not 0 < len(awards) <= MOST_IN_BATCH:
        raise BadRequest(f"a batch has 1 to {MOST_IN_BATCH} awards; hand them in by several")
    if batch_approval(statement.author, awards).data != statement.data:
        raise BadRequest("the awards are not those whose number and root the statement approves")


class BatchFold:
    """One batch on its way into the ledger: what of it one person may hand in."""

    def __init__(
        self, connection: Connection, batch: Sequence[SignedStatement], registry: Registry
    ) -> None:
        self._connection = connection
        self._registry = registry
        mine = [signed.statement for signed in batch if _is_counted(signed)]
        authors = sorted({statement.author for statement in mine})
        self._given = _given(connection, authors) if mine else {}
        hashes = [statement.hash for statement in mine]
        self._approved = _approved(connection, authors, hashes) if mine else frozenset()
        self._used: list[bytes] = []
        self._touched: dict[str, str] = {}
        """Institutions whose number changed, and the day."""

    def take(self, entry: Entry) -> None:
        """Count an award; Refused where it is one too many for one person."""
        signed = entry.signed
        if not _is_counted(signed):
            return
        author, identity = signed.statement.author, signed.statement.hash
        if identity in self._approved:
            self._used.append(identity)
            return
        day, most = entry.time[:10], self._registry.catalogue.alone
        given = self._given.get((author, day), 0)
        if given >= most:
            raise Refused(
                f"{author} has handed in {most} awards on {day} on one person's signature, and no "
                f"more are taken so; have the others approved by two persons, in a {KIND}"
            )
        self._given[author, day] = given + 1
        self._touched[author] = day

    def flush(self) -> None:
        """Write what was counted."""
        for author, day in self._touched.items():
            execute(self._connection, "DELETE FROM alone WHERE institution = ?", (author,))
            row = (author, day, self._given[author, day])
            insert = "INSERT INTO alone (institution, day, awards) VALUES (?, ?, ?)"
            execute(self._connection, insert, row)
        if self._used:
            _forget(self._connection, self._used)


def _is_counted(signed: SignedStatement) -> bool:
    # What bears two signatures was seen by two persons already, or is refused.
    return signed.statement.kind in _COUNTED and len(signed.signatures) == 1


def _given(connection: Connection, authors: Sequence[str]) -> dict[tuple[str, str], int]:
    wanted = [(author,) for author in authors]
    columns = ("institution", "day", "awards")
    rows = select_rows(connection, alone, columns, ("institution",), wanted)
    return {(row.institution, row.day): row.awards for row in rows}


def _approved(
    connection: Connection, authors: Sequence[str], awards: Sequence[bytes]
) -> frozenset[bytes]:
    asked = [(author,) for author in authors]
    rows = select_rows(connection, batches, ("batch", "approved"), ("institution",), asked)
    known = {bytes(row.batch) for row in rows if row.approved}
    if not known:
        return frozenset()
    wanted = [(award,) for award in awards]
    found = select_rows(connection, batch_awards, ("award", "batch"), ("award",), wanted)
    return frozenset(bytes(row.award) for row in found if bytes(row.batch) in known)


def _forget(connection: Connection, awards: Sequence[bytes]) -> None:
    for start in range(0, len(awards), _CHUNK):
        chunk = awards[start : start + _CHUNK]
        connection.execute(delete(batch_awards).where(batch_awards.c.award.in_(chunk)))
    emptied = ~exists().where(batch_awards.c.batch == batches.c.batch)
    connection.execute(delete(batches).where(emptied))


def _drop(connection: Connection, batch: bytes) -> None:
    connection.execute(delete(batch_awards).where(batch_awards.c.batch == batch))
    connection.execute(delete(batches).where(batches.c.batch == batch))
