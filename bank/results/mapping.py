"""The mapping: a TOML file that says where each value of a result stands in a registrar's file.

    delimiter = ","                          # , ; | or a tab; left out: ,
    institution = "{学校}"                    # a slug, or the institution's display name
    source_key = "{学号}|{课程}|{学期}"        # names the record for ever
    credits = "{学分}"
    awarded = { from = "{日期}", format = "YYYY/M/D" }
    grade = "{成绩}"                          # may be left out, or empty in a row
    expires = "{有效期}"                      # likewise

    [learner]
    key = "{学号}"
    name = "{姓名}"

    [unit]                                   # version: left out, 1; one title is enough
    code = "{课程}"
    title_zh = "{课程名}"
    title_en = "{course}"
    field = "education"
    level = { from = "{课程}", values = { K1 = "5", K2 = "6" } }
    hours = "{学时}"
    framework = "cq-lof"
    scheme = "standard-credit"

    [only]                                   # rows that match in every column named here,
    "结果" = ["通过"]
    [skip]                                   # less the rows that match in any named here
    "备注" = ["作废"]

A value is a template (see `bank.results.source`), or a table with `from` (a template), `values`
(what each text of it stands for) and, for dates, `format`. Whatever a mapping states by itself is
checked when it is read, so that a slip there is one error and not one for every row.
"""

import datetime
import functools
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bank.results import values
from bank.results.errors import BadMapping, BadValue
from bank.results.source import Source, parse_template

_SIZE_LIMIT = 64 * 1024
"""Bytes. tomllib's time grows with the square of a dotted key's length: a second here."""
_DELIMITERS = (",", ";", "|", "\t")
_PARSERS: dict[str, Callable[[str], str]] = {
    "institution": values.text,
    "source_key": values.text,
    "learner.key": values.text,
    "learner.name": values.text,
    "unit.code": values.code,
    "unit.version": values.version,
    "unit.title_en": values.title,
    "unit.title_zh": values.title,
    "unit.field": values.name,
    "unit.level": values.level,
    "unit.hours": values.amount,
    "unit.framework": values.name,
    "unit.scheme": values.name,
    "credits": values.amount,
    "grade": values.text,
    "awarded": values.date,
    "expires": values.date,
}
_MAY_BE_ABSENT = {"unit.version", "unit.title_en", "unit.title_zh", "grade", "expires"}
_SECTIONS = {"learner", "unit", "only", "skip"}


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one value stands and how its text is read."""

    name: str
    source: Source
    parse: Callable[[str], str]
    required: bool
    """A row in which it is empty is refused."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, and the texts it is compared with."""

    column: str
    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file, read and checked."""

    path: str
    delimiter: str
    rules: tuple[Rule, ...]
    only: tuple[Condition, ...]
    skip: tuple[Condition, ...]

    @property
    def columns(self) -> dict[str, str]:
        """Every column it needs, and the first key of the mapping that needs it."""
        needed: dict[str, str] = {}
        for rule in self.rules:
            for column in rule.source.columns:
                needed.setdefault(column, rule.name)
        for section, conditions in (("only", self.only), ("skip", self.skip)):
            for condition in conditions:
                needed.setdefault(condition.column, section)
        return needed


def read_mapping(path: Path | str) -> Mapping:
    """The mapping in the TOML file `path`; `BadMapping` names the file and the key at fault."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise BadMapping(f"{path} cannot be read: {error.strerror}") from error
    return mapping_of(parse_toml(data, path), path)


def mapping_of(document: dict[str, object], path: Path | str) -> Mapping:
    """The mapping that a TOML document states; messages call it `path`."""
    known = {name.partition(".")[0] for name in _PARSERS} | _SECTIONS | {"delimiter"}
    _refuse_unknown(path, "", document, known)
    flat: dict[str, object] = {}
    for key, value in document.items():
        if key in ("learner", "unit"):
            section = _table(path, key, value)
            wanted = {name.partition(".")[2] for name in _PARSERS if name.startswith(f"{key}.")}
            _refuse_unknown(path, f"{key}.", section, wanted)
            flat |= {f"{key}.{name}": inner for name, inner in section.items()}
        elif key in _PARSERS:
            flat[key] = value
    delimiter = document.get("delimiter", ",")
    if delimiter not in _DELIMITERS:
        raise BadMapping(
            f"{path}, key 'delimiter': {delimiter!r} is not one of ',', ';', '|' and a tab ('\\t')"
        )
    _require(path, flat)
    return Mapping(
        path=str(path),
        delimiter=str(delimiter),
        rules=tuple(_rule(path, name, flat[name]) for name in _PARSERS if name in flat),
        only=_conditions(path, "only", document.get("only", {})),
        skip=_conditions(path, "skip", document.get("skip", {})),
    )


