"""What is wrong with a row is a problem with line, field and one sentence; all are collected."""

from pathlib import Path

import pytest

from bank.results import Preview, Problem, ResultsError, read_mapping, read_results

MAPPING = """
institution = "{school}"
source_key = "{number}|{unit}|{version}"
credits = "{credits}"
awarded = "{day}"
expires = "{until}"
grade = "{mark}"
learner = { key = "{number}", name = "{name}" }
[unit]
code = "{unit}"
version = "{version}"
title_en = "{title}"
title_zh = "{标题}"
field = { from = "{field}", values = { Law = "law", IT = "ict" } }
level = "{level}"
hours = "{hours}"
framework = "cq-lof"
scheme = "standard-credit"
"""
GOOD = {
    "school": "bayu-open",
    "number": "1",
    "name": "王芳",
    "unit": "K1",
    "version": "1",
    "title": "Business Law",
    "标题": "经济法",
    "field": "Law",
    "level": "5",
    "hours": "48",
    "credits": "3",
    "day": "2024-07-05",
    "until": "",
    "mark": "A",
}
INSTITUTIONS = {"bayu-open": "巴渝开放大学", "one": "Twin", "two": "Twin"}


def read(
    tmp_path: Path, *rows: dict[str, str], institutions: dict[str, str] | None = None
) -> Preview:
    """The preview of rows that are as `GOOD` but for what they say."""
    lines = [GOOD.keys()] + [(GOOD | row).values() for row in rows]
    (tmp_path / "r.csv").write_text("".join(",".join(line) + "\n" for line in lines), "utf-8")
    (tmp_path / "m.toml").write_text(MAPPING, "utf-8")
    mapping = read_mapping(tmp_path / "m.toml")
    return read_results(tmp_path / "r.csv", mapping, institutions or INSTITUTIONS)


def test_the_good_row_is_good(tmp_path: Path) -> None:
    preview = read(tmp_path, {})
    assert preview.problems == ()
    assert len(preview.results) == 1


@pytest.mark.parametrize(
    ("column", "text", "field", "message"),
    [
        ("credits", "abc", "credits", "'abc' is not a number; write it like 3 or 2.5"),
        ("credits", "-2", "credits", "'-2' is negative; it must be above 0"),
        ("credits", "0", "credits", "'0' is zero; it must be above 0"),
        ("credits", "1.23456", "credits", "'1.23456' has 5 decimals; at most 4 are allowed"),
        ("credits", "", "credits", "is empty; fill it in"),
        ("hours", "many", "unit.hours", "'many' is not a number; write it like 3 or 2.5"),
        (
            "school",
            "nowhere",
            "institution",
            "'nowhere' is no institution known here; known are: bayu-open, one, two",
        ),
        (
            "school",
            "Twin",
            "institution",
            "'Twin' is the name of 2 institutions; use a slug: one, two",
        ),
        ("day", "5 July", "awarded", "'5 July' is not a date written YYYY-MM-DD"),
        ("day", "2024-13-01", "awarded", "'2024-13-01' is not a day of the calendar"),
        ("until", "never", "expires", "'never' is not a date written YYYY-MM-DD"),
        (
            "unit",
            "课程",
            "unit.code",
            "'课程' is not a code: use 1 to 32 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with "
            "a letter or digit",
        ),
        (
            "version",
            "1.5",
            "unit.version",
            "'1.5' is not a version; write a whole number from 1 to 9999",
        ),
        ("level", "high", "unit.level", "'high' is not a level; write a whole number from 1 to 99"),
        (
            "field",
            "Art",
            "unit.field",
            "'Art' is not among the values the mapping lists; add it there or correct the row",
        ),
        ("name", "", "learner.name", "is empty; fill it in"),
        (
            "name",
            "A\x07B",
            "learner.name",
            "'A\\x07B' holds the control or invisible character U+0007; remove it",
        ),
        (
            "name",
            "x" * 201,
            "learner.name",
            f"'{'x' * 40}…' has 201 characters; at most 200 are allowed",
        ),
    ],
)
def test_a_fault_of_one_cell(
    tmp_path: Path, column: str, text: str, field: str, message: str
) -> None:
    preview = read(tmp_path, {"number": "7"}, {column: text})
    assert preview.problems == (Problem(3, field, f"column '{column}': {message}"),)
    assert str(preview.problems[0]) == f"line 3, {field}: column '{column}': {message}"
    assert [result.line for result in preview.results] == [2]


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        (
            {"until": "2024-07-05"},
            "expires",
            "2024-07-05 is not after the day of the award, 2024-07-05",
        ),
        (
            {"title": "", "标题": ""},
            "unit.title_en",
            "the unit has no title; fill in one of its titles",
        ),
        (
            {"number": "1,2"},
            "row",
            "has 15 fields where the header has 14; look for a missing separator, or one that "
            "should stand in quotation marks",
        ),
    ],
)
def test_a_fault_of_a_whole_row(
    tmp_path: Path, row: dict[str, str], field: str, message: str
) -> None:
    preview = read(tmp_path, {"number": "7"}, row)
    assert preview.problems == (Problem(3, field, message),)
    assert [result.line for result in preview.results] == [2]


