"""What can go wrong in the bank: one base class, messages for people."""


class BankError(Exception):
    """Base of every error this package raises."""


class BadRequest(BankError):
    """A request that is malformed, or does not agree with itself."""


class NotAllowed(BankError):
    """A request without the signature or token it takes."""


class NoSuchThing(BankError):
    """A credential, account or document this bank does not hold."""


class NoLonger(BankError):
    """Something that was there and has ended: a share that expired or was withdrawn."""


class TooFast(BankError):
    """More requests than one address may make; `wait` seconds until the next."""

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(f"{message}; try again in {wait} seconds")
        self.wait = wait


class BadSetup(BankError):
    """A bank, key or settings file that is missing, present already, or wrong."""


class BadBackup(BankError):
    """A backup that cannot be made, or is damaged, or has no place to be restored to."""
