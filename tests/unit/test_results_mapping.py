"""A slip in a mapping is one sentence that names the file and the key."""

from pathlib import Path

import pytest

import bank.results.mapping as mapping_module
from bank.results import BadMapping, ResultsError, read_mapping, read_results

TOP = {
    "institution": '"{school}"',
    "source_key": '"{number}|{unit}"',
    "credits": '"{credits}"',
    "awarded": '"{day}"',
}
LEARNER = {"key": '"{number}"', "name": '"{name}"'}
UNIT = {
    "code": '"{unit}"',
    "title_en": '"Unit {unit}"',
    "field": '"education"',
    "level": '"5"',
    "hours": '"48"',
    "framework": '"cq-lof"',
    "scheme": '"standard-credit"',
}


def toml(
    top: dict[str, str] | None = None,
    learner: dict[str, str] | None = None,
    unit: dict[str, str] | None = None,
    more: str = "",
) -> str:
    """The mapping above with some keys changed; a key changed to '' is left out."""
    lines = []
    for title, keys in (
        ("", TOP | (top or {})),
        ("[learner]", LEARNER | (learner or {})),
        ("[unit]", UNIT | (unit or {})),
    ):
        lines += [title] + [f"{key} = {value}" for key, value in keys.items() if value]
    return "\n".join([*lines, more])


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "m.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def results(tmp_path: Path, mapping: str, csv: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "r.csv"
    path.write_text(csv, encoding="utf-8")
    names = {"bayu-open": "巴渝开放大学", "other": "Other"}
    return read_results(path, read_mapping(write(tmp_path, mapping)), names)


def test_a_plain_mapping_is_read(tmp_path: Path) -> None:
    mapping = read_mapping(write(tmp_path, toml()))
    assert list(mapping.columns) == ["school", "number", "unit", "name", "credits", "day"]
    assert mapping.delimiter == ","


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    read_mapping(write(tmp_path, b"\xef\xbb\xbf" + toml().encode()))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (toml(top={"colour": '"red"'}), "key 'colour': unknown; here may stand awarded, credits"),
        (toml(unit={"kolor": '"x"'}), "key 'unit.kolor': unknown"),
        (toml(learner={"id": '"x"'}), "key 'learner.id': unknown; here may stand key, name"),
        (
            toml(top={"credits": '{ from = "{c}", vals = { A = 1 } }'}),
            "key 'credits.vals': unknown",
        ),
        (toml(top={"credits": '{ from = "{c}", format = "x" }'}), "key 'credits.format': unknown"),
        (toml(top={"credits": ""}), "key 'credits': missing"),
        (toml(learner={"name": ""}), "key 'learner.name': missing"),
        (toml(unit={"title_en": ""}), "key 'unit.title_en': missing; a unit needs a title"),
        (toml(top={"credits": "{ values = { A = 1 } }"}), "key 'credits.from': missing"),
        (toml(top={"credits": '"-1"'}), "key 'credits': '-1' is negative"),
        (toml(top={"credits": '{ from = "{c}", values = { A = 1.23456 } }'}), "has 5 decimals"),
        (toml(top={"credits": "true"}), "key 'credits': True is not a text, number or date"),
        (toml(top={"credits": "[1]"}), "key 'credits': [1] is not a text"),
        (toml(top={"credits": '""'}), "key 'credits': is empty"),
        (
            toml(top={"credits": '{ from = "{c}", values = 3 }'}),
            "key 'credits.values': must be a table",
        ),
        (toml(top={"awarded": '"{day"'}), "key 'awarded': '{day' is not a template"),
        (toml(top={"awarded": '"{}"'}), "key 'awarded': '{}' is not a template"),
        (toml(top={"awarded": '"{ }"'}), "key 'awarded': '{ }' is not a template"),
        (toml(top={"awarded": '"2024-02-30"'}), "key 'awarded': '2024-02-30' is not a day"),
        (
            toml(top={"awarded": '{ from = "{d}", format = "%Y" }'}),
            "key 'awarded.format': '%Y' is not",
        ),
        (toml(unit={"code": '"课程"'}), "key 'unit.code': '课程' is not a code"),
        (toml(top={"delimiter": '"::"'}), "key 'delimiter': '::' is not one of"),
        (toml(top={"delimiter": "[1]"}), "key 'delimiter': [1] is not one of"),
        (toml(more="[only]\nstate = 'Pass'"), "key 'only.state': must be a list of texts"),
        (toml(more="[skip]\nstate = []"), "key 'skip.state': must be a list of texts"),
        ("unit = 3", "key 'unit': must be a table, not 3"),
        ("a = = b", "is not a TOML file: "),
        (toml(more="[only]\n结果 = ['通过']"), "every Chinese key, stands in quotation marks"),
        ("[a]\nb = 1\n[a]", "is not a TOML file: "),
        (b"# \xbf\xce\xb3\xcc", "is not UTF-8 text; save the mapping as UTF-8"),
        ("#" * (64 * 1024 + 1), "is over 64 KiB"),
        ("a = " + "[" * 60_000, "is not a TOML file: "),
    ],
)
def test_a_slip_is_named(tmp_path: Path, text: str | bytes, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BadMapping) as refused:
        read_mapping(path)
    assert str(refused.value).startswith(str(path))
    assert says in str(refused.value)
    assert isinstance(refused.value, ResultsError)


