"""The samples a new bank is filled with, and the real file of an open university."""

import datetime
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bank.results import Preview, read_mapping, read_results
from bank.uscc import check_uscc

CAPACITIES = {"awarding", "receiving", "evaluation", "sub-centre", "accreditation"}


def institutions(repo: Path, name: str, language: str = "zh") -> dict[str, str]:
    document = tomllib.loads((repo / "docs/samples" / name).read_text("utf-8"))
    return {one["slug"]: one["name"][language] for one in document["institution"]}


@pytest.fixture(scope="module")
def sample(repo: Path) -> Preview:
    mapping = read_mapping(repo / "docs/samples/results.mapping.toml")
    known = institutions(repo, "institutions.toml")
    return read_results(repo / "docs/samples/results.csv", mapping, known)


def test_the_sample_is_what_its_page_says(sample: Preview) -> None:
    assert sample.problems == ()
    assert (len(sample.results), sample.rows, sample.skipped) == (300, 313, 13)
    assert len({(one.institution, one.learner.key) for one in sample.results}) == 120
    assert {one.institution for one in sample.results} == {
        "bayu-open",
        "jialing-tech",
        "shancheng-skills",
    }


def test_the_sample_has_what_real_files_have(sample: Preview) -> None:
    names = {one.learner.name for one in sample.results}
    assert any(name.isascii() for name in names)
    assert any("\u4e00" <= name[0] <= "\u9fff" for name in names)
    assert any(one.credits.endswith(".5") for one in sample.results)
    assert len({one.unit.level for one in sample.results}) >= 4
    assert any(one.expires for one in sample.results)
    assert any(one.unit.version == 2 for one in sample.results)


def test_the_sample_is_what_its_script_makes(repo: Path, tmp_path: Path) -> None:
    script = repo / "docs/samples/make_results.py"
    subprocess.run([sys.executable, script, tmp_path / "again.csv"], check=True, timeout=60)
    made = (tmp_path / "again.csv").read_bytes()
    assert made == (repo / "docs/samples/results.csv").read_bytes()


@pytest.mark.parametrize("name", ["institutions.toml", "oulad.institutions.toml"])
def test_the_institutions_are_well_formed(repo: Path, name: str) -> None:
    document = tomllib.loads((repo / "docs/samples" / name).read_text("utf-8"))
    for one in document["institution"]:
        assert set(one) == {"slug", "name", "uscc", "capacities", "grant"}
        assert check_uscc(one["uscc"]) == one["uscc"]
        assert "awarding" in one["capacities"]
        assert set(one["capacities"]) <= CAPACITIES
        assert set(one["name"]) == {"en", "zh"}
        assert (one["grant"]["fields"], one["grant"]["level"]) == (["*"], "8")
        assert one["grant"]["from"] < one["grant"]["until"]


def test_every_sample_award_lies_within_its_grant(repo: Path, sample: Preview) -> None:
    document = tomllib.loads((repo / "docs/samples/institutions.toml").read_text("utf-8"))
    grants = {one["slug"]: one["grant"] for one in document["institution"]}
    for one in sample.results:
        grant = grants[one.institution]
        assert grant["from"] <= one.awarded <= grant["until"]
        assert int(one.unit.level) <= int(grant["level"])


def test_the_whole_oulad_file(repo: Path, shared_data: Callable[[str], Path]) -> None:
    path = shared_data("oulad/studentInfo.csv")
    mapping = read_mapping(repo / "docs/samples/oulad.mapping.toml")
    preview = read_results(path, mapping, institutions(repo, "oulad.institutions.toml"))
    assert preview.problems == ()
    assert (len(preview.results), preview.rows, preview.skipped) == (15_385, 32_593, 17_208)
    assert Counter(one.grade for one in preview.results) == {"Pass": 12_361, "Distinction": 3_024}
    assert len({one.source_key for one in preview.results}) == 15_385
    assert {(one.unit.code, one.credits) for one in preview.results} == {
        ("AAA", "60"),
        ("BBB", "60"),
        ("CCC", "30"),
        ("DDD", "60"),
        ("EEE", "30"),
        ("FFF", "60"),
        ("GGG", "30"),
    }
    first = preview.results[0]
    assert (first.line, first.source_key, first.institution) == (2, "11391|AAA|2013J", "oulad-open")
    assert first.learner.name == "OULAD learner 11391"
    assert first.awarded == datetime.date(2014, 6, 30)


def test_oulad_credits_are_the_smallest_seen(
    repo: Path, shared_data: Callable[[str], Path]
) -> None:
    rows = shared_data("oulad/studentInfo.csv").read_text("utf-8").splitlines()
    header = rows[0].split(",")
    module, studied = header.index("code_module"), header.index("studied_credits")
    smallest: dict[str, int] = {}
    for row in rows[1:]:
        cells = row.split(",")
        smallest[cells[module]] = min(smallest.get(cells[module], 10**6), int(cells[studied]))
    document = tomllib.loads((repo / "docs/samples/oulad.mapping.toml").read_text("utf-8"))
    assert document["credits"]["values"] == smallest
    assert document["unit"]["hours"]["values"] == {
        code: credits * 10 for code, credits in smallest.items()
    }
