"""A results file, read by a mapping: its header is bound to the columns, then its rows are read."""

from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from contextlib import closing
from pathlib import Path

from bank.results.errors import BadMapping, BadTable, BadValue
from bank.results.institutions import Institutions
from bank.results.mapping import Mapping, Rule
from bank.results.model import Preview
from bank.results.rows import read_rows
from bank.results.table import Table

PROBLEM_LIMIT = 1000


def read_results(path: Path | str, mapping: Mapping, institutions: MappingOf[str, str]) -> Preview:
    """What the file holds; `ResultsError` if the file as a whole cannot be read.

    `institutions` gives each known institution's slug its display name. A file gives the same
    preview every time. Nothing is written anywhere.
    """
    with closing(read_rows(path, mapping.delimiter)) as rows:
        return results_of(rows, path, mapping, institutions, PROBLEM_LIMIT)


def results_of(
    rows: Iterator[tuple[int, list[str]]],
    path: Path | str,
    mapping: Mapping,
    institutions: MappingOf[str, str],
    most_problems: int,
) -> Preview:
    """What rows hold, the header first; messages call their file `path`."""
    known = Institutions(institutions)
    for rule in mapping.rules:
        if rule.name == "institution":
            _check_institutions(mapping, rule, known)
    first = next(rows, None)
    if first is None:
        raise BadTable(f"{path} is empty; export the results again")
    line, header = first
    table = Table(mapping, _positions(path, line, header, mapping), known)
    for line, cells in rows:
        table.add(line, cells, len(header))
        if len(table.problems) >= most_problems:
            break
    if not table.rows:
        raise BadTable(f"{path} has a header and no rows; export the results again")
    return Preview(
        tuple(table.results), tuple(table.problems[:most_problems]), table.rows, table.skipped
    )


def _check_institutions(mapping: Mapping, rule: Rule, known: Institutions) -> None:
    for constant in rule.source.constants:
        try:
            known.find(constant)
        except BadValue as error:
            raise BadMapping(f"{mapping.path}, key 'institution': {error}") from None


def _positions(path: Path | str, line: int, header: list[str], mapping: Mapping) -> dict[str, int]:
    positions = {column: place for place, column in enumerate(header)}
    for column, key in mapping.columns.items():
        if column not in positions:
            alike = [one for one in header if one.casefold() == column.casefold()]
            if alike:
                advice = f"the file calls it '{alike[0]}'"
            elif len(header) == 1 and any(mark in header[0] for mark in ";\t|,"):
                advice = "the file separates its columns otherwise; set 'delimiter' in the mapping"
            else:
                advice = "the file has " + ", ".join(header)[:300]
            raise BadTable(
                f"{path}, line {line}: column '{column}' is missing, which {mapping.path} names "
                f"for '{key}'; {advice}"
            )
        if header.count(column) > 1:
            raise BadTable(
                f"{path}, line {line}: column '{column}' is there {header.count(column)} times; "
                "rename all but the one that counts"
            )
    return positions
