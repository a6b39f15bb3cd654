"""Every text of the pages is there in Chinese, and none is translated that no page says."""

import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

_PAGES = Path(__file__).parents[2] / "bank" / "pages"
_HOLE = re.compile(r"%\((\w+)\)s")


def _said() -> set[str]:
    methods = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
    options = {"**.html": {"trimmed": "true"}}
    keywords = {"_": None, "gettext": None, "say": None, "N_": None}
    found = extract_from_dir(_PAGES, methods, options, keywords)
    return {message if isinstance(message, str) else message[0] for _, _, message, *_ in found}


def _translated() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((_PAGES / "locale" / "zh" / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            catalogue: Catalog = read_po(file, "zh", abort_invalid=True)
        for message in catalogue:
            if message.id:
                text = str(message.id)
                assert found.setdefault(text, str(message.string)) == message.string, (
                    f"{path.name} translates {text!r} in another way than the file before"
                )
    return found


def test_every_text_is_translated() -> None:
    missing = sorted(_said() - set(_translated()))
    assert missing == [], "add these to a file in bank/pages/locale/zh/LC_MESSAGES"


def test_no_translation_is_left_over() -> None:
    assert sorted(set(_translated()) - _said()) == []


def test_translations_have_the_same_holes_and_are_chinese() -> None:
    for text, said in _translated().items():
        assert sorted(_HOLE.findall(text)) == sorted(_HOLE.findall(said)), text
        assert said.strip(), text


def test_a_missing_text_would_be_noticed() -> None:
    assert "Nobody ever says this" not in _translated()
    assert len(_said()) > 60
