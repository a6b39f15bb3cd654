"""The edges of canonical JSON: sizes, depths, which writer writes, and what each refusal says."""

from __future__ import annotations

import pytest

from keys import Json, NotCanonical, canonical, encode, parse, parse_exact

MEBIBYTE = 1024 * 1024


def lists(depth: int) -> Json:
    value: Json = 1.0
    for _ in range(depth):
        value = [value]
    return value


def objects(depth: int) -> Json:
    value: Json = 1.0
    for _ in range(depth):
        value = {"a": value}
    return value


def test_four_mebibytes_are_read_and_no_byte_more() -> None:
    assert parse(b" " * (4 * MEBIBYTE - 1) + b"1") == 1
    with pytest.raises(NotCanonical, match="over the limit"):
        parse(b" " * (4 * MEBIBYTE) + b"1")


@pytest.mark.parametrize("nested", [lists, objects])
def test_sixty_five_levels_are_written_and_no_more(nested: object) -> None:
    assert callable(nested)
    assert encode(nested(65))
    with pytest.raises(NotCanonical, match="deeper than 64"):
        encode(nested(66))


def test_text_is_read_like_bytes() -> None:
    assert parse('{"a":"é"}') == parse('{"a":"é"}'.encode())


QUICK: list[Json] = [
    *(True, None, "a", "学分", 0, -1, 2**53 - 1, -(2**53) + 1, 0.5, -0.5, 0.0001, 99.25),
    *([], {}, ["a", "b"], [1, None, True], {"学分": "a", "b": [1, {"c": 0.5}]}, [["a"], {"b": 1}]),
]
SLOW: list[Json] = [
    *(1.0, 0.0, -0.0, 0.00009, 1e15, 1e15 + 0.5, 1e21, [1.0], [[1.0]], [0.5, 1.0], {"a": 1.0}),
    *({"a": {"b": 1.0}}, {"a": [1.0]}, {"\U0001f393": 1}, {"\uffff": "a"}, [{"\U0001f393": "a"}]),
]


