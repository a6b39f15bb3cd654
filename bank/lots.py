"""The lots there are, as the ledger's entries left them."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine, select

from bank.errors import NoSuchThing
from bank.tables import credentials, lots
from ledger import Lot, LotState
from ledger.bulk import select_rows
from ledger.lot_rows import lot_of
from ledger.store import reading

_PAGE = 5000


class Lots:
    """What anyone, and the staff of an institution, can ask about lots."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str) -> Lot:
        """One lot; NoSuchThing if there is none of this name."""
        found = self.find(name)
        if found is None:
            raise NoSuchThing(f"there is no lot {name[:60]} in this bank")
        return found

    def find(self, name: str) -> Lot | None:
        """One lot, or None."""
        with reading(self._engine) as connection:
            return read_lots(connection, [name]).get(name)

    def committed(self, commitment: str) -> Lot | None:
        """The lot whose credential has this commitment, or None."""
        query = select(lots).where(lots.c.commitment == commitment).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else lot_of(row)

    def awarded_at(self, index: int) -> str:
        """The lot that the award entry at `index` made; empty if that entry is no award."""
        with reading(self._engine) as connection:
            query = select(lots.c.lot).where(lots.c.award_index == index)
            return str(connection.execute(query).scalar_one_or_none() or "")

    def each(self) -> Iterator[Lot]:
        """Every lot with credits in it, spent ones too, in the order of their entries."""
        last = -1
        while True:
            query = (
                select(lots)
                .where(lots.c.award_index > last, lots.c.kind.not_in(("confer", "transfer.refuse")))
                .order_by(lots.c.award_index)
                .limit(_PAGE)
            )
            # A page a transaction: whoever looks at millions of lots holds nobody up.
            with reading(self._engine) as connection:
                found = [lot_of(row) for row in connection.execute(query)]
            yield from found
            if len(found) < _PAGE:
                return
            last = found[-1].award_index

    def in_state(self, state: LotState) -> list[Lot]:
        """Every lot in a state, in the order of their entries."""
        query = select(lots).where(lots.c.state == state.value).order_by(lots.c.award_index)
        with reading(self._engine) as connection:
            return [lot_of(row) for row in connection.execute(query)]

    def of_institution(
        self, institution: str, before: int, count: int, unit: str = "", state: str = ""
    ) -> list[Lot]:
        """An institution's lots made by entries before one, newest first; of a unit, in a state."""
        query = select(lots).where(lots.c.institution == institution, lots.c.award_index < before)
        if unit:
            query = query.where(lots.c.unit == unit)
        if state:
            query = query.where(lots.c.state == state)
        query = query.order_by(lots.c.award_index.desc()).limit(count)
        with reading(self._engine) as connection:
            return [lot_of(row) for row in connection.execute(query)]

    def credential(self, lot: str) -> tuple[str, str] | None:
        """Identifier and account of a lot's credential, if it is here; for its issuer's staff."""
        query = select(credentials.c.identifier, credentials.c.account).where(
            credentials.c.lot == lot
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.identifier, row.account)


def lots_of(connection: Connection, account: str) -> list[Lot]:
    """Every lot of an account, in the order of their entries."""
    query = (
        select(lots)
        .join(credentials, credentials.c.lot == lots.c.lot)
        .where(credentials.c.account == account)
        .order_by(lots.c.award_index)
    )
    return [lot_of(row) for row in connection.execute(query)]


def read_lots(connection: Connection, names: Sequence[str]) -> dict[str, Lot]:
    """The lots of these names that there are."""
    columns = [column.name for column in lots.columns]
    found = select_rows(connection, lots, columns, ("lot",), [(name,) for name in names])
    return {row.lot: lot_of(row) for row in found}
