"""Sealing: learner data is ciphertext under a key per account, each wrapped by the bank's own.

A learner, who may have several accounts, has a key as well. Destroying a wrapped key makes
everything sealed under it unreadable for good, while the ledger, which never held any of it,
still audits.
"""

import hmac
from hashlib import sha256

from nacl import bindings
from nacl.exceptions import CryptoError

from bank.errors import NoSuchThing
from keys import b64u_encode

PURPOSE = "creditbank-vault"
"""Purpose of the keystore that holds the bank's sealing secret."""
_NONCE = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES


class Vault:
    """Seals and opens under the bank's 32-byte secret; never shows it."""

    def __init__(self, secret: bytes) -> None:
        self._wrapping = hmac.digest(secret, b"wrap", sha256)
        self._tokens = hmac.digest(secret, b"token", sha256)
        # One key for each use, so that a digest made for one never answers for another.
        self._documents = hmac.digest(secret, b"identity document", sha256)
        self._tombstones = hmac.digest(secret, b"tombstone", sha256)
        self._uses = hmac.digest(secret, b"access", sha256)

    def new_key(self, account: str) -> bytes:
        """A new key for an account or a learner, wrapped; it opens only under that name."""
        return _seal(self._wrapping, bindings.randombytes(32), account)

    def unwrap(self, account: str, wrapped: bytes | None) -> "AccountKey":
        """The account's key; NoSuchThing if it was destroyed."""
        if wrapped is None:
            raise NoSuchThing("this account was erased")
        return AccountKey(_open(self._wrapping, wrapped, account))

    def token(self, account: str) -> str:
        """The owner's token of an account; the bank stores only its hash."""
        return b64u_encode(hmac.digest(self._tokens, account.encode(), sha256))

    def document_hash(self, kind: str, number: str) -> bytes:
        """What an identity document is found by: 32 bytes, HMAC-SHA-256 under the bank's secret.

        A plain hash would not do: all citizen numbers can be tried in seconds.
        """
        return hmac.digest(self._documents, f"{kind}\0{number}".encode(), sha256)

    @property
    def access(self) -> bytes:
        """The key that secrets of those who sign in are derived from."""
        return self._uses

    def seal_access(self, data: bytes, name: str) -> bytes:
        """What somebody signs in by, sealed; it opens only under the same `name`."""
        return _seal(self._uses, data, name)

    def open_access(self, sealed: bytes, name: str) -> bytes:
        """What was sealed under `name`; NoSuchThing if it does not open."""
        return _open(self._uses, sealed, name)

    def tombstone(self, account: str) -> bytes:
        """What says that an account was erased: 32 bytes, which name it to nobody."""
        return hmac.digest(self._tombstones, account.encode(), sha256)


class AccountKey:
    """The key of one account, or of one learner."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, data: bytes, name: str) -> bytes:
        """`data` sealed; it opens only under the same `name`."""
        return _seal(self._key, data, name)

    def open(self, sealed: bytes, name: str) -> bytes:
        """What was sealed under `name`; NoSuchThing if it does not open."""
        return _open(self._key, sealed, name)


def token_hash(token: str) -> bytes:
    """What the bank stores of an owner's token."""
    return sha256(token.encode()).digest()


def _seal(key: bytes, data: bytes, name: str) -> bytes:
    nonce = bindings.randombytes(_NONCE)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        data, name.encode(), nonce, key
    )


def _open(key: bytes, sealed: bytes, name: str) -> bytes:
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[_NONCE:], name.encode(), sealed[:_NONCE], key
        )
    except CryptoError:
        raise NoSuchThing(
            "a sealed record does not open: it is damaged, or of another bank"
        ) from None
