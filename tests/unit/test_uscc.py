"""GB 32100: the codes of real companies pass, and every changed character is found."""

import pytest

from bank.uscc import BadUscc, check_character, check_uscc

# Codes of well-known companies, as their own web pages print them.
REAL = ["91110000600037341L", "91330100799655058B", "914403001922038216", "9144030071526726XG"]
CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize("code", REAL)
def test_a_real_code_passes(code: str) -> None:
    assert check_uscc(code) == code
    assert check_character(code[:17]) == code[17]


@pytest.mark.parametrize(
    "text", [" 91110000600037341l ", "9111 0000 6000 3734 1L", "91110000600037341L\n"]
)
def test_spaces_and_small_letters_are_put_right(text: str) -> None:
    assert check_uscc(text) == "91110000600037341L"


@pytest.mark.parametrize("code", REAL)
def test_every_single_changed_character_is_found(code: str) -> None:
    for place in range(18):
        for char in CHARACTERS:
            if char != code[place]:
                with pytest.raises(BadUscc):
                    check_uscc(code[:place] + char + code[place + 1 :])


@pytest.mark.parametrize("code", REAL)
def test_every_swap_of_neighbours_is_found(code: str) -> None:
    for place in range(17):
        if code[place] != code[place + 1]:
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            with pytest.raises(BadUscc):
                check_uscc(swapped)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 0 characters, not 18"),
        ("91110000600037341", "has 17 characters, not 18"),
        ("9" * 5000, "has 5000 characters, not 18"),
        ("91110000600037341I", "'I' does not occur in one"),
        ("91110000600037341é", "'é' does not occur in one"),
        ("９1110000600037341L", "'９' does not occur in one"),
        ("91A10000600037341L", "characters 3 to 8 must be the digits"),
        ("91110000600037341M", "its last character does not match"),
    ],
)
def test_a_refusal_says_why(text: str, says: str) -> None:
    with pytest.raises(BadUscc) as refused:
        check_uscc(text)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 250


def test_a_foreign_letter_is_not_raised_to_an_ascii_one() -> None:
    assert "ı".upper() == "I"
    with pytest.raises(BadUscc, match="does not occur"):
        check_uscc("9111000060003734ıL")


def test_the_first_seventeen_must_be_just_that() -> None:
    with pytest.raises(BadUscc, match="first 17"):
        check_character("123")
