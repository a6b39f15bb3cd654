"""A landmark receipt inside a compact bundle: the entry, and eight hashes to its landmark.

The ledger owns the format (`ledger.landmarks`), which a credential package may not import; this
takes its text apart and puts it together again, and decides nothing about trust. The hashes are
the first eight of a full receipt's path, as soon as all 256 entries of the run are in its tree.

After the credential's own fields come: index (a number), the origin (a text field), the eight
hashes (32 bytes each), then the entry, as `document` writes it, with the values of `implied` bound.
"""

import base64

from credentials.errors import BadQR
from credentials.qr.dictionary import Dictionary
from credentials.qr.document import read_document, write_document
from credentials.qr.implied import implied
from credentials.qr.stream import Reader, Writer
from credentials.qr.tlog_proof import parse_tlog_proof
from keys import Json

HEADER = "creditbank landmark-proof v1"
_WIDTH = 256
_HEIGHT = 8


def landmark_receipt(receipt: str) -> str | None:
    """The landmark receipt that a full receipt contains; None while its run is not complete."""
    proof = parse_tlog_proof(receipt)
    if proof.index - proof.index % _WIDTH + _WIDTH > proof.size:
        return None
    return _format(proof.entry, proof.origin, proof.index, proof.path[:_HEIGHT])


def write_landmark(
    writer: Writer, receipt: str, credential: dict[str, Json], published: Dictionary
) -> None:
    """Write a receipt that `landmark_receipt` returned."""
    lines = receipt.split("\n")
    entry = base64.b64decode(lines[1].removeprefix("extra ")).decode("utf-8")
    index = int(lines[3].removeprefix("index "))
    path = tuple(base64.b64decode(line) for line in lines[4:-1])
    writer.put_int(index)
    writer.put_text(lines[2].removeprefix("origin "))
    for node in path:
        writer.put(node)
    write_document(writer, entry, published.entry, implied(credential, index, path))


def read_landmark(reader: Reader, credential: dict[str, Json], published: Dictionary) -> str:
    """The text that `write_landmark` was given."""
    index = reader.take_int()
    origin = reader.take_text()
    if index >= 10**15 or not origin or "\n" in origin:
        raise BadQR("the QR payload is damaged: its receipt names no ledger")
    path = tuple(reader.take(32) for _ in range(_HEIGHT))
    bound = implied(credential, index, path)
    entry = read_document(reader, published.entry, bound).encode("utf-8")
    return _format(entry, origin, index, path)


def _format(entry: bytes, origin: str, index: int, path: tuple[bytes, ...]) -> str:
    lines = [HEADER, f"extra {_b64(entry)}", f"origin {origin}", f"index {index}"]
    return "\n".join([*lines, *map(_b64, path)]) + "\n"


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
