"""What an institution's side needs of the bank, wherever the bank runs."""

from collections.abc import Sequence
from typing import Protocol

from bank.institution import Institution, Submission
from ledger import Slot
from ledger.sequencer import Outcome


class BankPort(Protocol):
    """A bank in this process (`LocalBank`) or behind its HTTP API (`bank.client.RemoteBank`)."""

    def slots(self, institution: Institution, lots: Sequence[str]) -> list[Slot]:
        """A status slot for each lot, the same one whenever it is asked for."""

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append statements and deposit credentials; one outcome each, in order."""

    def submit_together(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `submit`, but all of them or none."""
