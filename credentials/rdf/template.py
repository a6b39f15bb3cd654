"""Canonical N-Quads with holes: what every document of one outline becomes but for its values."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import combinations
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from credentials.rdf.nquads import UNWRITABLE, XSD, Quad, Term, escape
from keys import Json

if TYPE_CHECKING:
    from credentials.rdf.markers import Markers

Slots = Mapping[str, int]
Pick = Callable[[Sequence[str]], Any]


class NotRegular(Exception):
    """Quads whose form depends on more than the outline."""


class Template:
    """Lines of N-Quads with holes for a document's values and for the labels of blank nodes.

    Two values used as identifiers must be equal exactly where their markers are: equal
    identifiers make one node of two.
    """

    def __init__(self, quads: Sequence[Quad], markers: "Markers", example: list[str]) -> None:
        """`example` are the values of one document, to put the lines in their likely order."""
        _check(quads, markers)
        slots = markers.slots
        blank = sorted({term.value for quad in quads for term in quad if term.kind == "blank"})
        labels = {name: len(example) + number for number, name in enumerate(blank)}
        self._lines = _Lines(quads, slots, labels, example + blank)
        self._blank = [_BlankNode(name, quads, slots, example) for name in blank]
        self._labels = [f"_:c14n{number}" for number in range(len(blank))]

    def to_json(self) -> dict[str, Json]:
        """The template as JSON, which `from_json` takes back."""
        return {
            "blank": [node.to_json() for node in self._blank],
            "lines": self._lines.to_json(),
        }

    @classmethod
    def from_json(cls, value: Any) -> "Template":
        """The template of its JSON, which is trusted to be one."""
        template = cls.__new__(cls)
        template._lines = _Lines.from_json(value["lines"])
        template._blank = [_BlankNode.from_json(node) for node in value["blank"]]
        template._labels = [f"_:c14n{number}" for number in range(len(template._blank))]
        return template

    def fill(self, values: list[str]) -> bytes | None:
        """Canonical N-Quads with these values, or None where the reference must decide."""
        text = "".join(values)
        if not text.isprintable() or '"' in text or "\\" in text:
            if UNWRITABLE.search(text):
                return None
            values = [
                value
                if value.isprintable() and '"' not in value and "\\" not in value
                else escape(value)
                for value in values
            ]
        if self._blank:
            digests = [node.digest(values) for node in self._blank]
            # RDFC-1.0 labels in the order of these digests, where they suffice to tell all apart.
            labels = dict(zip(sorted(digests), self._labels, strict=True))
            if len(labels) < len(digests) or b"" in labels:
                return None
            values = values + [labels[digest] for digest in digests]
        return self._lines.write(values)


class _Lines:
    """Lines of N-Quads with holes, written in order and each once."""

    def __init__(
        self, quads: Sequence[Quad], slots: Slots, labels: Slots, example: list[str]
    ) -> None:
        self._form = _Form(quads, slots, labels, example)
        self._may_repeat = _may_repeat(quads, slots)

    def to_json(self) -> Json:
        return {**self._form.to_json(), "may_repeat": self._may_repeat}

    @classmethod
    def from_json(cls, value: Any) -> "_Lines":
        lines = cls.__new__(cls)
        lines._form = _Form.from_json(value)
        lines._may_repeat = value["may_repeat"]
        return lines

    def write(self, values: Sequence[str]) -> bytes:
        lines = self._form.lines(values)
        if self._may_repeat:
            lines = list(set(lines))
        return _joined(lines)


class _BlankNode:
    """The quads that mention one blank node, as RDFC-1.0 hashes them to the first degree."""

    def __init__(self, name: str, quads: Sequence[Quad], slots: Slots, example: list[str]) -> None:
        mine = [quad for quad in quads if any(_is_blank(term, name) for term in quad)]
        # Seen from here, two other blank nodes look alike: such lines do count twice.
        seen = [tuple(_seen_from(name, term) for term in quad) for quad in mine]
        self._form = _Form(seen, slots, {}, example)
        self._distinct = len(set(seen)) if _may_repeat(mine, slots) else 0

    def to_json(self) -> Json:
        return {**self._form.to_json(), "distinct": self._distinct}

    @classmethod
    def from_json(cls, value: Any) -> "_BlankNode":
        node = cls.__new__(cls)
        node._form = _Form.from_json(value)
        node._distinct = value["distinct"]
        return node

    def digest(self, values: Sequence[str]) -> bytes:
        """The hash, or nothing where values make one of two quads: that line counts once."""
        lines = self._form.lines(values)
        if self._distinct and len(set(lines)) < self._distinct:
            return b""
        return sha256(_joined(lines)).digest()


class _Form:
    """All lines as one format string: filling it costs less than building them one by one.

    The lines stand as they sort with the example's values; others sort almost alike, and
    sorting what is almost in order is cheap.
    """

    def __init__(
        self, quads: Sequence[Quad], slots: Slots, labels: Slots, example: list[str]
    ) -> None:
        forms = [_line(quad, slots, labels) for quad in quads]
        forms.sort(key=lambda form: form[0] % tuple(example[hole] for hole in form[1]))
        self._holes = [hole for _, line_holes in forms for hole in line_holes]
        self._format = "\n".join(line for line, _ in forms)
        self._pick = _picker(self._holes)

    def to_json(self) -> dict[str, Json]:
        return {"format": self._format, "holes": [*self._holes]}

    @classmethod
    def from_json(cls, value: Any) -> "_Form":
        form = cls.__new__(cls)
        form._format, form._holes = value["format"], value["holes"]
        form._pick = _picker(form._holes)
        return form

    def lines(self, values: Sequence[str]) -> list[str]:
        """The lines with these values; none of them holds a line end of its own."""
        filled: str = self._format % self._pick(values)
        return filled.split("\n")


def _picker(holes: Sequence[int]) -> Pick:
    # A single hole would be picked bare, and a format takes a bare text as well as a tuple of one.
    return itemgetter(*holes) if holes else lambda _values: ()


def _joined(lines: list[str]) -> bytes:
    lines.sort()
    lines.append("")
    return "\n".join(lines).encode()


def _line(quad: Quad, slots: Slots, labels: Slots) -> tuple[str, list[int]]:
    """One line's format, and which values or labels go into its holes."""
    parts: list[str] = []
    holes: list[int] = []
    for term in quad:
        if term.kind == "blank" and term.value in labels:
            holes.append(labels[term.value])
            parts.append("%s")
        elif term.kind != "blank" and term.value in slots:
            holes.append(slots[term.value])
            suffix = term.suffix().replace("%", "%%")
            parts.append("<%s>" if term.kind == "iri" else f'"%s"{suffix}')
        else:
            parts.append(term.write().replace("%", "%%"))
    return " ".join([*parts, "."]), holes


