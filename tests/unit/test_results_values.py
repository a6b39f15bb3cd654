"""Cells become values in one normal form, or a sentence that says what to write."""

import pytest

from bank.results import values
from bank.results.errors import BadValue


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("3", "3"),
        ("2.5", "2.5"),
        ("2.50", "2.5"),
        ("2.00000", "2"),
        ("03", "3"),
        ("0.5", "0.5"),
        ("0.0001", "0.0001"),
        ("60", "60"),
        ("100", "100"),
        ("999999.9999", "999999.9999"),
    ],
)
def test_an_amount_has_one_form(text: str, is_: str) -> None:
    assert values.amount(text) == is_


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("abc", "'abc' is not a number; write it like 3 or 2.5"),
        ("2,5", "'2,5' is not a number"),
        ("1e3", "'1e3' is not a number"),
        ("+3", "'+3' is not a number"),
        (".5", "'.5' is not a number"),
        ("5.", "'5.' is not a number"),
        ("NaN", "'NaN' is not a number"),
        ("２", "'２' is not a number"),
        ("3\n", "is not a number"),
        ("-2", "'-2' is negative; it must be above 0"),
        ("-0.00001", "is negative"),
        ("0", "'0' is zero; it must be above 0"),
        ("-0", "is zero"),
        ("0.0000", "is zero"),
        ("1.23456", "'1.23456' has 5 decimals; at most 4 are allowed"),
        ("1000000", "'1000000' is too large; at most 999999 is allowed"),
        ("9" * 100000, "is too large"),
    ],
)
def test_no_amount(text: str, says: str) -> None:
    with pytest.raises(BadValue) as refused:
        values.amount(text)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2024-07-05", "YYYY-MM-DD"),
        ("20240705", "YYYYMMDD"),
        ("2024/7/5", "YYYY/M/D"),
        ("2024/07/05", "YYYY/M/D"),
        ("2024.7.5", "YYYY.M.D"),
        ("2024年7月5日", "YYYY年M月D日"),
        ("5/7/2024", "D/M/YYYY"),
        ("7/5/2024", "M/D/YYYY"),
        ("2024-07-05", "M/D/YYYY"),
    ],
)
def test_a_date_is_read_as_the_mapping_says(text: str, written: str) -> None:
    assert values.date(text, written) == "2024-07-05"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5.7.2024", "'5.7.2024' is not a date written YYYY-MM-DD"),
        ("2024-7-5", "is not a date written"),
        ("2024-07-05 00:00:00", "is not a date written"),
        ("2023-02-29", "'2023-02-29' is not a day of the calendar"),
        ("0000-01-01", "is not a day of the calendar"),
        ("0204-07-05", "is before 1900"),
    ],
)
def test_no_date(text: str, says: str) -> None:
    with pytest.raises(BadValue, match=r".") as refused:
        values.date(text)
    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["K1", "a", "ME.110", "x" * 32, "e-commerce_2"])
def test_a_unit_code(text: str) -> None:
    assert values.code(text) == text


@pytest.mark.parametrize("text", ["", "-K1", "课程", "K 1", "x" * 33, "K1\n", "K|1"])
def test_no_unit_code(text: str) -> None:
    with pytest.raises(BadValue, match="is not a code"):
        values.code(text)


@pytest.mark.parametrize(
    ("check", "good", "bad", "says"),
    [
        (values.slug, "bayu-open", "Bayu", "is not an institution's slug"),
        (values.slug, "a1", "a", "is not an institution's slug"),
        (values.slug, "a" * 41, "a" * 42, "is not an institution's slug"),
        (values.name, "cq-lof", "CQ_LOF", "is not a short name"),
        (values.level, "7", "07", "is not a level"),
        (values.level, "10", "high", "is not a level"),
        (values.version, "9999", "0", "is not a version"),
        (values.version, "1", "1.0", "is not a version"),
    ],
)
def test_other_codes(check, good: str, bad: str, says: str) -> None:  # type: ignore[no-untyped-def]
    assert check(good) == good
    with pytest.raises(BadValue, match=says):
        check(bad)


@pytest.mark.parametrize(
    "text", ["11010519491231002X", "课程 110105194912310021", "x-110105194912310021"]
)
def test_what_goes_public_is_never_a_citizen_number(text: str) -> None:
    with pytest.raises(BadValue, match="looks like a citizen identity number"):
        values.title(text)


def test_a_student_number_may_look_like_one() -> None:
    assert values.text("11010519491231002X") == "11010519491231002X"
    with pytest.raises(BadValue, match="looks like a citizen identity number"):
        values.code("11010519491231002X")


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("王　芳", "王 芳"),
        ("José\u00a0García", "José García"),
        ("Jose\u0301", "José"),
        ("古丽娜尔·吐尔逊", "古丽娜尔·吐尔逊"),
        ("نسیم\u200cآرا", "نسیم\u200cآرا"),
        ("𠮷野", "𠮷野"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_name(text: str, is_: str) -> None:
    assert values.text(text) == is_


@pytest.mark.parametrize("char", "\x00\x07\n\t\x7f\x85\u2028\u202e\u2066\ufeff\ufffd\uffff\ud800")
def test_control_and_reordering_characters_are_refused(char: str) -> None:
    with pytest.raises(BadValue, match=rf"invisible character U\+{ord(char):04X}"):
        values.text(f"王{char}芳")


@pytest.mark.parametrize("length", [201, 801, 1_000_000])
@pytest.mark.parametrize("char", ["x", "王"])
def test_a_long_name_is_refused_shortly(char: str, length: int) -> None:
    with pytest.raises(BadValue, match=f"has {length} characters; at most 200") as refused:
        values.text(char * length)
    assert len(str(refused.value)) < 200


def test_a_title_must_be_printable() -> None:
    with pytest.raises(BadValue, match="cannot be shown"):
        values.title("课程\ue863")
