"""What a document must look like before any JSON-LD is done with it: plain, small, and whole.

JSON-LD quietly drops what it cannot interpret: nulls, unknown keywords, an index or a text
direction. Whatever is dropped is not signed, so it is refused here instead.
"""

from collections.abc import Iterator

from credentials.errors import BadDocument
from credentials.rdf.contexts import UnknownContext, example_contexts, known_contexts
from credentials.rdf.nquads import EXACT, SMALLEST, UNWRITABLE, double
from keys import Json

MAX_VALUES = 5000
# PyLD compares each item of a list with all before it, so an item weighs as much as five values.
LIST_ITEM = 5
MAX_DEPTH = 48
_MOST_TERMS = 64
_KEYWORDS = {"@context", "@direction", "@id", "@language", "@list", "@set", "@type", "@value"}


def admit(document: Json, written: bool = False) -> None:
    """BadDocument unless the document is one object of bounded size, with known contexts only.

    Where `written`, contexts may also be those for examples, or written into the document.
    """
    if type(document) is not dict:
        raise BadDocument("a JSON-LD document must be a JSON object")
    budget = MAX_VALUES
    level: list[Json] = [document]
    for _ in range(MAX_DEPTH):
        if not level:
            return
        for value in level:
            budget -= LIST_ITEM * len(value) if type(value) is list else 1
        level = [child for value in level for child in _children(value, written)]
        if len(level) > budget:
            raise BadDocument(f"the document holds more than {MAX_VALUES} values")
    if level:
        raise BadDocument(f"the document is nested deeper than {MAX_DEPTH} levels")


def _children(value: Json, written: bool) -> Iterator[Json]:
    if type(value) is dict:
        for key, item in value.items():
            _check_key(key)
            if item is None:
                raise BadDocument(
                    f"{key!r:.120} is null: JSON-LD ignores it, a signature would too"
                )
            if key == "@context":
                _check_context(item, written)
            else:
                yield item
    elif type(value) is list:
        for item in value:
            if item is None:
                raise BadDocument("a list holds null: JSON-LD ignores it, a signature would too")
            yield item
    elif type(value) is str:
        if UNWRITABLE.search(value):
            raise BadDocument(f"the text {value!r:.120} holds a code point that is no character")
    elif type(value) is int or type(value) is float:
        _check_number(value)
    elif type(value) is not bool:
        raise BadDocument(f"{type(value).__name__} is not a JSON type")


def _check_key(key: str) -> None:
    if type(key) is not str or UNWRITABLE.search(key):
        raise BadDocument(f"{key!r:.120} cannot name a member")
    if key.startswith("@") and key not in _KEYWORDS:
        raise BadDocument(f"the keyword {key!r:.120} is unknown, or not covered by signatures")


def _check_number(value: int | float) -> None:
    """RDF keeps 16 digits of a fraction: two numbers that it writes alike would be signed alike."""
    if value - value != 0:
        raise BadDocument("NaN and infinities are not JSON")
    if value == int(value):
        if not -EXACT < value < EXACT:
            raise BadDocument(f"the number {value!r:.40} is beyond 2^53 and not exact in JSON")
    elif abs(value) < SMALLEST or float(double(value)) != value:
        raise BadDocument(f"the number {value!r:.40} has digits that a signature would not cover")


def _check_context(value: Json, written: bool) -> None:
    for entry in value if type(value) is list else [value]:
        if type(entry) is dict and written:
            _check_written(entry)
            continue
        if type(entry) is not str:
            raise UnknownContext("contexts must be named by their URL, not written into a document")
        if entry not in known_contexts() and not (written and entry in example_contexts()):
            raise UnknownContext(
                f"the JSON-LD context {entry!r:.120} is not one that is known here"
            )


def _check_written(entry: dict[str, Json]) -> None:
    """A written context names terms, and no more: nothing nested, nothing fetched."""
    if len(entry) > _MOST_TERMS:
        raise UnknownContext(f"a context in the document defines more than {_MOST_TERMS} terms")
    for value in entry.values():
        parts = value.values() if type(value) is dict else [value]
        if not all(type(part) in (str, bool) for part in parts):
            raise UnknownContext("a context in the document does more than name terms")
    if "@import" in entry:
        raise UnknownContext("a context in the document imports another")
