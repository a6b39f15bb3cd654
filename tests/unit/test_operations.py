"""Each operation in the library, on the command line, over HTTP: the table says what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.cli.main import app as cli
from keys import b64u_encode
from tests.bank_kit import SmallBank, small_bank

ROW = re.compile(r"^\| ([^|]+) \| `([A-Za-z_.]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
HEADING = "## The same in the library, on the command line, over HTTP"
ELSEWHERE = {"offline", "the operator's", "while it serves"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("operations")) as made:
        yield made


@pytest.fixture(scope="module")
def http(small: SmallBank) -> Iterator[TestClient]:
    with TestClient(make_app(small.bank)) as client:
        yield client


def found(dotted: str) -> object:
    """What a dotted name is: of a module, or of a class in one."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            value: Any = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            value = getattr(value, part)
        return value
    raise AssertionError(f"there is no {dotted}")


def verbs() -> set[str]:
    group: Any = typer.main.get_command(cli)
    known = set()
    for name, command in group.commands.items():
        known |= {f"{name} {sub}" for sub in getattr(command, "commands", {})} or {name}
    return known


def test_the_table_names_what_there_is(repo: Path, small: SmallBank) -> None:
    text = (repo / "docs" / "credit-bank.md").read_text(encoding="utf-8")
    rows = ROW.findall(text.partition(HEADING)[2].partition("\n## ")[0])
    assert len(rows) > 20
    document = make_app(small.bank).openapi()
    routes = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    known = verbs()
    for _, library, line, over_http in rows:
        assert found(library) is not None
        for cell, there in ((line, known), (over_http, routes)):
            named = re.findall(r"`([^`]+)`", cell)
            assert named or cell in ELSEWHERE, cell
            assert set(named) <= there, set(named) - there


def test_the_control_a_name_that_is_not_there_is_noticed() -> None:
    with pytest.raises(AttributeError):
        found("bank.lots.Lots.nothing")
    assert "ledger nothing" not in verbs()


def test_rules_are_listed(http: TestClient, small: SmallBank) -> None:
    (rule,) = http.get("/rules").json()["rules"]
    assert (rule["author"], rule["rule"]) == (small.south.did, "R1@1")
    assert rule["in_force"] is True
    assert http.get("/rules", params={"author": small.north.did}).json() == {"rules": []}


def test_a_learner_appeals_against_what_was_decided_about_their_own_award(
    http: TestClient, small: SmallBank
) -> None:
    bank = small.bank
    lot, _ = small.award("ana-1")
    other, _ = small.award("ben-1")
    day = bank.now().date()
    entry = small.submit(small.north.lot_event("suspend", lot.lot, "checking", day))
    foreign = small.submit(small.north.lot_event("suspend", other.lot, "checking", day))
    held = bank.lots.credential(lot.lot)
    assert held is not None
    owner = {"authorization": f"Bearer {bank.vault.token(held[1])}"}
    grounds = b64u_encode(sha256(b"I was there.").digest())

    def appeal(status: int, headers: dict[str, str] = owner, **changes: Any) -> dict[str, Any]:
        value = {"entry": entry, "grounds": grounds, **changes}
        answer = http.post("/appeals", json=value, headers=headers)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    appeal(401, headers={})
    appeal(401, entry=foreign)
    appeal(401, entry=lot.award_index + 1)
    appeal(400, entry=lot.award_index)  # an award of one's own, and no decision against it
    appeal(400, entry="7")
    appeal(400, grounds="I was there.")
    appeal(404, entry=10**6)
    made = appeal(201)
    (listed,) = http.get("/appeals").json()["appeals"]
    assert (listed["appeal"], listed["due"]) == (made["appeal"], made["due"])
    assert listed["outcome"] == ""
    assert b"I was there" not in bank.log.entry(made["entry"])
