"""Keys in a token: PKCS#11 3.0 (EdDSA), named by RFC 7512 URIs.

`pkcs11:token=LABEL;object=LABEL?module-path=/PATH/OF/LIBRARY.so`. Of the path attributes
`token`, `serial`, `object` and `id` are understood, of the query `module-path` and `pin-source`
(`file:/PATH`). A PIN never stands in the URI: those are seen in lists of processes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from urllib.parse import unquote, unquote_to_bytes

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.types import SignMixin

from keys.ed25519 import PublicKey
from keys.errors import KeysError, KeystoreError

_EDWARDS25519 = bytes.fromhex("06032b6570")
"""DER of the curve's object identifier, 1.3.101.112 (RFC 8410): what tokens take as parameters."""
_PATH = {"token", "serial", "object", "id", "type"}
_QUERY = {"module-path", "pin-source"}
_LONGEST_PIN = 256


@dataclass(frozen=True, slots=True)
class _Place:
    """What a URI names: a library, a token in it, a key on that."""

    module: str
    token: str | None
    serial: str | None
    label: str | None
    id: bytes | None
    pin_source: str | None

    def __str__(self) -> str:
        return f"the key {self.label or (self.id or b'').hex()} in the token {self.token or '?'}"


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A Signer whose private key stays in its token."""

    public_key: PublicKey
    _name: str
    _key: SignMixin = field(repr=False)
    # A session does one thing at a time.
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message`, made in the token."""
        with _told(self._name), self._lock:
            return bytes(self._key.sign(message, mechanism=Mechanism.EDDSA))


def open_token(rest: str, pin: str) -> TokenSigner:
    """The signer behind `pkcs11:` and `rest`; KeystoreError says what is missing or wrong."""
    place = _place(rest)
    with _told(str(place)):
        session = _session(place, pin)
        private = _one(session, place, ObjectClass.PRIVATE_KEY)
        public = _one(session, place, ObjectClass.PUBLIC_KEY)
        if not isinstance(private, SignMixin):
            raise KeystoreError(f"{place} is no private key")
        return TokenSigner(_public_key(place, public), str(place), private)


def create_on_token(rest: str, pin: str) -> PublicKey:
    """Make a key in a token, which never leaves it; KeystoreError if one of that name is there."""
    place = _place(rest)
    if place.label is None:
        raise KeystoreError("a new key in a token needs a name: put object=NAME into the URI")
    with _told(str(place)):
        session = _session(place, pin, writable=True)
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            if _found(session, place, kind):
                raise KeystoreError(f"{place} is there already; a key is never overwritten")
        curve = session.create_domain_parameters(
            KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _EDWARDS25519}, local=True
        )
        public, _ = curve.generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            label=place.label,
            id=place.id or place.label.encode(),
            store=True,
        )
        return _public_key(place, public)


def _session(place: _Place, pin: str, writable: bool = False) -> pkcs11.Session:
    token = pkcs11.lib(place.module).get_token(
        token_label=place.token,
        token_serial=None if place.serial is None else place.serial.encode(),
    )
    secret = _pin(place.pin_source) if place.pin_source else pin
    if not secret:
        raise KeystoreError(
            f"{place} needs a PIN: set CREDITBANK_PIN, or put pin-source=file:/PATH into the URI"
        )
    try:
        return token.open(rw=writable, user_pin=secret)
    except pkcs11.UserAlreadyLoggedIn:
        # One login holds for all sessions of a process.
        return token.open(rw=writable)


def _pin(source: str) -> str:
    scheme, separator, path = source.partition(":")
    if not separator or scheme != "file":
        raise KeystoreError(f"pin-source is file:/PATH here, not {source[:60]!r}")
    try:
        with Path(path.removeprefix("//")).open(encoding="utf-8") as file:
            return file.read(_LONGEST_PIN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeystoreError(f"the PIN in {path} cannot be read: {error}") from error


def _found(session: pkcs11.Session, place: _Place, kind: ObjectClass) -> list[pkcs11.Object]:
    wanted: dict[Attribute, object] = {Attribute.CLASS: kind}
    if place.label is not None:
        wanted[Attribute.LABEL] = place.label
    if place.id is not None:
        wanted[Attribute.ID] = place.id
    return list(session.get_objects(wanted))


def _one(session: pkcs11.Session, place: _Place, kind: ObjectClass) -> pkcs11.Object:
    found = _found(session, place, kind)
    if len(found) != 1:
        what = "private" if kind is ObjectClass.PRIVATE_KEY else "public"
        raise KeystoreError(
            f"{place}: there are {len(found)} {what} keys of that name, and one is needed; name "
            "it by object= and id="
        )
    return found[0]


def _public_key(place: _Place, public: pkcs11.Object) -> PublicKey:
    """The key of an object's EC point: 32 bytes, in a DER octet string or bare."""
    if bytes(public[Attribute.EC_PARAMS]) != _EDWARDS25519:
        raise KeystoreError(f"{place} is not an Ed25519 key")
    point = bytes(public[Attribute.EC_POINT])
    if len(point) == 34 and point[:2] == b"\x04\x20":
        point = point[2:]
    try:
        return PublicKey(point)
    except KeysError as error:
        raise KeystoreError(f"{place} is no usable key: {error}") from error


def _place(rest: str) -> _Place:
    path, _, query = rest.partition("?")
    named = _attributes(path, ";", _PATH)
    options = _attributes(query, "&", _QUERY)
    if "module-path" not in options:
        raise KeystoreError(
            "a pkcs11: URI names the token's library here: ?module-path=/PATH/OF/LIBRARY.so"
        )
    if "token" not in named and "serial" not in named:
        raise KeystoreError("a pkcs11: URI names its token here: token=LABEL or serial=NUMBER")
    if "object" not in named and "id" not in named:
        raise KeystoreError("a pkcs11: URI names its key here: object=LABEL or id=%01")
    if named.get("type", "private") != "private":
        raise KeystoreError("a signer's pkcs11: URI is that of a private key")
    return _Place(
        unquote(options["module-path"]),
        _text(named, "token"),
        _text(named, "serial"),
        _text(named, "object"),
        unquote_to_bytes(named["id"]) if "id" in named else None,
        _text(options, "pin-source"),
    )


def _attributes(text: str, separator: str, known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in filter(None, text.split(separator)):
        name, _, value = item.partition("=")
        if name == "pin-value":
            raise KeystoreError(
                "a PIN does not belong in a URI, where every process can read it: set "
                "CREDITBANK_PIN, or give pin-source=file:/PATH"
            )
        if name not in known or name in found:
            raise KeystoreError(
                f"the pkcs11: URI has {name[:30]!r} twice, or it is not understood here; known "
                f"are {', '.join(sorted(_PATH | _QUERY))}"
            )
        found[name] = value
    return found


def _text(values: dict[str, str], name: str) -> str | None:
    return unquote(values[name]) if name in values else None


@contextmanager
def _told(what: str) -> Iterator[None]:
    """What goes wrong in a token, in one sentence."""
    try:
        yield
    except pkcs11.NoSuchToken:
        raise KeystoreError(f"{what}: there is no such token in that library") from None
    except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid):
        raise KeystoreError(f"{what}: wrong PIN; a token locks itself after a few") from None
    except pkcs11.PinLocked:
        raise KeystoreError(f"{what}: the PIN is locked after too many tries") from None
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise KeystoreError(f"{what}: {type(error).__name__} {error}".rstrip()) from error
