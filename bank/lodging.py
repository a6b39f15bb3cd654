"""Appeals, lodged by the bank for a learner: on the ledger with a clock, and no word of why."""

from dataclasses import dataclass
from datetime import timedelta

from bank.errors import BadRequest, NotAllowed
from bank.service import Bank
from keys import Json, b64u_encode
from ledger import Entry
from ledger.sequencer import Declined

DAYS = 30
"""Within how many an appeal is to be decided, if nothing else is said."""
_MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Lodged:
    """An appeal by its name, the day by which it is to be decided, and its entry."""

    appeal: str
    due: str
    index: int


def lodge(bank: Bank, entry: int, grounds: bytes, days: int = DAYS) -> Lodged:
    """Appeal against the decision in an entry; `grounds` are the 32 bytes of a hash of them.

    BadRequest says why the ledger declines it.
    """
    if not 0 < days <= _MOST_DAYS:
        raise BadRequest(f"an appeal is to be decided within 1 to {_MOST_DAYS} days")
    decided = Entry.parse(bank.log.entry(entry)).signed.statement
    name, due = bank.chance.name(), (bank.now().date() + timedelta(days=days)).isoformat()
    body: dict[str, Json] = {
        "against": decided.author,
        "appeal": name,
        "due": due,
        "grounds": b64u_encode(grounds),
        "of": entry,
    }
    outcome = bank.state("appeal", body)
    if isinstance(outcome, Declined):
        raise BadRequest(outcome.reason)
    return Lodged(name, due, outcome.index)


def lodge_as_owner(bank: Bank, token: str, entry: int, grounds: bytes) -> Lodged:
    """As `lodge`, for the owner of the lot that was decided about; NotAllowed for anybody else."""
    account = bank.accounts.of_token(token)
    lot = str(Entry.parse(bank.log.entry(entry)).signed.statement.body.get("lot", ""))
    held = bank.lots.credential(lot)
    if held is None or held[1] != account:
        raise NotAllowed("that entry decides about no award of this account")
    return lodge(bank, entry, grounds)
