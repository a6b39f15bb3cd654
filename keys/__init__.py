"""Who signs: key pairs, keystores, signers, identifiers, and the exact bytes that get signed."""

from keys.canonical import Json, encode, parse, parse_exact
from keys.did import did_key, did_web, did_web_url, verification_method
from keys.did_document import did_document, key_in_did_document
from keys.ed25519 import PrivateKey, PublicKey, Signer
from keys.encoding import b64u_decode, b64u_encode, base58_decode, base58_encode
from keys.errors import (
    BadIdentifier,
    BadKey,
    BadSignature,
    KeysError,
    KeystoreError,
    NotCanonical,
)
from keys.keystore import read_keystore, write_keystore
from keys.multikey import AnySigner, VerificationKey, read_multikey
from keys.signers import create_key, open_signer, signer_uri

__all__ = [
    "AnySigner",
    "BadIdentifier",
    "BadKey",
    "BadSignature",
    "Json",
    "KeysError",
    "KeystoreError",
    "NotCanonical",
    "PrivateKey",
    "PublicKey",
    "Signer",
    "VerificationKey",
    "b64u_decode",
    "b64u_encode",
    "base58_decode",
    "base58_encode",
    "create_key",
    "did_document",
    "did_key",
    "did_web",
    "did_web_url",
    "encode",
    "key_in_did_document",
    "open_signer",
    "parse",
    "parse_exact",
    "read_keystore",
    "read_multikey",
    "signer_uri",
    "verification_method",
    "write_keystore",
]
