"""What an institution's side needs of the bank, wherever the bank runs."""

from collections.abc import Sequence
from typing import Protocol

from bank.institution import Institution, Submission
from ledger import SignedStatement, Slot
from ledger.sequencer import Outcome


class BankPort(Protocol):
    """A bank in this process (`LocalBank`) or behind its HTTP API (`bank.client.RemoteBank`)."""

    def slots(self, institution: Institution, lots: Sequence[str]) -> list[Slot]:
        """A status slot for each lot, the same one whenever it is asked for."""

    def alone(self, institution: Institution) -> int:
        """How many awards it may still hand in today on one person's signature."""

    def approve_batch(self, signed: SignedStatement, awards: Sequence[bytes]) -> Outcome:
        """Let awards be handed in beyond that; `signed` is their `batch.approve` by two persons."""

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append statements and deposit credentials; one outcome each, in order."""

    def submit_together(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `submit`, but all of them or none."""
