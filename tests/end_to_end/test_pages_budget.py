"""What every page may cost: its first byte, what of ours it loads, and nothing from elsewhere."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Response
from starlette.routing import Route

from bank.api.app import make_app
from bank.authorization.model import EVERYBODY, Caller
from bank.authorization.table import TABLE
from bank.sign_in import Role
from tests.bank_kit import SmallBank, small_bank
from tests.browser_kit import chromium
from tests.pages_kit import BankSite, bank_pages, signed_in

FIRST_BYTE = 0.050
"""Seconds, the median on loopback."""
OWN = 100_000
"""Bytes of our own scripts and styles that a page loads, unpacked."""
NO_PAGE = (
    *("/learner/claim", "/openapi.json", "/redoc", "/docs/oauth2-redirect", "/v"),
    *("/sign-in/", "/log", "/operator/log/checkpoint", "/regulator/log/checkpoint"),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("budget")) as made:
        made.every_kind()
        made.bank.trust.export([made.governance])
        yield made


@pytest.fixture(scope="module")
def site(small: SmallBank) -> Iterator[BankSite]:
    (account, *_) = small.bank.accounts.names()
    record = small.bank.learners.open("吴敏")
    small.bank.learners.link(record, account)
    with bank_pages(small, record) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def pages(small: SmallBank) -> list[tuple[str, Role | None]]:
    """Every page whose address has no holes, and who may open it."""
    app = make_app(small.bank)
    assert isinstance(app, FastAPI)
    found = []
    for path in sorted(walk(app.routes)):
        if path.startswith(NO_PAGE) and path != "/sign-in":
            continue
        rule = TABLE["GET", path]
        mine = (role for role in Role if Caller(role.value) in rule.to)
        found.append((path, None if rule.to == EVERYBODY else next(mine)))
    return found


def walk(routes: list[object]) -> Iterator[str]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from walk(inner.routes)
        elif isinstance(route, Route) and not route.include_in_schema and is_page(route):
            yield route.path


def is_page(route: Route) -> bool:
    """Whether it can be opened as it is: no hole in its address, and no file's name."""
    return "GET" in (route.methods or ()) and not {"{", "."} & set(route.path)


def test_the_first_byte_comes_soon(site: BankSite) -> None:
    slow = {}
    for path, role in pages(site.small):
        cookies = {}
        if role is not None:
            token = site.small.bank.sign_in.begin(site.people[role].person)
            cookies = {"session": token}
        with httpx.Client(base_url=site.url, cookies=cookies) as http:
            times = []
            for _ in range(9):
                began = time.perf_counter()
                with http.stream("GET", path, headers={"accept": "text/html"}) as answer:
                    times.append(time.perf_counter() - began)
                    assert answer.status_code == 200, (path, answer.status_code)
            if statistics.median(times) > FIRST_BYTE:
                slow[path] = times
    assert slow == {}


def test_no_page_loads_much_of_ours_or_anything_of_others(browser: Browser, site: BankSite) -> None:
    every = pages(site.small)
    assert len(every) > 15
    heavy = {}
    for role in {role for _, role in every}:
        with signed_in(browser, site, role) as visit:
            sizes: dict[str, int] = {}

            def note(response: Response, sizes: dict[str, int] = sizes) -> None:
                path = response.url.removeprefix(site.url).partition("?")[0]
                kind = path.rpartition(".")[2]
                if kind in ("js", "css") and "/vendor/" not in path:
                    sizes[path] = len(response.body())

            for path in [path for path, whose in every if whose is role]:
                sizes.clear()
                visit.page.on("response", note)
                visit.page.goto(f"{site.url}{path}", wait_until="networkidle")
                visit.page.remove_listener("response", note)
                if sum(sizes.values()) > OWN:
                    heavy[path] = dict(sizes)
                assert sizes, path
    assert heavy == {}
