"""What can go wrong between banks: one base class, messages for people."""

from bank.errors import BadRequest, BankError


class FederationError(BankError):
    """Base of every error this package raises."""


class SisterUnreachable(FederationError):
    """A sister bank did not answer, or not as one does; asking again is safe."""


class NotOurs(FederationError, BadRequest):
    """A transfer that this bank does not answer: not addressed to it, or without an agreement."""
