"""Status slots: a random free place in a list for each lot, the same one when asked again.

Random, so that a revoked place tells nothing of when or to whom a credential was issued.
"""

import random
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import IntegrityError

from bank.errors import NotAllowed
from bank.tables import lots, slots
from ledger import STATUS_LIST_LENGTH, Slot, StoreFault
from ledger.store import writing

_CHUNK = 400
_TRIES = 10
# Above this, finding a free place by chance takes too many tries.
_FULL = STATUS_LIST_LENGTH * 3 // 4


class Slots:
    """Gives out the places in status lists."""

    def __init__(self, engine: Engine, dice: random.Random) -> None:
        self._engine = engine
        self._dice = dice

    def give(self, institution: str, names: Sequence[str]) -> list[Slot]:
        """A slot for each lot, in order; NotAllowed if a lot is another institution's."""
        for _ in range(_TRIES):
            # Another server may have given the same places at the same time: then theirs stand.
            with suppress(IntegrityError), writing(self._engine) as connection:
                return _allocate(connection, institution, names, self._dice)
        raise StoreFault("too many servers give out status slots at once; try again")


def _allocate(
    connection: Connection, institution: str, names: Sequence[str], dice: random.Random
) -> list[Slot]:
    known = _known(connection, institution, names)
    new = [lot for lot in dict.fromkeys(names) if lot not in known]
    if new:
        places = _free(connection, len(new), dice)
        known |= dict(zip(new, places, strict=True))
        rows = [
            {"lot": lot, "institution": institution, "list": place.list, "slot": place.index}
            for lot, place in zip(new, places, strict=True)
        ]
        connection.execute(slots.insert(), rows)
    return [known[lot] for lot in names]


def _known(connection: Connection, institution: str, names: Sequence[str]) -> dict[str, Slot]:
    """Slots given out before, and those of awards whose reservation was lost with a backup."""
    found = {}
    for table in (slots, lots):
        for start in range(0, len(names), _CHUNK):
            query = select(table.c.lot, table.c.institution, table.c.list, table.c.slot).where(
                table.c.lot.in_(names[start : start + _CHUNK])
            )
            for row in connection.execute(query):
                if row.institution != institution:
                    raise NotAllowed(f"the lot {row.lot} belongs to another institution")
                found[row.lot] = Slot(row.list, row.slot)
    return found


def _free(connection: Connection, count: int, dice: random.Random) -> list[Slot]:
    newest = connection.execute(select(func.max(slots.c.list))).scalar_one() or 1
    query = select(func.count()).select_from(slots).where(slots.c.list == newest)
    used = connection.execute(query).scalar_one()
    places: list[Slot] = []
    while len(places) < count:
        if used >= _FULL:
            newest, used = newest + 1, 0
        wanted = min(count - len(places), _FULL - used)
        found = _draw(connection, newest, wanted, dice)
        places += found
        used += len(found)
    return places


def _draw(connection: Connection, number: int, count: int, dice: random.Random) -> list[Slot]:
    drawn = dice.sample(range(STATUS_LIST_LENGTH), min(2 * count + 8, STATUS_LIST_LENGTH))
    taken: set[int] = set()
    for start in range(0, len(drawn), _CHUNK):
        chunk = drawn[start : start + _CHUNK]
        for table in (slots, lots):
            query = select(table.c.slot).where(table.c.list == number, table.c.slot.in_(chunk))
            taken.update(connection.execute(query).scalars())
    return [Slot(number, index) for index in drawn if index not in taken][:count]
