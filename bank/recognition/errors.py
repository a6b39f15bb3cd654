"""What can go wrong in recognition: one base class, messages for people."""

from bank.errors import BankError


class RecognitionError(BankError):
    """Base of every error this package raises."""


class BadRule(RecognitionError):
    """A draft of a rule that the ledger would not take."""
