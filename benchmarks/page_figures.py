"""The verifier page in Chromium: how long an employer waits, against what was aimed at."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable

from benchmarks.measure import Figure, compare, count
from benchmarks.samples import GOVERNANCE, small_bank
from credentials.qr import to_digits
from tests.browser_kit import CHROMIUM, Site, Visit, chromium, serving, visiting

_FIRST_VISIT_CACHED = """caches.keys().then(async (names) =>
  names.length ? (await (await caches.open(names[0])).keys()).length : 0)"""


def page_qr_to_verdict() -> Figure:
    """From a decoded QR code to the verdict on the screen, receipt and status included."""
    return _figure(_qr_to_verdict, 0.05, "the aim, 50 ms")


def page_ready_offline() -> Figure:
    """From opening the kept page without a network until it can be used."""
    return _figure(_ready_offline, 1.0, "the aim, 1 s")


_Measure = Callable[[Visit, Site, str], float]


def _figure(ours: _Measure, aim: float, name: str) -> Figure:
    if CHROMIUM is None:
        return Figure(None, None, None, "s", name, "Chromium is not on this machine")
    with small_bank() as (bank, awards):
        credential = awards[0].credential or {}
        token = bank.vault.token(bank.accounts.of_credential(str(credential["id"])))
        bundle = json.loads(bank.accounts.bundle(token, str(credential["id"])))
        digits = to_digits(bundle["credential"], bundle["receipt"])
        trust = bank.trust.export([GOVERNANCE])
    with serving(trust) as site, chromium() as browser, visiting(browser, (390, 844)) as visit:
        visit.open(site.page)
        visit.settle()
        return compare(lambda: ours(visit, site, digits), lambda: aim, name, "s")


def _qr_to_verdict(visit: Visit, _site: Site, digits: str) -> float:
    """The median of several, each into a page that is open already."""
    taken = []
    for _ in range(count(10)):
        visit.page.evaluate("performance.clearMeasures()")
        visit.page.evaluate(f"location.hash = '1{digits}'")
        assert visit.outcome() == "VERIFIED"
        entries = "performance.getEntriesByName('qr-to-verdict').map(one => one.duration)"
        taken.append(visit.page.evaluate(entries)[-1] / 1000)
        visit.page.click("[data-act=another]")
    return statistics.median(taken)


def _ready_offline(visit: Visit, site: Site, _digits: str) -> float:
    visit.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    visit.page.wait_for_timeout(1500)
    assert visit.page.evaluate(_FIRST_VISIT_CACHED) > 30
    visit.context.set_offline(True)
    visit.open(site.page)
    ready = visit.page.evaluate("performance.getEntriesByName('ready')[0].startTime")
    visit.context.set_offline(False)
    return float(ready) / 1000
