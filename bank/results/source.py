"""Where a value comes from: a template over the row's columns, and perhaps a table of values.

A template is text with column names in braces: `{学号}` is that column, `2024-{term}` puts text
around one, text without braces is a constant, `{{` and `}}` are the braces themselves. If any
column a template names is empty in a row, the whole value is empty: half a name is no name.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bank.results.errors import BadValue
from bank.results.values import quoted

_PART = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[^{}]+")

Cells = Sequence[str]
Fill = Callable[[Cells], str]
"""The text of a value in a row; empty if the row has none; `BadValue` if no table has it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A template, and the table its text is looked up in (None: the text is the value)."""

    parts: tuple[tuple[bool, str], ...]
    """Each is (is a column, text or name of the column)."""
    table: Mapping[str, str] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it names, each once, in order."""
        return tuple(dict.fromkeys(part for is_column, part in self.parts if is_column))

    @property
    def constants(self) -> tuple[str, ...]:
        """Every value it gives that no row has a part in."""
        if self.table is not None:
            return tuple(self.table.values())
        return () if self.columns else ("".join(part for _, part in self.parts),)

    def bind(self, positions: Mapping[str, int]) -> Fill:
        """The function that gives this value for the cells of a row, columns at `positions`."""
        fill = _bind_template(self.parts, positions)
        table = self.table
        if table is None:
            return fill

        def look_up(cells: Cells) -> str:
            found = fill(cells)
            if not found:
                return ""
            try:
                return table[found]
            except KeyError:
                raise BadValue(
                    f"{quoted(found)} is not among the values the mapping lists; add it there or "
                    "correct the row"
                ) from None

        return look_up


def parse_template(template: str) -> tuple[tuple[bool, str], ...]:
    """The parts of `template`; `BadValue` if its braces do not pair or name nothing."""
    parts: list[tuple[bool, str]] = []
    end = 0
    for found in _PART.finditer(template):
        if found.start() != end:
            break
        end = found.end()
        column = found[1]
        if column is not None:
            parts.append((True, column.strip()))
        else:
            parts.append((False, found[0][0] if found[0] in ("{{", "}}") else found[0]))
    if end != len(template) or (True, "") in parts:
        raise BadValue(
            f"{quoted(template)} is not a template: write a column's name in braces, like "
            "'{name}', and '{{' or '}}' for a brace itself"
        )
    return tuple(parts)


def _bind_template(parts: tuple[tuple[bool, str], ...], positions: Mapping[str, int]) -> Fill:
    bound = [(positions[part], "") if is_column else (-1, part) for is_column, part in parts]
    if len(bound) == 1 and bound[0][0] >= 0:  # by far the most common, and the fastest
        only = bound[0][0]
        return lambda cells: cells[only]

    def fill(cells: Cells) -> str:
        pieces = []
        for position, piece in bound:
            if position >= 0:
                piece = cells[position]
                if not piece:
                    return ""
            pieces.append(piece)
        return "".join(pieces)

    return fill
