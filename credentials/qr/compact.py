"""The compact bundle of format 1: what the digits of a QR code stand for.

    flags      1 byte   bits 0-1: 0 credential only, 1 with a full receipt, 2 with a landmark
                        receipt; bit 2: text in GB 18030, else UTF-8; bit 3: zero; bits 4-7: the
                        dictionary's version
    raw size   varint   then that many raw bytes: identifiers, keys, signatures, hashes, numbers
    text       deflate  raw deflate of the text fields, with the dictionary's preset text
    check      2 bytes  CRC-16 (polynomial 0x1021, from 0) of all before it, high byte first

The credential keeps its eddsa-jcs-2022 proof and loses any other, the receipt keeps its Ed25519
signature lines; both are otherwise given back byte for byte. Writing reads its own output back and
refuses if it differs.
"""

import binascii

from credentials.errors import BadProof, BadQR
from credentials.proofs import JCS, only_suite
from credentials.qr.dictionary import LATEST, Dictionary, dictionary
from credentials.qr.document import read_document, write_document
from credentials.qr.landmark import HEADER, read_landmark, write_landmark
from credentials.qr.receipt import ed25519_only, read_receipt, write_receipt
from credentials.qr.stream import Reader, Writer
from keys import Json, KeysError, encode, parse_exact

_CREDENTIAL_ONLY, _FULL_RECEIPT, _LANDMARK_RECEIPT = 0, 1, 2
_RECEIPT_BITS = 0b0000_0011
_CHINESE = 0b0000_0100
_RESERVED = 0b0000_1000
_SIZE_LIMIT = 32 * 1024


def to_bytes(credential: dict[str, Json], receipt: str | None) -> bytes:
    """The compact bundle; raises `BadQR` where it cannot give exactly the same back.

    `receipt` is tlog-proof text or a landmark receipt.
    """
    try:
        kept = only_suite(credential, JCS)
    except BadProof as error:
        raise BadQR(f"the credential has no {JCS} proof, which a QR code carries") from error
    full = receipt is not None and not receipt.startswith(HEADER)
    kept_receipt = ed25519_only(receipt) if receipt is not None and full else receipt
    try:
        exact = encode(kept)
        parse_exact(exact)
    except KeysError as error:
        raise BadQR(f"the credential is not exact JSON: {error}") from error
    if len(exact) > _SIZE_LIMIT:
        raise BadQR("this credential is too large for a QR code; share it as a file")
    data = _write(kept, kept_receipt, dictionary(LATEST))
    read_back, receipt_back = from_bytes(data)
    if encode(read_back) != exact or receipt_back != kept_receipt:
        raise BadQR("this credential cannot be put into a QR code unchanged; share it as a file")
    return data


def from_bytes(data: bytes) -> tuple[dict[str, Json], str | None]:
    """The credential and the receipt's text; raises `BadQR` on anything malformed."""
    if len(data) < 5 or binascii.crc_hqx(data[:-2], 0) != int.from_bytes(data[-2:], "big"):
        raise BadQR("the QR payload is damaged or cut off: its check value does not match")
    flags = data[0]
    kind = flags & _RECEIPT_BITS
    if flags & _RESERVED or kind > _LANDMARK_RECEIPT:
        raise BadQR("this QR code carries something this version cannot read; update the verifier")
    published = dictionary(flags >> 4)
    frame = Reader(data[1:-2], "")
    raw = frame.take(frame.take_int())
    text = published.inflate(frame.rest(), bool(flags & _CHINESE))
    try:
        return _read(Reader(raw, text), kind, published)
    except KeysError as error:
        raise BadQR(f"the QR payload is damaged: {error}") from error


def _write(credential: dict[str, Json], receipt: str | None, published: Dictionary) -> bytes:
    writer = Writer()
    write_document(writer, encode(credential).decode("utf-8"), published.credential, {})
    kind = _CREDENTIAL_ONLY
    if receipt is not None and receipt.startswith(HEADER):
        kind = _LANDMARK_RECEIPT
        write_landmark(writer, receipt, credential, published)
    elif receipt is not None:
        kind = _FULL_RECEIPT
        write_receipt(writer, receipt, credential, published)
    chinese, text = published.deflate("".join(writer.text))
    frame = Writer()
    frame.put(bytes([published.version << 4 | (_CHINESE if chinese else 0) | kind]))
    frame.put_int(len(writer.raw))
    frame.put(bytes(writer.raw) + text)
    return bytes(frame.raw) + binascii.crc_hqx(bytes(frame.raw), 0).to_bytes(2, "big")


def _read(reader: Reader, kind: int, published: Dictionary) -> tuple[dict[str, Json], str | None]:
    text = read_document(reader, published.credential, {})
    credential = parse_exact(text.encode("utf-8"))
    if not isinstance(credential, dict):
        raise BadQR("the QR payload is damaged: it holds no credential")
    receipt = None
    if kind == _FULL_RECEIPT:
        receipt = read_receipt(reader, credential, published)
    elif kind == _LANDMARK_RECEIPT:
        receipt = read_landmark(reader, credential, published)
    reader.finish()
    return credential, receipt
