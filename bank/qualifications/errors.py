"""What stops an evaluation from being made at all; a condition not met is a `Line` instead."""

from bank.errors import BankError


class QualificationsError(BankError):
    """Base of every error this package raises; the message names the field or the lot."""


class BadRequirement(QualificationsError):
    """A requirement with credits that cannot be."""


class BadHolding(QualificationsError):
    """Lots that cannot be evaluated: one given twice, or credits or hours that cannot be."""
