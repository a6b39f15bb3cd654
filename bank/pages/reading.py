"""Published tables and pictures in the words of a page: what is drawn, and the table beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bank.pages.language import N_, Words
from bank.reports.pictures import Flow, OverTime, Sum
from bank.reports.tables import Value
from keys import Json
from ledger import Registry

Name = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; numbers stand at the end of their cells."""

    label: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A table in words: the first cell of a row names it, None is what is not shown."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | None, ...], ...]
    left_out: int = 0
    """Rows there are besides, in the file for download."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, its table, and the published table that both come from."""

    name: str
    title: str
    note: str
    spec: dict[str, Json]
    size: str
    """`short`, empty or `tall`."""
    reading: Reading
    export: str
    empty: str
    """What is said where there is nothing to draw."""

    @property
    def drawable(self) -> bool:
        """Whether anything of it may be drawn."""
        parts = self.spec.get("series") or self.spec.get("values") or self.spec.get("links")
        return bool(parts)


class Naming:
    """What institutions, levels, fields and months are called in one language."""

    def __init__(self, words: Words, registry: Registry) -> None:
        self.words = words
        self._registry = registry

    def institution(self, did: str) -> str:
        """A member's or sister bank's name; its identifier where it is not known here."""
        party = self._registry.party(did)
        if party is not None:
            return self.words.pick(party.names)
        agreement = self._registry.agreements.get(did)
        return self.words.pick(agreement.names) if agreement is not None else did

    def level(self, level: str) -> str:
        """A level of a framework."""
        return self.words.say(N_("Level %(level)s")) % {"level": level}

    def field(self, field: str) -> str:
        """A field, which is a code of the bank's own choosing."""
        return field or self.words.say(N_("no field"))

    def month(self, month: str) -> str:
        """A month."""
        return self.words.month(month)

    def rule(self, author: str, name: str) -> str:
        """A rule's title and name."""
        rule = self._registry.catalogue.rules.get((author, name))
        return f"{self.words.pick(rule.titles)} ({name})" if rule is not None else name

    def qualification(self, author: str, name: str) -> str:
        """A qualification's title and name."""
        known = self._registry.catalogue.qualifications.get((author, name))
        return f"{self.words.pick(known.body['title'])} ({name})" if known is not None else name


def reading(
    words: Words,
    columns: Sequence[Column],
    rows: Sequence[tuple[Value, ...]],
    names: Sequence[Callable[..., str] | None],
    most: int = 60,
) -> Reading:
    """A published table in words; `names` say what the cells of each column are called."""
    told = tuple(
        tuple(_cell(words, value, name) for value, name in zip(row, names, strict=True))
        for row in rows[:most]
    )
    return Reading(tuple(columns), told, max(0, len(rows) - most))


def number(words: Words, value: int | None) -> str | None:
    """A count; None where it is not shown."""
    return None if value is None else words.amount(value)


def stacked(words: Words, picture: OverTime, name: Name, kind: str, label: str) -> dict[str, Json]:
    """Series by month, for a chart of `kind` `stack` or `lines`."""
    series: list[Json] = [
        {"name": name(one.key), "values": list(one.values)} for one in picture.series
    ]
    months: list[Json] = [words.month(month) for month in picture.months]
    return {
        "kind": kind,
        "label": label,
        "hidden": words.say(N_("not shown")),
        "categories": months,
        "series": series,
    }


def months_reading(words: Words, picture: OverTime, name: Name) -> Reading:
    """The same as a table, the newest month first."""
    columns = [Column(words.say(N_("Month")))]
    columns += [Column(name(one.key), number=True) for one in picture.series]
    rows = [
        (words.month(month), *(number(words, one.values[place]) for one in picture.series))
        for place, month in enumerate(picture.months)
    ]
    return Reading(tuple(columns), tuple(rows[::-1]))


def bars(words: Words, parts: Sequence[Sum], name: Name, unit: str, label: str) -> dict[str, Json]:
    """Sums beside one another; what is not shown at all is not drawn."""
    drawn = [part for part in parts if part.lots]
    names: list[Json] = [name(part.key) for part in drawn]
    return {
        "kind": "bars",
        "label": label,
        "hidden": words.say(N_("not shown")),
        "unit": unit,
        "categories": names,
        "values": [part.lots for part in drawn],
    }


def sums_reading(words: Words, parts: Sequence[Sum], name: Name, heading: str) -> Reading:
    """The same as a table, with how many cells are not in each sum."""
    columns = (
        Column(heading),
        Column(words.say(N_("Awards shown")), number=True),
        Column(words.say(N_("Months not shown")), number=True),
    )
    rows = tuple(
        (
            name(part.key),
            words.amount(part.lots) if part.lots or not part.hidden else None,
            words.amount(part.hidden),
        )
        for part in parts
    )
    return Reading(columns, rows)


def sankey(words: Words, found: Sequence[Flow], name: Name, label: str) -> dict[str, Json]:
    """Flows from those who awarded, at the left, to those who recognised, at the right.

    An institution that does both stands on both sides: flows in a circle have no picture.
    """
    drawn = [flow for flow in found if flow.lots]
    parties = sorted({did for flow in drawn for did in (flow.source, flow.target)})
    places: Mapping[str, int] = {did: place for place, did in enumerate(parties)}
    nodes: list[Json] = []
    sides = (("from", [flow.source for flow in drawn]), ("to", [flow.target for flow in drawn]))
    for side, dids in sides:
        nodes += [
            {
                "id": f"{side} {did}",
                "text": name(did),
                "place": places[did],
                "right": side == "to",
            }
            for did in dict.fromkeys(dids)
        ]
    links: list[Json] = [
        {
            "source": f"from {flow.source}",
            "target": f"to {flow.target}",
            "value": flow.lots,
            "text": f"{name(flow.source)} → {name(flow.target)}",
        }
        for flow in drawn
    ]
    return {
        "kind": "flows",
        "label": label,
        "hidden": words.say(N_("not shown")),
        "unit": words.say(N_("conversions")),
        "nodes": nodes,
        "links": links,
    }


def chart_size(rows: int) -> str:
    """The class of a chart with so many rows in it."""
    return "short" if rows <= 4 else "" if rows <= 11 else "tall"


def _cell(words: Words, value: Value, name: Callable[..., str] | None) -> str | None:
    if value is None:
        return None
    return name(str(value)) if name is not None else words.amount(value)
