"""Just enough of C2SP tlog-proof to take a receipt apart and put it together again.

The pure ledger code owns this format; a credential package may not import it, and a symbol needs
only the parts: entry bytes (the `extra` line), index, path, checkpoint text and signature lines.
Nothing here decides trust.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from credentials.errors import BadQR

_HEADER = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_SIGNATURE = re.compile(r"— (\S+) (\S+)")


@dataclass(frozen=True)
class SignatureLine:
    """One line of a signed note: `data` is the 4-byte key hash and the signature."""

    name: str
    data: bytes


@dataclass(frozen=True)
class TlogProof:
    """`root` is the checkpoint's; `extensions` are the note's lines after the root."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...]
    signatures: tuple[SignatureLine, ...]


def format_tlog_proof(proof: TlogProof) -> str:
    """The text form, byte for byte what the ledger writes."""
    lines = [_HEADER, f"extra {_b64(proof.entry)}", f"index {proof.index}"]
    lines += [_b64(node) for node in proof.path]
    lines += ["", proof.origin, str(proof.size), _b64(proof.root), *proof.extensions, ""]
    lines += [f"— {line.name} {_b64(line.data)}" for line in proof.signatures]
    return "\n".join(lines) + "\n"


def parse_tlog_proof(text: str) -> TlogProof:
    """Take a receipt apart; raises `BadQR` unless `format_tlog_proof` gives the same text back."""
    head, blank, note = text.partition("\n\n")
    body, gap, signatures = note.partition("\n\n")
    lines, checkpoint = head.split("\n"), body.split("\n")
    if not (blank and gap) or len(lines) < 3 or len(checkpoint) < 3 or lines[0] != _HEADER:
        raise BadQR("the receipt is not a tlog-proof with a signed checkpoint")
    if not lines[1].startswith("extra "):
        raise BadQR("the receipt does not carry its ledger entry (no extra line)")
    proof = TlogProof(
        entry=_unb64(lines[1].removeprefix("extra ")),
        index=_number(lines[2].removeprefix("index ")),
        path=tuple(_unb64(line) for line in lines[3:]),
        origin=checkpoint[0],
        size=_number(checkpoint[1]),
        root=_unb64(checkpoint[2]),
        extensions=tuple(checkpoint[3:]),
        signatures=tuple(_signature(line) for line in signatures.removesuffix("\n").split("\n")),
    )
    if any(len(node) != 32 for node in (proof.root, *proof.path)):
        raise BadQR("the receipt has a hash that is not 32 bytes long")
    if format_tlog_proof(proof) != text:
        raise BadQR("the receipt is not in the one text form of a tlog-proof")
    return proof


def path_root(entry: bytes, index: int, size: int, path: tuple[bytes, ...]) -> bytes:
    """The tree root an inclusion path leads to (RFC 9162, 2.1.3.2); raises `BadQR` on a misfit."""
    if index >= size:
        raise BadQR(f"the receipt's index {index} is outside its tree of {size} entries")
    node = hashlib.sha256(b"\0" + entry).digest()
    first, last = index, size - 1
    for sibling in path:
        if last == 0:
            raise BadQR("the receipt's path is longer than its tree is high")
        if first & 1 or first == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        first >>= 1
        last >>= 1
    if last:
        raise BadQR("the receipt's path is shorter than its tree is high")
    return node


def _signature(line: str) -> SignatureLine:
    match = _SIGNATURE.fullmatch(line)
    if match is None:
        raise BadQR("the receipt's checkpoint has a malformed signature line")
    return SignatureLine(match[1], _unb64(match[2]))


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadQR(f"the receipt has {text[:30]!r} where a number belongs")
    return int(text)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadQR(f"the receipt has {text[:30]!r} where base64 belongs") from error
    return data
