"""Names that could deceive the eye are shown for what they are, and said."""

from __future__ import annotations

import pytest

from credentials.spelling import hidden_characters, mixes_alphabets, shown


@pytest.mark.parametrize(
    "name",
    [
        "张伟",
        "María José",
        "Ελένη",
        "Иван Petrov",
        "阿不都·沙拉木",
        "می\u200cخواهم",
        "क्\u200dष",
        "M3 α",
    ],
)
def test_names_as_they_are(name: str) -> None:
    assert hidden_characters(name) == []
    assert not mixes_alphabets(name)
    assert shown(name) == name


@pytest.mark.parametrize(
    "char", ["\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\ufeff", "\u00ad", "\x07", "\u2028"]
)
def test_what_hides_or_turns_is_shown(char: str) -> None:
    name = f"Ana{char}txt"
    assert hidden_characters(name) == [char]
    assert shown(name) == f"Ana⟨U+{ord(char):04X}⟩txt"


@pytest.mark.parametrize("name", ["Раypal", "Αnna", "Bank оf"])
def test_alphabets_that_look_alike(name: str) -> None:
    assert mixes_alphabets(name)
