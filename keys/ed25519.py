"""Ed25519 (RFC 8032) under one strict rule: libsodium's.

Public keys must be canonical points of large order; signatures with S >= L or a
small-order R are refused. Every signature in the product is made and checked here, so
the rule cannot differ between two places.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from nacl import bindings
from nacl.exceptions import CryptoError

from keys.encoding import base58_decode, base58_encode
from keys.errors import BadKey, BadSignature, NotCanonical

_MULTICODEC_ED25519_PUBLIC = b"\xed\x01"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A checked Ed25519 public key; `raw` is its 32 bytes (RFC 8032 section 5.1.2)."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise BadKey(f"an Ed25519 public key has 32 bytes, this one {len(self.raw)}")
        if not bindings.crypto_core_ed25519_is_valid_point(self.raw):
            raise BadKey("not an acceptable Ed25519 public key: off the curve or of small order")

    @property
    def algorithm(self) -> str:
        """`Ed25519`."""
        return "Ed25519"

    @property
    def multikey(self) -> str:
        """The key as a Multikey string, `z6Mk…` (W3C Controlled Identifiers 1.0, 2.2.2)."""
        return _multikey(self.raw)

    @classmethod
    def from_multikey(cls, text: str) -> "PublicKey":
        """The key of a Multikey string; BadKey says what is wrong with it."""
        cached = _CACHE.get(text)
        if cached is not None:
            return cached
        if not text.startswith("z6Mk"):
            raise BadKey(f"not an Ed25519 Multikey (it would start with z6Mk): {text[:60]!r}")
        try:
            data = base58_decode(text[1:])
        except NotCanonical as error:
            raise BadKey(f"not an Ed25519 Multikey: {error}") from error
        if data[:2] != _MULTICODEC_ED25519_PUBLIC or len(data) != 34:
            raise BadKey(f"not an Ed25519 Multikey: {text[:60]!r}")
        key = cls(data[2:])
        if key.multikey != text:
            raise BadKey(f"not the one Multikey form of its key: {text[:60]!r}")
        if len(_CACHE) < 4096:
            _CACHE[text] = key
        return key

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check `signature` (64 bytes) over `message`; BadSignature where it fails."""
        if len(signature) != 64:
            raise BadSignature(f"an Ed25519 signature has 64 bytes, this one {len(signature)}")
        try:
            bindings.crypto_sign_open(signature + message, self.raw)
        except CryptoError as error:
            raise BadSignature("the Ed25519 signature does not match") from error


_CACHE: dict[str, PublicKey] = {}


@lru_cache(maxsize=4096)
def _multikey(raw: bytes) -> str:
    return "z" + base58_encode(_MULTICODEC_ED25519_PUBLIC + raw)


class Signer(Protocol):
    """Whatever can sign: a key in memory, a keystore, a hardware token."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature over `message`."""


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """An Ed25519 key pair in memory; a Signer. Its seed never shows in `repr`."""

    seed: bytes = field(repr=False)
    public_key: PublicKey
    _expanded: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> "PrivateKey":
        """The key pair of a 32-byte seed (RFC 8032 section 5.1.5)."""
        if len(seed) != 32:
            raise BadKey(f"an Ed25519 seed has 32 bytes, this one {len(seed)}")
        public, expanded = bindings.crypto_sign_seed_keypair(seed)
        return cls(seed, PublicKey(public), expanded)

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new key pair from the system's randomness."""
        return cls.from_seed(bindings.randombytes(32))

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message`."""
        return bindings.crypto_sign(message, self._expanded)[:64]
