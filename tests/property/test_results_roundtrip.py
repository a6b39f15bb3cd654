"""Whatever results are written as CSV come back the same, and no bytes make the reader stumble."""

import csv
import datetime
import io
import tempfile
import unicodedata
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bank.results import Learner, Result, ResultsError, UnitRef, read_mapping, read_results
from bank.results.errors import BadValue
from bank.results.values import amount, text

MAPPING = """
institution = "{机构}"
source_key = "{记录}"
credits = "{学分}"
awarded = "{日期}"
expires = "{有效期}"
grade = "{成绩}"
learner = { key = "{学号}", name = "{姓名}" }
[unit]
code = "{课程}"
title_en = "Unit {课程}"
title_zh = "课程{课程}"
field = "education"
level = "5"
hours = "48"
framework = "cq-lof"
scheme = "standard-credit"
"""
HEADER = ["机构", "记录", "学分", "日期", "有效期", "成绩", "学号", "姓名", "课程"]
INSTITUTIONS = {"bayu-open": "巴渝开放大学", "jialing-tech": "嘉陵理工学院"}


def is_text(value: str) -> bool:
    """Whether a name is in the one form the reader gives back."""
    try:
        return bool(value) and text(value) == value.strip() == value
    except BadValue:
        return False


names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), min_size=1, max_size=30)
names = names.map(lambda name: unicodedata.normalize("NFC", name).strip()).filter(is_text)
everyday = st.text("王李张刘陈杨黄赵学分银行认定积累转换", min_size=1, max_size=5)
amounts = st.decimals("0.0001", "999999", places=4).map(lambda number: amount(str(number)))
results = st.builds(
    Result,
    line=st.just(0),
    source_key=names,
    learner=st.builds(Learner, names, names),
    institution=st.sampled_from(sorted(INSTITUTIONS)),
    unit=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,15}", fullmatch=True).map(
        lambda code: UnitRef(
            code, 1, f"Unit {code}", f"课程{code}", "education", "5", "48", "cq-lof",
            "standard-credit",
        )
    ),
    credits=amounts,
    grade=st.none() | names,
    awarded=st.dates(min_value=datetime.date(1900, 1, 1)),
    expires=st.none(),
)  # fmt: skip
lists = st.lists(
    results,
    max_size=8,
    min_size=1,
    unique_by=(
        lambda one: (one.institution, one.source_key),
        lambda one: (one.institution, one.unit.code),
        lambda one: (one.institution, one.learner.key),
    ),
)


def read(data: bytes):  # type: ignore[no-untyped-def]
    with tempfile.TemporaryDirectory() as folder:
        path, rules = Path(folder, "r.csv"), Path(folder, "m.toml")
        path.write_bytes(data)
        rules.write_text(MAPPING, "utf-8")
        return read_results(path, read_mapping(rules), INSTITUTIONS)


def write(rows: list[Result], end: str, quoting: int) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(HEADER)
    for one in rows:
        writer.writerow(
            [
                INSTITUTIONS[one.institution],
                one.source_key,
                one.credits,
                one.awarded,
                one.expires or "",
                one.grade or "",
                one.learner.key,
                one.learner.name,
                one.unit.code,
            ]
        )
    return file.getvalue()


ends = st.sampled_from(["\n", "\r\n", "\r"])
quotings = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])


@given(lists, ends, quotings, st.sampled_from(["utf-8", "utf-8-sig"]))
@settings(max_examples=150, deadline=None)
def test_results_come_back(rows: list[Result], end: str, quoting: int, encoding: str) -> None:
    preview = read(write(rows, end, quoting).encode(encoding))
    assert preview.problems == ()
    expected = [replace(one, line=line) for line, one in enumerate(rows, 2)]
    assert list(preview.results) == expected


@given(lists, everyday, ends)
@settings(max_examples=100, deadline=None)
def test_chinese_results_come_back_from_gbk(rows: list[Result], name: str, end: str) -> None:
    rows = [
        replace(one, source_key=f"记录{n}", learner=Learner(f"学号{n}", name), grade="合格")
        for n, one in enumerate(rows)
    ]
    preview = read(write(rows, end, csv.QUOTE_MINIMAL).encode("gbk"))
    assert preview.problems == ()
    assert list(preview.results) == [replace(one, line=n) for n, one in enumerate(rows, 2)]


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_preview_or_one_sentence(data: bytes, header: bool) -> None:
    try:
        preview = read((",".join(HEADER) + "\n").encode() + data if header else data)
    except ResultsError as error:
        sentence = str(error)
    else:
        sentence = "r.csv" if preview.rows else ""
    assert "r.csv" in sentence


@given(st.text(max_size=30) | st.from_regex(r"-?[0-9]{1,8}(\.[0-9]{0,7})?", fullmatch=True))
@settings(max_examples=500)
def test_an_amount_is_canonical_or_refused(value: str) -> None:
    try:
        found = amount(value)
    except BadValue:
        return
    assert amount(found) == found
    assert Decimal(found) == Decimal(value) > 0
    assert "e" not in found.lower()
    assert not ("." in found and found.endswith(("0", ".")))
    assert len(found.partition(".")[2]) <= 4
