"""A full receipt inside a compact bundle: only what the credential and the path do not imply.

Left out because it follows from the rest: the root (the path leads to it), the previous leaf hash
where the index is odd (it is the path's first node), the commitment (a hash of the credential), and
whatever of the statement the credential also says. Signature lines other than Ed25519 are left out
because an ML-DSA-44 one alone would fill the symbol; files and PDFs carry them.

After the credential's own fields come, as raw numbers unless said otherwise: index, tree size,
count of path nodes, the nodes (32 bytes each), count of signature lines; then the origin and the
note's extension lines as one text field; then for each line a form (bit 0: the name follows as a
text field, else it is the origin; bit 1: 76 bytes with a time, else 68) and its bytes; then the
entry, as `document` writes it, with the values of `_implied` bound.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from credentials.errors import BadQR
from credentials.qr.dictionary import Dictionary
from credentials.qr.document import read_document, write_document
from credentials.qr.stream import Reader, Writer
from credentials.qr.tlog_proof import (
    SignatureLine,
    TlogProof,
    format_tlog_proof,
    parse_tlog_proof,
    path_root,
)
from keys import Json, b64u_encode, encode

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
    bound = _implied(credential, proof.index, proof.path)
    write_document(writer, entry, published.entry, bound)


def read_receipt(reader: Reader, credential: dict[str, Json], published: Dictionary) -> str:
    """The tlog-proof text that `write_receipt` was given."""
    index, size = reader.take_int(), reader.take_int()
    path = tuple(reader.take(32) for _ in range(_count(reader)))
    lines = _count(reader)
    origin, *extensions = reader.take_text().split("\n")
    signatures = tuple(_read_line(reader, origin) for _ in range(lines))
    bound = _implied(credential, index, path)
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


def _implied(credential: dict[str, Json], index: int, path: tuple[bytes, ...]) -> dict[str, str]:
    """What an award's entry is expected to say, as pieces of JSON text; unknown things are empty.

    A wrong guess costs bytes, never correctness: the entry's template has another form for each.
    """
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    proof = credential.get("proof")
    first_proof = proof[0] if isinstance(proof, list) and proof else proof
    subject = credential.get("credentialSubject")
    unit = _text(subject, "achievement", "id").split("/")
    status = credential.get("credentialStatus")
    method = _text(first_proof, "verificationMethod")
    issuer = credential.get("issuer")
    return {
        "index": str(index),
        "sibling": path[0].hex() if path and index & 1 else "",
        "commitment": b64u_encode(hashlib.sha256(encode(unsigned)).digest()),
        "key": method.partition("#")[2],
        "author": issuer if isinstance(issuer, str) else _text(issuer, "id"),
        "credits": _number(subject, "creditsEarned"),
        "expires": _text(credential, "validUntil")[:10],
        "level": _alignment(subject, "ext:QualificationLevel"),
        "scheme": _alignment(subject, "ext:CreditScheme"),
        "status_index": _text(status, "statusListIndex"),
        "status_list": _text(status, "statusListCredential").rpartition("/")[2],
        "unit": "@".join(unit[-2:]),
    }


def _at(value: Json, *names: str) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Json, *names: str) -> str:
    found = _at(value, *names)
    return found if isinstance(found, str) else ""


def _number(value: Json, *names: str) -> str:
    found = _at(value, *names)
    return encode(found).decode() if isinstance(found, int | float) else ""


def _alignment(subject: Json, kind: str) -> str:
    alignments = _at(subject, "achievement", "alignment")
    for alignment in alignments if isinstance(alignments, list) else []:
        if _text(alignment, "targetType") == kind:
            return _text(alignment, "targetCode")
    return ""
