"""A lot as a row of a table: the columns, and the way there and back."""

from typing import Any

from sqlalchemy import Column, Integer, Row, Text

from ledger.lots import Lot, Slot
from ledger.standing import Facts, LotState, Standing
from ledger.store import NUMBER


def lot_columns() -> list[Column[Any]]:
    """New columns for a table of lots, in the order of `lot_row`."""
    texts = ("kind", "institution", "unit", "credits", "scheme", "level", "awarded", "expires")
    return [
        Column("lot", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in texts),
        Column("depth", Integer, nullable=False),
        Column("origin", Text, nullable=False),
        Column("commitment", Text, nullable=False),
        Column("list", Integer),
        Column("slot", Integer),
        Column("award_index", NUMBER, nullable=False),
        Column("changed", NUMBER, nullable=False),
        Column("keeper", Text, nullable=False),
        Column("state", Text, nullable=False, index=True),
        Column("holder", Text, nullable=False),
        Column("since", Text, nullable=False),
        Column("until", Text, nullable=False),
        Column("claim", Text, nullable=False),
        Column("consumed", NUMBER, nullable=False),
        Column("review", Integer, nullable=False),
    ]


def lot_row(lot: Lot) -> tuple[Any, ...]:
    """The values of a lot, in the order of `lot_columns`."""
    facts, standing = lot.facts, lot.standing
    return (
        lot.lot,
        lot.kind,
        facts.institution,
        facts.unit,
        facts.credits,
        facts.scheme,
        facts.level,
        facts.awarded,
        facts.expires,
        facts.depth,
        lot.origin,
        lot.commitment,
        None if lot.slot is None else lot.slot.list,
        None if lot.slot is None else lot.slot.index,
        lot.award_index,
        lot.changed,
        *standing_values(standing).values(),
    )


def standing_values(standing: Standing) -> dict[str, Any]:
    """The columns that a lot's events change, but for `changed`."""
    return {
        "keeper": standing.keeper,
        "state": standing.state.value,
        "holder": standing.holder,
        "since": standing.since,
        "until": standing.until,
        "claim": standing.claim,
        "consumed": standing.consumed,
        "review": int(standing.review),
    }


def lot_of(row: Row[Any]) -> Lot:
    """The lot of a row."""
    facts = Facts(
        row.institution,
        row.unit,
        row.credits,
        row.scheme,
        row.level,
        row.awarded,
        row.expires,
        row.depth,
    )
    standing = Standing(
        row.keeper,
        LotState(row.state),
        facts.digest,
        row.expires,
        row.holder,
        row.since,
        row.until,
        row.claim,
        row.consumed,
        bool(row.review),
    )
    slot = None if row.list is None else Slot(row.list, row.slot)
    return Lot(
        row.lot,
        row.kind,
        facts,
        row.commitment,
        slot,
        row.award_index,
        row.origin,
        standing,
        row.changed,
    )
