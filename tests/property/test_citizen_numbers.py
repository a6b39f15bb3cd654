"""The check character of citizen identity numbers, over all numbers and all small mistakes."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bank.learners.errors import BadIdentity
from bank.learners.identity import CITIZEN, check_character, read_document

TODAY = date(2026, 11, 24)
CHARACTERS = "0123456789X"


@st.composite
def numbers(draw: st.DrawFn) -> str:
    division = draw(st.integers(100000, 999999))
    born = draw(st.dates(date(1900, 1, 1), TODAY))
    first = f"{division}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first + check_character(first)


@given(numbers())
def test_what_is_well_made_passes(number: str) -> None:
    assert read_document(CITIZEN, number, TODAY).number == number


@given(st.text("0123456789", min_size=17, max_size=17))
def test_the_sum_is_one_modulo_eleven(first: str) -> None:
    """ISO 7064 states MOD 11-2 by a recursion; it agrees with the weights."""
    remainder = 0
    for char in first:
        remainder = (remainder + int(char)) * 2 % 11
    assert (remainder + CHARACTERS.index(check_character(first))) % 11 == 1


@given(numbers(), st.integers(0, 17), st.sampled_from(CHARACTERS))
def test_one_changed_character_is_found(number: str, place: int, char: str) -> None:
    assume(number[place] != char)
    with pytest.raises(BadIdentity):
        read_document(CITIZEN, number[:place] + char + number[place + 1 :], TODAY)


@given(numbers(), st.integers(0, 17), st.integers(0, 17))
def test_two_swapped_characters_are_found_unless_ten_places_apart(
    number: str, one: int, other: int
) -> None:
    one, other = sorted((one, other))
    assume(number[one] != number[other])
    # 2 to the power of 10 is 1 modulo 11: the check cannot see such a swap, and need not.
    assume(other - one != 10)
    chars = list(number)
    chars[one], chars[other] = chars[other], chars[one]
    with pytest.raises(BadIdentity):
        read_document(CITIZEN, "".join(chars), TODAY)


def test_control_a_swap_ten_places_apart_is_not_seen() -> None:
    first = "11010519491231002"
    chars = list(first)
    chars[5], chars[15] = chars[15], chars[5]
    swapped = "".join(chars)
    assert swapped != first
    assert check_character(swapped) == check_character(first)
