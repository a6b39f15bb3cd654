"""Exact bytes: strict JSON in, RFC 8785 (JCS) out.

Whatever is hashed or signed must equal its own canonical form. `parse` reads strict
I-JSON (RFC 7493): no duplicate keys, NaN, lone surrogates, integers beyond 2^53, or
deep nesting. `encode` writes JCS. `parse_exact` demands that the two agree.

orjson with sorted keys writes JCS except in three cases, which are guarded: keys outside
the Basic Multilingual Plane (RFC 8785 sorts by UTF-16 units, orjson by UTF-8 bytes),
floats that are integral, and floats whose exponent notation differs from ECMAScript's.
"""

import json
import re
from typing import NoReturn, TypeAlias

import orjson

from keys.errors import NotCanonical

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value as `parse` returns it."""

MAX_INTEGER = 2**53 - 1
_SORTED = orjson.OPT_SORT_KEYS
_ASTRAL_KEY = re.compile("[\ue000-\uffff\U00010000-\U0010ffff]")
_DEFAULT_LIMIT = 4 * 1024 * 1024
_DEFAULT_DEPTH = 64


def encode(value: Json) -> bytes:
    """JCS bytes of `value` (RFC 8785); NotCanonical where JSON cannot say it exactly."""
    if not _is_plain(value, 0):
        return _encode_slowly(value).encode()
    try:
        return orjson.dumps(value, option=_SORTED)
    except (orjson.JSONEncodeError, TypeError) as error:
        raise NotCanonical(f"cannot be written as canonical JSON: {error}") from error


def parse(data: bytes | str, *, limit: int = _DEFAULT_LIMIT, depth: int = _DEFAULT_DEPTH) -> Json:
    """Strictly parsed JSON; an integral float such as 6.0 becomes the integer 6."""
    if len(data) > limit:
        raise NotCanonical(f"{len(data)} bytes of JSON are over the limit of {limit}")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        if not _shallow(text, depth):
            raise NotCanonical(f"JSON nested deeper than {depth} levels")
        value: Json = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_integer,
        )
        if "\\u" in text:
            text_of_value = json.dumps(value, ensure_ascii=False)
            text_of_value.encode("utf-8")
    except UnicodeError as error:
        raise NotCanonical("JSON is not valid UTF-8, or holds a lone surrogate") from error
    except json.JSONDecodeError as error:
        raise NotCanonical(
            f"not JSON: {error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}"
        ) from error
    return value


def parse_exact(data: bytes, *, limit: int = _DEFAULT_LIMIT, depth: int = _DEFAULT_DEPTH) -> Json:
    """Parse JSON that must already be in canonical form, byte for byte.

    Equality with its own canonical form implies every rule of `parse`: what orjson lets
    pass (a duplicate key, say) is not written again by `encode`.
    """
    if len(data) <= limit and data.count(b"[") + data.count(b"{") <= depth:
        try:
            value: Json = orjson.loads(data)
        except orjson.JSONDecodeError:
            parse(data, limit=limit, depth=depth)
            raise NotCanonical("not JSON") from None
    else:
        value = parse(data, limit=limit, depth=depth)
    if encode(value) != data:
        parse(data, limit=limit, depth=depth)
        raise NotCanonical("JSON is not in canonical form (RFC 8785)")
    return value


def _is_plain(value: Json, depth: int) -> bool:
    """Whether orjson's output is JCS, or the slow writer is needed."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:  # type: ignore[operator]
            raise NotCanonical(f"integer {value} is beyond 2^53 and not exact in JSON")
        return True
    if kind is float:
        return 1e-4 <= abs(value) < 1e15 and not value.is_integer()  # type: ignore[arg-type, union-attr]
    if depth > _DEFAULT_DEPTH:
        raise NotCanonical(f"JSON nested deeper than {_DEFAULT_DEPTH} levels")
    plain = True
    if kind is dict:
        for key, item in value.items():  # type: ignore[union-attr]
            if not key.isascii() and _ASTRAL_KEY.search(key):
                plain = False
            if type(item) is not str and not _is_plain(item, depth + 1):
                plain = False
        return plain
    if kind is list:
        for item in value:  # type: ignore[union-attr]
            if type(item) is not str and not _is_plain(item, depth + 1):
                plain = False
        return plain
    raise NotCanonical(f"{kind.__name__} is not a JSON type")


def _encode_slowly(value: Json) -> str:
    """RFC 8785 without shortcuts."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_string(key)}:{_encode_slowly(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_encode_slowly(item) for item in value) + "]"
    if isinstance(value, float):
        return _ecmascript_number(value)
    if isinstance(value, str):
        return _string(value)
    return orjson.dumps(value).decode()


def _string(value: str) -> str:
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, TypeError) as error:
        raise NotCanonical("text holds a lone surrogate") from error


def _ecmascript_number(value: float) -> str:
    """ECMAScript's Number::toString (RFC 8785 section 3.2.2.3) from Python's shortest digits."""
    if value != value or value in (float("inf"), float("-inf")):
        raise NotCanonical("NaN and infinities are not JSON")
    if value < 0:
        return f"-{_ecmascript_number(-value)}"
    # Of 0.0 and -0.0 alike; Python writes an exponent from 16 on, and from -5 downwards.
    mantissa, _, exponent = f"{abs(value)!r}".removesuffix(".0").partition("e")
    if not exponent:
        return mantissa
    power, digits = int(exponent), mantissa.replace(".", "")
    if not -7 < power < 21:
        return f"{mantissa}e{power:+d}"
    if exponent.startswith("-"):
        return f"0.{'0' * (-power - 1)}{digits}"
    return digits.ljust(power + 1, "0")


def _unique(pairs: list[tuple[str, Json]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise NotCanonical(f"the JSON member {key!r} appears twice")
            seen.add(key)
    return members


def _refuse_constant(text: str) -> NoReturn:
    raise NotCanonical(f"{text} is not JSON")


def _integer(text: str) -> int:
    if len(text) > 17 or not -MAX_INTEGER <= int(text) <= MAX_INTEGER:
        raise NotCanonical(f"integer {text[:24]} is beyond 2^53 and not exact in JSON")
    return int(text)


def _float(text: str) -> int | float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise NotCanonical(f"number {text[:24]} is too large for JSON")
    return int(value) if value.is_integer() and abs(value) <= MAX_INTEGER else value


def _shallow(text: str, depth: int) -> bool:
    """Whether brackets nest at most `depth` deep; counts in strings too, which only over-counts."""
    if text.count("[") + text.count("{") <= depth:
        return True
    level = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            level += 1
            if level > depth:
                return False
        elif char in "]}":
            level -= 1
    return True
