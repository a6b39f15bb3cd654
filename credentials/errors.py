"""What can go wrong with credentials: one base class, messages for people."""


class CredentialsError(Exception):
    """Base of every error this package raises."""


class BadDocument(CredentialsError):
    """A document that is malformed, or says something its signature would not cover."""


class BadProof(CredentialsError):
    """A proof that is malformed, of an unknown kind, or does not verify."""


class BadStatusList(CredentialsError):
    """A status list that is malformed, too large, or does not hold the asked entry."""


class BadQR(CredentialsError):
    """A QR code, its URL or its payload that cannot be made or read."""
