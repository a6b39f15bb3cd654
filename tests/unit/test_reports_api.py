"""Open data over HTTP: the same figures as the library's, and drafts of rules tried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.recognition import try_rule
from bank.reports import make_report
from keys import encode
from ledger import format_time
from tests.bank_kit import RULE, SmallBank, small_bank


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("reports")) as made:
        for number in range(12):
            made.award(f"li-{number}")
        yield made


def test_the_figures_are_the_librarys(small: SmallBank) -> None:
    http = TestClient(make_app(small.bank))
    report = make_report(small.bank.log.entries())
    answer = http.get("/reports")
    assert answer.status_code == 200, answer.text
    assert answer.content == encode(report.open_data())
    for name, table in report.tables.items():
        assert http.get(f"/reports/{name}.csv").text == table.csv()
    assert http.get("/reports/nothing.csv").status_code == 404


def test_a_draft_is_tried_and_publishes_nothing(small: SmallBank) -> None:
    http = TestClient(make_app(small.bank))
    size = small.bank.log.size()
    draft = {**RULE, "version": 2, "sources": [{"fields": ["ict"], "ratio": "0.5"}]}
    answer = http.post("/rules/try", content=json.dumps({"author": small.south.did, "rule": draft}))
    assert answer.status_code == 200, answer.text
    now, lots = format_time(small.bank.now()), [(x.lot, x.facts) for x in small.bank.lots.each()]
    expected = try_rule(small.south.did, draft, small.bank.registry(), lots, now)
    assert answer.json() == json.loads(encode(expected.to_json()))
    assert answer.json()["outcomes"]["fewer"] == 12
    assert small.bank.log.size() == size


def test_bad_drafts_get_a_sentence_and_many_a_pause(small: SmallBank) -> None:
    http = TestClient(make_app(small.bank))
    for body, said in (
        (b"{", "not JSON"),
        (b"[]", "send author"),
        (encode({"author": small.south.did, "rule": {}}), "would be declined"),
    ):
        answer = http.post("/rules/try", content=body)
        assert answer.status_code == 400, answer.text
        assert said in answer.json()["detail"], answer.text
    assert http.post("/rules/try", content=b"x" * 70_000).status_code == 413
    answers = [http.post("/rules/try", content=b"[]") for _ in range(3)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"]


def test_kept_apart_from_files(small: SmallBank, tmp_path: Path) -> None:
    http = TestClient(make_app(small.bank))
    assert http.get("/reports/..%2Fsecret.csv").status_code == 404
    assert not list(tmp_path.iterdir())
