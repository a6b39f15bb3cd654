"""Credit lots as a fold of the log: what each entry makes of them.

These are pure. The bank keeps lots in a table, an audit in partitions on disk; both come to
the same states because both ask here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keys import Json
from ledger.checked import as_object
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.receipt import Receipt
from ledger.standing import MOVES, Event, Facts, LotState, Standing, move
from ledger.statement import Statement

_BIRTHS = frozenset(("award", "confer", "transfer.in", "transfer.refuse"))
RPL = "rpl"
"""The kind of a lot awarded for prior learning."""
_NESTED = {"supersede": "successor", "convert": "derived"}
"""Types that move one lot and make another, and the field that describes the new one."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A credential's place in a status list."""

    list: int
    index: int


@dataclass(frozen=True, slots=True)
class Lot:
    """One indivisible credit lot. `kind` is the statement type that made it, or RPL."""

    lot: str
    kind: str
    facts: Facts
    commitment: str
    slot: Slot | None
    award_index: int
    """The entry that made it."""
    origin: str
    """The lot it was converted from or takes the place of, or empty."""
    standing: Standing
    changed: int
    """The last entry that made or moved it."""

    @property
    def state(self) -> LotState:
        """Where it stands; a reservation that lapsed still reads as one (see Standing.at)."""
        return self.standing.state


def concerns_lot(kind: str) -> bool:
    """Whether statements of type `kind` make or move a lot."""
    return kind in _BIRTHS or kind in MOVES


def lot_names(statement: Statement) -> tuple[str, ...]:
    """The lots that a statement makes or moves; first the one it moves."""
    if not concerns_lot(statement.kind):
        return ()
    nested = _NESTED.get(statement.kind)
    first = str(statement.body["lot"])
    return (first,) if nested is None else (first, str(as_object(statement.body[nested])["lot"]))


def certified_by(statement: Statement) -> Mapping[str, Json] | None:
    """What a statement says of the credential issued with it: its lot, commitment, slot…; or None.

    Of an award, a correction's successor and a conversion's derived lot also credits and level, of
    a qualification its level.
    """
    nested = _NESTED.get(statement.kind)
    if nested is not None:
        return as_object(statement.body[nested])
    return statement.body if statement.kind in ("award", "confer") else None


def slot_of(statement: Statement) -> Slot | None:
    """The status slot that a statement takes, if it does."""
    certified = certified_by(statement)
    return None if certified is None else _slot(certified["status"])


Identity = tuple[int, bytes]
"""A statement's hash, and before it the status list it takes a place in, or 0."""


def identity_of(statement: Statement) -> Identity:
    """What tells a statement from all others in the log, those of one time near one another.

    Lists fill up one after the other. So an index over identities grows at few places, where
    one over hashes alone grows everywhere at once.
    """
    certified = certified_by(statement)
    number = 0 if certified is None else as_object(certified["status"])["list"]
    return (number if isinstance(number, int) else 0, statement.hash)


def made_by(entry: Entry) -> Lot | None:
    """The lot that an entry makes, or None."""
    statement = entry.signed.statement
    kind, body, author = statement.kind, statement.body, statement.author
    if kind == "award":
        return _awarded(entry, body, 0, "")
    if kind == "supersede":
        return _awarded(entry, as_object(body["successor"]), 0, str(body["lot"]))
    if kind == "convert":
        depth = Facts.from_json(body["facts"]).depth + 1
        return _awarded(entry, as_object(body["derived"]), depth, str(body["lot"]))
    if kind == "confer":
        level = str(body["level"])
        facts = Facts(author, str(body["qualification"]), "0", "", level, entry.time[:10], "")
        return _in_state(_lot(entry, body, facts, _slot(body["status"]), ""), LotState.CONFERRED)
    if kind == "transfer.in":
        sent = Entry.parse(Receipt.parse(str(body["home"])).entry).signed.statement.body
        return _lot(entry, body, Facts.from_json(sent["facts"]), None, str(sent["lot"]))
    if kind == "transfer.refuse":
        nothing = Facts(author, "", "0", "", "", entry.time[:10], "")
        return _in_state(_lot(entry, body, nothing, None, ""), LotState.REFUSED)
    return None


def moved_by(entry: Entry) -> Event | None:
    """What an entry does to a lot that is there before it, or None."""
    return Event.of(entry) if entry.signed.statement.kind in MOVES else None


def missing(lot: str) -> Refused:
    """What is said to an event of a lot that there is not."""
    return Refused(f"there is no lot {lot} in this bank")


def awarded_already(lot: str) -> Refused:
    """What is said to a second statement that makes a lot."""
    return Refused(f"the lot {lot} was awarded already")


def slot_taken(slot: Slot) -> Refused:
    """What is said to a second award of a status slot."""
    return Refused(f"the status slot {slot.list}#{slot.index} is taken")


class LotBook:
    """All lots in memory, for a monitor and for reports."""

    def __init__(self) -> None:
        self.lots: dict[str, Lot] = {}
        self._slots: set[Slot] = set()

    def __len__(self) -> int:
        return len(self.lots)

    def know(self, lot: Lot) -> None:
        """Take in a lot that was checked before."""
        self.lots[lot.lot] = lot
        if lot.slot is not None:
            self._slots.add(lot.slot)

    def take(self, entry: Entry) -> None:
        """Fold one entry in; Refused where it contradicts those before, with nothing changed."""
        if not concerns_lot(entry.signed.statement.kind):
            return
        event, made = moved_by(entry), made_by(entry)
        moved = None if event is None else after(self.lots.get(event.lot), event)
        if made is not None:
            if made.lot in self.lots:
                raise awarded_already(made.lot)
            if made.slot in self._slots and made.slot is not None:
                raise slot_taken(made.slot)
            self.know(made)
        if moved is not None:
            self.lots[moved.lot] = moved


def after(lot: Lot | None, event: Event) -> Lot:
    """The lot after an event; Refused where it may not happen."""
    if lot is None:
        raise missing(event.lot)
    return replace(lot, standing=move(lot.standing, event), changed=event.index)


def _awarded(entry: Entry, award: Mapping[str, Json], depth: int, origin: str) -> Lot:
    facts = Facts(
        entry.signed.statement.author,
        str(award["unit"]),
        str(award["credits"]),
        str(award["scheme"]),
        str(award["level"]),
        entry.time[:10],
        str(award.get("expires", "")),
        depth,
    )
    lot = _lot(entry, award, facts, _slot(award["status"]), origin)
    return replace(lot, kind=RPL) if "rpl" in award else lot


def _lot(
    entry: Entry, body: Mapping[str, Json], facts: Facts, slot: Slot | None, origin: str
) -> Lot:
    statement = entry.signed.statement
    standing = Standing(statement.author, LotState.ACTIVE, facts.digest, facts.expires)
    commitment = str(body.get("commitment", ""))
    name, index = str(body["lot"]), entry.index
    return Lot(name, statement.kind, facts, commitment, slot, index, origin, standing, index)


def _in_state(lot: Lot, state: LotState) -> Lot:
    return replace(lot, standing=replace(lot.standing, state=state))


def _slot(status: Json) -> Slot:
    item = as_object(status)
    return Slot(int(str(item["list"])), int(str(item["index"])))
