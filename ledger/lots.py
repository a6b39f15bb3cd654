"""Credit lots as a fold of the log: each award makes one, each later event moves its state.

These are pure transitions. The bank keeps lots in a table and an audit in memory; both
come to the same states because both ask here.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from ledger.body import GOVERNANCE_TYPES
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.statement import Statement


class LotState(StrEnum):
    """Where a lot stands. Expiry is computed from dates and is no state."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Slot:
    """A credential's place in a status list."""

    list: int
    index: int


@dataclass(frozen=True, slots=True)
class Lot:
    """One indivisible credit lot; `credits` is a decimal string, `expires` a day or empty."""

    lot: str
    institution: str
    unit: str
    credits: str
    scheme: str
    level: str
    expires: str
    commitment: str
    slot: Slot
    award_index: int
    state: LotState


_EVENTS: dict[str, tuple[frozenset[LotState], LotState]] = {
    "suspend": (frozenset({LotState.ACTIVE}), LotState.SUSPENDED),
    "reinstate": (frozenset({LotState.SUSPENDED}), LotState.ACTIVE),
    "revoke": (frozenset({LotState.ACTIVE, LotState.SUSPENDED}), LotState.REVOKED),
}


def concerns_lot(kind: str) -> bool:
    """Whether statements of type `kind` make or move a lot."""
    return kind == "award" or kind in _EVENTS


def lot_name(statement: Statement) -> str:
    """The lot that an award or a lot event speaks of."""
    return str(statement.body["lot"])


def slot_of(statement: Statement) -> Slot:
    """The status slot an award takes."""
    status = statement.body["status"]
    if not isinstance(status, dict):
        raise Refused("the award names no status slot")
    return Slot(int(str(status["list"])), int(str(status["index"])))


def born(entry: Entry) -> Lot:
    """The lot that an award entry makes."""
    statement = entry.signed.statement
    body = statement.body
    return Lot(
        lot_name(statement),
        statement.author,
        str(body["unit"]),
        str(body["credits"]),
        str(body["scheme"]),
        str(body["level"]),
        str(body.get("expires", "")),
        str(body["commitment"]),
        slot_of(statement),
        entry.index,
        LotState.ACTIVE,
    )


def moved(lot: Lot | None, statement: Statement) -> Lot:
    """The lot after a lot event; Refused where its author or its state forbids it."""
    if lot is None:
        raise missing(lot_name(statement))
    state = move(lot.lot, lot.state, lot.institution, statement.author, statement.kind)
    return replace(lot, state=state)


def missing(lot: str) -> Refused:
    """What is said to an event of a lot that there is not."""
    return Refused(f"there is no lot {lot} in this bank")


def awarded_already(lot: str) -> Refused:
    """What is said to a second award of a lot."""
    return Refused(f"the lot {lot} was awarded already")


def slot_taken(slot: Slot) -> Refused:
    """What is said to a second award of a status slot."""
    return Refused(f"the status slot {slot.list}#{slot.index} is taken")


def move(lot: str, state: LotState, institution: str, author: str, kind: str) -> LotState:
    """The state a lot event of `kind` by `author` leads to; Refused where it is not allowed."""
    if institution != author:
        raise Refused(f"only {institution} may {kind} its lot {lot}")
    allowed, after = _EVENTS[kind]
    if state not in allowed:
        raise Refused(f"the lot {lot} is {state}; it cannot {kind}")
    return after


class LotBook:
    """All lots in memory, for an audit."""

    def __init__(self) -> None:
        self.lots: dict[str, Lot] = {}
        self._slots: set[Slot] = set()

    def __len__(self) -> int:
        return len(self.lots)

    def know(self, lot: Lot) -> None:
        """Take in a lot that was checked before."""
        self.lots[lot.lot] = lot
        self._slots.add(lot.slot)

    def take(self, entry: Entry) -> None:
        """Fold one entry in; Refused where it contradicts those before."""
        statement = entry.signed.statement
        if statement.kind in GOVERNANCE_TYPES or not concerns_lot(statement.kind):
            return
        if statement.kind != "award":
            lot = moved(self.lots.get(lot_name(statement)), statement)
        else:
            lot = born(entry)
            if lot.lot in self.lots:
                raise awarded_already(lot.lot)
            if lot.slot in self._slots:
                raise slot_taken(lot.slot)
            self._slots.add(lot.slot)
        self.lots[lot.lot] = lot
