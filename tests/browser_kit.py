"""A real browser, and a server of the verifier page for it to open."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from verifier.page_routes import page_routes

REPO = Path(__file__).resolve().parent.parent
ARTEFACTS = REPO / "artefacts"
"""Screenshots of the last run, to be looked at."""
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))),
    None,
)
"""The shell is the same engine without the browser's own windows, which cost half of each visit."""
PHONE, DESKTOP = (390, 844), (1280, 900)


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not on this machine: scripts/system-packages installs it")
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*sandbox, *arguments], headless=True
        )
        yield browser
        browser.close()


@dataclass
class Site:
    """The page on loopback. `trust` is the bundle it serves, None for none; `asked` the paths."""

    url: str
    trust: bytes | None
    asked: list[str] = field(default_factory=list)

    @property
    def page(self) -> str:
        """Where QR codes point."""
        return f"{self.url}/v"


@contextlib.contextmanager
def serving(trust: bytes | None) -> Iterator[Site]:
    """Serve the page with this trust bundle."""
    site = Site("", trust)
    app = FastAPI()

    @app.middleware("http")
    async def note(request: Any, answer: Callable[..., Any]) -> Any:
        site.asked.append(str(request.url))
        return await answer(request)

    def newest() -> bytes:
        return site.trust if site.trust is not None else b"none"

    app.include_router(page_routes(newest))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        site.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield site
        server.should_exit = True
        thread.join(10)


@dataclass
class Visit:
    """One person's look at the page."""

    page: Page
    context: BrowserContext
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Open the page and wait until it can be used."""
        self.page.goto(url)
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector("html[data-ready]", state="attached", timeout=20_000)

    def settle(self) -> None:
        """Wait until the trust bundle was asked for."""
        self.page.wait_for_selector(
            "#trust-state:not(:empty), #problem:not([hidden])", timeout=20_000
        )

    def give(self, *files: Path | dict[str, Any]) -> str:
        """Open a file and return the verdict, or the problem."""
        self.page.set_input_files("#file", list(files))  # type: ignore[arg-type]
        return self.outcome()

    def outcome(self) -> str:
        """The verdict shown, or the problem."""
        # What was shown before is taken away at once, so whatever is there now is the answer.
        self.page.wait_for_timeout(50)
        self.page.wait_for_selector("#verdict, #problem:not([hidden])", timeout=30_000)
        verdict = self.page.query_selector("#verdict")
        return (verdict.inner_text() if verdict else self.page.inner_text("#problem-text")).strip()

    def checks(self) -> dict[str, str]:
        """The sentences shown, by the heading of their check."""
        found = {}
        for item in self.page.query_selector_all(".checks li"):
            heading, says = item.query_selector("h3"), item.query_selector(".says")
            assert heading is not None
            assert says is not None
            found[heading.inner_text().partition(" (")[0]] = says.inner_text()
        return found

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)


@contextlib.contextmanager
def visiting(
    browser: Browser, size: Sequence[int] = DESKTOP, locale: str = "en-US", **options: Any
) -> Iterator[Visit]:
    """A fresh visitor, who remembers nothing of others."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, locale=locale, **options)  # type: ignore[arg-type]
    visit = Visit(context.new_page(), context)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("request", lambda request: visit.asked.append(request.url))
    yield visit
    context.close()
