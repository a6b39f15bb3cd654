"""Which column is which: a first guess from a file's header, for the registrar to correct."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """A value of a result, and what registrars' systems call its column."""

    name: str
    required: bool
    called: tuple[str, ...]
    example: str


FIELDS: Final = (
    Column("learner.key", True, ("学号", "student number", "student id", "id_student"), "20210001"),
    Column("learner.name", True, ("姓名", "name", "student name", "full name"), "李明"),
    Column("unit.code", True, ("课程代码", "课程编号", "course code", "code_module"), "CS.150"),
    Column("unit.version", False, ("版本", "version"), "1"),
    Column("unit.title_zh", False, ("课程名称", "课程", "course name (zh)"), "程序设计"),
    Column("unit.title_en", False, ("英文名称", "course name", "title", "course"), "Programming"),
    Column("unit.field", True, ("领域", "专业领域", "field"), "ict"),
    Column("unit.level", True, ("等级", "level"), "5"),
    Column("unit.hours", True, ("学时", "hours"), "64"),
    Column("unit.framework", True, ("资历框架", "framework"), "cq-lof"),
    Column("unit.scheme", True, ("学分制", "scheme"), "standard-credit"),
    Column("credits", True, ("学分", "credits", "studied_credits"), "4"),
    Column("grade", False, ("成绩", "grade", "score"), "A"),
    Column("awarded", True, ("认定日期", "授予日期", "date", "awarded"), "2024-07-01"),
    Column("expires", False, ("有效期至", "有效期", "expires"), ""),
    Column("source_key", True, ("记录号", "record"), ""),
)
"""Every value of a result but the institution, which is the registrar's own."""
_TERMS: Final = ("学期", "term", "semester", "code_presentation")
_USUAL: Final = {
    "unit.framework": "cq-lof",
    "unit.scheme": "standard-credit",
    "unit.version": "1",
}


def guess_mapping(header: Sequence[str]) -> dict[str, str]:
    """A template for each value: a column in braces, a usual constant, or empty."""
    known = {column.strip().casefold(): column for column in header}
    guessed: dict[str, str] = {}
    for field in FIELDS:
        found = next((known[name] for name in field.called if name in known), None)
        guessed[field.name] = f"{{{found}}}" if found else _USUAL.get(field.name, "")
    if not guessed["source_key"]:
        guessed["source_key"] = _record(guessed, known)
    return guessed


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    """The mapping document of values by their dotted names."""
    document: dict[str, object] = {}
    for name, value in flat.items():
        section, dot, inner = name.partition(".")
        if dot:
            table = document.setdefault(section, {})
            assert isinstance(table, dict)
            table[inner] = value
        else:
            document[name] = value
    return document


def _record(guessed: Mapping[str, str], known: Mapping[str, str]) -> str:
    """What names a record where no column does: who, what, and in which term."""
    parts = [guessed["learner.key"], guessed["unit.code"]]
    terms = [
        known[name] for name in ("学期", "term", "semester", "code_presentation") if name in known
    ]
    parts += [f"{{{terms[0]}}}"] if terms else [guessed["awarded"]]
    return "|".join(part for part in parts if part) if all(parts) else ""
