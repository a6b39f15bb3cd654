"""The state of authority as of now, for readers: beside the sequencer, never behind its lock."""

from sqlalchemy import Connection, Engine, select

from ledger.authority import REGISTERED, Registry
from ledger.entry import Entry
from ledger.log import Head, Log, read_head
from ledger.store import entries, reading


class RegistryView:
    """Follows the log as others append to it, in this process or another; safe between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._log = Log(engine)
        self._known: tuple[Head, Registry] | None = None

    def now(self) -> Registry:
        """The registry, which nobody changes; the same object until an entry changes it."""
        # Before the view of the store is taken, which so is never the older one of the two.
        known = self._known
        if known is not None and known[0] == self._log.head():
            return known[1]
        with reading(self._engine) as connection:
            head = read_head(connection)
            if known is not None and known[0].size >= head.size:
                known = None  # The store was put back: what came later holds no more.
            start, registry = (0, Registry()) if known is None else (known[0].size, known[1])
            registry = followed(connection, registry, start, head.size)
        # In one step: of two threads that followed at once either may come last.
        self._known = (head, registry)
        return registry

    def forget(self) -> None:
        """Read everything from the store again at the next call."""
        self._known = None


def followed(connection: Connection, registry: Registry, start: int, end: int) -> Registry:
    """`registry` of the first `start` entries, moved on to `end`: a copy if anything changed it."""
    query = select(entries.c.data).where(
        entries.c.kind != "award",
        entries.c.kind.in_(sorted(REGISTERED)),
        entries.c.idx >= start,
        entries.c.idx < end,
    )
    rows = connection.execute(query.order_by(entries.c.idx)).all()
    if not rows:
        return registry
    moved = registry.copy()
    for row in rows:
        moved.apply(Entry.parse(bytes(row.data)))
    return moved
