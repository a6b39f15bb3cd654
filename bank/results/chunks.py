"""The bytes of a results file in chunks; what no CSV file has is refused before it is buffered.

That is: files of other kinds, UTF-16 and UTF-32 (by byte order mark or by where their NUL bytes
stand), and lines over 1 MiB.
"""

from collections.abc import Iterator
from typing import BinaryIO

from bank.results.errors import BadEncoding, BadTable

LINE_LIMIT = 1024 * 1024
"""Bytes in a line, and characters in a record of several lines."""
SAVE = "save it as 'CSV UTF-8' and import that"
_CHUNK = 64 * 1024
_ONLY = "only UTF-8 and GB 18030 (GBK) text is read"
_MARKS = (  # the longer before the shorter that begins alike
    (b"\xff\xfe\0\0", "UTF-32 (little-endian) text"),
    (b"\0\0\xfe\xff", "UTF-32 (big-endian) text"),
    (b"\xff\xfe", "UTF-16 (little-endian) text"),
    (b"\xfe\xff", "UTF-16 (big-endian) text"),
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or other ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
)
_NULS: dict[
    tuple[bool, ...], str
] = {  # which of the four places of every four bytes hold NUL bytes
    (False, True, False, True): "UTF-16 (little-endian) text",
    (True, False, True, False): "UTF-16 (big-endian) text",
    (False, False, True, True): "UTF-32 (little-endian) text",
    (False, True, True, True): "UTF-32 (little-endian) text",
    (True, True, False, False): "UTF-32 (big-endian) text",
    (True, True, True, False): "UTF-32 (big-endian) text",
}


def read_chunks(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """The whole of `file`, each chunk with the number of the line it begins in."""
    file.seek(0)
    line, length = 1, 0
    while chunk := file.read(_CHUNK):
        if file.tell() == len(chunk):
            _refuse_marks(chunk, name)
        if b"\0" in chunk:
            at = line + chunk.count(b"\n", 0, chunk.index(0))
            raise BadEncoding(
                f"{name}, line {at}: looks like {_with_nuls(chunk)}, and {_ONLY}; {SAVE}"
            )
        length = _line_length(length, chunk)
        if length > LINE_LIMIT:
            raise BadTable(
                f"{name}, line {line}: is over 1 MiB long; a results file has one line a record, "
                "so look for missing line ends"
            )
        if (end := max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))) >= 0:
            length = len(chunk) - end - 1
        yield line, chunk
        line += chunk.count(b"\n")


def _line_length(before: int, chunk: bytes) -> int:
    """The length, up to its end or the chunk's, of the line of which `before` bytes were read.

    A chunk is far shorter than the limit, so no line that begins in this one can pass it yet.
    """
    ends = (chunk.find(mark) for mark in (b"\n", b"\r"))
    return before + min((end for end in ends if end >= 0), default=len(chunk))


def _refuse_marks(head: bytes, name: str) -> None:
    for mark, what in _MARKS:
        if head.startswith(mark):
            raise BadEncoding(
                f"{name}: looks like {what}, and {_ONLY}; open it in a spreadsheet program, {SAVE}"
            )


def _with_nuls(chunk: bytes) -> str:
    places = (chunk[place::4] for place in range(4))
    dense = tuple(place.count(0) > len(place) * 0.05 for place in places)
    return _NULS.get(dense, "binary data, with NUL bytes")