def test_a_missing_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match=r"none\.toml cannot be read: No such file"):
        read_mapping(tmp_path / "none.toml")
    with pytest.raises(BadMapping, match="cannot be read: Is a directory"):
        read_mapping(tmp_path)


def test_tables_templates_formats_and_conditions(tmp_path: Path) -> None:
    mapping = toml(
        top={
            "delimiter": '";"',
            "institution": '"巴渝开放大学"',
            "credits": '{ from = "{unit}", values = { K1 = 2.50, K2 = 3 } }',
            "awarded": '{ from = "{term}", values = { 24A = 2024-07-05, 24B = "2025/1/9" },'
            ' format = "YYYY/M/D" }',
            "expires": '{ from = "{until}", format = "YYYY/M/D" }',
            "grade": '"{{{mark}}}"',
        },
        learner={"name": '"{family}{given}"'},
        unit={
            "version": '{ from = "{term}", values = { 24A = 1, 24B = 2 } }',
            "title_zh": '"单元"',
        },
        more='[only]\nstate = ["ok", "fine"]\n[skip]\nmark = ["void"]',
    )
    preview = results(
        tmp_path,
        mapping,
        "number;unit;family;given;term;until;mark;state\n"
        "1;K1;王;芳;24A;2030/7/5;A;ok\n"
        "1;K2;王;芳;24B;;;fine\n"
        "2;K2;王;敏;24B;;B;failed\n"
        "3;K2;王;敏;24B;;void;ok\n",
    )
    assert preview.problems == ()
    assert (preview.rows, preview.skipped) == (4, 2)
    one, two = preview.results
    assert (one.line, one.source_key, one.institution, one.credits, one.grade) == (
        2, "1|K1", "bayu-open", "2.5", "{A}",
    )  # fmt: skip
    assert (one.learner.name, one.unit.version, one.unit.title_zh) == ("王芳", 1, "单元")
    assert (str(one.awarded), str(one.expires)) == ("2024-07-05", "2030-07-05")
    assert (two.credits, two.grade, two.expires, two.unit.version) == ("3", None, None, 2)
    assert str(two.awarded) == "2025-01-09"


def test_one_title_serves_for_both(tmp_path: Path) -> None:
    head = "school,number,name,unit,credits,day\nbayu-open,1,王芳,K1,3,2024-07-05\n"
    unit = (
        results(tmp_path, toml(unit={"title_en": "", "title_zh": '"单元"'}), head).results[0].unit
    )
    assert (unit.title_en, unit.title_zh) == ("单元", "单元")


@pytest.mark.parametrize(
    "value", ['"nowhere"', '{ from = "{school}", values = { A = "nowhere" } }']
)
def test_an_institution_the_bank_does_not_know_is_named_once(tmp_path: Path, value: str) -> None:
    with pytest.raises(
        BadMapping, match=r"m\.toml, key 'institution': 'nowhere' is no institution"
    ):
        results(tmp_path, toml(top={"institution": value}), "school,number\n")


def test_the_example_in_the_documentation_is_a_mapping(tmp_path: Path) -> None:
    lines = (mapping_module.__doc__ or "").splitlines()
    example = "\n".join(line[4:] for line in lines if line.startswith("    "))
    mapping = read_mapping(write(tmp_path, example))
    assert [one.column for one in (*mapping.only, *mapping.skip)] == ["结果", "备注"]
    assert "unit.version" not in [rule.name for rule in mapping.rules]
