"""What a learner holds: each award with its credential's identifier, its lot, and how that stands.

No credential is opened for it: what a list shows of an award is public on the ledger.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Connection, select

from bank.tables import credentials, lots
from ledger import Lot, LotState
from ledger.lot_rows import lot_of

_PLAIN = re.compile(r"urn:uuid:([0-9a-f-]{36})")
_CHUNK = 400


class AwardState(StrEnum):
    """How an award stands for the one who holds it, on a day."""

    USABLE = "usable"
    EXPIRED = "expired"
    RESERVED = "reserved"
    SUSPENDED = "suspended"
    LEAVING = "leaving"
    REDEEMED = "redeemed"
    CONVERTED = "converted"
    TRANSFERRED = "transferred"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    CONFERRED = "conferred"
    """A qualification, which is no credits."""


_STANDING = {
    LotState.ACTIVE: AwardState.USABLE,
    LotState.RESERVED: AwardState.RESERVED,
    LotState.SUSPENDED: AwardState.SUSPENDED,
    LotState.PENDING_OUT: AwardState.LEAVING,
    LotState.REDEEMED: AwardState.REDEEMED,
    LotState.CONVERTED: AwardState.CONVERTED,
    LotState.TRANSFERRED: AwardState.TRANSFERRED,
    LotState.SUPERSEDED: AwardState.SUPERSEDED,
    LotState.REVOKED: AwardState.REVOKED,
    LotState.CONFERRED: AwardState.CONFERRED,
    # Nobody holds a credential of a lot that was never here.
    LotState.REFUSED: AwardState.TRANSFERRED,
}


@dataclass(frozen=True, slots=True)
class Award:
    """A credential's identifier, the account that holds it, and its lot."""

    identifier: str
    account: str
    lot: Lot

    @property
    def name(self) -> str:
        """What it is called in addresses and files."""
        return short_name(self.identifier)

    def state(self, time: str) -> AwardState:
        """How it stands at `time`."""
        found = _STANDING[self.lot.standing.at(time)]
        expired = found is AwardState.USABLE and self.lot.standing.expired(time[:10])
        return AwardState.EXPIRED if expired else found


def short_name(identifier: str) -> str:
    """A name that is safe on every system: an institution chose the identifier."""
    plain = _PLAIN.fullmatch(identifier)
    return plain[1] if plain else sha256(identifier.encode()).hexdigest()


def awards_of(connection: Connection, accounts: Sequence[str]) -> list[Award]:
    """Every award that these accounts hold, in the order of the entries."""
    found: list[Award] = []
    for start in range(0, len(accounts), _CHUNK):
        query = (
            select(lots, credentials.c.identifier, credentials.c.account)
            .join(credentials, credentials.c.lot == lots.c.lot)
            .where(credentials.c.account.in_(accounts[start : start + _CHUNK]))
        )
        rows = connection.execute(query)
        found += [Award(row.identifier, row.account, lot_of(row)) for row in rows]
    return sorted(found, key=lambda award: award.lot.award_index)
