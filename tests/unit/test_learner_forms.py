"""What is typed at the counter is read as meant, or refused where it is, and never repeated."""

from __future__ import annotations

from datetime import date

import pytest

from bank.learners import BadIdentity, Document
from bank.learners.forms import document_of, read_form, text_of

FIELDS = ("name", "kind", "number")
NUMBER = "11010519491231002X"
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "王小明", "number": "11010519491231002X"}',
        '\ufeff {"name": "王小明", "kind": "citizen-id", "number": "110105 19491231 002x"}',
        "name: 王小明\nnumber: 11010519491231002X\n",
        "Name：王小明\r\n\r\nKIND：citizen-id\r\nnumber：11010519491231002X",
    ],
)
def test_both_ways_of_writing_say_the_same(text: str) -> None:
    form = read_form(text.encode(), FIELDS, "it")
    assert text_of(form, "name", "it") == "王小明"
    assert document_of(form, "it", TODAY) == Document("citizen-id", NUMBER)


def test_a_document_may_be_missing() -> None:
    assert document_of({"name": "x"}, "it", TODAY) is None
    with pytest.raises(BadIdentity, match="but no number"):
        document_of({"kind": "citizen-id"}, "it", TODAY)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        ("name: 王小明".encode("gbk"), "not UTF-8 at byte 6; save it as UTF-8"),
        (b"name: x\n11010519491231002X\n", "line 2 of form.txt is no 'field: value'"),
        (b"11010519491231002X: x\n", "line 1 of form.txt"),
        (b"name: x\nname: y\n", "line 2 of form.txt gives the name again"),
        (b'{"number": 11010519491231002X}', "put numbers of documents in quotes"),
        (b'{"name": "x",\n "number": "11010519491231002X" 7}', "not JSON at line 2 column 33"),
        (b'{"number": 110105194912310029}', "put numbers of documents in quotes"),
        (b'{"number": "1", "number": "11010519491231002X"}', "a field twice"),
        (b'{"11010519491231002X": "x"}', "a field besides name, kind and number"),
        (b"{" + b" " * 300_000 + b"}", "over the limit"),
    ],
)
def test_a_fault_is_placed_and_not_repeated(data: bytes, says: str) -> None:
    with pytest.raises(BadIdentity) as refused:
        read_form(data, FIELDS, "form.txt")
    assert says in str(refused.value)
    assert "1101051949123100" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("value", [7, True, ["x"], {"x": 1}])
def test_a_field_is_text(value: object) -> None:
    with pytest.raises(BadIdentity, match="put it in quotes"):
        text_of({"name": value}, "name", "it")  # type: ignore[dict-item]
    with pytest.raises(BadIdentity, match="has no name"):
        text_of({}, "name", "it")
