"""Templates: the constant part of a document, published once instead of carried in every symbol.

A template is the canonical JSON text of a document with marks in it:

- `«kind:name»`: a field of one of the kinds in `fields`, written to the symbol,
- `«=name»`: the same text as an earlier field, or as a value the caller binds,
- `«?»first«|»second«/»`: one of two forms; which one is a bit in the symbol, 0 for the first.

A document fits a template or not; one that does not is written in a more general form. Marks use
« and », so a template's constant text cannot contain these two characters.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from credentials.errors import BadQR
from credentials.qr.fields import KINDS, UnfitError
from credentials.qr.stream import Reader, Writer


@dataclass(frozen=True)
class Literal:
    """Constant text."""

    text: str


@dataclass(frozen=True)
class Field:
    """Text that a symbol carries, of a kind in `fields`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Same:
    """The text of an earlier field or bound value once more."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of two forms."""

    name: str
    first: "Template"
    second: "Template"


Node: TypeAlias = Literal | Field | Same | Choice
Template: TypeAlias = tuple[Node, ...]

_MARK = re.compile("(«[^»]*»)")


def parse_template(source: str) -> Template:
    """Read the notation above; raises `ValueError` where it is malformed."""
    pieces = iter(_MARK.split(source))
    nodes, end = _sequence(pieces, iter(range(10_000)))
    if end:
        raise ValueError(f"template: unexpected {end}")
    return nodes


def _sequence(pieces: Iterator[str], numbers: Iterator[int]) -> tuple[Template, str]:
    nodes: list[Node] = []
    for piece in pieces:
        if piece in ("«|»", "«/»"):
            return tuple(nodes), piece
        if piece == "«?»":
            name = f"choice{next(numbers)}"
            first, end = _sequence(pieces, numbers)
            second, close = _sequence(pieces, numbers)
            if (end, close) != ("«|»", "«/»"):
                raise ValueError("template: a choice is not closed")
            nodes.append(Choice(name, first, second))
        elif piece.startswith("«="):
            nodes.append(Same(piece[2:-1]))
        elif piece.startswith("«"):
            kind, _, name = piece[1:-1].partition(":")
            if kind not in KINDS or not name.isidentifier():
                raise ValueError(f"template: {piece} is no field")
            nodes.append(Field(kind, name))
        elif piece:
            nodes.append(Literal(piece))
    return tuple(nodes), ""


def write_template(template: Template, text: str, bound: Mapping[str, str], writer: Writer) -> bool:
    """Write `text` as the fields of `template`; False, with nothing written, if it does not fit."""
    match = re.fullmatch(_pattern(template, bound), text, re.DOTALL)
    if match is None:
        return False
    fields = Writer()
    choices: list[int] = []
    try:
        _write(template, match, fields, choices)
    except UnfitError:
        return False
    writer.put_int(sum(bit << place for place, bit in enumerate(choices)))
    writer.extend(fields)
    return True


def _pattern(template: Template, bound: Mapping[str, str]) -> str:
    parts: list[str] = []
    for node in template:
        match node:
            case Literal(text):
                parts.append(re.escape(text))
            case Field(kind, name):
                parts.append(f"(?P<{name}>{KINDS[kind].pattern})")
            case Same(name):
                parts.append(re.escape(bound[name]) if name in bound else f"(?P={name})")
            case Choice(name, first, second):
                one, other = _pattern(first, bound), _pattern(second, bound)
                parts.append(f"(?:(?P<{name}>{one})|(?:{other}))")
    return "".join(parts)


def _write(template: Template, match: re.Match[str], writer: Writer, choices: list[int]) -> None:
    for node in template:
        if isinstance(node, Field):
            KINDS[node.kind].write(writer, match[node.name])
        elif isinstance(node, Choice):
            is_first = match[node.name] is not None
            choices.append(0 if is_first else 1)
            _write(node.first if is_first else node.second, match, writer, choices)


def read_template(template: Template, bound: Mapping[str, str], reader: Reader) -> str:
    """The text `write_template` was given; raises `BadQR` if the fields do not fit."""
    choices = _Bits(reader.take_int())
    text = _read(template, dict(bound), reader, choices)
    if choices.value:
        raise BadQR("the QR payload is damaged: it makes choices its template does not offer")
    return text


@dataclass
class _Bits:
    value: int

    def take(self) -> int:
        bit = self.value & 1
        self.value >>= 1
        return bit


def _read(template: Template, values: dict[str, str], reader: Reader, choices: _Bits) -> str:
    parts: list[str] = []
    for node in template:
        match node:
            case Literal(text):
                parts.append(text)
            case Field(kind, name):
                values[name] = KINDS[kind].read(reader)
                parts.append(values[name])
            case Same(name):
                if name not in values:
                    raise BadQR("the QR payload is damaged: it repeats a field that is not there")
                parts.append(values[name])
            case Choice(_, first, second):
                branch = second if choices.take() else first
                parts.append(_read(branch, values, reader, choices))
    return "".join(parts)
