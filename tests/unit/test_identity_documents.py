"""Citizen identity numbers and other documents: one normal form, and no message that repeats one.

The first two numbers are the examples printed in the standard itself; the others are made up.
"""

import traceback
from datetime import date

import pytest

from bank.learners.errors import BadIdentity
from bank.learners.identity import CITIZEN, Document, check_character, read_document, read_name

TODAY = date(2026, 11, 24)
CHARACTERS = "0123456789X"


def completed(first: str) -> str:
    return first + check_character(first)


def citizen(number: str, today: date = TODAY) -> str:
    return read_document(CITIZEN, number, today).number


NUMBERS = [
    "11010519491231002X",
    "34052419800101001X",
    completed("11010520000229001"),
    completed("82000019991231001"),
]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_examples_of_the_standard_pass(number: str) -> None:
    assert citizen(number) == number


@pytest.mark.parametrize(
    "text",
    [
        " 11010519491231002x ",
        "110105 19491231 002X",
        "110105-19491231-002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002X\r\n",
    ],
)
def test_spelling_is_put_right(text: str) -> None:
    assert citizen(text) == "11010519491231002X"


@pytest.mark.parametrize("number", NUMBERS)
def test_every_single_changed_character_is_found(number: str) -> None:
    for place in range(18):
        for char in CHARACTERS:
            if char != number[place]:
                with pytest.raises(BadIdentity):
                    citizen(number[:place] + char + number[place + 1 :])


@pytest.mark.parametrize("number", NUMBERS)
def test_every_swap_of_neighbours_is_found(number: str) -> None:
    for place in range(17):
        if number[place] != number[place + 1]:
            swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
            with pytest.raises(BadIdentity):
                citizen(swapped)


@pytest.mark.parametrize(
    ("day", "good"),
    [
        ("20000229", True),
        ("20240229", True),
        ("19000228", True),
        ("19000229", False),
        ("20230229", False),
        ("19491232", False),
        ("19491301", False),
        ("19490001", False),
        ("00000101", False),
        ("18991231", False),
        ("19000101", True),
        ("20261124", True),
        ("20261125", False),
    ],
)
def test_the_date_of_birth_is_one(day: str, good: bool) -> None:
    number = completed(f"110105{day}002")
    if good:
        assert citizen(number) == number
        return
    with pytest.raises(BadIdentity, match="no possible date of birth"):
        citizen(number)


def test_x_is_a_check_character_and_nothing_else() -> None:
    ending = {completed(f"11010519491231{n:03d}")[17] for n in range(1000)}
    assert ending == set(CHARACTERS)
    with pytest.raises(BadIdentity, match="17 digits, the first not 0"):
        citizen("1101051949123100X2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 18 characters, this one has 0"),
        ("110105491231002", "this one has 15"),
        ("1" * 5000, "this one has 5000"),
        ("010105194912310029", "the first not 0"),
        ("11010519491231002Y", "a digit or X"),
        ("110105194912310029", "last character does not match"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "17 digits"),
    ],
)
def test_a_refusal_says_why_and_repeats_nothing(text: str, says: str) -> None:
    with pytest.raises(BadIdentity) as refused:
        citizen(text)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 200
    if text:
        assert text not in str(refused.value)
        # Nor the hidden cause of it, which a traceback would print.
        assert text not in "".join(traceback.format_exception_only(refused.value))


def test_a_passport_is_of_a_country() -> None:
    document = read_document("passport/DEU", " c01x-00t 47 ", TODAY)
    assert document == Document("passport/DEU", "C01X00T47")
    assert document != read_document("passport/AUT", "C01X00T47", TODAY)


@pytest.mark.parametrize("kind", ["", "passport", "passport/de", "Passport/DEU", "citizen-id/CHN1"])
def test_a_kind_names_the_country(kind: str) -> None:
    with pytest.raises(BadIdentity, match="such as passport/DEU"):
        read_document(kind, "C01X00T47", TODAY)


@pytest.mark.parametrize("number", ["", "A12", "A" * 33, "C01X00T4é", "C01X/00T47"])
def test_a_passport_number_is_letters_and_digits(number: str) -> None:
    with pytest.raises(BadIdentity, match="4 to 32 letters") as refused:
        read_document("passport/DEU", number, TODAY)
    assert not number or number not in str(refused.value)


def test_a_document_does_not_show_its_number() -> None:
    assert "11010519491231002X" not in repr(read_document(CITIZEN, "11010519491231002X", TODAY))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  王  小明 ", "王 小明"),
        ("古丽·阿不都", "古丽·阿不都"),
        ("Zoe\u0308 Müller", "Zoë Müller"),
        ("𠮷田", "𠮷田"),
    ],
)
def test_a_name_has_one_form(text: str, name: str) -> None:
    assert read_name(text) == name


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "a\x00b", "a\ud800", "\ue000"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(BadIdentity):
        read_name(text)
