"""The regulator's and the operator's journeys in a real browser, in both languages."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from bank.proposals import Proposal
from bank.reports import make_report
from bank.sign_in import Role
from tests.browser_kit import DESKTOP, PHONE, Visit, chromium
from tests.pages_kit import BankSite, bank_pages, faults, is_calm, signed_in
from tests.report_kit import PastBank, past_bank
from tests.witness_kit import Port

LOOKS: dict[str, tuple[tuple[int, int], str, dict[str, Any]]] = {
    "desktop-en": (DESKTOP, "en-US", {}),
    "desktop-zh": (DESKTOP, "zh-CN", {}),
    "phone-en": (PHONE, "en-US", {"color_scheme": "dark"}),
    "phone-zh": (PHONE, "zh-CN", {"color_scheme": "dark"}),
}
REGULATOR = {
    "overview": "/regulator",
    "awards": "/regulator/awards",
    "recognition": "/regulator/recognition",
    "conservation": "/regulator/conservation",
    "members": "/regulator/members",
    "member": "/regulator/members/north",
    "proposals": "/regulator/proposals",
}
OPERATOR = {
    "overview": "/operator",
    "audit": "/operator/audit",
    "errors": "/operator/errors",
    "members": "/operator/members",
    "people": "/operator/people",
}
WATCH_POLICY = """
window.broken = [];
addEventListener("securitypolicyviolation", (event) => broken.push(event.violatedDirective));
"""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastBank]:
    with past_bank(tmp_path_factory.mktemp("bank")) as made:
        _admit_witnesses(made)
        yield made


@pytest.fixture(scope="module")
def site(past: PastBank) -> Iterator[BankSite]:
    with bank_pages(past.small) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def _admit_witnesses(past: PastBank) -> None:
    """Two that cosign, and one that does not answer."""
    bank, ports = past.bank, {}
    for place, name in enumerate(("sichuan", "chengdu", "jiangsu"), start=1):
        ports[name] = Port(name, bank.log_keys)
        body = {
            "keys": [str(key) for key in ports[name].keys],
            "operator": name,
            "quorum": min(place, 2),
            "url": f"https://{name}.example/w",
        }
        proposal = Proposal.parse(_proposal(past, "witness.admit", body))
        for key in past.governance[:2]:
            proposal = proposal.sign(key)
        bank.intake.append([proposal.signed()])
    ports["jiangsu"].reachable = False
    bank.checkpoints.ask_witnesses(lambda record: ports[record.operator])
    assert bank.checkpoints.gather()


def _proposal(past: PastBank, kind: str, body: dict[str, Any]) -> bytes:
    from bank.proposals import propose

    return propose(past.bank.settings.did, kind, body).encode()


def until(page: Page, truth: str) -> None:
    """Wait until an expression is true; the policy forbids that the page itself evaluates it."""
    deadline = time.monotonic() + 15
    while not page.evaluate(truth):
        assert time.monotonic() < deadline, truth
        page.wait_for_timeout(30)


def opened(visit: Visit, url: str) -> Page:
    """The page, once its charts are drawn and nothing moves any more."""
    visit.page.goto(url)
    until(visit.page, "document.querySelectorAll('[data-chart]:not([data-drawn])').length === 0")
    visit.page.wait_for_timeout(100)
    return visit.page


def looked_at(visit: Visit, name: str) -> None:
    """Nothing that axe finds, nothing to the side, nothing the policy forbade; and a picture."""
    visit.shot(f"pages-regulator-{name}")
    assert faults(visit.page) == [], name
    assert is_calm(visit.page), name
    assert visit.page.evaluate("window.broken") == [], name


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("role", "paths"), [(Role.REGULATOR, REGULATOR), (Role.OPERATOR, OPERATOR)]
)
def test_every_page_in_both_languages(
    browser: Browser, site: BankSite, look: str, role: Role, paths: dict[str, str]
) -> None:
    size, locale, options = LOOKS[look]
    with signed_in(browser, site, role, size, locale, reduced_motion="reduce", **options) as visit:
        visit.context.add_init_script(WATCH_POLICY)
        for name, path in paths.items():
            opened(visit, f"{site.url}{path}")
            looked_at(visit, f"{role}-{name}-{look}")


def test_charts_are_drawn_from_the_figures(
    browser: Browser, site: BankSite, past: PastBank
) -> None:
    report = make_report(past.bank.log.entries())
    with signed_in(browser, site, Role.REGULATOR, reduced_motion="reduce") as visit:
        page = opened(visit, f"{site.url}/regulator/recognition")
        chart = page.locator("[data-chart=flows-data] svg")
        drawn = chart.text_content() or ""
        for name in ("Bayu Open University", "Shancheng Skills Centre"):
            assert name in drawn
        assert "Liangjiang College" not in drawn  # its only flow is too small
        label = page.locator("[data-chart=flows-data]").get_attribute("aria-label")
        assert label == "Who recognises whom"
        page = opened(visit, f"{site.url}/regulator")
        bars = page.locator("[data-chart=stack-level-data] svg path[fill^='#']").count()
        months = len({row[1] for row in report.tables["awards-by-level"].rows})
        assert bars >= 3 * months


def test_a_chart_s_table_is_there_for_everybody(browser: Browser, site: BankSite) -> None:
    with signed_in(browser, site, Role.REGULATOR, PHONE, "zh-CN") as visit:
        visit.context.add_init_script(WATCH_POLICY)
        page = opened(visit, f"{site.url}/regulator/awards")
        table = page.locator("#bars-institution-table")
        # Read out as it is, without being asked for.
        tree = page.locator("figure").first.aria_snapshot()
        assert "巴渝开放大学" in tree
        assert table.bounding_box()["height"] < 2  # type: ignore[index]
        button = page.locator("[data-reading]").first
        assert button.text_content() == "以表格显示"
        button.click()
        assert button.text_content() == "收起表格"
        assert button.get_attribute("aria-expanded") == "true"
        assert table.bounding_box()["height"] > 100  # type: ignore[index]
        looked_at(visit, "regulator-awards-table-phone-zh")
        button.press("Enter")
        assert table.bounding_box()["height"] < 2  # type: ignore[index]


def test_without_scripts_the_tables_are_shown(browser: Browser, site: BankSite) -> None:
    token = site.small.bank.sign_in.begin(site.people[Role.REGULATOR].person)
    context = browser.new_context(java_script_enabled=False, locale="en-US")
    context.add_cookies([{"name": "session", "value": token, "url": site.url}])
    page = context.new_page()
    page.goto(f"{site.url}/regulator/recognition")
    assert page.get_by_role("cell", name="40", exact=True).is_visible()
    assert not page.locator("[data-chart]").first.is_visible()
    context.close()


def test_charts_follow_the_light_and_the_window(browser: Browser, site: BankSite) -> None:
    with signed_in(browser, site, Role.REGULATOR, color_scheme="light") as visit:
        page = opened(visit, f"{site.url}/regulator")
        colour = "document.querySelector('[data-chart] svg text').getAttribute('fill')"
        width = "document.querySelector('[data-chart] svg').getBoundingClientRect().width"
        light, wide = page.evaluate(colour), page.evaluate(width)
        page.emulate_media(color_scheme="dark")
        until(page, f"{colour} !== '{light}'")
        page.set_viewport_size({"width": 600, "height": 800})
        until(page, f"{width} < {wide} - 300")
        assert is_calm(page)


def test_files_are_downloaded(
    browser: Browser, site: BankSite, past: PastBank, tmp_path: Path
) -> None:
    report = make_report(past.bank.log.entries())
    with signed_in(browser, site, Role.REGULATOR) as visit:
        page = opened(visit, f"{site.url}/regulator/recognition")
        assert _saved(page, "Who recognises whom, CSV", tmp_path) == (
            "recognition-flows.csv",
            report.tables["recognition-flows"].csv(),
        )
        name, text = _saved(page, "Rules, JSON", tmp_path)
        assert json.loads(text)["rows"] == [list(row) for row in report.tables["rules"].rows]
        opened(visit, f"{site.url}/regulator")
        name, text = _saved(page, "All figures (JSON)", tmp_path)
        assert name == "figures.json"
        assert json.loads(text) == json.loads(json.dumps(report.open_data()))


def _saved(page: Page, link: str, folder: Path) -> tuple[str, str]:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=link, exact=True).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path.name, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("look", LOOKS)
def test_a_member_is_suspended_and_reinstated(
    browser: Browser, site: BankSite, past: PastBank, tmp_path: Path, look: str
) -> None:
    """A proposal made on the page, signed where the keys are, put together, and handed in."""
    size, locale, options = LOOKS[look]
    chinese = locale.startswith("zh")
    member = past.members["west"].did

    def named(english: str, other: str) -> str:
        return other if chinese else english

    with signed_in(browser, site, Role.REGULATOR, size, locale, **options) as visit:
        visit.context.add_init_script(WATCH_POLICY)
        page = opened(visit, f"{site.url}/regulator/members/west")
        for propose in (
            named("Propose to suspend it", "提议中止"),
            named("Propose to reinstate it", "提议恢复"),
        ):
            before = past.bank.registry().members[member].active
            page.get_by_role("button", name=propose).click()
            page.wait_for_url(re.compile("/regulator/proposals/[0-9a-f]{64}$"))
            address = page.url
            for place, key in enumerate(past.governance[:2]):
                _, text = _saved(page, named("Download the file", "下载文件"), tmp_path)
                signed = Proposal.parse(text.encode()).sign(key).encode()
                # Somebody else's copy does not know of the first signature.
                assert len(Proposal.parse(text.encode()).signatures) == place
                page.set_input_files(
                    "#proposal",
                    {"name": "signed.json", "mimeType": "application/json", "buffer": signed},
                )
                page.get_by_role("button", name=named("Send", "提交"), exact=True).click()
                page.wait_for_load_state()
                assert page.url == address
                looked_at(visit, f"proposal-{place + 1}-{look}")
            assert past.bank.registry().members[member].active is before
            page.get_by_role("button", name=named("Hand it in", "提交入账")).click()
            page.wait_for_load_state()
            assert past.bank.registry().members[member].active is not before
            looked_at(visit, f"proposal-in-the-ledger-{look}")
            page.get_by_role("button", name=named("Put it away", "移出列表")).click()
            page.wait_for_load_state()
            opened(visit, f"{site.url}/regulator/members/west")
        assert past.bank.oversight.proposals.waiting() == []
        history = page.locator("ol.plain-list").inner_text()
        assert named("Member suspended", "中止成员资格") in history
        assert named("irregular awards", "授予不规范") in history


def test_what_does_not_belong_is_refused_on_the_page(browser: Browser, site: BankSite) -> None:
    with signed_in(browser, site, Role.REGULATOR, PHONE, "zh-CN") as visit:
        visit.context.add_init_script(WATCH_POLICY)
        page = opened(visit, f"{site.url}/regulator/proposals")
        file = {"name": "a.json", "mimeType": "application/json", "buffer": b"{}"}
        page.set_input_files("#proposal", file)  # type: ignore[arg-type]
        page.get_by_role("button", name="提交", exact=True).click()
        said = page.get_by_role("alert").inner_text()
        assert said == "文件未被接收：这不是提案文件。"
        looked_at(visit, "proposal-refused-phone-zh")


@pytest.mark.parametrize("look", LOOKS)
def test_the_operator_s_day(browser: Browser, site: BankSite, past: PastBank, look: str) -> None:
    size, locale, options = LOOKS[look]
    chinese = locale.startswith("zh")

    def named(english: str, other: str) -> str:
        return other if chinese else english

    with signed_in(browser, site, Role.OPERATOR, size, locale, **options) as visit:
        visit.context.add_init_script(WATCH_POLICY)
        page = visit.page
        page.goto(f"{site.url}/operator")
        witnesses = page.locator("table").first.inner_text()
        for name in ("sichuan", "chengdu", "jiangsu"):
            assert name in witnesses
        assert "jiangsu did not answer" in witnesses
        page.get_by_role("link", name=named("Audit", "审计"), exact=True).click()
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.get_by_role(
                "button", name=re.compile(named("Audit .* entries", "立即审计"))
            ).click()
        # The page follows the audit by itself and opens anew at its end.
        done = page.get_by_text(named("Nothing at all was wrong.", "没有发现任何问题。"))
        page.locator("[data-watch]").wait_for(state="detached", timeout=60_000)
        done.wait_for()
        looked_at(visit, f"operator-audited-{look}")

        page.goto(f"{site.url}/operator/people")
        page.get_by_label(named("Invited as", "邀请身份")).select_option("admin")
        page.get_by_role("button", name=named("Make a link", "创建链接")).click()
        alert = page.get_by_role("alert").inner_text()
        assert named("Choose the institution", "请选择该管理员所属的机构") in alert
        page.get_by_label(named("Invited as", "邀请身份")).select_option("admin")
        page.get_by_label(named("Of the institution", "所属机构")).select_option("west")
        page.get_by_role("button", name=named("Make a link", "创建链接")).click()
        link = page.locator(".once code").inner_text()
        assert "code=" not in page.url
        looked_at(visit, f"operator-invited-{look}")
        page.reload()
        assert page.locator(".once").count() == 0
        assert httpx.get(link).status_code == 200

        somebody = past.bank.sign_in.admit(f"leaving-{look}", f"Leaving {look}", Role.REGULATOR, "")
        page.reload()
        row = page.locator("tr", has_text=f"Leaving {look}")
        row.locator("summary").click()
        row.get_by_role("button").click()
        page.wait_for_load_state()
        assert page.locator("tr", has_text=f"Leaving {look}").count() == 0
        (gone,) = (one for one in past.bank.sign_in.people() if one.person == somebody.person)
        assert gone.ended


def test_the_page_waits_for_the_first_report(
    browser: Browser, site: BankSite, past: PastBank
) -> None:
    import threading

    from bank.per_size import PerSize

    oversight, go = past.bank.oversight, threading.Event()
    kept = oversight.report

    def slow(size: int, progress: Callable[[int], None]) -> Any:
        progress(size // 3)
        go.wait(30)
        return make_report(past.bank.log.entries(0, size))

    oversight.report = PerSize(past.bank.log.size, slow, lambda: datetime.now(UTC))
    try:
        with signed_in(browser, site, Role.REGULATOR, PHONE, "zh-CN") as visit:
            visit.context.add_init_script(WATCH_POLICY)
            visit.page.goto(f"{site.url}/regulator")
            until(visit.page, "document.querySelector('progress').value > 0")
            looked_at(visit, "computing-phone-zh")
            go.set()
            visit.page.get_by_text("每一个学分都有着落").wait_for(timeout=20_000)
    finally:
        go.set()
        oversight.report = kept
