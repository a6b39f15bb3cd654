"""ECDSA on P-256 and P-384 (FIPS 186-5), for credentials of other issuers' and wallets' keys.

The ledger knows Ed25519 alone. Public keys are compressed points, signatures r and s of the
curve's length, as Data Integrity has them (VC DI ECDSA 1.0, sections 2.1.1 and 3.2.6).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.encoding import base58_decode, base58_encode
from keys.errors import BadKey, BadSignature, NotCanonical


@dataclass(frozen=True, slots=True)
class _Curve:
    name: str
    code: bytes
    """The multicodec of its public keys."""
    curve: ec.EllipticCurve
    size: int
    digest: hashes.HashAlgorithm


_CURVES = (
    _Curve("P-256", b"\x80\x24", ec.SECP256R1(), 32, hashes.SHA256()),
    _Curve("P-384", b"\x81\x24", ec.SECP384R1(), 48, hashes.SHA384()),
)


@dataclass(frozen=True)
class EcdsaPublicKey:
    """A checked public key; `raw` is the compressed point, 33 or 49 bytes (SEC 1, 2.3.3)."""

    algorithm: str
    """`P-256` or `P-384`."""
    raw: bytes

    @classmethod
    def from_multikey(cls, text: str) -> "EcdsaPublicKey":
        """The key of a Multikey string; BadKey says what is wrong with it."""
        return _from_multikey(text)

    @property
    def multikey(self) -> str:
        """The key as a Multikey string, `zDna…` or `z82L…`."""
        return "z" + base58_encode(self._curve.code + self.raw)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check `signature` (r and s, 64 or 96 bytes); BadSignature where it fails."""
        curve = self._curve
        if len(signature) != 2 * curve.size:
            raise BadSignature(
                f"an ECDSA signature on {curve.name} has {2 * curve.size} bytes, this one "
                f"{len(signature)}"
            )
        r, s = (
            int.from_bytes(part, "big")
            for part in (signature[: curve.size], signature[curve.size :])
        )
        try:
            der = utils.encode_dss_signature(r, s)
            self._key.verify(der, message, ec.ECDSA(curve.digest))
        except InvalidSignature as error:
            raise BadSignature("the ECDSA signature does not match") from error

    @property
    def _curve(self) -> _Curve:
        return next(curve for curve in _CURVES if curve.name == self.algorithm)

    @cached_property
    def _key(self) -> ec.EllipticCurvePublicKey:
        return ec.EllipticCurvePublicKey.from_encoded_point(self._curve.curve, self.raw)


@dataclass(frozen=True)
class EcdsaPrivateKey:
    """An ECDSA key pair in memory; signs deterministically (RFC 6979)."""

    public_key: EcdsaPublicKey
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def generate(cls, algorithm: str) -> "EcdsaPrivateKey":
        """A new key pair on `P-256` or `P-384`."""
        curve = _named(algorithm)
        return cls._of(curve, ec.generate_private_key(curve.curve))

    @classmethod
    def from_secret(cls, algorithm: str, secret: int) -> "EcdsaPrivateKey":
        """The key pair of a secret number."""
        curve = _named(algorithm)
        try:
            return cls._of(curve, ec.derive_private_key(secret, curve.curve))
        except ValueError as error:
            raise BadKey(f"not a secret number of {algorithm}") from error

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: r and s, 64 or 96 bytes."""
        curve = _named(self.public_key.algorithm)
        der = self._key.sign(message, ec.ECDSA(curve.digest, deterministic_signing=True))
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")

    @classmethod
    def _of(cls, curve: _Curve, key: ec.EllipticCurvePrivateKey) -> "EcdsaPrivateKey":
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return cls(EcdsaPublicKey(curve.name, point), key)


def _named(algorithm: str) -> _Curve:
    for curve in _CURVES:
        if curve.name == algorithm:
            return curve
    raise BadKey(f"{algorithm!r:.40} is not P-256 or P-384")


@lru_cache(maxsize=1024)
def _from_multikey(text: str) -> EcdsaPublicKey:
    try:
        data = base58_decode(text[1:]) if text.startswith("z") else b""
    except NotCanonical as error:
        raise BadKey(f"not a Multikey: {error}") from error
    for curve in _CURVES:
        if data[:2] == curve.code and len(data) == 3 + curve.size and data[2] in (2, 3):
            key = EcdsaPublicKey(curve.name, data[2:])
            try:
                key._key  # noqa: B018 (a point off the curve is refused now)
            except ValueError as error:
                raise BadKey(f"not a point of {curve.name}: {text[:60]!r}") from error
            if key.multikey == text:
                return key
    raise BadKey(f"not a Multikey of P-256 or P-384: {text[:60]!r}")
