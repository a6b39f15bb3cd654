"""What a bank does to send lots to sister banks and to take theirs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bank.errors import BadRequest
from bank.federation.errors import NotOurs, SisterUnreachable
from bank.lots import Lots
from keys import Json
from ledger import Entry, LedgerError, Lot, LotState, Receipt, Refused, Registry, format_time
from ledger.authority import LogIdentity
from ledger.log import Log
from ledger.sequencer import Declined, Outcome
from ledger.transfers import open_receipt, trim

DAYS = 7
"""How long a sister bank has to answer, by default."""


class Desk(Protocol):
    """What is needed of the bank itself."""

    log: Log
    lots: Lots

    def state(self, kind: str, body: dict[str, Json]) -> Outcome:
        """Append what the bank states with its own key."""

    def registry(self) -> Registry:
        """Agreements and keys as of now."""

    def identity(self) -> LogIdentity:
        """The bank's name and log."""

    def now(self) -> datetime:
        """The time by the bank's clock."""


class SisterPort(Protocol):
    """A sister bank, wherever it runs."""

    def offer(self, receipt: str) -> str:
        """Its answer's receipt to that of a `transfer.out`; SisterUnreachable if there is none."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a transfer: `taken`, `returned`, or `waiting` with the reason."""

    lot: str
    to: str
    outcome: str
    reason: str = ""


class Federation:
    """A bank among its sisters."""

    def __init__(self, bank: Desk, new_name: Callable[[], str]) -> None:
        """`new_name` makes the random name of a transfer: 16 bytes as base64url."""
        self._bank = bank
        self._new_name = new_name

    def party(self) -> dict[str, Json]:
        """This bank as one side of an agreement."""
        identity, registry = self._bank.identity(), self._bank.registry()
        governance: list[Json] = list(identity.governance)
        operator = registry.operator
        own: list[Json] = [
            key
            for key, period in (operator.keys.items() if operator else ())
            if period.end is None and period.suspect_from is None
        ]
        return {
            "bank": identity.bank,
            "governance": {"keys": governance, "threshold": identity.threshold},
            "keys": own,
            "log": [str(key) for key in identity.log_keys],
            "name": dict(identity.names),
            "origin": identity.origin,
        }

    def send(self, name: str, to: str, days: int = DAYS) -> str:
        """Lock a lot for a transfer to the bank `to`, which has so many days; the transfer's name.

        BadRequest, with what holds the lot, if it cannot be sent.
        """
        lot, transfer = self._bank.lots.get(name), self._new_name()
        until = format_time(self._bank.now() + timedelta(days=days))
        body: dict[str, Json] = {
            "facts": lot.facts.to_json(),
            "lot": name,
            "to": to,
            "transfer": transfer,
            "until": until,
        }
        self._state("transfer.out", body)
        return transfer

    def pending(self) -> list[Lot]:
        """Every lot that is on its way to a sister bank."""
        return self._bank.lots.in_state(LotState.PENDING_OUT)

    def settle(self, reach: Callable[[str], SisterPort]) -> Iterator[Moved]:
        """Ask about every lot on its way, and close what was answered.

        `reach` gives the sister bank of a DID. Run again as often as one likes.
        """
        for lot in self.pending():
            to = lot.standing.holder
            try:
                answer = reach(to).offer(self._receipt(lot.changed))
                yield Moved(lot.lot, to, self._close(lot, answer))
            except (SisterUnreachable, BadRequest) as error:
                yield Moved(lot.lot, to, "waiting", str(error))

    def receive(self, receipt: str) -> str:
        """Answer a sister bank's `transfer.out`: the receipt of what was decided, once for all.

        NotOurs where nothing is decided: not addressed to this bank, or no receipt of a sister's.
        """
        body = self._addressed(receipt)
        name = str(body["transfer"])
        if self._bank.lots.find(name) is None:
            outcome = self._bank.state("transfer.in", {"home": receipt, "lot": name})
            if isinstance(outcome, Declined) and self._bank.lots.find(name) is None:
                late = str(body["until"]) < format_time(self._bank.now())
                reason = "lapsed" if late else "declined"
                # Without a refusal on record the lot could never go home.
                self._bank.state("transfer.refuse", {"lot": name, "reason": reason})
        decided = self._bank.lots.get(name)
        return self._receipt(decided.award_index)

    def _addressed(self, receipt: str) -> dict[str, Json]:
        """The body of a `transfer.out` to this bank, proved to be in the log of a sister's."""
        try:
            author = Entry.parse(Receipt.parse(receipt).entry).signed.statement.author
            agreement = self._bank.registry().agreements.get(author)
            if agreement is None:
                raise NotOurs(f"this bank has no agreement with {author[:100]}")
            statement = open_receipt(receipt, agreement).signed.statement
        except Refused as error:
            raise NotOurs(str(error)) from error
        except LedgerError as error:
            raise NotOurs(f"this is no receipt: {error}") from error
        own = self._bank.identity().bank
        if statement.kind != "transfer.out" or statement.body["to"] != own:
            raise NotOurs("the receipt is not of a lot that is on its way to this bank")
        return dict(statement.body)

    def _close(self, lot: Lot, answer: str) -> str:
        try:
            kind = Entry.parse(Receipt.parse(answer).entry).signed.statement.kind
        except LedgerError as error:
            raise BadRequest(f"the sister bank's answer is no receipt: {error}") from error
        final = kind == "transfer.in"
        body: dict[str, Json] = {"lot": lot.lot, "sister": answer}
        self._state("transfer.final" if final else "transfer.return", body)
        return "taken" if final else "returned"

    def _state(self, kind: str, body: dict[str, Json]) -> None:
        outcome = self._bank.state(kind, body)
        if isinstance(outcome, Declined):
            raise BadRequest(outcome.reason)

    def _receipt(self, index: int) -> str:
        """As statements carry it: with the log's own signature alone."""
        whole = self._bank.log.receipt(index).encode()
        return trim(whole, self._bank.identity().log_keys)
