"""What a report tells a person, in English and Chinese: one plain sentence for each outcome.

The words stand in `sentences.json`, which the page reads too.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from credentials.spelling import shown

LANGUAGES = ("en", "zh")
Table = Literal["names", "outcomes", "verdicts"]


def sentence(code: str, language: str, values: Mapping[str, str]) -> str:
    """The sentence of an outcome `code`, in `en` or `zh`, with `values` filled in.

    Values come from whoever wrote the file: none may move the cursor or turn the text around it.
    """
    # A value in two languages comes as two: `name.en` and `name.zh`.
    chosen = {key.removesuffix(f".{language}"): shown(value) for key, value in values.items()}
    return _tables()["sentences"][code][LANGUAGES.index(language)].format(**chosen)


def word(table: Table, name: str, language: str) -> str:
    """The name of a check, an outcome or a verdict, in `en` or `zh`."""
    return _tables()[table][name][LANGUAGES.index(language)]


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    text = Path(__file__).with_name("sentences.json").read_text("utf-8")
    tables: dict[str, dict[str, list[str]]] = json.loads(text)
    return tables
