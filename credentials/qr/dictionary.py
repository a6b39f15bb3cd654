"""The published dictionary: what every symbol would otherwise repeat.

`dictionary-<version>.json` holds the templates of a credential and of an entry (`template`
explains the notation) and the preset text for deflate. A symbol names the version it was made with,
so a published version never changes; a better one gets the next number and readers keep both.

The preset text is the strings of `preset` joined, encoded as the symbol's text is. A reader that
has no preset for raw deflate gets the same by feeding one stored block that holds the preset in
front of the data, and dropping that many bytes of the output.
"""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from credentials.errors import BadQR
from credentials.qr.template import Template, parse_template

LATEST = 1
_VERSIONS = (1,)
_INFLATED_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Dictionary:
    """`credential` and `entry` are tried in order; `preset` is text of ASCII and common hanzi."""

    version: int
    credential: tuple[Template, ...]
    entry: tuple[Template, ...]
    preset: str

    def deflate(self, text: str) -> tuple[bool, bytes]:
        """Raw deflate of `text`, and whether it is in GB 18030 (hanzi in two bytes, not three)."""
        packed = [(False, self._deflate(text, "utf-8"))]
        if is_plain_chinese(text):
            packed.append((True, self._deflate(text, "gb18030")))
        return min(packed, key=lambda form: len(form[1]))

    def _deflate(self, text: str, encoding: str) -> bytes:
        packer = zlib.compressobj(9, wbits=-15, memLevel=9, zdict=self.preset.encode(encoding))
        return packer.compress(text.encode(encoding)) + packer.flush()

    def inflate(self, data: bytes, chinese: bool) -> str:
        """The text behind `data`; raises `BadQR` if it is damaged or over 64 KiB."""
        encoding = "gb18030" if chinese else "utf-8"
        unpacker = zlib.decompressobj(-15, zdict=self.preset.encode(encoding))
        try:
            raw = unpacker.decompress(data, _INFLATED_LIMIT + 1)
            text = raw.decode(encoding)
        except (zlib.error, UnicodeDecodeError) as error:
            raise BadQR(f"the QR payload is damaged: its text cannot be read ({error})") from error
        if len(raw) > _INFLATED_LIMIT:
            raise BadQR(f"the QR payload expands to over {_INFLATED_LIMIT} bytes")
        if not unpacker.eof:
            raise BadQR("the QR payload is cut off: its compressed text does not end")
        if unpacker.unused_data:
            raise BadQR("the QR payload has data left over after its compressed text")
        if chinese and not is_plain_chinese(text):
            raise BadQR("the QR payload is damaged: its text is not in the character set it names")
        return text


_CHINESE_MARKS = frozenset("·—“”…　、。《》「」【】！（），：；？")


def is_plain_chinese(text: str) -> bool:
    """Whether all of `text` is ASCII, common hanzi or Chinese punctuation.

    Those characters have one and the same GB 18030 code in every edition of that standard and in
    the WHATWG encoding standard, which browsers follow; some others do not.
    """
    return all(
        char < "\x80" or "\u4e00" <= char <= "\u9fa5" or char in _CHINESE_MARKS for char in text
    )


@cache
def dictionary(version: int = LATEST) -> Dictionary:
    """The published dictionary `version`; raises `BadQR` for one that is not known here."""
    if version not in _VERSIONS:
        raise BadQR(
            f"this QR code needs dictionary {version}, which this version does not know;"
            " update the verifier"
        )
    data = json.loads(dictionary_path(version).read_text("utf-8"))
    return Dictionary(
        version,
        tuple(parse_template(source) for source in data["credential"]),
        tuple(parse_template(source) for source in data["entry"]),
        "".join(data["preset"]),
    )


def dictionary_path(version: int) -> Path:
    """The published file of a version."""
    return Path(__file__).with_name(f"dictionary-{version}.json")
