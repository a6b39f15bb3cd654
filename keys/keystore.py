"""A secret in a file, encrypted under a passphrase.

Format, version 1, one JCS object:
`{"ciphertext", "header": {"kdf", "memory", "nonce", "operations", "purpose", "salt",
"version"}}`. The key is Argon2id(passphrase, salt); the cipher XChaCha20-Poly1305 with
the JCS bytes of `header` as associated data, so no parameter can be changed unseen. The
file is created with mode 0600 and never overwritten. Reading caps the KDF cost: a hostile
file must not be able to take all memory.
"""

import os
from pathlib import Path

from nacl import bindings, pwhash
from nacl.exceptions import CryptoError

from keys.canonical import Json, encode, parse_exact
from keys.ed25519 import PrivateKey, PublicKey, Signer
from keys.encoding import b64u_decode, b64u_encode
from keys.errors import KeysError, KeystoreError, NotCanonical

_LARGEST = 64 * 1024
_MAX_OPERATIONS = 10
_MAX_MEMORY = 1024 * 1024 * 1024
_FIELDS = {"kdf", "memory", "nonce", "operations", "purpose", "salt", "version"}
SIGNING = "ed25519-signing"
"""Purpose of a keystore that holds an Ed25519 seed."""


def write_keystore(
    path: Path,
    secret: bytes,
    passphrase: str,
    purpose: str = SIGNING,
    *,
    operations: int = pwhash.argon2id.OPSLIMIT_INTERACTIVE,
    memory: int = pwhash.argon2id.MEMLIMIT_INTERACTIVE,
) -> None:
    """Create the keystore `path`; KeystoreError if it exists or cannot be written.

    `memory` is in bytes. The defaults are Argon2id's interactive profile (64 MiB, 2 passes).
    """
    salt = os.urandom(pwhash.argon2id.SALTBYTES)
    nonce = os.urandom(bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
    header: dict[str, Json] = {
        "kdf": "argon2id",
        "memory": memory,
        "nonce": b64u_encode(nonce),
        "operations": operations,
        "purpose": purpose,
        "salt": b64u_encode(salt),
        "version": 1,
    }
    ciphertext = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        secret, encode(header), nonce, _derive(passphrase, salt, operations, memory)
    )
    data = encode({"ciphertext": b64u_encode(ciphertext), "header": header})
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeystoreError(f"{path} exists already; a keystore is never overwritten") from None
    except OSError as error:
        raise KeystoreError(f"{path} cannot be created: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_keystore(path: Path, passphrase: str, purpose: str = SIGNING) -> bytes:
    """The secret in keystore `path`; KeystoreError says what is wrong and what to do."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST)
    except OSError as error:
        raise KeystoreError(f"{path} cannot be read: {error.strerror}") from error
    try:
        document = parse_exact(data)
        header, ciphertext = _parts(document)
        _check_header(path, header, purpose)
        salt, nonce = b64u_decode(str(header["salt"]), 16), b64u_decode(str(header["nonce"]), 24)
        sealed = b64u_decode(ciphertext)
        if len(sealed) < bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES:
            raise NotCanonical("its ciphertext is cut short")
    except NotCanonical as error:
        raise KeystoreError(f"{path} is not a keystore, or is damaged: {error}") from error
    key = _derive(passphrase, salt, int(str(header["operations"])), int(str(header["memory"])))
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed, encode(header), nonce, key
        )
    except CryptoError:
        raise KeystoreError(f"{path} does not open: wrong passphrase, or a damaged file") from None


def open_file(rest: str, passphrase: str) -> Signer:
    """The signer whose seed lies in the keystore `rest`."""
    path = Path(rest)
    try:
        return PrivateKey.from_seed(read_keystore(path, passphrase))
    except KeystoreError:
        raise
    except KeysError as error:
        raise KeystoreError(f"{path} holds no usable signing key: {error}") from error


def create_file(rest: str, passphrase: str) -> PublicKey:
    """Make a key in a new keystore `rest`; its public half."""
    key = PrivateKey.generate()
    write_keystore(Path(rest), key.seed, passphrase)
    return key.public_key


def _derive(passphrase: str, salt: bytes, operations: int, memory: int) -> bytes:
    try:
        password = passphrase.encode()
    except UnicodeEncodeError:
        raise KeystoreError("the passphrase is not valid Unicode text") from None
    return pwhash.argon2id.kdf(32, password, salt, operations, memory)


def _parts(document: Json) -> tuple[dict[str, Json], str]:
    if isinstance(document, dict) and set(document) == {"ciphertext", "header"}:
        header, ciphertext = document["header"], document["ciphertext"]
        if isinstance(header, dict) and set(header) == _FIELDS and isinstance(ciphertext, str):
            return header, ciphertext
    raise NotCanonical("its fields are not those of a keystore")


def _check_header(path: Path, header: dict[str, Json], purpose: str) -> None:
    if header["version"] != 1 or header["kdf"] != "argon2id":
        raise KeystoreError(
            f"{path} is a keystore of version {header['version']!r} with {header['kdf']!r}; "
            "this program reads version 1 with argon2id"
        )
    if header["purpose"] != purpose:
        raise KeystoreError(f"{path} holds a secret for {header['purpose']!r}, not {purpose!r}")
    operations, memory = header["operations"], header["memory"]
    if not (
        type(operations) is int  # not bool, which JSON keeps apart
        and type(memory) is int
        and 1 <= operations <= _MAX_OPERATIONS
        and 8192 <= memory <= _MAX_MEMORY
    ):
        raise KeystoreError(
            f"{path} asks for a key derivation of {operations!r} passes over {memory!r} bytes; "
            f"at most {_MAX_OPERATIONS} passes over {_MAX_MEMORY} bytes are done"
        )