def _check(quads: Sequence[Quad], markers: "Markers") -> None:
    """NotRegular unless each marker came out whole, as an IRI or as a literal, and not changed."""
    kinds: dict[int, set[str]] = defaultdict(set)
    for term in (term for quad in quads for term in quad):
        slot = markers.slots.get(term.value)
        if slot is not None:
            kinds[slot].add(term.kind)
            # A text typed as a double is rewritten if it happens to be a number.
            if slot in markers.texts and term.datatype == XSD + "double":
                raise NotRegular
        elif any(markers.nonce in part for part in (term.value, term.datatype, term.language)):
            raise NotRegular
    if kinds.keys() != set(markers.slots.values()) or any(len(kind) > 1 for kind in kinds.values()):
        raise NotRegular


def _may_repeat(quads: Sequence[Quad], slots: Slots) -> bool:
    """Whether some values could make two of the quads equal."""
    alike: dict[tuple[str, int], list[Quad]] = defaultdict(list)
    for quad in quads:
        alike[quad[1].value, len(quad)].append(quad)
    return any(
        all(_may_equal(one, other, slots) for one, other in zip(*pair, strict=True))
        for group in alike.values()
        for pair in combinations(group, 2)
    )


def _may_equal(one: Term, other: Term, slots: Slots) -> bool:
    if one == other:
        return True
    if one.kind != other.kind or one.kind == "blank" or one.suffix() != other.suffix():
        return False
    holes = (one.value in slots) + (other.value in slots)
    # Identifiers with different markers differ, but one may equal an IRI that is always there.
    return holes == 1 or (holes == 2 and one.kind == "literal")


def _seen_from(name: str, term: Term) -> Term:
    if term.kind != "blank":
        return term
    return Term("blank", "_:a" if term.value == name else "_:z")


def _is_blank(term: Term, name: str) -> bool:
    return term.kind == "blank" and term.value == name
