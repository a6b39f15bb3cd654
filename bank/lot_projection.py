"""The table of lots, kept in step with the ledger inside the appending transaction."""

import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Connection, delete, select

from bank.batches import BatchFold
from bank.deposits import keep_credentials
from bank.lots import read_lots
from bank.tables import lots
from ledger import Entry, Lot, Refused, Registry, SignedStatement, Slot
from ledger.bulk import Row, insert_rows, select_rows
from ledger.lot_rows import lot_row, standing_values
from ledger.lots import after, concerns_lot, lot_names, made_by, moved_by, slot_of, slot_taken

_PAGE = 5000


class LotProjection:
    """Folds awards and lot events; also stores the deposits that came with awards.

    A deposit is a row for the private table of credentials. It is written in the very
    transaction that appends its award, so there is never one without the other.
    """

    def __init__(self) -> None:
        self._deposits: dict[bytes, Row] = {}
        self._lock = threading.Lock()

    def expect(self, deposits: Mapping[bytes, Row]) -> None:
        """Have these deposits, by statement hash, written when their awards are appended."""
        with self._lock:
            self._deposits.update(deposits)

    def forget(self, statements: Sequence[bytes]) -> None:
        """Drop deposits whose statements have been dealt with."""
        with self._lock:
            for statement in statements:
                self._deposits.pop(statement, None)

    def begin(
        self, connection: Connection, batch: Sequence[SignedStatement], registry: Registry
    ) -> "LotFold":
        """A fold for `batch`, with the lots and slots it touches read ahead."""
        return self._fold(connection, batch, BatchFold(connection, batch, registry))

    def replay(self, connection: Connection, batch: Sequence[SignedStatement]) -> "LotFold":
        """A fold for what stands in the ledger already: whether one person may is not asked."""
        return self._fold(connection, batch, None)

    def _fold(
        self, connection: Connection, batch: Sequence[SignedStatement], counted: BatchFold | None
    ) -> "LotFold":
        statements = [s.statement for s in batch if concerns_lot(s.statement.kind)]
        names = sorted({name for statement in statements for name in lot_names(statement)})
        taken = {slot for slot in map(slot_of, statements) if slot is not None}
        with self._lock:
            deposits = dict(self._deposits)
        known, slots = read_lots(connection, names), _taken(connection, taken)
        return LotFold(connection, known, slots, deposits, counted)


class LotFold:
    """One batch on its way into the table of lots."""

    def __init__(
        self,
        connection: Connection,
        known: dict[str, Lot],
        slots: set[Slot],
        deposits: Mapping[bytes, Row],
        counted: BatchFold | None,
    ) -> None:
        self._counted = counted
        self._connection = connection
        self._known = known
        self._slots = slots
        self._deposits = deposits
        self._new: set[str] = set()
        self._moved: set[str] = set()
        self._credentials: list[Row] = []

    def take(self, entry: Entry) -> None:
        """Fold one entry in; Refused where it contradicts the lots there are."""
        statement = entry.signed.statement
        if not concerns_lot(statement.kind):
            return
        event, made = moved_by(entry), made_by(entry)
        moved = None if event is None else after(self._known.get(event.lot), event)
        if made is not None:
            self._check_new(made)
        if self._counted is not None:
            self._counted.take(entry)
        if made is not None:
            self._known[made.lot] = made
            self._new.add(made.lot)
            if made.slot is not None:
                self._slots.add(made.slot)
        if moved is not None:
            self._known[moved.lot] = moved
            self._moved.add(moved.lot)
        deposit = self._deposits.get(statement.hash)
        if deposit is not None:
            self._credentials.append(deposit)

    def flush(self) -> None:
        """Write what was folded."""
        if self._counted is not None:
            self._counted.flush()
        if self._new:
            new = [lot_row(lot) for name, lot in self._known.items() if name in self._new]
            insert_rows(self._connection, lots, new)
        for name in sorted(self._moved - self._new):
            lot = self._known[name]
            values = {**standing_values(lot.standing), "changed": lot.changed}
            self._connection.execute(lots.update().where(lots.c.lot == name).values(values))
        if self._credentials:
            keep_credentials(self._connection, self._credentials)

    def _check_new(self, lot: Lot) -> None:
        before = self._known.get(lot.lot)
        if before is not None:
            raise Refused(
                f"the lot {lot.lot} was awarded already, by entry {before.award_index}, with other "
                "content; correct it with a new statement, not a second award"
            )
        if lot.slot is not None and lot.slot in self._slots:
            raise slot_taken(lot.slot)


def clear(connection: Connection) -> None:
    """Empty the table, to fold the ledger into it again."""
    connection.execute(delete(lots))


def digest(connection: Connection) -> bytes:
    """SHA-256 over every row in the order of the awards: equal for equal tables, at any size."""
    query = select(lots).order_by(lots.c.award_index)
    made = sha256()
    for row in connection.execute(query.execution_options(stream_results=True, yield_per=_PAGE)):
        made.update(repr(tuple(row)).encode())
    return made.digest()


def _taken(connection: Connection, wanted: set[Slot]) -> set[Slot]:
    pairs = sorted((slot.list, slot.index) for slot in wanted)
    found = select_rows(connection, lots, ("list", "slot"), ("list", "slot"), pairs)
    return {Slot(row.list, row.slot) for row in found}
