"""Kinds of field: how a stretch of canonical JSON text becomes raw bytes or a text field.

Each kind has a pattern for the text it may stand for. Writing raises `UnfitError` where the bytes
would not give exactly the same text back; the caller then takes a more general form.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from credentials.errors import BadQR
from credentials.qr.stream import Reader, Writer
from keys import KeysError, PublicKey, b64u_decode, b64u_encode, base58_decode, base58_encode

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_DAY = 86_400
_LAST_DAY = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH).days
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_DATE = "%Y-%m-%d"
_B58 = "[1-9A-HJ-NP-Za-km-z]"


class UnfitError(Exception):
    """The text is not one this kind can give back exactly."""


@dataclass(frozen=True)
class Kind:
    """`pattern` is a regular expression without groups of its own."""

    pattern: str
    write: Callable[[Writer, str], None]
    read: Callable[[Reader], str]


def _write_text(writer: Writer, text: str) -> None:
    writer.put_text(text)


def _read_text(reader: Reader) -> str:
    return reader.take_text()


def _write_int(writer: Writer, text: str) -> None:
    writer.put_int(int(text))


def _read_int(reader: Reader) -> str:
    value = reader.take_int()
    if value >= 10**15:
        raise BadQR("the QR payload is damaged: a number is too large")
    return str(value)


def _parse_time(text: str, form: str) -> int:
    """Seconds since 2000-01-01T00:00:00Z."""
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError as error:
        raise UnfitError(text) from error
    seconds = int((moment - _EPOCH).total_seconds())
    if seconds < 0:
        raise UnfitError(text)
    return seconds


def _write_time(writer: Writer, text: str) -> None:
    # Midnight, the usual time of a validity date, takes three bytes; any other second five.
    seconds = _parse_time(text, _TIME)
    whole_days = seconds % _DAY == 0
    writer.put_int(seconds // _DAY * 2 if whole_days else seconds * 2 + 1)


def _read_time(reader: Reader) -> str:
    value = reader.take_int()
    seconds = value >> 1 if value & 1 else (value >> 1) * _DAY
    if seconds // _DAY > _LAST_DAY or (value & 1 and seconds % _DAY == 0):
        raise BadQR("the QR payload is damaged: a time is not in its shortest form")
    return (_EPOCH + timedelta(seconds=seconds)).strftime(_TIME)


def _write_date(writer: Writer, text: str) -> None:
    writer.put_int(_parse_time(text, _DATE) // _DAY)


def _read_date(reader: Reader) -> str:
    days = reader.take_int()
    if days > _LAST_DAY:
        raise BadQR("the QR payload is damaged: a date is beyond the year 9999")
    return (_EPOCH + timedelta(days=days)).strftime(_DATE)


def _write_uuid(writer: Writer, text: str) -> None:
    writer.put(UUID(text).bytes)


def _read_uuid(reader: Reader) -> str:
    return str(UUID(bytes=reader.take(16)))


def _write_key(writer: Writer, text: str) -> None:
    try:
        key = PublicKey.from_multikey(text)
    except KeysError as error:
        raise UnfitError(text) from error
    if key.multikey != text:
        raise UnfitError(text)
    writer.put(key.raw)


def _read_key(reader: Reader) -> str:
    return PublicKey(reader.take(32)).multikey


def _write_proof_value(writer: Writer, text: str) -> None:
    try:
        raw = base58_decode(text[1:])
    except KeysError as error:
        raise UnfitError(text) from error
    if len(raw) != 64 or "z" + base58_encode(raw) != text:
        raise UnfitError(text)
    writer.put(raw)


def _read_proof_value(reader: Reader) -> str:
    return "z" + base58_encode(reader.take(64))


def _write_hex(writer: Writer, text: str) -> None:
    writer.put(bytes.fromhex(text))


def _read_hex(reader: Reader) -> str:
    return reader.take(32).hex()


def _b64u(size: int) -> Kind:
    length = -(-size * 4 // 3)

    def write(writer: Writer, text: str) -> None:
        try:
            writer.put(b64u_decode(text, size))
        except KeysError as error:
            raise UnfitError(text) from error

    def read(reader: Reader) -> str:
        return b64u_encode(reader.take(size))

    return Kind(f"[A-Za-z0-9_-]{{{length}}}", write, read)


_STRING = r'(?:[^"\\]|\\["\\bfnrt]|\\u[0-9a-f]{4})*'

KINDS: dict[str, Kind] = {
    "text": Kind(_STRING, _write_text, _read_text),
    "part": Kind(r'[^"\\/#]*', _write_text, _read_text),
    "number": Kind(r"-?[0-9][0-9.e+-]*", _write_text, _read_text),
    "array": Kind(r"\[.*?\]", _write_text, _read_text),
    "int": Kind(r"(?:0|[1-9][0-9]{0,14})", _write_int, _read_int),
    "uuid": Kind(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", _write_uuid, _read_uuid),
    "time": Kind(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[0-9]{2}:){2}[0-9]{2}Z", _write_time, _read_time),
    "date": Kind(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", _write_date, _read_date),
    "key": Kind(rf"z6Mk{_B58}{{44}}", _write_key, _read_key),
    "proof": Kind(rf"z{_B58}{{64,88}}", _write_proof_value, _read_proof_value),
    "hex32": Kind(r"[0-9a-f]{64}", _write_hex, _read_hex),
    "b64u16": _b64u(16),
    "b64u32": _b64u(32),
    "b64u64": _b64u(64),
}

# Tokens of free JSON text: a control character stands for a field of that kind. Order matters where
# two patterns could begin at the same place; the look-arounds keep a match from being part of a
# longer word.
_TOKENS: tuple[tuple[str, str], ...] = (
    ("\x01", "uuid"),
    ("\x02", "time"),
    ("\x03", "key"),
    ("\x04", "proof"),
    ("\x05", "hex32"),
    ("\x06", "b64u64"),
    ("\x07", "b64u32"),
)
_TOKEN_PATTERN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    + "|".join(f"(?P<{kind}>{KINDS[kind].pattern})" for _, kind in _TOKENS)
    + r")(?![A-Za-z0-9_-])"
)
_TOKEN_OF_KIND = {kind: token for token, kind in _TOKENS}
_TOKEN_CHARACTERS = re.compile("[" + "".join(token for token, _ in _TOKENS) + "]")
_KIND_OF_TOKEN = dict(_TOKENS)


def write_free(writer: Writer, text: str) -> None:
    """Any canonical JSON text, with the identifiers, keys and signatures in it as raw bytes."""

    def token(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        try:
            KINDS[kind].write(writer, match.group())
        except UnfitError:
            return match.group()
        return _TOKEN_OF_KIND[kind]

    writer.put_text(_TOKEN_PATTERN.sub(token, text))


def read_free(reader: Reader) -> str:
    """The text `write_free` was given."""
    return _TOKEN_CHARACTERS.sub(
        lambda match: KINDS[_KIND_OF_TOKEN[match.group()]].read(reader), reader.take_text()
    )
