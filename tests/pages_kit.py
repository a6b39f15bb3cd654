"""A bank with its pages on loopback, people of every role, and a browser signed in as one."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page

from bank.api.app import make_app
from bank.pages import Demo
from bank.sign_in import Person, Role
from tests.bank_kit import SmallBank
from tests.browser_kit import DESKTOP, REPO, Visit, visiting

AXE = REPO / "tests" / "peers" / "node_modules" / "axe-core" / "axe.min.js"
_KEY = "for-tests"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class BankSite:
    """The pages of a small bank, and somebody of each role there."""

    url: str
    small: SmallBank
    people: dict[Role, Person]


@contextlib.contextmanager
def bank_pages(small: SmallBank, learner: str = "") -> Iterator[BankSite]:
    """Serve the pages; institution staff are north's, the learner is whose record `learner` is."""
    people = {}
    for role in Role:
        scope = "north" if role.is_institution else learner if role is Role.LEARNER else ""
        people[role] = small.bank.sign_in.admit(f"test-{role}", f"Test {role}", role, scope)
    app = make_app(small.bank, Demo(_KEY, list(people.values())))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://localhost:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield BankSite(url, small, people)
        server.should_exit = True
        thread.join(10)


@contextlib.contextmanager
def signed_in(
    browser: Browser,
    site: BankSite,
    role: Role | None,
    size: Sequence[int] = DESKTOP,
    locale: str = "en-US",
    **options: Any,
) -> Iterator[Visit]:
    """A browser whose visitor has this role; None for somebody who is not signed in."""
    with visiting(browser, size, locale, **options) as visit:
        if role is not None:
            visit.page.goto(f"{site.url}/demo/{_KEY}")
            person = site.people[role].person
            visit.page.locator(f'form:has(input[value="{person}"]) button').click()
            visit.page.wait_for_load_state()
        yield visit
        assert visit.errors == [], "the page threw errors"
        foreign = [address for address in visit.asked if not address.startswith(site.url)]
        assert [item for item in foreign if not item.startswith(("blob:", "data:"))] == []


def faults(page: Page) -> list[str]:
    """What axe finds serious or critical on the page, one line each."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: scripts/peers installs it")
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(r => r.violations"
        ".filter(v => ['serious', 'critical', 'moderate'].includes(v.impact))"
        ".map(v => `${v.id}: ${v.nodes.map("
        "n => `${n.target} ${n.any[0]?.message ?? ''}`).join('; ')}`))",
        _TAGS,
    )
    return found


def is_calm(page: Page) -> bool:
    """Whether nothing stands out of the window to the side."""
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return wide
