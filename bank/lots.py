"""The table of lots, kept in step with the ledger inside the appending transaction."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from bank.tables import credentials, lots
from ledger import Entry, Lot, LotState, Refused, SignedStatement, Slot
from ledger.bulk import Row, insert_rows, select_rows
from ledger.lots import born, concerns_lot, lot_name, moved, slot_of, slot_taken


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

    def begin(self, connection: Connection, batch: Sequence[SignedStatement]) -> "LotFold":
        """A fold for `batch`, with the lots and slots it touches read ahead."""
        statements = [s.statement for s in batch if concerns_lot(s.statement.kind)]
        names = sorted({lot_name(statement) for statement in statements})
        taken = {slot_of(s) for s in statements if s.kind == "award"}
        with self._lock:
            deposits = dict(self._deposits)
        return LotFold(
            connection, _read_lots(connection, names), _taken(connection, taken), deposits
        )


class LotFold:
    """One batch on its way into the table of lots."""

    def __init__(
        self,
        connection: Connection,
        known: dict[str, Lot],
        slots: set[Slot],
        deposits: Mapping[bytes, Row],
    ) -> None:
        self._connection = connection
        self._known = known
        self._slots = slots
        self._deposits = deposits
        self._new: dict[str, Lot] = {}
        self._moved: set[str] = set()
        self._credentials: list[Row] = []

    def take(self, entry: Entry) -> None:
        """Fold one entry in; Refused where it contradicts the lots there are."""
        statement = entry.signed.statement
        if not concerns_lot(statement.kind):
            return
        if statement.kind != "award":
            lot = moved(self._known.get(lot_name(statement)), statement)
            self._known[lot.lot] = lot
            if lot.lot in self._new:
                self._new[lot.lot] = lot
            else:
                self._moved.add(lot.lot)
            return
        lot = born(entry)
        before = self._known.get(lot.lot)
        if before is not None:
            raise Refused(
                f"the lot {lot.lot} was awarded already, by entry {before.award_index}, with other "
                "content; correct it with a new statement, not a second award"
            )
        if lot.slot in self._slots:
            raise slot_taken(lot.slot)
        self._slots.add(lot.slot)
        self._known[lot.lot] = self._new[lot.lot] = lot
        deposit = self._deposits.get(statement.hash)
        if deposit is not None:
            self._credentials.append(deposit)

    def flush(self) -> None:
        """Write what was folded."""
        if self._new:
            insert_rows(self._connection, lots, [_row(lot) for lot in self._new.values()])
        for name in self._moved:
            state = self._known[name].state.value
            self._connection.execute(lots.update().where(lots.c.lot == name).values(state=state))
        if self._credentials:
            insert_rows(self._connection, credentials, self._credentials)


def clear(connection: Connection) -> None:
    """Empty the table, to fold the ledger into it again."""
    connection.execute(delete(lots))


def rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Every row, in the order of the awards."""
    return [tuple(row) for row in connection.execute(select(lots).order_by(lots.c.award_index))]


def _read_lots(connection: Connection, names: Sequence[str]) -> dict[str, Lot]:
    columns = [column.name for column in lots.columns]
    found = {}
    for row in select_rows(connection, lots, columns, ("lot",), [(name,) for name in names]):
        found[row.lot] = Lot(
            row.lot,
            row.institution,
            row.unit,
            row.credits,
            row.scheme,
            row.level,
            row.expires,
            row.commitment,
            Slot(row.list, row.slot),
            row.award_index,
            LotState(row.state),
        )
    return found


def _taken(connection: Connection, wanted: set[Slot]) -> set[Slot]:
    pairs = sorted((slot.list, slot.index) for slot in wanted)
    found = select_rows(connection, lots, ("list", "slot"), ("list", "slot"), pairs)
    return {Slot(row.list, row.slot) for row in found}


def _row(lot: Lot) -> Row:
    return (
        lot.lot,
        lot.institution,
        lot.unit,
        lot.credits,
        lot.scheme,
        lot.level,
        lot.expires,
        lot.commitment,
        lot.slot.list,
        lot.slot.index,
        lot.award_index,
        lot.state.value,
    )
