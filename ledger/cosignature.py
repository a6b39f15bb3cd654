"""Making cosignatures (C2SP tlog-cosignature): Ed25519 and ML-DSA-44, both with a time.

A cosignature says: as of then, this is the largest consistent tree I have seen under that
origin. ML-DSA-44 (FIPS 204) is there because a diploma outlives today's curves.
"""

from collections.abc import Sequence
from typing import Protocol

from keys import Signer
from ledger.note import (
    COSIGNATURE_ED25519,
    COSIGNATURE_MLDSA44,
    VerifierKey,
    cosigned_subtree,
    cosigned_text,
    signature_line,
)


class Cosigner(Protocol):
    """Whoever cosigns checkpoints under a name."""

    @property
    def key(self) -> VerifierKey:
        """The public half."""

    def cosign(self, text: str, time: int) -> str:
        """The signature line over a checkpoint's `text` at `time` (Unix seconds)."""


class Ed25519Cosigner:
    """Cosigns with an Ed25519 key, which must sign nothing else."""

    def __init__(self, name: str, signer: Signer) -> None:
        self._signer = signer
        self.key = VerifierKey(name, COSIGNATURE_ED25519, signer.public_key.raw)

    def cosign(self, text: str, time: int) -> str:
        """The signature line over a checkpoint's `text` at `time` (Unix seconds)."""
        signature = self._signer.sign(cosigned_text(text, time))
        return signature_line(self.key, time.to_bytes(8, "big") + signature)


class MLDSA44Cosigner:
    """Cosigns with an ML-DSA-44 key of a 32-byte seed."""

    def __init__(self, name: str, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        self._private = MLDSA44PrivateKey.from_seed_bytes(seed)
        raw = self._private.public_key().public_bytes_raw()
        self.key = VerifierKey(name, COSIGNATURE_MLDSA44, raw)

    def cosign(self, text: str, time: int) -> str:
        """The signature line over a checkpoint's `text` at `time` (Unix seconds)."""
        signature = self._private.sign(cosigned_subtree(text, time, self.key.name))
        return signature_line(self.key, time.to_bytes(8, "big") + signature)


def cosign_all(cosigners: Sequence[Cosigner], text: str, time: int) -> str:
    """The signature lines of all `cosigners`."""
    return "".join(cosigner.cosign(text, time) for cosigner in cosigners)
