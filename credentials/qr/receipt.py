"""A full receipt inside a compact bundle: only what the credential and the path do not imply.

Left out because it follows from the rest: the root (the path leads to it), the previous leaf hash
where the index is odd (it is the path's first node), the commitment (a hash of the credential), and
whatever of the statement the credential also says. Signature lines other than Ed25519 are left out
because an ML-DSA-44 one alone would fill the symbol; files and PDFs carry them.

After the credential's own fields come, as raw numbers unless said otherwise: index, tree size,
count of path nodes, the nodes (32 bytes each), count of signature lines; then the origin and the
note's extension lines as one text field; then for each line a form (bit 0: the name follows as a
text field, else it is the origin; bit 1: 76 bytes with a time, else 68) and its bytes; then the
entry, as `document` writes it, with the values of `implied` bound.
"""

from dataclasses import replace

from credentials.errors import BadQR
from credentials.qr.dictionary import Dictionary
from credentials.qr.document import read_document, write_document
from credentials.qr.implied import implied
from credentials.qr.stream import Reader, Writer
from credentials.qr.tlog_proof import (
    SignatureLine,
    TlogProof,
    format_tlog_proof,
    parse_tlog_proof,
    path_root,
)
from keys import Json

# Key hash and signature; key hash, time and signature (C2SP tlog-cosignature, Ed25519 form).
_ED25519_LENGTHS = (4 + 64, 4 + 8 + 64)
_MAX_LINES = 64


def ed25519_only(receipt: str) -> str:
    """`receipt` as a symbol carries it: without signature lines of other kinds than Ed25519."""
    proof = parse_tlog_proof(receipt)
    kept = tuple(line for line in proof.signatures if len(line.data) in _ED25519_LENGTHS)
    if not kept:
        raise BadQR("the receipt's checkpoint has no Ed25519 signature, which a QR code carries")
    return format_tlog_proof(replace(proof, signatures=kept))


def write_receipt(
    writer: Writer, receipt: str, credential: dict[str, Json], published: Dictionary
) -> None:
    """Write a receipt that `ed25519_only` returned."""
    proof = parse_tlog_proof(receipt)
    if path_root(proof.entry, proof.index, proof.size, proof.path) != proof.root:
        raise BadQR("the receipt's path does not lead from its entry to its checkpoint's root")
    try:
        entry = proof.entry.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadQR("the receipt's entry is not JSON") from error
    if "\x1f" in entry or len(proof.signatures) > _MAX_LINES:
        raise BadQR("the receipt's entry or checkpoint is not one a ledger writes")
    writer.put_int(proof.index)
    writer.put_int(proof.size)
    writer.put_int(len(proof.path))
    for node in proof.path:
        writer.put(node)
    writer.put_int(len(proof.signatures))
    writer.put_text("\n".join((proof.origin, *proof.extensions)))
    for line in proof.signatures:
        same_name = line.name == proof.origin
        writer.put_int(2 * _ED25519_LENGTHS.index(len(line.data)) + (not same_name))
        if not same_name:
            writer.put_text(line.name)
        writer.put(line.data)
    bound = implied(credential, proof.index, proof.path)
    write_document(writer, entry, published.entry, bound)


def read_receipt(reader: Reader, credential: dict[str, Json], published: Dictionary) -> str:
    """The tlog-proof text that `write_receipt` was given."""
    index, size = reader.take_int(), reader.take_int()
    path = tuple(reader.take(32) for _ in range(_count(reader)))
    lines = _count(reader)
    origin, *extensions = reader.take_text().split("\n")
    signatures = tuple(_read_line(reader, origin) for _ in range(lines))
    bound = implied(credential, index, path)
    entry = read_document(reader, published.entry, bound).encode("utf-8")
    root = path_root(entry, index, size, path)
    text = format_tlog_proof(
        TlogProof(entry, index, path, origin, size, root, tuple(extensions), signatures)
    )
    parse_tlog_proof(text)
    return text


def _count(reader: Reader) -> int:
    count = reader.take_int()
    if count > _MAX_LINES:
        raise BadQR("the QR payload is damaged: its receipt has too many lines")
    return count


def _read_line(reader: Reader, origin: str) -> SignatureLine:
    form = reader.take_int()
    if form >= 2 * len(_ED25519_LENGTHS):
        raise BadQR("this QR code has a kind of log signature that this version does not know")
    name = reader.take_text() if form & 1 else origin
    return SignatureLine(name, reader.take(_ED25519_LENGTHS[form >> 1]))
