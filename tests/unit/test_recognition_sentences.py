"""Every line of a decision has words in both languages, and none says less than the other."""

from __future__ import annotations

import re

import pytest

from bank.recognition.sentences import _CHINESE, in_words
from ledger.rules import _SENTENCES, Line

_HOLE = re.compile(r"\{(\w+)\}")
VALUES = {
    name: f"<{name}>"
    for pair in _SENTENCES.values()
    for text in pair
    for name in _HOLE.findall(text)
}


def test_both_languages_know_the_same_lines() -> None:
    assert set(_CHINESE) == set(_SENTENCES)


@pytest.mark.parametrize("code", sorted(_SENTENCES))
@pytest.mark.parametrize("passed", [True, False])
def test_they_say_the_same(code: str, passed: bool) -> None:
    english, chinese = in_words(Line(code, passed, VALUES))
    assert english == Line(code, passed, VALUES).sentence
    assert set(re.findall(r"<\w+>", english)) == set(re.findall(r"<\w+>", chinese))
    assert bool(english) == bool(chinese)


def test_what_was_not_checked_is_not_told_as_met() -> None:
    line = Line("source.grade", None, {"grade": "unknown", "wanted": "A, 60 or more"})
    english, chinese = in_words(line)
    assert english == "the rule asks for a grade (A, 60 or more), which is not known here"
    assert chinese == "规则对成绩有要求（A、60 及以上），此处不知道成绩"


def test_no_english_is_left_in_the_chinese() -> None:
    values = {"level": "unknown", "framework": "cq-lof", "wanted": "5"}
    assert in_words(Line("source.level", False, values))[1] == "cq-lof 等级 未知，低于规则要求的 5"
