"""Exact bytes: one form for each value, and nothing else is let in."""

import contextlib

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from keys import (
    Json,
    NotCanonical,
    b64u_decode,
    b64u_encode,
    base58_decode,
    base58_encode,
    encode,
    parse,
    parse_exact,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_the_same_bytes_as_the_reference(value: Json) -> None:
    assert encode(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(VALUES)
def test_what_is_written_is_read_back_and_written_the_same(value: Json) -> None:
    data = encode(value)
    try:
        back = parse_exact(data)
    except NotCanonical as error:
        # A float of 2^53 or more is written without a point and is then no exact integer.
        assert "2^53" in str(error)  # noqa: PT017
    else:
        assert encode(back) == data


@given(st.dictionaries(TEXT, LEAVES, min_size=1, max_size=4), st.data())
def test_any_other_spelling_is_refused(value: dict[str, Json], data: st.DataObject) -> None:
    exact = encode(value).decode()
    place = data.draw(st.sampled_from([0, 1, len(exact)]))
    with pytest.raises(NotCanonical):
        parse_exact((exact[:place] + " " + exact[place:]).encode())


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":1,"a":1}',
        "NaN",
        "[Infinity]",
        "[-Infinity]",
        "9007199254740993",
        "-9007199254740993",
        "1" + "0" * 30,
        "1e400",
        '"\\ud800"',
        '{"\\udfff":1}',
        "[" * 65 + "]" * 65,
        '{"a":' * 65 + "1" + "}" * 65,
        "",
        "{",
        "[1,]",
        "01",
        "'a'",
        '"a\tb"',
        "tru",
        "[1]x",
    ],
)
def test_what_is_not_exact_json_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        parse(text.encode())
    with pytest.raises(NotCanonical):
        parse_exact(text.encode())


@pytest.mark.parametrize(
    "text", ["6.0", "1e2", "-0", '{"b":1,"a":2}', "[1, 2]", '"\\u0041"', '"\\/"', "\ufeff1", "1\n"]
)
def test_json_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        parse_exact(text.encode())


def test_bytes_that_are_not_utf8_and_large_files_are_refused() -> None:
    with pytest.raises(NotCanonical, match="UTF-8"):
        parse(b'"\xff"')
    with pytest.raises(NotCanonical, match="over the limit"):
        parse(b" " * 100, limit=99)


@given(st.binary(max_size=80))
def test_text_encodings_come_back(data: bytes) -> None:
    assert b64u_decode(b64u_encode(data)) == data
    assert base58_decode(base58_encode(data)) == data


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_changed_character_never_means_the_same_bytes(data: bytes, choice: st.DataObject) -> None:
    for write, read in ((b64u_encode, b64u_decode), (base58_encode, base58_decode)):
        text = write(data)
        place = choice.draw(st.integers(0, len(text) - 1))
        char = choice.draw(st.characters(min_codepoint=33, max_codepoint=126))
        changed = text[:place] + char + text[place + 1 :]
        if changed == text:
            continue
        with contextlib.suppress(NotCanonical):
            assert read(changed) != data
    with pytest.raises(NotCanonical):
        b64u_decode(b64u_encode(data) + "=")
