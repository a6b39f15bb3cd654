"""Signed notes (C2SP signed-note) and the verifier keys that check them.

Three kinds of key occur: a log's Ed25519 key (type 0x01), and witnesses' timestamped
cosignatures (C2SP tlog-cosignature) by Ed25519 (0x04) and ML-DSA-44 (0x06).
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from keys import KeysError, PublicKey, Signer
from ledger.checkpoint import Checkpoint
from ledger.errors import BadNote

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ED25519 = 0x01
COSIGNATURE_ED25519 = 0x04
COSIGNATURE_MLDSA44 = 0x06

_MAX_NOTE = 1024 * 1024
_MAX_LINES = 100
_LATEST = 253_402_300_799
"""The last second of the year 9999: no calendar here holds a later time."""
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]{1,255}\Z")
_SIGNATURE = re.compile("— ([^ \n]+) ([A-Za-z0-9+/]+={0,2})\\Z")
_NOT_TEXT = re.compile("[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name, as C2SP writes it: `<name>+<id>+<base64 of type and key>`."""

    name: str
    kind: int
    raw: bytes

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand for this key in a signature line."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:4]

    def __str__(self) -> str:
        body = base64.b64encode(bytes([self.kind]) + self.raw).decode()
        return f"{self.name}+{self.key_id.hex()}+{body}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """The key of its text form; BadNote says what is wrong with it."""
        name, _, rest = text.partition("+")
        identifier, _, body = rest.partition("+")
        data = _unbase64(body, f"verifier key {text[:60]!r}")
        if not _NAME.match(name) or not data:
            raise BadNote(f"not a verifier key: {text[:60]!r}")
        key = cls(name, data[0], data[1:])
        if key.key_id.hex() != identifier:
            raise BadNote(f"the key id of verifier key {text[:60]!r} is not that of its key")
        key.check()
        return key

    def check(self) -> None:
        """Refuse a key of a kind not known here, or that is no acceptable key of its kind."""
        try:
            if self.kind in (ED25519, COSIGNATURE_ED25519):
                PublicKey(self.raw)
            elif self.kind == COSIGNATURE_MLDSA44:
                _mldsa44(self.raw)
            else:
                raise BadNote(f"verifier key {self.name} is of a kind unknown here: {self.kind}")
        except (KeysError, ValueError) as error:
            raise BadNote(f"verifier key {self.name} is no acceptable key: {error}") from error

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check `signature` over the note `text`; a cosignature's time in Unix seconds, or None."""
        if self.kind == ED25519:
            self._verify_ed25519(text.encode(), signature)
            return None
        time = int.from_bytes(signature[:8], "big")
        if time > _LATEST:
            raise BadNote(f"the cosignature of {self.name} bears an impossible time")
        if self.kind == COSIGNATURE_ED25519:
            self._verify_ed25519(cosigned_text(text, time), signature[8:])
        else:
            self._verify_mldsa44(cosigned_subtree(text, time, self.name), signature[8:])
        return time

    def _verify_ed25519(self, message: bytes, signature: bytes) -> None:
        try:
            PublicKey(self.raw).verify(message, signature)
        except KeysError as error:
            raise BadNote(f"the signature of {self.name} does not match") from error

    def _verify_mldsa44(self, message: bytes, signature: bytes) -> None:
        from cryptography.exceptions import InvalidSignature

        try:
            _mldsa44(self.raw).verify(signature, message)
        except InvalidSignature as error:
            raise BadNote(f"the ML-DSA-44 cosignature of {self.name} does not match") from error


@dataclass(frozen=True, slots=True)
class Signature:
    """One good signature of a note: whose, and when for a cosignature (Unix seconds)."""

    key: VerifierKey
    time: int | None


@dataclass(frozen=True, slots=True)
class OpenNote:
    """A note's text, its good signatures, and the names of signature lines by keys not given."""

    text: str
    signatures: tuple[Signature, ...]
    unknown: tuple[str, ...]


def open_note(note: str, keys: Iterable[VerifierKey]) -> OpenNote:
    """Read a signed note; each line by a key in `keys` must verify, others are only listed.

    BadNote if the note is malformed, or a line by a known key does not verify.
    """
    text, lines = _split_note(note)
    by_place = {(key.name, key.key_id): key for key in keys}
    good: list[Signature] = []
    unknown: list[str] = []
    for line in lines:
        name, identifier, signature = _signature_line(line)
        key = by_place.get((name, identifier))
        if key is None:
            unknown.append(name)
        elif any(other.key == key for other in good):
            raise BadNote(f"the note is signed twice by {name}")
        else:
            good.append(Signature(key, key.verify(text, signature)))
    return OpenNote(text, tuple(good), tuple(unknown))


def lines_by(note: str, keys: Iterable[VerifierKey]) -> str:
    """The signature lines of a note that name one of `keys`, newlines included, unchecked."""
    places = {(key.name, key.key_id) for key in keys}
    lines = _split_note(note)[1]
    return "".join(f"{line}\n" for line in lines if _signature_line(line)[:2] in places)


def sign_note(text: str, name: str, signer: Signer) -> str:
    """The note of `text` (ending in a newline) signed under `name` by a log's Ed25519 key."""
    key = VerifierKey(name, ED25519, signer.public_key.raw)
    return f"{text}\n{signature_line(key, signer.sign(text.encode()))}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """The line, newline included, that adds `signature` to a note."""
    return f"— {key.name} {base64.b64encode(key.key_id + signature).decode()}\n"


def cosigned_text(text: str, time: int) -> bytes:
    """What an Ed25519 cosignature at `time` (Unix seconds) signs (tlog-cosignature)."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosigned_subtree(text: str, time: int, cosigner: str) -> bytes:
    """What an ML-DSA-44 cosignature of a whole checkpoint signs (tlog-cosignature)."""
    checkpoint = Checkpoint.parse(text)
    name, origin = cosigner.encode(), checkpoint.origin.encode()
    if len(name) > 255 or len(origin) > 255:
        raise BadNote("a cosigner's name and a log's origin have at most 255 bytes each")
    return b"".join(
        (
            b"subtree/v1\n\0",
            bytes([len(name)]) + name,
            time.to_bytes(8, "big"),
            bytes([len(origin)]) + origin,
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _mldsa44(raw: bytes) -> "MLDSA44PublicKey":
    # Imported when first needed: it costs a cold verifier without such keys 20 ms.
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    return MLDSA44PublicKey.from_public_bytes(raw)


def _split_note(note: str) -> tuple[str, list[str]]:
    if len(note) > _MAX_NOTE:
        raise BadNote("the note is over 1 MiB")
    if _NOT_TEXT.search(note):
        raise BadNote("the note holds a control character or a lone surrogate")
    text, _, rest = note.rpartition("\n\n")
    if not text or not rest.endswith("\n"):
        raise BadNote("not a signed note: it has no signature lines")
    lines = rest[:-1].split("\n")
    if len(lines) > _MAX_LINES:
        raise BadNote(f"the note has over {_MAX_LINES} signatures")
    return text + "\n", lines


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE.match(line)
    if match is None or not _NAME.match(match[1]):
        raise BadNote(f"not a signature line: {line[:60]!r}")
    data = _unbase64(match[2], "a signature line")
    if len(data) < 5:
        raise BadNote(f"the signature of {match[1]} is too short")
    return match[1], data[:4], data[4:]


def _unbase64(text: str, where: str) -> bytes:
    try:
        data = base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise BadNote(f"{where} is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise BadNote(f"{where} is not the one base64 form of its bytes")
    return data
