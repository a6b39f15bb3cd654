"""Markers: unguessable stand-ins for a document's values, found again in what PyLD makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from secrets import randbelow, token_hex

from credentials.rdf.nquads import double
from credentials.rdf.outline import replaced
from keys import Json


@dataclass(frozen=True, slots=True)
class Markers:
    """Which value each marker stands for, as RDF writes the marker; and which values are texts."""

    nonce: str = field(default_factory=lambda: token_hex(12))
    slots: dict[str, int] = field(default_factory=dict)
    texts: set[int] = field(default_factory=set)


def marked(document: Json, same_as: Mapping[int, int]) -> tuple[Json, Markers]:
    """The document with markers for values; a value gets the marker of the one it is the same as.

    A marker has the type of the value it replaces. A text's marker is an IRI too, so that it
    passes wherever an identifier is asked for.
    """
    markers = Markers()
    base = 10**14 + randbelow(10**14)
    numbers = count()

    def marker(value: Json) -> Json:
        slot = next(numbers)
        if type(value) is str:
            target = same_as.get(slot, slot)
            text = f"urn:{markers.nonce}:{target}:"
            markers.slots[text] = target
            markers.texts.add(slot)
            return text
        if type(value) is float and not value.is_integer():
            number = base // 1000 + slot + 0.5
            markers.slots[double(number)] = slot
            return number
        markers.slots[str(base + slot)] = slot
        return base + slot

    return replaced(document, marker), markers
