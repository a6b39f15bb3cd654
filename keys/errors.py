"""What can go wrong with keys and exact bytes: one base class, messages for people."""


class KeysError(Exception):
    """Base of every error this package raises."""


class BadKey(KeysError):
    """A key that is malformed, not canonical, or of small order."""


class BadSignature(KeysError):
    """A signature that does not verify."""


class NotCanonical(KeysError):
    """Bytes that are not strict JSON, or not equal to their own canonical form."""


class BadIdentifier(KeysError):
    """A DID that is malformed or of a method not used here."""


class KeystoreError(KeysError):
    """A keystore file that cannot be created, read or opened."""
