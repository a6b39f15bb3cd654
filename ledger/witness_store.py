"""A witness's memory in a database: one row for each log, moved by compare-and-swap."""

from sqlalchemy import Column, Engine, LargeBinary, MetaData, Table, Text, select
from sqlalchemy.exc import IntegrityError

from ledger.store import NUMBER, open_store, reading, writing
from ledger.witness import Seen

_metadata = MetaData()
_seen = Table(
    "witnessed",
    _metadata,
    Column("origin", Text, primary_key=True),
    Column("size", NUMBER, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)


class DatabaseWitnessStore:
    """A WitnessStore in SQLite or PostgreSQL, with a full sync before anything is cosigned."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_store(url)
        with writing(self._engine) as connection:
            _metadata.create_all(connection)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def latest(self, origin: str) -> Seen | None:
        """What was seen last of a log, or None."""
        with reading(self._engine) as connection:
            row = connection.execute(select(_seen).where(_seen.c.origin == origin)).first()
        return Seen(row.size, bytes(row.root), row.note) if row else None

    def advance(self, origin: str, before: Seen | None, after: Seen) -> bool:
        """Replace `before` by `after`, durably; False if `before` is no longer the latest."""
        values = {"size": after.size, "root": after.root, "note": after.note}
        try:
            with writing(self._engine) as connection:
                if before is None:
                    connection.execute(_seen.insert().values(origin=origin, **values))
                    return True
                done = connection.execute(
                    _seen.update()
                    .where(_seen.c.origin == origin)
                    .where(_seen.c.size == before.size, _seen.c.root == before.root)
                    .values(**values)
                )
                return done.rowcount == 1
        except IntegrityError:
            return False
