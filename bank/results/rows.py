"""The rows of a CSV file (RFC 4180, quoting strictly), one at a time, in bounded memory."""

import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from bank.results.chunks import LINE_LIMIT
from bank.results.encoding import find_encoding
from bank.results.errors import BadTable


def read_rows(path: Path | str, delimiter: str) -> Generator[tuple[int, list[str]], None, None]:
    """Each row that has anything in it, with the line it begins on; the header comes first.

    Cells come without surrounding white space. Raises `BadTable` or `BadEncoding` on whatever
    makes the rest of the file meaningless.
    """
    if not Path(path).exists():
        raise BadTable(f"{path} does not exist; check the file's name")
    if not Path(path).is_file():
        # A device or a pipe has no end that can be waited for, and cannot be read twice.
        raise BadTable(f"{path} is not a regular file; save the results as a CSV file")
    try:
        with Path(path).open("rb") as file:
            yield from rows_of(file, str(path), delimiter)
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeError:
        raise BadTable(f"{path} changed while it was read; import it again") from None


def rows_of(
    file: BinaryIO, name: str, delimiter: str
) -> Generator[tuple[int, list[str]], None, None]:
    """The same of an open file, which messages call `name`."""
    encoding = find_encoding(file, name)
    file.seek(0)
    with io.TextIOWrapper(file, encoding=encoding, newline="") as text:
        yield from _rows(name, text, delimiter)


def _rows(name: str, text: io.TextIOWrapper, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            stripped = [cell.strip().removeprefix("\ufeff") for cell in cells]
            if any(stripped):
                yield begins, stripped
            begins = reader.line_num + 1
            lines.record_length = 0
    except (csv.Error, _RecordTooLong) as error:
        raise BadTable(
            f"{name}, line {begins}: the quotation marks do not pair ({error}); write each field "
            'that holds one as "…", with every mark inside it doubled'
        ) from None


class _RecordTooLong(Exception):
    pass


class _Lines:
    """The lines of a text, counting the length of the record they belong to.

    A mark that is never closed makes one record of the rest of the file; this ends it.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.record_length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self.record_length += len(line)
        if self.record_length > LINE_LIMIT:
            raise _RecordTooLong("a record is over 1 MiB")
        return line
