"""The public ledger in a real browser: entries in plain words, proofs worked out there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Route

from bank.api.app import make_app
from bank.pages.explorer.stories import KINDS, story
from bank.pages.language import Words
from credentials import commitment
from keys import b64u_encode
from ledger import Entry
from ledger.body import SHAPES
from tests.bank_kit import SmallBank, small_bank
from tests.browser_kit import DESKTOP, PHONE, Visit, chromium
from tests.pages_kit import BankSite, bank_pages, faults, is_calm, signed_in


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("explorer")) as made:
        made.every_kind()
        made.bank.trust.export([made.governance])
        yield made


@pytest.fixture(scope="module")
def site(small: SmallBank) -> Iterator[BankSite]:
    with bank_pages(small) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def check(visit: Visit, site: BankSite, index: int) -> str:
    visit.page.goto(f"{site.url}/entries/{index}")
    visit.page.click("[data-check]")
    visit.page.wait_for_selector("[data-verdict]:not([hidden])", timeout=20_000)
    return visit.page.get_attribute("[data-verdict]", "class") or ""


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_stranger_looks_around(
    browser: Browser, site: BankSite, language: str, size: tuple[int, int]
) -> None:
    with signed_in(browser, site, None, size, language) as visit:
        looked = {}
        for name, path in (
            ("ledger", "/explore"),
            ("members", "/explore/members"),
            ("member", "/explore/members/north"),
            ("rules", "/explore/rules"),
            ("frameworks", "/explore/frameworks"),
            ("status", "/explore/status"),
            ("lookup", "/explore/lookup"),
            ("missing", "/explore/lookup?q=nothing"),
            ("api", "/docs"),
        ):
            visit.page.goto(f"{site.url}{path}")
            assert is_calm(visit.page), name
            looked[name] = faults(visit.page)
            visit.shot(f"pages-explorer-{language}-{size[0]}-{name}")
        assert "good" in check(visit, site, site.small.bank.log.size() - 1)
        assert is_calm(visit.page)
        looked["entry"] = faults(visit.page)
        visit.shot(f"pages-explorer-{language}-{size[0]}-entry")
    assert looked == {name: [] for name in looked}


def test_every_entry_is_proved_in_the_browser(browser: Browser, site: BankSite) -> None:
    with signed_in(browser, site, None) as visit:
        for index in range(site.small.bank.log.size()):
            assert "good" in check(visit, site, index), index


@pytest.mark.parametrize(
    ("address", "change"),
    [
        ("**/ledger/entries/5", lambda text: text.replace('"time":"2', '"time":"3', 1)),
        ("**/ledger/entries/5/receipt", lambda text: text.replace("index 5", "index 4", 1)),
        ("**/ledger/entries/5/receipt", lambda text: _other_size(text)),
        ("**/trust.json", lambda text: text.replace('"version":', '"version":1', 1)),
    ],
)
def test_what_was_changed_on_the_way_is_noticed(
    browser: Browser, site: BankSite, address: str, change: Any
) -> None:
    def tamper(route: Route) -> None:
        response = route.fetch()
        changed = change(response.text())
        assert changed != response.text()
        route.fulfill(response=response, body=changed)

    with signed_in(browser, site, None) as visit:
        visit.page.route(address, tamper)
        assert "bad" in check(visit, site, 5)
        visit.shot("pages-explorer-tampered")


def _other_size(text: str) -> str:
    head, _, note = text.partition("\n\n")
    lines = note.split("\n")
    lines[1] = str(int(lines[1]) + 1)
    return f"{head}\n\n" + "\n".join(lines)


def test_a_credential_is_found_by_its_commitment_which_alone_is_sent(
    browser: Browser, site: BankSite, tmp_path: Path
) -> None:
    lot, credential = site.small.award("look-1")
    file = tmp_path / "credential.json"
    file.write_text(json.dumps(credential, ensure_ascii=False))
    with signed_in(browser, site, None) as visit:
        visit.page.goto(f"{site.url}/explore/lookup")
        asked: list[str] = []
        visit.page.on("request", lambda request: asked.append(request.url))
        visit.page.set_input_files("#file", str(file))
        visit.page.wait_for_url("**/explore/lookup?q=*")
        assert visit.page.is_visible(f"a[href='/entries/{lot.award_index}']")
        assert visit.page.url.endswith(b64u_encode(commitment(credential)))
        assert not any("李明" in address or "%E6%9D%8E" in address for address in asked)
        visit.page.goto(f"{site.url}/explore/lookup?q={lot.lot}")
        assert visit.page.is_visible(f"a[href='/entries/{lot.award_index}']")
        file.write_text("{}")
        visit.page.goto(f"{site.url}/explore/lookup")
        visit.page.set_input_files("#file", str(file))
        visit.page.wait_for_selector("[data-problem]:not([hidden])")


def test_every_kind_of_statement_has_its_sentence(small: SmallBank) -> None:
    assert set(KINDS) == set(SHAPES)
    for language in ("en", "zh"):
        words = Words(language)
        for data in small.bank.log.entries(0, small.bank.log.size()):
            entry = Entry.parse(data)
            told = story(entry.signed.statement, words, lambda did: "北方")
            assert told != entry.signed.statement.kind
            assert "%(" not in told


def test_bad_addresses_get_a_sentence(small: SmallBank) -> None:
    http = TestClient(make_app(small.bank), follow_redirects=False)
    page = {"accept": "text/html", "accept-language": "en"}
    for path, status in (
        ("/entries/999999", 404),
        ("/entries/-1", 404),
        ("/entries/x", 422),
        ("/explore/members/nobody", 404),
        ("/explore/lookup?q=%00", 404),
        ("/explore?before=-5", 200),
        (f"/explore?before={10**30}", 422),
    ):
        answer = http.get(path, headers=page)
        assert answer.status_code in (status, 200 if status == 422 else status), path
        assert "Traceback" not in answer.text
        assert "<main" in answer.text, path
    status_ = http.get("/explore/status.json").json()
    assert status_["size"] == small.bank.log.size()
    assert http.get("/explore?index=7").headers["location"] == "/entries/7"
