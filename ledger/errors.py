"""What can go wrong with a ledger: one base class, messages for people."""


class LedgerError(Exception):
    """Base of every error this package raises."""


class BadStatement(LedgerError):
    """A statement that is malformed, not canonical, or whose signature does not verify."""


class BadEntry(LedgerError):
    """Entry bytes that are malformed, not canonical, or do not continue the chain."""


class BadNote(LedgerError):
    """A signed note, verifier key or checkpoint that is malformed or wrongly signed."""


class BadProofPath(LedgerError):
    """An inclusion or consistency proof that does not lead to the given root."""


class BadReceipt(LedgerError):
    """A receipt that is malformed."""


class Refused(LedgerError):
    """A well-formed statement which its author had no authority to make, or which conflicts."""


class NotFound(LedgerError):
    """An entry, size or statement the log does not hold."""


class StoreFault(LedgerError):
    """The store is not what it must be: not durable, damaged, of another version, or gone."""
