"""Signers by URI: one registry of the kinds of place where a private key may lie.

A signer made elsewhere, in a token or by another program, is not believed: whatever it returns
is verified under its public key before anyone sees it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keys.ed25519 import PublicKey, Signer
from keys.errors import BadSignature, KeystoreError
from keys.keystore import create_file, open_file


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of signer: both take what stands behind `scheme:` and the secret that unlocks it."""

    open: Callable[[str, str], Signer]
    create: Callable[[str, str], PublicKey]
    secret: str
    """The environment variable that holds the secret, or empty where none is needed."""


def _file() -> Scheme:
    return Scheme(open_file, create_file, "CREDITBANK_PASSPHRASE")


def _pkcs11() -> Scheme:
    try:
        from keys import pkcs11
    except ModuleNotFoundError as error:
        raise KeystoreError(
            f"a pkcs11: URI needs the package python-pkcs11 ({error}): install creditbank[pkcs11]"
        ) from error

    return Scheme(pkcs11.open_token, pkcs11.create_on_token, "CREDITBANK_PIN")


def _command() -> Scheme:
    from keys import command

    return Scheme(command.open_command, command.create_by_command, "")


def _public() -> Scheme:
    from keys import set_aside

    return Scheme(set_aside.open_set_aside, set_aside.create_set_aside, "")


# Called only where such a URI is used, so that nobody loads a token's library for a file.
_SCHEMES: dict[str, Callable[[], Scheme]] = {
    "file": _file,
    "pkcs11": _pkcs11,
    "command": _command,
    "public": _public,
}


def signer_uri(text: str) -> str:
    """`text` where it is a signer's URI, else that of the keystore file which it names."""
    scheme, separator, _ = text.partition(":")
    return text if separator and scheme in _SCHEMES else f"file:{text}"


def scheme_of(uri: str) -> tuple[Scheme, str]:
    """The kind of signer that `uri` names, and the rest of it; KeystoreError where it is none."""
    scheme, separator, rest = uri.partition(":")
    found = _SCHEMES.get(scheme) if separator else None
    if found is None:
        raise KeystoreError(
            f"{uri!r} names no kind of signer known here; use one of "
            + ", ".join(f"{name}:" for name in _SCHEMES)
        )
    return found(), rest


def open_signer(uri: str, secret: str) -> Signer:
    """The signer behind `uri`, unlocked by `secret`; callers never see private bytes.

    `file:PATH` is a keystore and its passphrase, `pkcs11:` a key in a token (RFC 7512) and its
    PIN, `command:PROGRAM` a program that signs, `public:MULTIKEY` a key that signs no more.
    KeystoreError says what is wrong.
    """
    scheme, rest = scheme_of(uri)
    signer = scheme.open(rest, secret)
    return signer if uri.startswith("file:") else Verified(signer)


def create_key(uri: str, secret: str) -> PublicKey:
    """Make a new Ed25519 key where `uri` says, and return its public half; never over another."""
    scheme, rest = scheme_of(uri)
    return scheme.create(rest, secret)


@dataclass(frozen=True, slots=True)
class Verified:
    """A signer whose every signature is checked under the public key it had at the beginning."""

    inner: Signer

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self.inner.public_key

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature; KeystoreError where what came back is not one by this key."""
        signature = self.inner.sign(message)
        try:
            self.public_key.verify(message, signature)
        except BadSignature as error:
            raise KeystoreError(
                f"the signer of {self.public_key.multikey} returned a signature that does not "
                f"verify under it ({error}): nothing was signed; look at the token or program"
            ) from error
        return signature


def key_file(uri: str) -> Path | None:
    """The file that a `file:` URI names, or None for another kind of signer."""
    return Path(uri.removeprefix("file:")) if uri.startswith("file:") else None
