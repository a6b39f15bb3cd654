"""What the counter is told about a person, from a file or standard input: JSON or lines. Pure.

Either one JSON object, or a line `field: value` for each field. No message repeats a value.
"""

import json
import re
from collections.abc import Sequence
from datetime import date

from bank.learners.errors import BadIdentity
from bank.learners.identity import CITIZEN, Document, read_document
from keys import Json, KeysError, parse

_LIMIT = 256 * 1024
_COLON = re.compile("[:：]")


def read_form(data: bytes, fields: Sequence[str], where: str) -> dict[str, Json]:
    """The fields in `data`, which came from `where`; BadIdentity names the place of a fault."""
    if len(data) > _LIMIT:
        raise BadIdentity(f"{where} has {len(data)} bytes, over the limit of {_LIMIT}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadIdentity(f"{where} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if not text.strip():
        raise BadIdentity(f"{where} is empty; it takes {_list(fields)}")
    found = _json(text, where) if text.lstrip().startswith("{") else _lines(text, fields, where)
    if not set(found) <= set(fields):
        raise BadIdentity(f"{where} has a field besides {_list(fields)}; take it out")
    return found


def text_of(form: dict[str, Json], field: str, where: str) -> str:
    """A field that must be there, as text."""
    value = form.get(field)
    if value is None:
        raise BadIdentity(f"{where} has no {field}; add it")
    if not isinstance(value, str):
        raise BadIdentity(f"the {field} in {where} must be text; put it in quotes")
    return value


def document_of(form: dict[str, Json], where: str, today: date) -> Document | None:
    """The identity document in a form, if it has one; without a kind it is a citizen number."""
    if form.get("number") is None:
        if form.get("kind") is not None:
            raise BadIdentity(f"{where} has the kind of an identity document but no number; add it")
        return None
    kind = CITIZEN if form.get("kind") is None else text_of(form, "kind", where)
    return read_document(kind.strip(), text_of(form, "number", where), today)


def needed_document(form: dict[str, Json], where: str, today: date) -> Document:
    """As `document_of`, where there must be one."""
    document = document_of(form, where, today)
    if document is None:
        raise BadIdentity(f"{where} has no number; add it")
    return document


def _json(text: str, where: str) -> dict[str, Json]:
    try:
        value = parse(text)
    except KeysError as error:
        # Its own message may repeat what stands there, which may be a number.
        place = error.__cause__
        if isinstance(place, json.JSONDecodeError):
            at = f"line {place.lineno} column {place.colno}"
            raise BadIdentity(f"{where} is not JSON at {at}; correct it there") from None
        raise BadIdentity(
            f"{where} holds a field twice or a number that is too long; put numbers of documents "
            "in quotes"
        ) from None
    if not isinstance(value, dict):
        raise BadIdentity(f"{where} must be one JSON object")
    return value


def _lines(text: str, fields: Sequence[str], where: str) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        field, *rest = _COLON.split(line, maxsplit=1)
        field = field.strip().lower()
        if not rest or field not in fields:
            raise BadIdentity(
                f"line {number} of {where} is no 'field: value' with one of {_list(fields)}"
            )
        if field in found:
            raise BadIdentity(f"line {number} of {where} gives the {field} again; leave one")
        found[field] = rest[0].strip()
    return found


def _list(fields: Sequence[str]) -> str:
    return f"{', '.join(fields[:-1])} and {fields[-1]}" if len(fields) > 1 else fields[0]
