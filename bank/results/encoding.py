"""Which encoding a results file has, found by reading all of it once, in chunks.

What decodes as UTF-8, with or without byte order mark, is UTF-8. What does not is read as
GB 18030, of which GBK is a part, only if it decodes as that and looks like it: a wrong guess would
put a garbled name under a signature. Everything else is refused by name.
"""

import codecs
from typing import BinaryIO

from bank.results.chunks import SAVE, read_chunks
from bank.results.errors import BadEncoding
from bank.results.likeness import GB18030, UTF8, looks_like

_SAMPLE = 256 * 1024


def find_encoding(file: BinaryIO, name: str) -> str:
    """The Python codec for `file`; `BadEncoding` calls the file `name` and says what it is."""
    not_utf8 = _first_damage(file, name, "utf-8")
    if not_utf8 is None:
        return "utf-8-sig"
    not_gb = _first_damage(file, name, "gb18030")
    likely = looks_like(_sample(file, name), gb_damaged=not_gb is not None)
    damaged_at = {UTF8: not_utf8, GB18030: not_gb}
    if likely not in damaged_at:
        raise BadEncoding(
            f"{name}, line {not_utf8}: looks like {likely or 'no text encoding known here'}, "
            f"and only UTF-8 and {GB18030} are read; {SAVE}"
        )
    if (line := damaged_at[likely]) is not None:
        raise BadEncoding(
            f"{name}, line {line}: looks like {likely}, but has bytes that are not; the file is "
            f"damaged, or put together from two encodings; {SAVE}"
        )
    return "gb18030"


def _first_damage(file: BinaryIO, name: str, codec: str) -> int | None:
    """The line of the first bytes that are not `codec`; None if the whole file is."""
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    for line, chunk in read_chunks(file, name):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            # What the decoder kept of the chunk before holds no line end.
            return line + error.object.count(b"\n", 0, error.start)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line + chunk.count(b"\n")
    return None


def _sample(file: BinaryIO, name: str) -> bytes:
    """The lines with bytes above 127, as many as are enough to judge by."""
    sample = bytearray()
    for _, chunk in read_chunks(file, name):
        if not chunk.isascii():
            sample += b"\n".join(one for one in chunk.splitlines() if not one.isascii()) + b"\n"
        if len(sample) > _SAMPLE:
            break
    return bytes(sample)
