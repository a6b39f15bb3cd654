"""Every route by every caller: who is let in is what the table says, and no route is without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import bank.api.app as application
from bank.api.app import make_app
from bank.authorization.guard import served
from bank.authorization.model import EVERYBODY, KEYS, PEOPLE, Caller, Pace, Rule
from bank.authorization.table import TABLE
from bank.errors import BadSetup
from bank.pages import Demo
from tests.callers_kit import Site, everybody


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with everybody(tmp_path_factory.mktemp("everybody")) as made:
        yield made


def is_refused(answer: Any) -> bool:
    """Whether somebody was not let in, whatever they asked for."""
    to_sign_in = str(answer.headers.get("location", "")).startswith("/sign-in?next=")
    return answer.status_code in (401, 403) or (answer.status_code == 303 and to_sign_in)


def may(caller: Caller | str, rule: Rule) -> bool:
    """What the table says."""
    if caller == "session":
        return rule.to == EVERYBODY or (Caller.INSTITUTION in rule.to and not rule.signed)
    return caller in rule.to


CALLERS = (*Caller, "session")


@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_lets_in_whom_the_table_says(site: Site, caller: Caller | str) -> None:
    wrong = []
    for method, path in sorted(TABLE):
        rule = TABLE[method, path]
        if rule.pace is Pace.DOOR and method == "POST":
            continue  # who is let in there is what they are asked; see test_sign_in
        answer = site.call(caller, method, path)
        if answer.status_code >= 500 or is_refused(answer) is may(caller, rule):
            wrong.append((method, path, answer.status_code, answer.text[:200]))
    assert wrong == []


def test_callers_are_told_what_is_missing(site: Site) -> None:
    for path, missing in (("/slots", "RFC 9421"), ("/credentials", "owner's token")):
        answer = site.call(Caller.ANONYMOUS, "POST" if path == "/slots" else "GET", path)
        assert (answer.status_code, missing in answer.text) == (401, True)
    page = site.call(Caller.ANONYMOUS, "GET", "/registrar")
    assert page.headers["location"] == "/sign-in?next=/registrar"
    other = site.call(Caller.LEARNER, "GET", "/registrar")
    assert other.status_code == 403
    assert "not for a learner" in other.text
    slots = site.call(Caller.BANK, "POST", "/slots")
    assert (slots.status_code, "the bank's own staff" in slots.text) == (403, True)


def test_the_table_and_the_routes_are_the_same(site: Site) -> None:
    found = {(method, path) for _, method, path in served(site.app.routes)}
    assert found == set(TABLE)
    described = {
        (method.upper(), path)
        for path, methods in site.app.openapi()["paths"].items()
        for method in methods
    }
    assert described <= {(method, path.replace(":path}", "}")) for method, path in TABLE}
    assert len(described) > 50


def test_the_document_says_who_may_call(site: Site) -> None:
    paths = site.app.openapi()["paths"]
    assert paths["/statements"]["post"]["x-callers"] == ["bank", "institution"]
    assert paths["/statements"]["post"]["security"] == [{"session": []}, {"signature": []}]
    assert paths["/learners"]["post"]["security"] == [{"signature": []}]
    assert paths["/passbook"]["get"]["security"] == [{"ownerToken": []}]
    assert "security" not in paths["/trust.json"]["get"]


def test_no_rule_asks_for_two_kinds_of_evidence() -> None:
    one = {frozenset((kind,)) for kind in (Caller.OWNER, Caller.WALLET, Caller.SISTER)}
    for key, rule in TABLE.items():
        kinds = (rule.to == EVERYBODY, rule.to <= KEYS, rule.to <= PEOPLE, rule.to in one)
        assert sum(kinds) == 1, key


# The controls: what a route without a rule, or past the guard, would do.


def _with_route(
    site: Site, monkeypatch: pytest.MonkeyPatch, add: Callable[[FastAPI], None]
) -> None:
    plain = application.add_reports

    def more(app: FastAPI, bank: Any) -> None:
        plain(app, bank)
        add(app)

    monkeypatch.setattr(application, "add_reports", more)
    make_app(site.small.bank, Demo("key", []))


def test_a_route_that_is_not_in_the_table_is_not_served(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgotten(app: FastAPI) -> None:
        app.get("/forgotten")(lambda: {})

    with pytest.raises(BadSetup, match="GET /forgotten is in no row"):
        _with_route(site, monkeypatch, forgotten)


def test_a_route_past_the_guard_is_not_served(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def open_to_all(request: Request) -> PlainTextResponse:
        return PlainTextResponse("everything")

    def bare(app: FastAPI) -> None:
        app.router.routes.insert(0, Route("/slots", open_to_all, methods=["POST"]))

    with pytest.raises(BadSetup, match="nothing stands before POST /slots"):
        _with_route(site, monkeypatch, bare)


def test_a_wider_rule_would_be_seen(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    wider = {**TABLE, ("GET", "/learner"): Rule(TABLE["GET", "/learner"].to | {Caller.REGISTRAR})}
    assert is_refused(site.call(Caller.REGISTRAR, "GET", "/learner"))
    monkeypatch.setattr(application, "TABLE", wider)
    app = make_app(site.small.bank, Demo("key", []))
    http = TestClient(app, follow_redirects=False, base_url="http://localhost")
    opened = replace(site, http=http, app=app).call(Caller.REGISTRAR, "GET", "/learner")
    assert not is_refused(opened)