def parse_toml(data: bytes, path: Path | str) -> dict[str, object]:
    """The document of a mapping file's bytes; `BadMapping` where they are not TOML."""
    if len(data) > _SIZE_LIMIT:
        raise BadMapping(f"{path} is over 64 KiB, too large for a mapping; is it the right file?")
    try:
        # Numbers with decimals stay text: 2.5 credits must not pass through a float.
        return tomllib.loads(data.decode("utf-8-sig"), parse_float=str)
    except UnicodeDecodeError:
        raise BadMapping(f"{path} is not UTF-8 text; save the mapping as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadMapping(
            f"{path} is not a TOML file: {error}; every text, and every Chinese key, stands in "
            "quotation marks"
        ) from error


def _refuse_unknown(
    path: Path | str, prefix: str, table: dict[str, object], known: set[str]
) -> None:
    for key in table:
        if key not in known:
            raise BadMapping(
                f"{path}, key '{prefix}{key}': unknown; here may stand " + ", ".join(sorted(known))
            )


def _require(path: Path | str, flat: dict[str, object]) -> None:
    for name in _PARSERS:
        if name not in flat and name not in _MAY_BE_ABSENT:
            raise BadMapping(f"{path}, key '{name}': missing; say which column or constant it is")
    if "unit.title_en" not in flat and "unit.title_zh" not in flat:
        raise BadMapping(
            f"{path}, key 'unit.title_en': missing; a unit needs a title in English "
            "or, as 'unit.title_zh', in Chinese"
        )


def _rule(path: Path | str, name: str, value: object) -> Rule:
    parse = _PARSERS[name]
    table: dict[str, str] | None = None
    if isinstance(value, dict):
        allowed = {"from", "values", "format"} if parse is values.date else {"from", "values"}
        _refuse_unknown(path, f"{name}.", value, allowed)
        if "from" not in value:
            raise BadMapping(f"{path}, key '{name}.from': missing; say which column it is")
        if "format" in value:
            parse = functools.partial(values.date, written=_date_format(path, name, value))
        if "values" in value:
            listed = _table(path, f"{name}.values", value["values"])
            table = {key: _text(path, f"{name}.values.{key}", text) for key, text in listed.items()}
        value = value["from"]
    try:
        source = Source(parse_template(_text(path, name, value)), table)
        for constant in source.constants:
            parse(constant)
    except BadValue as error:
        raise BadMapping(f"{path}, key '{name}': {error}") from None
    return Rule(name, source, parse, required=name not in _MAY_BE_ABSENT - {"unit.version"})


def _date_format(path: Path | str, name: str, value: dict[str, object]) -> str:
    written = value["format"]
    if not isinstance(written, str) or written not in values.DATE_FORMATS:
        raise BadMapping(
            f"{path}, key '{name}.format': {written!r} is not one of "
            + ", ".join(values.DATE_FORMATS)
        )
    return written


def _conditions(path: Path | str, key: str, value: object) -> tuple[Condition, ...]:
    conditions = []
    for column, texts in _table(path, key, value).items():
        if not isinstance(texts, list) or not texts:
            raise BadMapping(
                f"{path}, key '{key}.{column}': must be a list of texts, like [\"Pass\"]"
            )
        listed = frozenset(_text(path, f"{key}.{column}", text, empty=True) for text in texts)
        conditions.append(Condition(column.strip(), listed))
    return tuple(conditions)


def _table(path: Path | str, key: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadMapping(f"{path}, key '{key}': must be a table, not {value!r}")
    return value


def _text(path: Path | str, key: str, value: object, *, empty: bool = False) -> str:
    """The text of a TOML string, number or date, as it is written there."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadMapping(f"{path}, key '{key}': {value!r} is not a text, number or date")
    text = str(value).strip()
    if not text and not empty:
        raise BadMapping(f"{path}, key '{key}': is empty")
    return text
