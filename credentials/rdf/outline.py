"""A document split into its outline (what decides the meaning) and its values (what fills it).

The outline holds the member names, the nesting, and the values of members that name terms
rather than say something: `type`, `@context`, `proofPurpose`. Documents with the same outline
become the same RDF, but for the values.
"""

from collections.abc import Callable
from typing import Any, Final

from credentials.rdf.nquads import EXACT, SMALLEST, double
from keys import Json

Outline = tuple[object, ...]

PINNED: Final = frozenset({"@context", "@direction", "@language", "@type", "proofPurpose", "type"})
# Marks in an outline. Each is equal to nothing but itself, so no member name can imitate one.
_TEXT: Final = object()
_INTEGER: Final = object()
_DOUBLE: Final = object()
_TRUE: Final = object()
_FALSE: Final = object()
_OBJECT: Final = object()
_LIST: Final = object()
_END: Final = object()


class Unusual(Exception):
    """A value that only the reference knows how to treat."""


def split(document: Json) -> tuple[Outline, list[str]]:
    """The document's outline and, in order, its values as RDF writes them, without escapes."""
    outline: list[object] = []
    values: list[str] = []
    if type(document) is not dict:
        raise Unusual
    _split_object(document, outline.append, values.append)
    return tuple(outline), values


def _split_object(
    members: dict[str, Any], mark: Callable[[object], None], fill: Callable[[str], None]
) -> None:
    # A text has no mark: a name followed by a name or an end holds one, and a pinned name is
    # followed by its text itself.
    for name, value in members.items():
        mark(name)
        kind = type(value)
        if kind is str:
            if name in PINNED:
                mark(value)
            else:
                fill(value)
        elif kind is dict:
            mark(_OBJECT)
            _split_object(value, mark, fill)
        elif kind is list:
            _split_list(value, name in PINNED, mark, fill)
        else:
            _split_scalar(value, mark, fill)
    mark(_END)


def _split_list(
    items: list[Any], pinned: bool, mark: Callable[[object], None], fill: Callable[[str], None]
) -> None:
    mark(_LIST)
    for value in items:
        kind = type(value)
        if kind is str:
            if pinned:
                mark(value)
            else:
                mark(_TEXT)
                fill(value)
        elif kind is dict:
            mark(_OBJECT)
            _split_object(value, mark, fill)
        elif kind is list:
            _split_list(value, pinned, mark, fill)
        else:
            _split_scalar(value, mark, fill)
    mark(_END)


def _split_scalar(
    value: object, mark: Callable[[object], None], fill: Callable[[str], None]
) -> None:
    if value is True:
        mark(_TRUE)
    elif value is False:
        mark(_FALSE)
    elif type(value) is int or (type(value) is float and value.is_integer()):
        if not -EXACT < value < EXACT:
            raise Unusual
        mark(_INTEGER)
        fill(str(int(value)))
    elif type(value) is float and SMALLEST <= abs(value) < EXACT:
        text = double(value)
        if float(text) != value:
            raise Unusual
        mark(_DOUBLE)
        fill(text)
    else:
        raise Unusual


def replaced(document: Json, replacement: Callable[[Json], Json], pinned: bool = False) -> Json:
    """A copy of the document with each value replaced, in the order in which `split` lists them."""
    if type(document) is dict:
        return {
            name: replaced(value, replacement, name in PINNED) for name, value in document.items()
        }
    if type(document) is list:
        return [
            value if pinned and type(value) is str else replaced(value, replacement, pinned)
            for value in document
        ]
    if type(document) is bool or (pinned and type(document) is str):
        return document
    return replacement(document)
