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


def test_what_people_are_told_is_told_in_chinese(tmp_path: Path) -> None:
    """Problems as the reader really words them, and refusals at the door."""
    from bank.pages.language import Words
    from bank.pages.sentences import told
    from bank.results import mapping_of, read_results
    from bank.uploads import guess_mapping, nested

    header = "学号,姓名,课程代码,课程名称,领域,等级,学分,学时,成绩,学期,认定日期"
    good = "1,李明,A1,程序,ict,5,4,64,A,春,2024-07-01"
    file = tmp_path / "a.csv"
    rows = [
        header,
        good,
        good,
        good.replace("4,64", "many,64").replace("1,", "2,", 1),
        good.replace("2024-07-01", "昨天").replace("1,", "3,", 1),
        good.replace("李明", "").replace("1,", "4,", 1),
        f"{good},more",
        good.replace("A,春", "B,春"),
        good.replace("李明", "王芳").replace("春", "秋"),
        good.replace("ict", "law").replace("1,", "5,", 1),
    ]
    file.write_text("\n".join(rows) + "\n")
    columns = guess_mapping(header.split(","))
    document = nested({name: text for name, text in columns.items() if text})
    mapping = mapping_of({"institution": "north", **document}, "the mapping")
    problems = read_results(file, mapping, {"north": "north"}).problems
    assert len(problems) == len(rows) - 2
    refusals = [
        "the name, the password or the code is wrong",
        "too many failures: try again in 3 minutes",
        "this invitation was used or has ended; ask for a new one",
        "there is nothing at /x",
    ]
    chinese, english = Words("zh"), Words("en")
    for sentence in [*(problem.message for problem in problems), *refusals]:
        assert re.search("[\u4e00-\u9fff]{2}", told(chinese, sentence)), sentence
        assert not sentence.startswith(told(chinese, sentence)), sentence
        assert told(english, sentence) == sentence
    assert told(chinese, "nobody foresaw this") == "nobody foresaw this"
