"""The front answers as the framework would: every answer is compared with the framework's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.api.front import Front
from bank.authorization.guard import served
from tests.api_kit import new_token
from tests.bank_kit import SmallBank, small_bank

_HIDDEN = {"x-request-id", "date"}
PATHS = [
    *("/ledger/checkpoint", "/ledger/checkpoint/", "/log/checkpoint", "/trust.json", "/livez"),
    *(
        f"/ledger/entries/{index}"
        for index in ("3", "03", "-1", "99", "9" * 15, "9" * 25, "x", "%33")
    ),
    *("/ledger/entries/3/receipt", "/ledger/entries/99/receipt", "/ledger/entries/3/other"),
    *("/log/tile/0/000.p/3", "/log/tile/entries/000.p/3", "/log/tile/9/x", "/log/tile/"),
    *("/status/1", "/status/1/suspension", "/status/x", "/status/-1", "/status/99"),
    *("/members", "/members/north/did.json", "/members/nobody/did.json", "/.well-known/did.json"),
    *("/credentials", "/credentials/x", "/credentials/x/bundle", "/passbook", "/shares"),
    *("/batches/alone", "/awards", "/appeals", "/s/nothing", "/v/", "/v/index.html", "/v/none"),
    *("/", "//", "/nothing", "/ledger", "/ledger/consistency?old=1&new=3", "/ledger/consistency"),
]


@dataclass(frozen=True)
class Place:
    small: SmallBank
    with_front: TestClient
    without: TestClient


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with small_bank(tmp_path_factory.mktemp("front")) as small:
        small.award("li-1")
        bare = make_app(small.bank)
        bare.user_middleware = [one for one in bare.user_middleware if one.cls is not Front]
        options = {"follow_redirects": False, "base_url": "http://localhost"}
        yield Place(
            small,
            TestClient(make_app(small.bank), **options),  # type: ignore[arg-type]
            TestClient(bare, **options),  # type: ignore[arg-type]
        )


def told(client: TestClient, method: str, path: str, headers: dict[str, str]) -> object:
    answer = client.request(method, path, headers=headers)
    rest = {name: value for name, value in answer.headers.items() if name not in _HIDDEN}
    return answer.status_code, rest, answer.content


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_the_frameworks(place: Place, path: str) -> None:
    bank = place.small.bank
    owner = bank.vault.token(bank.accounts.names()[0])
    callers = [
        {},
        {"Accept": "text/html"},
        {"Authorization": f"Bearer {owner}"},
        {"Authorization": "Bearer nobody's"},
        {"Authorization": f"Bearer {new_token(bank, place.small.north.did)}"},
        {"Content-Length": "9999999"},
    ]
    for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
        for headers in callers:
            ours = told(place.with_front, method, path, headers)
            assert ours == told(place.without, method, path, headers), (method, headers)


def test_an_owner_reads_what_is_theirs(place: Place) -> None:
    bank = place.small.bank
    owner = bank.vault.token(bank.accounts.names()[0])
    ((name, _),) = bank.accounts.credentials(owner)
    headers = {"Authorization": f"Bearer {owner}"}
    for path in (f"/credentials/{name}", f"/credentials/{name}/bundle"):
        ours = told(place.with_front, "GET", path, headers)
        assert ours == told(place.without, "GET", path, headers)
        assert place.with_front.get(path, headers=headers).status_code == 200


def test_most_of_the_load_is_answered_here(place: Place) -> None:
    """A route that came to ask for more than the front knows would be slow and say nothing."""
    app = make_app(place.small.bank)
    (middleware,) = [one for one in app.user_middleware if one.cls is Front]
    front = Front(app, **middleware.kwargs)  # type: ignore[arg-type]
    wanted = {
        *(("POST", "/statements"), ("GET", "/ledger/checkpoint"), ("GET", "/passbook")),
        *(("GET", f"/ledger/entries/{{index}}{rest}") for rest in ("", "/receipt")),
        *(("GET", f"/credentials/{{identifier}}{rest}") for rest in ("", "/bundle")),
        *(
            ("GET", "/log/checkpoint"),
            ("GET", "/log/tile/{rest:path}"),
            ("GET", "/status/{number}"),
        ),
        *(("GET", "/v/"), ("GET", "/livez"), ("GET", "/readyz")),
    }
    known = {(method, path): route for route, method, path in served(app.routes)}
    for method, path in wanted:
        example = (
            path.replace("{index}", "3").replace("{number}", "1").replace("{rest:path}", "0/0")
        )
        scope = {"type": "http", "method": method, "path": example.replace("{identifier}", "x")}
        direct, _ = front._choose(scope)
        assert direct is not None, path
        assert direct.route is known[method, path]


def test_what_nobody_foresaw_is_told_and_raised(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(place.small.bank.log, "checkpoint", broken)
    for app in (make_app(place.small.bank), place.without.app):
        quiet = TestClient(app, raise_server_exceptions=False)  # type: ignore[arg-type]
        answer = quiet.get("/ledger/checkpoint")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        with pytest.raises(ZeroDivisionError):
            TestClient(app).get("/ledger/checkpoint")  # type: ignore[arg-type]


def test_control_a_front_that_forgets_the_guard_is_found(place: Place) -> None:
    """The comparison fails where the front lets in whom the framework would not."""

    class Open(Front):
        async def _respond(self, direct, request, parts):  # type: ignore[no-untyped-def]
            request.state.token = request.headers.get("authorization", "")[7:]
            return Response("let in")

    app: FastAPI = make_app(place.small.bank)
    for one in app.user_middleware:
        if one.cls is Front:
            one.cls = Open  # type: ignore[assignment]
    careless = TestClient(app, base_url="http://localhost")
    nobody: dict[str, str] = {}
    ours = told(careless, "GET", "/credentials", nobody)
    assert ours != told(place.without, "GET", "/credentials", nobody)
