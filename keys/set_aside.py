"""A key that signs no more, lost or stolen: its public half is all that is used of it.

`public:z6Mk...` stands where a signer stood, so that what the key signed can still be shown.
"""

from dataclasses import dataclass

from keys.ed25519 import PublicKey
from keys.errors import KeysError, KeystoreError


@dataclass(frozen=True, slots=True)
class SetAside:
    """A Signer that signs nothing."""

    public_key: PublicKey

    def sign(self, message: bytes) -> bytes:
        """Refused, always."""
        raise KeystoreError(f"the key {self.public_key.multikey} was set aside: it signs no more")


def open_set_aside(rest: str, secret: str) -> SetAside:
    """The key behind `public:` and `rest`, a Multikey; nothing unlocks it."""
    del secret
    try:
        return SetAside(PublicKey.from_multikey(rest))
    except KeysError as error:
        raise KeystoreError(f"public: names a Multikey: {error}") from error


def create_set_aside(rest: str, secret: str) -> PublicKey:
    """Refused: such a key was made before."""
    raise KeystoreError(f"no key is made behind public:{rest[:60]}, it only names one")