@pytest.mark.parametrize("named", ["巴渝开放大学", "bayu-open", " 巴渝开放大学 "])
def test_an_institution_by_slug_or_name(tmp_path: Path, named: str) -> None:
    assert read(tmp_path, {"school": named}).results[0].institution == "bayu-open"


def test_only_some_institutions_are_listed(tmp_path: Path) -> None:
    many = {f"school-{number:02}": f"School {number}" for number in range(64)}
    (problem,) = read(tmp_path, {"school": "x"}, institutions=many).problems
    assert problem.message.endswith(
        "known are: school-00, school-01, school-02, school-03, school-04, …"
    )


def test_a_row_said_twice_is_a_duplicate(tmp_path: Path) -> None:
    preview = read(tmp_path, {}, {"number": "2"}, {"credits": "3.00"})
    assert preview.problems == (
        Problem(
            4,
            "source_key",
            "duplicate of line 2 (the same source key '1|K1|1'); remove one of the two",
        ),
    )
    assert [result.line for result in preview.results] == [2, 3]


def test_the_same_key_with_other_content_conflicts(tmp_path: Path) -> None:
    changed = {"credits": "4", "mark": "B", "name": "王敏", "title": "Law"}
    (problem,) = read(tmp_path, {}, changed).problems
    assert problem == Problem(
        3,
        "source_key",
        "conflicts with line 2: the same source key '1|K1|1', but another learner.name, "
        "unit.title_en, credits, grade; correct one of the two",
    )


def test_the_same_key_at_another_institution_is_another_record(tmp_path: Path) -> None:
    assert len(read(tmp_path, {}, {"school": "one"}).results) == 2


@pytest.mark.parametrize(
    ("row", "another"),
    [
        ({"title": "Law"}, "title_en"),
        ({"level": "6", "hours": "64"}, "level, hours"),
        ({"credits": "4"}, "credits"),
    ],
)
def test_a_unit_version_never_changes(tmp_path: Path, row: dict[str, str], another: str) -> None:
    (problem,) = read(tmp_path, {}, {"number": "2"} | row).problems
    assert problem == Problem(
        3,
        "unit",
        f"unit K1 version 1 has another {another} on line 2; make them agree or give it another "
        "version",
    )
    assert read(tmp_path, {}, {"number": "2", "version": "2"} | row).problems == ()


def test_one_learner_has_one_name(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, {}, {"unit": "K2", "name": "王方"}).problems
    assert problem == Problem(
        3,
        "learner.name",
        "learner '1' is '王芳' on line 2 and '王方' here; make them agree",
    )


def test_all_faults_of_a_row_are_told_at_once(tmp_path: Path) -> None:
    preview = read(tmp_path, {"credits": "x", "day": "x", "school": "x", "level": "x"})
    assert [problem.field for problem in preview.problems] == [
        "institution",
        "unit.level",
        "credits",
        "awarded",
    ]


def test_after_a_thousand_problems_the_reading_stops(tmp_path: Path) -> None:
    rows = [{"number": str(number), "credits": "x", "day": "x"} for number in range(700)]
    preview = read(tmp_path, *rows)
    assert len(preview.problems) == 1000
    assert preview.rows == 500


def test_slugs_given_by_the_caller_are_checked(tmp_path: Path) -> None:
    with pytest.raises((ResultsError, ValueError), match="not an institution's slug"):
        read(tmp_path, {}, institutions={"Bad Slug": "x"})
