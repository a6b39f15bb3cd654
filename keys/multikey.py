"""Public keys of every kind known here, by their Multikey strings (Controlled Identifiers 1.0)."""

from typing import Protocol

from keys.ed25519 import PublicKey


class VerificationKey(Protocol):
    """A public key that can check signatures."""

    @property
    def algorithm(self) -> str:
        """`Ed25519`, `P-256` or `P-384`."""

    @property
    def multikey(self) -> str:
        """The key as a Multikey string."""

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check a signature over `message`; BadSignature where it fails."""


class AnySigner(Protocol):
    """Whoever can sign with a key of some kind."""

    @property
    def public_key(self) -> VerificationKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""


def read_multikey(text: str) -> VerificationKey:
    """The key of a Multikey string; BadKey says what is wrong with it."""
    if text.startswith("z6Mk"):
        return PublicKey.from_multikey(text)
    # Imported when it is met: the ledger's own keys are all Ed25519, and start-up counts.
    from keys.ecdsa import EcdsaPublicKey

    return EcdsaPublicKey.from_multikey(text)