@pytest.mark.parametrize("value", QUICK)
def test_ordinary_values_are_written_by_orjson(
    value: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(value: Json) -> str:
        raise AssertionError(value)

    wanted = canonical._encode_slowly(value)
    monkeypatch.setattr(canonical, "_encode_slowly", never)
    assert encode(value) == wanted.encode()


@pytest.mark.parametrize("value", SLOW)
def test_what_orjson_writes_otherwise_is_written_slowly(
    value: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly, written = canonical._encode_slowly, []

    def watched(value: Json) -> str:
        written.append(value)
        return slowly(value)

    monkeypatch.setattr(canonical, "_encode_slowly", watched)
    assert parse_exact(encode(value)) == parse(encode(value))
    assert written


def test_numbers_in_containers() -> None:
    assert encode({"a": 1.0}) == b'{"a":1}'
    assert encode({"a": {"b": 1e21}, "c": [6.0, -0.0]}) == b'{"a":{"b":1e+21},"c":[6,0]}'
    assert encode([100.0, 120.5, 0.001, 1e-7, -2e-6]) == b"[100,120.5,0.001,1e-7,-0.000002]"
    assert encode([1.5e300, 1e16, 123e19]) == b"[1.5e+300,10000000000000000,1.23e+21]"


@pytest.mark.parametrize(
    "value", [{"\ud800": 1}, {"\ud800": 1.0}, {"\ud800": 1, "b": 1.0}, ["\ud800", 1.0], "\ud800"]
)
def test_half_a_character_is_written_nowhere(value: Json) -> None:
    with pytest.raises(NotCanonical):
        encode(value)


@pytest.mark.parametrize("value", [b"a", (1,), {1}, object(), 1j])
def test_what_is_no_json_is_named(value: object) -> None:
    with pytest.raises(NotCanonical, match=f"{type(value).__name__} is not a JSON type"):
        encode(value)  # type: ignore[arg-type]


def test_many_brackets_are_not_deep() -> None:
    wide = b"[" + b",".join([b"{}"] * 100) + b"]"
    assert parse_exact(wide) == [{}] * 100
    assert parse_exact(wide, depth=2) == [{}] * 100
    for data, depth in ((wide, 1), (b"[[[[]]]]", 3), (b'[{"a":[]}]', 2)):
        with pytest.raises(NotCanonical, match=f"deeper than {depth} levels"):
            parse_exact(data, depth=depth)
        with pytest.raises(NotCanonical, match=f"deeper than {depth} levels"):
            parse(data, depth=depth)
    with pytest.raises(NotCanonical, match="over the limit of 3"):
        parse_exact(b"[1,2]", limit=3)
    assert parse_exact(b"[1]", limit=3) == [1]


@pytest.mark.parametrize(
    ("text", "deepest"),
    [
        ('"[[{{"', 0),
        ('"\\"[["', 0),
        ('"]]"', 0),
        ('["\\\\",[]]', 2),
        ('["]]",[]]', 2),
        ('["a",[]]', 2),
        ("[[],[],{},[[]]]", 3),
        ('[{"a":{}},"}}",[]]', 3),
        ("[[[],[[]]]]", 4),
    ],
)
def test_brackets_are_counted_outside_text_alone(text: str, deepest: int) -> None:
    assert parse(text, depth=deepest) is not None
    if deepest:
        with pytest.raises(NotCanonical, match=f"deeper than {deepest - 1}"):
            parse(text, depth=deepest - 1)


def test_what_is_wrong_is_said_though_limits_were_raised() -> None:
    deep = b"[" * 70 + b"]" * 70
    with pytest.raises(NotCanonical, match="not JSON: Extra data"):
        parse_exact(deep + b"x", depth=100)
    with pytest.raises(NotCanonical, match="not in canonical form"):
        parse_exact(b"[" * 65 + b" " + b"]" * 65, depth=65)
    padded = b" " * (5 * MEBIBYTE)
    with pytest.raises(NotCanonical, match="not JSON: "):
        parse_exact(padded + b"x", limit=6 * MEBIBYTE)
    with pytest.raises(NotCanonical, match="not in canonical form"):
        parse_exact(padded + b"1", limit=6 * MEBIBYTE)


def test_only_brackets_are_brackets() -> None:
    with pytest.raises(NotCanonical, match="not JSON"):
        parse("[[],[],XX]", depth=2)
    with pytest.raises(NotCanonical, match="deeper than 2 levels"):
        parse("[[XX[]]]", depth=2)


def test_what_keeps_its_limits_is_read_by_orjson(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(data: bytes, *, limit: int, depth: int) -> Json:
        raise AssertionError(data)

    monkeypatch.setattr(canonical, "parse", never)
    assert parse_exact(b'[{"a":[]}]', limit=10, depth=3) == [{"a": []}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0"), (-0.0, "0"), (0.5, "0.5"), (-1.0, "-1"), (9999.0, "9999")),
        *((0.0001, "0.0001"), (0.00001, "0.00001"), (-0.0000123, "-0.0000123")),
        *((1e-6, "0.000001"), (1.5e-6, "0.0000015"), (1e-7, "1e-7"), (-1.25e-7, "-1.25e-7")),
        *((1e15, "1000000000000000"), (9007199254740993.0, "9007199254740992")),
        *((1e16, "10000000000000000"), (12345678901234567.0, "12345678901234568")),
        *((1e20, "100000000000000000000"), (-1.5e20, "-150000000000000000000")),
        *((1e21, "1e+21"), (1.5e21, "1.5e+21"), (5e-324, "5e-324")),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_numbers_as_ecmascript_writes_them(value: float, text: str) -> None:
    assert encode([1.0, value]) == f"[1,{text}]".encode()


def test_numbers_at_the_edge_of_exactness() -> None:
    most = 2**53 - 1
    assert parse(f"[{most},-{most},{most}.0]") == [most, -most, most]
    assert type(parse("6.0")) is int
    assert type(parse(f"{most}.0")) is type(parse(f"-{most}.0")) is int
    assert type(parse("9007199254740992.0")) is float
    for text in ("9007199254740992", "-9007199254740992", "1" * 18, "0" * 5000):
        with pytest.raises(NotCanonical):
            parse(text)
    for text in ("1e999", "-1e999"):
        with pytest.raises(NotCanonical, match="too large"):
            parse(text)
    with pytest.raises(NotCanonical, match="beyond 2\\^53"):
        encode(2**53)
    with pytest.raises(NotCanonical, match="beyond 2\\^53"):
        encode(-(2**53))


def test_the_member_that_appears_twice_is_named() -> None:
    with pytest.raises(NotCanonical, match="member 'b' appears twice"):
        parse('{"a":1,"b":2,"b":2}')
