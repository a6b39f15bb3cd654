"""The fast path: PyLD once for each shape of document, then only its values are put in.

A shape is an outline (see `outline`) together with which identifiers are equal. It is learnt
on its second sight, by giving PyLD the same document with markers for values, and used only
after its first filling equalled the reference. Whatever is unusual goes to the reference,
which also words every refusal. The shapes of what credit banks issue come with the package
(`shapes.json`, made by `scripts/shapes`), so that verifying them never waits for PyLD.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from credentials.errors import BadDocument
from credentials.rdf.outline import Outline, Unusual, split
from credentials.rdf.reference import canonical_nquads_reference, quads_of
from credentials.rdf.template import NotRegular, Template
from keys import Json

MAX_SHAPES = 256
_MAX_VARIANTS = 8
_MAX_VALUES = 1000
_MAX_OUTLINE = 64 * 1024
# Terms of no known context, so that nothing else can be meant by an identifier that starts so.
_SCHEMES = ("https://", "http://", "urn:", "did:")
_NOT_IN_IRIS = ' <>"{}|^`\\'

Pattern = tuple[int, ...]


def canonical_nquads(document: Json, digest: str = "sha256") -> bytes:
    """RDFC-1.0 canonical N-Quads of a JSON-LD document, in safe mode; BadDocument if refused.

    `digest`, `sha256` or `sha384`, is what RDFC-1.0 orders blank nodes by.
    """
    # Templates are learnt under one order of blank nodes.
    if digest != "sha256":
        return canonical_nquads_reference(document, digest)
    return _shapes.canonical_nquads(document)


class Shapes:
    """The shapes learnt so far, bounded in number and size."""

    def __init__(self, shipped: bool = False) -> None:
        """With `shipped`, beginning with the shapes that come with the package."""
        self._shapes: dict[Outline, Shape] = {}
        self._lock = Lock()
        self._shipped = shipped

    def canonical_nquads(self, document: Json) -> bytes:
        """As the module's function of this name."""
        try:
            outline, values = split(document)
        except (Unusual, RecursionError):
            return canonical_nquads_reference(document)
        if self._shipped:
            self._take_shipped()
        shape = self._shapes.get(outline)
        if shape is not None:
            filled = shape.fill(values)
            if filled is not None:
                return filled
        expected = canonical_nquads_reference(document)
        if len(values) <= _MAX_VALUES and _length(outline) <= _MAX_OUTLINE:
            with self._lock:
                self._learn(outline, document, values, expected)
        return expected

    def _take_shipped(self) -> None:
        with self._lock:
            if self._shipped:
                for example, shape in read_shapes():
                    self._shapes[split(example)[0]] = Shape.from_json(shape)
                self._shipped = False

    def learnt(self, document: Json) -> Json:
        """What was learnt of a document's shape, as JSON; None where nothing was."""
        shape = self._shapes.get(split(document)[0])
        return None if shape is None else shape.to_json()

    def _learn(self, outline: Outline, document: Json, values: list[str], expected: bytes) -> None:
        shape = self._shapes.get(outline)
        if shape is not None:
            shape.learn(document, values, expected)
            return
        # The first sight only takes note, so that a document seen once costs no compilation.
        while len(self._shapes) >= MAX_SHAPES:
            oldest = next(iter(self._shapes))
            candidate = self._shapes.pop(oldest)
            if candidate.used:
                candidate.used = False
                self._shapes[oldest] = candidate
        self._shapes[outline] = Shape()


class Shape:
    """An outline's templates: one for each pattern of equal identifiers."""

    def __init__(self) -> None:
        self.used = False
        self._identifiers: list[int] | None = None
        self._templates: dict[Pattern, Template | None] = {}

    def to_json(self) -> Json:
        """The shape as JSON, which `from_json` takes back; None where nothing was learnt."""
        kept = [(pattern, one) for pattern, one in self._templates.items() if one is not None]
        if self._identifiers is None or not kept:
            return None
        return {
            "identifiers": [*self._identifiers],
            "templates": [
                {"pattern": [*pattern], "template": template.to_json()}
                for pattern, template in kept
            ],
        }

    @classmethod
    def from_json(cls, value: Any) -> "Shape":
        """The shape of its JSON, which is trusted to be one."""
        shape = cls()
        shape._identifiers = value["identifiers"]
        for one in value["templates"]:
            shape._templates[tuple(one["pattern"])] = Template.from_json(one["template"])
        return shape

    def fill(self, values: list[str]) -> bytes | None:
        """Canonical N-Quads with these values, or None where the reference must decide."""
        if self._identifiers is None:
            return None
        pattern = _pattern([values[slot] for slot in self._identifiers])
        if pattern is None:
            return None
        template = self._templates.get(pattern)
        if template is None:
            return None
        self.used = True
        return template.fill(values)

    def learn(self, document: Json, values: list[str], expected: bytes) -> None:
        """Compile the template this document needs; keep it only if it gives what is expected."""
        if self._identifiers is None:
            self._identifiers = _identifiers(document)
        slots = self._identifiers
        pattern = _pattern([values[slot] for slot in slots])
        if pattern is None or pattern in self._templates or len(self._templates) >= _MAX_VARIANTS:
            return
        same_as = {slot: slots[first] for slot, first in zip(slots, pattern, strict=False)}
        template = _compile(document, values, same_as)
        if template is not None and template.fill(values) != expected:
            template = None
        self._templates[pattern] = template


def _identifiers(document: Json) -> list[int]:
    """Which of the document's values become IRIs."""
    from credentials.rdf.markers import marked

    stand_in, markers = marked(document, {})
    try:
        quads = quads_of(stand_in)
    except BadDocument:
        return []
    iris = {term.value for quad in quads for term in quad if term.kind == "iri"}
    return sorted(slot for marker, slot in markers.slots.items() if marker in iris)


def _compile(document: Json, values: list[str], same_as: Mapping[int, int]) -> Template | None:
    from credentials.rdf.markers import marked

    stand_in, markers = marked(document, same_as)
    try:
        return Template(quads_of(stand_in), markers, values)
    except (BadDocument, NotRegular):
        return None


def _pattern(identifiers: list[str]) -> Pattern | None:
    """Which identifiers are equal, () if none are; None unless all are plain absolute IRIs."""
    text = "".join(identifiers)
    if not text.isprintable():
        return None
    for char in _NOT_IN_IRIS:
        if char in text:
            return None
    for identifier in identifiers:
        if not identifier.startswith(_SCHEMES):
            return None
    if len(set(identifiers)) == len(identifiers):
        return ()
    first: dict[str, int] = {}
    return tuple(first.setdefault(name, number) for number, name in enumerate(identifiers))


def _length(outline: Outline) -> int:
    return sum(len(part) + 8 if isinstance(part, str) else 8 for part in outline)


def read_shapes() -> list[tuple[Json, Any]]:
    """The shapes that come with the package: an example of each, and what was learnt of it."""
    text = shapes_path().read_bytes()
    return [(one["example"], one["shape"]) for one in json.loads(text)]


def shapes_path() -> Path:
    """Where the shapes that come with the package lie, for pages that sign."""
    return Path(__file__).with_name("shapes.json")


_shapes = Shapes(shipped=True)
