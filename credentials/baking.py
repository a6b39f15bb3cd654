"""Baked badges: a credential inside a picture, PNG or SVG (Open Badges 3.0, section 5.3).

The credential stands where the standard has it, so that any reader of badges finds it. The
ledger's receipt stands beside it, where only who knows of it looks.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from credentials.errors import BadBadge

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"openbadgecredential"
_RECEIPT_KEYWORD = b"creditbankreceipt"
_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_RECEIPT_NAMESPACE = "urn:creditbank:receipt:1"
_MOST_TEXT = 1024 * 1024
_MOST_CHUNKS = 10_000
_SVG_TAG = re.compile(rb"<svg\b[^>]*?(/?)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Baked:
    """What a badge holds: the credential's JSON, and the receipt where there is one."""

    credential: bytes
    receipt: str | None


def bake_png(picture: bytes, credential: bytes, receipt: str | None = None) -> bytes:
    """The PNG with the credential in it, in place of one it held before; BadBadge if it is none."""
    out = bytearray(_SIGNATURE)
    for kind, body in _chunks(picture):
        if kind == b"iTXt" and body.partition(b"\0")[0] in (_KEYWORD, _RECEIPT_KEYWORD):
            continue
        if kind == b"IEND":
            out += _chunk(b"iTXt", _itxt(_KEYWORD, credential))
            if receipt is not None:
                out += _chunk(b"iTXt", _itxt(_RECEIPT_KEYWORD, receipt.encode()))
        out += _chunk(kind, body)
    return bytes(out)


def unbake_png(picture: bytes) -> Baked | None:
    """What a PNG holds, None if it holds no credential; BadBadge where it is damaged."""
    texts: dict[bytes, bytes] = {}
    for kind, body in _chunks(picture):
        keyword = body.partition(b"\0")[0]
        if kind == b"iTXt" and keyword in (_KEYWORD, _RECEIPT_KEYWORD):
            if keyword in texts:
                raise BadBadge("the badge holds two credentials; a badge holds one")
            texts[keyword] = _text(body[len(keyword) + 1 :])
    if _KEYWORD not in texts:
        return None
    receipt = texts.get(_RECEIPT_KEYWORD)
    return Baked(texts[_KEYWORD], None if receipt is None else _utf8(receipt))


def bake_svg(picture: bytes, credential: bytes, receipt: str | None = None) -> bytes:
    """The SVG with the credential in it; BadBadge if it is none, or holds one already."""
    if unbake_svg(picture) is not None:
        raise BadBadge("the badge holds a credential already")
    tag = _SVG_TAG.search(picture)
    if tag is None or tag[1]:
        raise BadBadge("the picture is not an SVG with something in it")
    inside = _element("openbadges:credential", "xmlns:openbadges", _NAMESPACE, _utf8(credential))
    if receipt is not None:
        inside += _element("creditbank:receipt", "xmlns:creditbank", _RECEIPT_NAMESPACE, receipt)
    return picture[: tag.end()] + inside.encode() + picture[tag.end() :]


def unbake_svg(picture: bytes) -> Baked | None:
    """What an SVG holds, None if it holds no credential; BadBadge where it is damaged."""
    reader = _SvgReader()
    found = reader.read(picture)
    credential = found.get(f"{_NAMESPACE} credential")
    if credential is None:
        return None
    return Baked(credential.encode(), found.get(f"{_RECEIPT_NAMESPACE} receipt"))


class _SvgReader:
    """Reads the two elements that matter; a document type, and so every entity, is refused."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}
        self._open: list[str] | None = None
        self._size = 0

    def read(self, picture: bytes) -> dict[str, str]:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(picture, True)
        except expat.ExpatError as error:
            raise BadBadge(f"the SVG cannot be read: {error}") from error
        return {name: "".join(parts) for name, parts in self._found.items()}

    def _refuse(self, *_: object) -> None:
        raise BadBadge("the SVG declares a document type; a badge needs none")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if name in (f"{_NAMESPACE} credential", f"{_RECEIPT_NAMESPACE} receipt"):
            if name in self._found:
                raise BadBadge("the badge holds two credentials; a badge holds one")
            self._open = self._found[name] = []

    def _end(self, _name: str) -> None:
        self._open = None

    def _characters(self, text: str) -> None:
        if self._open is not None:
            self._size += len(text)
            if self._size > _MOST_TEXT:
                raise BadBadge(f"what the badge holds is over {_MOST_TEXT} characters")
            self._open.append(text)


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not picture.startswith(_SIGNATURE):
        raise BadBadge("the picture is not a PNG")
    place = len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if len(picture) < place + 12:
            raise BadBadge("the PNG is cut short")
        length, kind = struct.unpack_from(">I4s", picture, place)
        end = place + 12 + length
        body = picture[place + 8 : end - 4]
        if end > len(picture):
            raise BadBadge("the PNG is cut short")
        if zlib.crc32(kind + body) != int.from_bytes(picture[end - 4 : end], "big"):
            raise BadBadge(f"the PNG is damaged: the checksum of a {kind!r} chunk does not match")
        yield kind, body
        if kind == b"IEND":
            return
        place = end
    raise BadBadge(f"the PNG has more than {_MOST_CHUNKS} chunks")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def _itxt(keyword: bytes, text: bytes) -> bytes:
    """Uncompressed, without a language or a translated keyword."""
    return keyword + b"\0\0\0\0\0" + text


def _text(rest: bytes) -> bytes:
    """The text of an iTXt chunk, after its keyword (PNG, section 11.3.3.4)."""
    fields = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or rest[0] > 1 or len(fields) != 3:
        raise BadBadge("the badge's text chunk is malformed")
    if not rest[0]:
        return fields[2]
    unzip = zlib.decompressobj()
    try:
        text = unzip.decompress(fields[2], _MOST_TEXT)
    except zlib.error as error:
        raise BadBadge("the badge's text chunk cannot be unpacked") from error
    if not unzip.eof:
        raise BadBadge(f"what the badge holds is cut short, or over {_MOST_TEXT} bytes")
    return text


def _element(name: str, declaration: str, namespace: str, text: str) -> str:
    # Within JSON this is another spelling of the same text; a receipt never holds it.
    safe = text.replace("]]>", "]]\\u003e")
    return f'<{name} {declaration}="{namespace}"><![CDATA[{safe}]]></{name}>'


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadBadge("what the badge holds is not UTF-8 text") from error
