"""A canonical JSON text as a template's number and fields, or whole where no template fits."""

from collections.abc import Mapping, Sequence

from credentials.errors import BadQR
from credentials.qr.fields import read_free, write_free
from credentials.qr.stream import Reader, Writer
from credentials.qr.template import Template, read_template, write_template

_FREE = 0


def write_document(
    writer: Writer, text: str, templates: Sequence[Template], bound: Mapping[str, str]
) -> None:
    """Write `text` by the first template that fits, else as JSON text with raw identifiers."""
    for number, template in enumerate(templates, start=1):
        attempt = Writer()
        attempt.put_int(number)
        if write_template(template, text, bound, attempt):
            writer.extend(attempt)
            return
    writer.put_int(_FREE)
    write_free(writer, text)


def read_document(reader: Reader, templates: Sequence[Template], bound: Mapping[str, str]) -> str:
    """The text `write_document` was given."""
    number = reader.take_int()
    if number == _FREE:
        return read_free(reader)
    if number > len(templates):
        raise BadQR(f"the QR payload uses template {number}, which its dictionary does not have")
    return read_template(templates[number - 1], bound, reader)
