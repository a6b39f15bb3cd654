"""Delivery to wallets by OpenID for Verifiable Credential Issuance 1.0.

Pre-authorised codes with a transaction code: the learner was identified when the award was
made, so no wallet asks for a password. What is handed over is the award as its institution
signed it; the wallet's key, shown in a proof, is bound to the account.
"""

from bank.openid4vci.errors import BadGrant, BadProofOfKey, BadToken, BadWalletRequest, WalletError
from bank.openid4vci.metadata import issuer_metadata, offer_uri, server_metadata
from bank.openid4vci.proof import holder_of_proof
from bank.openid4vci.store import BoundKey, Offer, Wallets, forget_wallets

__all__ = [
    "BadGrant",
    "BadProofOfKey",
    "BadToken",
    "BadWalletRequest",
    "BoundKey",
    "Offer",
    "WalletError",
    "Wallets",
    "forget_wallets",
    "holder_of_proof",
    "issuer_metadata",
    "offer_uri",
    "server_metadata",
]
