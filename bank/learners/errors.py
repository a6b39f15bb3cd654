"""What can go wrong with the records about learners: one base class, messages for people.

No message repeats a name or a number of an identity document: messages end up in logs.
"""

from bank.errors import BankError


class LearnersError(BankError):
    """Base of every error this package raises."""


class BadIdentity(LearnersError):
    """A name or an identity document that is not one; the message says why."""


class BadConsent(LearnersError):
    """A consent that does not say for what, to whom, to which credentials, or until when."""


class NoSuchRecord(LearnersError):
    """A learner, account, consent or identity document the bank has no record of."""


class Conflict(LearnersError):
    """A change that contradicts what is recorded: another's account, number or name."""


class Erased(LearnersError):
    """A learner or account that was erased, and is not made again."""
