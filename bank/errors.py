"""What can go wrong in the bank: one base class, messages for people."""

from ledger import SignedStatement


class BankError(Exception):
    """Base of every error this package raises."""


class BadRequest(BankError):
    """A request that is malformed, or does not agree with itself."""


class NotAllowed(BankError):
    """A request without the signature or token it takes."""


class NotYours(BankError):
    """A request by somebody known, who may not make it."""


class TooLarge(BankError):
    """A request whose body is over what its route takes."""


class TooSlow(BankError):
    """A request whose body did not arrive in time."""


class WrongType(BankError):
    """A request whose body is of a type that its route does not take."""


class NoSuchThing(BankError):
    """A credential, account or document this bank does not hold."""


class NoLonger(BankError):
    """Something that was there and has ended: a share that expired or was withdrawn."""


class TooFast(BankError):
    """More requests than one address may make; `wait` seconds until the next."""

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(f"{message}; try again in {wait} seconds")
        self.wait = wait


class NeedsSecondPerson(BankError):
    """More awards than one person hands in: `proposed` is what the second person is to sign."""

    def __init__(self, message: str, proposed: SignedStatement) -> None:
        super().__init__(message)
        self.proposed = proposed


class BadSetup(BankError):
    """A bank, key or settings file that is missing, present already, or wrong."""


class BadBackup(BankError):
    """A backup that cannot be made, or is damaged, or has no place to be restored to."""
