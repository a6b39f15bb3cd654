"""The registrar's pages in a real browser: results uploaded, signed there, corrected, revoked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page

from bank.institution import RECORDS
from bank.pages.registrar.upload_signing import result_json
from bank.results import Learner, Result, UnitRef
from bank.sign_in import Role
from keys import PrivateKey, encode, write_keystore
from ledger import LotState, Slot
from tests.bank_kit import NORTH_UNIT, SOUTH_UNIT, SmallBank, result, small_bank
from tests.browser_kit import DESKTOP, PHONE, Visit, chromium
from tests.pages_kit import BankSite, bank_pages, faults, is_calm, signed_in

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
HEADER = "学号,姓名,课程代码,课程名称,英文名称,领域,等级,学分,学时,成绩,学期,认定日期"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("registrar")) as made:
        yield made


@pytest.fixture(scope="module")
def site(small: SmallBank) -> Iterator[BankSite]:
    with bank_pages(small) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def keystores(small: SmallBank, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Cheap ones, so that a test is about the page and not about Argon2id."""
    folder = tmp_path_factory.mktemp("keys")
    cost = {"operations": 1, "memory": 8 * 1024 * 1024}
    north, second = small.north.signer, small.north.approver
    assert isinstance(north, PrivateKey)
    assert isinstance(second, PrivateKey)
    write_keystore(folder / "signing.keystore", north.seed, "open sesame", **cost)
    write_keystore(folder / "records.keystore", bytes(32), "open sesame", RECORDS, **cost)
    write_keystore(folder / "approver.keystore", second.seed, "open sesame", **cost)
    return {
        "signing": [folder / "signing.keystore", folder / "records.keystore"],
        "approving": [folder / "approver.keystore"],
    }


def unlock(visit: Visit, files: list[Path], keep: bool = False) -> None:
    visit.page.set_input_files("#keystores", [str(path) for path in files])
    visit.page.fill("#passphrase", "open sesame")
    if keep:
        visit.page.check("#keep")
    visit.page.click("[data-unlock]")
    visit.page.wait_for_selector("[data-kept]:not([hidden])", timeout=20_000)


def table(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


def row(number: str, name: str = "李明", credits: str = "4", day: str = "2024-07-01") -> str:
    return f"{number},{name},PY1,程序设计,Programming,ict,5,{credits},64,A,2024春,{day}"


def upload(visit: Visit, site: BankSite, path: Path) -> None:
    visit.page.goto(f"{site.url}/registrar")
    visit.page.set_input_files("#file", str(path))
    visit.page.click("[data-send]")
    visit.page.wait_for_load_state()


def samples() -> list[tuple[Result, Decimal]]:
    """Of every shape, and with every kind of text that JSON or RDF writes in its own way."""
    odd = UnitRef("X.1", 2, 'Say "hi" \\ %s', "说“你好”", "arts", "7", "7.5", "cq-lof", "ects")
    people = [
        "李明",
        'A "quoted" name',
        "Zoë\\n",
        "𠮷野家",
        "tab\there",
        "\ue000 and 𐀀",
        "O'Neil %d",
    ]
    made = []
    for number, name in enumerate(people):
        for unit in (NORTH_UNIT, odd):
            made.append(
                Result(
                    number + 2,
                    f"{number}|{unit.code}|春",
                    Learner(f"s{number}", name),
                    "north",
                    unit,
                    ("4", "2.5", "0.0625")[number % 3],
                    (None, "85", "优秀")[number % 3],
                    date(2024, 7, 1 + number),
                    date(2030, 1, 1) if number % 2 else None,
                )
            )
    return [(item, Decimal(item.credits) + number % 2) for number, item in enumerate(made)]


def test_the_browser_signs_byte_for_byte_what_python_signs(
    browser: Browser, site: BankSite, small: SmallBank
) -> None:
    north = small.north
    assert isinstance(north.signer, PrivateKey)
    chosen = samples()
    expected = [
        north.award(item, available, Slot(1, number), NOW)
        for number, (item, available) in enumerate(chosen)
    ]
    given = {
        "seed": list(north.signer.seed),
        "now": NOW.isoformat(),
        "items": [
            {"result": result_json(item), "available": format(available, "f")}
            for item, available in chosen
        ],
        "units": [result_json(chosen[0][0])["unit"], "4.50"],
    }
    with signed_in(browser, site, Role.REGISTRAR) as visit:
        visit.page.goto(f"{site.url}/registrar/keys")
        found = visit.page.evaluate(
            """async ({seed, now, items, units}) => {
              const desk = await import("/static/signing/desk.js");
              const { keysFrom } = await import("/static/signing/keystore.js");
              const { encode } = await import("/v/core/canonical.js");
              const keys = await keysFrom(Uint8Array.from(seed), new Uint8Array(32));
              const own = await desk.institution(keys);
              const awards = [];
              for (const [index, { result, available }] of items.entries()) {
                const slot = { list: 1, index };
                awards.push(encode(await own.award(result, available, slot, new Date(now))));
              }
              return { awards, unit: encode((await own.publishUnit(...units)).signed) };
            }""",
            given,
        )
    for made, text in zip(expected, found["awards"], strict=True):
        assert made.credential is not None
        value = json.loads(text)
        assert encode(value["credential"]) == encode(made.credential)
        assert encode(value["signed"]).decode() == made.signed.data.decode()
        assert value["learner"] == made.learner
    unit = north.publish_unit(chosen[0][0].unit, Decimal("4.50")).signed.data.decode()
    assert found["unit"] == unit


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_file_becomes_awards(
    browser: Browser,
    site: BankSite,
    keystores: dict[str, list[Path]],
    tmp_path: Path,
    language: str,
    size: tuple[int, int],
) -> None:
    name = f"{language}-{size[0]}"
    file = tmp_path / "results.csv"
    rows = [row(f"{name}-{number}") for number in range(5)]
    file.write_text(table(*rows, row("bad", credits="many"), row("late", day="昨天")))
    with signed_in(browser, site, Role.REGISTRAR, size, language) as visit:
        page = visit.page
        looked = {}

        def look(step: str) -> None:
            assert is_calm(page), step
            looked[step] = faults(page)
            visit.shot(f"pages-registrar-{name}-{step}")

        page.goto(f"{site.url}/registrar")
        look("1-start")
        before = site.small.bank.log.size()
        upload(visit, site, file)
        if page.locator("input[name=credits]").count():
            look("2-columns")
            page.click("form[action$=mapping] button.main")
            page.wait_for_load_state()
        look("3-check")
        shown = page.inner_text("main")
        assert "many" in shown
        assert "昨天" in shown
        assert site.small.bank.log.size() == before
        page.click("form[action$=start] button.main")
        page.wait_for_selector("[data-signing]")
        look("4-sign")
        unlock(visit, keystores["signing"], keep=True)
        page.click("[data-start]")
        page.wait_for_selector("a[href='/registrar/awards'].main", timeout=30_000)
        look("5-done")
        page.click("a[href='/registrar/awards'].main")
        page.wait_for_selector("table")
        look("6-awards")
        page.click("tbody tr:first-child a.button")
        page.wait_for_selector("[data-award]")
        look("7-award")
    assert looked == {step: [] for step in looked}
    lots = site.small.bank.lots.of_institution(site.small.north.did, 2**53, 5)
    assert {lot.facts.unit for lot in lots} == {"PY1@1"}
    own = {site.small.north.lot(f"{name}-{number}|PY1|2024春") for number in range(5)}
    assert own == {lot.lot for lot in lots}


def test_what_is_uploaded_twice_is_awarded_once_and_the_columns_are_remembered(
    browser: Browser, site: BankSite, keystores: dict[str, list[Path]], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append([*HEADER.split(","), "备注"])
    for number in range(3):
        cells = row(f"xl-{number}").split(",")
        book.active.append([*cells[:7], 4, 64, *cells[9:11], date(2024, 7, 1), None])
    file = tmp_path / "results.xlsx"
    book.save(file)
    with signed_in(browser, site, Role.REGISTRAR) as visit:
        page = visit.page
        for turn in range(2):
            upload(visit, site, file)
            asked = page.locator("input[name=credits]").count()
            assert bool(asked) == (turn == 0)
            if asked:
                page.click("form[action$=mapping] button.main")
            page.click("form[action$=start] button.main")
            page.wait_for_selector("[data-signing]")
            if turn == 0:
                unlock(visit, keystores["signing"], keep=True)
            page.wait_for_selector("[data-start]:not([disabled])")
            page.click("[data-start]")
            page.wait_for_selector("a[href='/registrar/awards'].main", timeout=30_000)
            size = site.small.bank.log.size()
            if turn == 0:
                first = size
    assert size == first


def test_signing_goes_on_where_it_stopped(
    browser: Browser, site: BankSite, keystores: dict[str, list[Path]], tmp_path: Path
) -> None:
    """The laptop is closed in the middle: the page is left, and opened again elsewhere."""
    file = tmp_path / "many.csv"
    file.write_text(table(*(row(f"stop-{number}") for number in range(900))))
    with signed_in(browser, site, Role.REGISTRAR) as visit:
        upload(visit, site, file)
        if visit.page.locator("input[name=credits]").count():
            visit.page.click("form[action$=mapping] button.main")
        visit.page.click("form[action$=start] button.main")
        visit.page.wait_for_selector("[data-signing]")
        unlock(visit, keystores["signing"])
        visit.page.click("[data-start]")
        visit.page.wait_for_function("() => Number(document.querySelector('progress').value) > 0")
        address = visit.page.url
    (upload_,) = (item for item in site.small.bank.uploads.open("north") if item.state == "signing")
    assert 0 < upload_.done <= 900
    with signed_in(browser, site, Role.REGISTRAR) as visit:
        visit.page.goto(address)
        unlock(visit, keystores["signing"])
        visit.page.click("[data-start]")
        visit.page.wait_for_selector("a[href='/registrar/awards'].main", timeout=60_000)
    lots = {
        lot.lot for lot in site.small.bank.lots.of_institution(site.small.north.did, 2**53, 900)
    }
    assert lots == {site.small.north.lot(f"stop-{number}|PY1|2024春") for number in range(900)}


def test_more_than_one_person_hands_in_waits_for_the_second(
    browser: Browser, keystores: dict[str, list[Path]], tmp_path: Path
) -> None:
    """The batch that the browser works out is the one the bank does: the awards are covered."""
    file = tmp_path / "bulk.csv"
    file.write_text(table(*(row(f"bulk-{number}") for number in range(12))))
    with small_bank(tmp_path / "bank") as small, bank_pages(small) as own:
        small.govern("policy.publish", alone=5)
        cost = {"operations": 1, "memory": 8 * 1024 * 1024}
        for name, key in (("signing", small.north.signer), ("approver", small.north.approver)):
            assert isinstance(key, PrivateKey)
            write_keystore(tmp_path / f"{name}.keystore", key.seed, "open sesame", **cost)
        with (
            signed_in(browser, own, Role.REGISTRAR) as visit,
            signed_in(browser, own, Role.APPROVER) as second,
        ):
            page = visit.page
            upload(visit, own, file)
            if page.locator("input[name=credits]").count():
                page.click("form[action$=mapping] button.main")
            page.click("form[action$=start] button.main")
            page.wait_for_selector("[data-signing]")
            unlock(visit, [tmp_path / "signing.keystore", keystores["signing"][1]])
            page.click("[data-start]")
            page.wait_for_selector("[data-waiting]:not([hidden])")
            visit.shot("pages-registrar-batch-waits")
            assert small.bank.lots.of_institution(small.north.did, 2**53, 50) == []
            second.page.goto(f"{own.url}/registrar/approvals")
            unlock(second, [tmp_path / "approver.keystore"])
            second.shot("pages-registrar-batch-approve")
            second.page.click("[data-sign]")
            second.page.wait_for_selector(".empty")
            page.click("[data-start]")
            page.wait_for_selector("a[href='/registrar/awards'].main", timeout=60_000)
        assert len(small.bank.lots.of_institution(small.north.did, 2**53, 50)) == 12
        assert small.bank.intake.alone(small.north.did) == 5
        assert small.bank.upkeep.audit().passed


def test_wrong_keys_are_told_apart(
    browser: Browser, site: BankSite, keystores: dict[str, list[Path]], tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign.keystore"
    write_keystore(
        foreign, PrivateKey.generate().seed, "open sesame", operations=1, memory=8 * 1024 * 1024
    )
    noise = tmp_path / "noise.keystore"
    noise.write_text("{}")
    lot, _ = site.small.award("wrong-1")
    signing, records = keystores["signing"]
    with signed_in(browser, site, Role.REGISTRAR) as visit:
        visit.page.goto(f"{site.url}/registrar/awards/{lot.lot}")
        for files, passphrase, said in (
            ([noise], "x", "no keystore file"),
            ([signing], "open sesame", "records.keystore"),
            ([signing, records], "guess", "does not open"),
            ([foreign, records], "open sesame", "not registered"),
        ):
            visit.page.set_input_files("#keystores", [str(path) for path in files])
            visit.page.fill("#passphrase", passphrase)
            visit.page.click("[data-unlock]")
            visit.page.wait_for_selector(f"[data-fault]:has-text('{said}')", timeout=20_000)
            assert visit.page.is_disabled("form[data-act=revoke] button")


def test_an_award_is_corrected_suspended_reinstated_and_revoked_by_two(
    browser: Browser, site: BankSite, keystores: dict[str, list[Path]]
) -> None:
    small = site.small
    lot, _ = small.award("chen-1")
    with signed_in(browser, site, Role.REGISTRAR) as visit:
        page = visit.page
        page.goto(f"{site.url}/registrar/awards/{lot.lot}")
        unlock(visit, keystores["signing"], keep=True)
        page.fill("#credits", "3.5")
        page.fill("#grade", "B")
        page.fill("#why", "regraded")
        page.click("form[data-act=correct] button")
        page.wait_for_function(f"() => !location.pathname.endsWith('{lot.lot}')")
        page.wait_for_load_state()
        corrected = page.url.rpartition("/")[2]
        assert small.bank.lots.get(lot.lot).state is LotState.SUPERSEDED
        assert small.bank.lots.get(corrected).facts.credits == "3.5"
        assert small.bank.lots.get(corrected).origin == lot.lot
        for act, state in (("suspend", LotState.SUSPENDED), ("reinstate", LotState.ACTIVE)):
            form = page.locator(f"form[data-act={act}]")
            form.locator("input").fill("under-review")
            page.wait_for_selector(f"form[data-act={act}] button:not([disabled])")
            with page.expect_navigation():
                form.locator("button").click()
            assert small.bank.lots.get(corrected).state is state
        page.fill("#why-revoke", "misconduct")
        page.wait_for_selector("form[data-act=revoke] button:not([disabled])")
        page.click("form[data-act=revoke] button")
        page.wait_for_url("**/registrar/approvals")
        assert page.locator("[data-sign]").count() == 0
        assert small.bank.lots.get(corrected).state is LotState.ACTIVE
        visit.shot("pages-registrar-approvals")
    with signed_in(browser, site, Role.APPROVER) as visit:
        visit.page.goto(f"{site.url}/registrar/approvals")
        unlock(visit, keystores["approving"])
        assert faults(visit.page) == []
        visit.page.click("[data-sign]")
        visit.page.wait_for_selector(".empty")
    assert small.bank.lots.get(corrected).state is LotState.REVOKED


def test_a_rule_is_tried_then_published_then_withdrawn(
    browser: Browser, site: BankSite, keystores: dict[str, list[Path]]
) -> None:
    small = site.small
    taken, _ = small.award("rule-1", SOUTH_UNIT, "3")
    own, _ = small.award("rule-2")
    with signed_in(browser, site, Role.REGISTRAR) as visit:
        page = visit.page
        page.goto(f"{site.url}/registrar/rules")
        unlock(visit, keystores["signing"], keep=True)
        page.fill("#code", "FROM-SOUTH")
        page.fill("#title_zh", "认定南方软件")
        page.fill("#title_en", "Software from the south")
        page.select_option("#target", "CS101@1")
        page.fill("#until", "2090-01-01")
        page.check(f"input[value='{small.south.did}']")
        page.fill("#ratio", "0.5")
        for lot, said in ((taken, "would be taken: 1.5"), (own, "would not be taken")):
            page.fill("#try-lot", lot.lot)
            page.click("[data-try]")
            page.wait_for_selector(f"[data-outcome]:has-text('{said}')")
        assert faults(page) == []
        visit.shot("pages-registrar-rule")
        page.fill("#try-lot", "")
        page.click("[data-try]")
        page.wait_for_selector("[data-outcome] dl")
        page.click("[data-publish]")
        page.wait_for_selector("td:has-text('FROM-SOUTH@1')")
        assert (small.north.did, "FROM-SOUTH@1") in small.bank.registry().catalogue.rules
        page.wait_for_selector("[data-code='FROM-SOUTH']:not([disabled])")
        with page.expect_navigation():
            page.click("[data-code='FROM-SOUTH']")
    assert small.bank.registry().catalogue.rules[small.north.did, "FROM-SOUTH@1"].withdrawn


def test_a_new_key_is_saved_and_opens_here_and_in_python(
    browser: Browser, site: BankSite, tmp_path: Path
) -> None:
    from keys import open_signer

    with signed_in(browser, site, Role.ADMIN) as visit:
        visit.page.goto(f"{site.url}/registrar/keys")
        assert faults(visit.page) == []
        visit.page.fill("#new-passphrase", "short")
        visit.page.click("[data-make]")
        assert visit.page.is_visible("[data-new-key] [data-problem]")
        visit.page.fill("#new-passphrase", "three quiet words")
        with visit.page.expect_download() as saving:
            visit.page.click("[data-make]")
        path = tmp_path / "signing.keystore"
        saving.value.save_as(path)
        request = json.loads(visit.page.inner_text("[data-request]"))
        visit.shot("pages-registrar-keys")
    signer = open_signer(f"file:{path}", "three quiet words")
    assert request["body"]["key"] == signer.public_key.multikey
    assert request["type"] == "key.add"


@pytest.mark.timeout(600)  # by itself it takes one minute; beside others on two cores, several
def test_the_whole_open_university_file(
    browser: Browser,
    repo: Path,
    tmp_path: Path,
    shared_data: Callable[[str], Path],
) -> None:
    """32,593 rows; broken ones set aside; 15,385 awards signed in the browser and appended."""
    from bank.opening import Admission, admit

    file = shared_data("oulad/studentInfo.csv")
    lines = file.read_text().splitlines()
    spoilt = tmp_path / "studentInfo.csv"
    # Two rows more that cannot be read, and one record a second time.
    spoilt.write_text("\n".join([*lines, lines[1], f"{lines[1]},more", "AAA"]) + "\n")
    key, second = PrivateKey.generate(), PrivateKey.generate()
    cost = {"operations": 1, "memory": 8 * 1024 * 1024}
    write_keystore(tmp_path / "signing.keystore", key.seed, "open sesame", **cost)
    write_keystore(tmp_path / "records.keystore", bytes(32), "open sesame", RECORDS, **cost)
    write_keystore(tmp_path / "approver.keystore", second.seed, "open sesame", **cost)
    with small_bank(tmp_path / "bank") as small:
        names = {"en": "Open University", "zh": "开放大学"}
        about = Admission(
            *("oulad-open", names, "12100000MB00UD042X", ("awarding",), ("*",)),
            *("8", "2010-01-01", "2100-01-01"),
        )
        admit(small.bank, about, key.public_key, [small.governance], second.public_key)
        with bank_pages(small) as site:

            def visitor(role: Role) -> Page:
                person = small.bank.sign_in.admit(f"ou-{role}", "Ou", role, "oulad-open")
                token = small.bank.sign_in.begin(person.person)
                context = browser.new_context(locale="en-US")
                context.add_cookies([{"name": "session", "value": token, "url": site.url}])
                return context.new_page()

            page = visitor(Role.REGISTRAR)
            page.goto(f"{site.url}/registrar")
            page.set_input_files("#file", str(spoilt))
            page.click("summary")
            page.set_input_files("#mapping", str(repo / "docs/samples/oulad.mapping.toml"))
            page.click("[data-send]")
            page.wait_for_selector("form[action$=start]", timeout=120_000)
            shown = page.inner_text("main")
            assert "32,596" in shown
            assert "15,385" in shown
            assert "Set 3 rows aside" in shown
            page.screenshot(path=repo / "artefacts" / "pages-registrar-oulad.png", full_page=True)
            page.click("form[action$=start] button.main")
            page.wait_for_selector("[data-signing]")
            page.wait_for_load_state()  # before that nothing hears a click on what scripts move
            files = [str(tmp_path / "signing.keystore"), str(tmp_path / "records.keystore")]
            page.set_input_files("#keystores", files)
            page.fill("#passphrase", "open sesame")
            page.click("[data-unlock]")
            page.wait_for_selector("[data-start]:not([disabled])", timeout=120_000)
            page.click("[data-start]")
            page.wait_for_selector("[data-waiting]:not([hidden])", timeout=120_000)
            page.screenshot(path=repo / "artefacts" / "pages-registrar-oulad-waits.png")
            assert sum(1 for _ in small.bank.lots.each()) == 0, "nothing before the second person"
            other = visitor(Role.APPROVER)
            other.goto(f"{site.url}/registrar/approvals")
            assert "15385" in other.inner_text("[data-approval]")
            other.set_input_files("#keystores", str(tmp_path / "approver.keystore"))
            other.fill("#passphrase", "open sesame")
            other.click("[data-unlock]")
            other.wait_for_selector("[data-sign]:not([disabled])", timeout=120_000)
            other.screenshot(path=repo / "artefacts" / "pages-registrar-oulad-approve.png")
            other.click("[data-sign]")
            other.wait_for_selector(".empty")
            other.context.close()
            page.evaluate(_WATCH)
            began = time.perf_counter()
            page.click("[data-start]")
            page.wait_for_function(
                "() => Number(document.querySelector('progress').value) > 3000", timeout=120_000
            )
            page.screenshot(path=repo / "artefacts" / "pages-registrar-oulad-sign.png")
            seen = page.evaluate("[...new Set(window.seen)].length")
            stuck = page.evaluate(_STUCK)
            page.wait_for_selector("a[href='/registrar/awards'].main", timeout=480_000)
            print(f"signed in {time.perf_counter() - began:.1f} s, stuck {stuck:.1%} of the time")
            page.context.close()
        assert sum(1 for _ in small.bank.lots.each()) == 15_385
        assert seen > 5, "the progress bar moves"
        assert stuck < 0.2, "the page stays at hand while it signs"
        small.bank.upkeep.audit()


def test_a_page_that_hangs_is_seen_to(browser: Browser) -> None:
    """The control: what watches over the page while it signs notices one that computes itself."""
    page = browser.new_page()
    page.evaluate(_WATCH)
    page.evaluate(
        """() => new Promise((done) => {
          let rounds = 0;
          const work = setInterval(() => {
            const until = performance.now() + 400;
            while (performance.now() < until);
            if (++rounds === 5) { clearInterval(work); done(); }
          }, 10);
        })"""
    )
    assert page.evaluate(_STUCK) > 0.6
    page.close()


# The share of the time in which the page would not have answered a click within 200 ms: a single
# long gap says more about how busy the machine is than about the page.
_WATCH = """() => {
  window.seen = []; window.gaps = [];
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    window.gaps.push(now - last);
    last = now;
    window.seen.push(document.querySelector('progress')?.value);
  }, 20);
}"""
_STUCK = """() => {
  const sum = (times) => times.reduce((total, time) => total + time, 0);
  return sum(window.gaps.filter((gap) => gap > 200)) / sum(window.gaps);
}"""


def test_other_peoples_things_are_out_of_reach(small: SmallBank, site: BankSite) -> None:
    """A registrar of the south sees and signs nothing of the north's."""
    from bank.api.app import make_app

    http = TestClient(make_app(small.bank), follow_redirects=False)
    south = small.bank.sign_in.admit("south-r", "South", Role.REGISTRAR, "south")
    token = small.bank.sign_in.begin(south.person)
    session = small.bank.sign_in.session(token)
    assert session is not None
    taken = small.bank.uploads.take("north", "a.csv", table(row("s-1")).encode())
    lot, _ = small.award("reach-1")
    waiting = small.bank.approvals.propose(
        small.north.did,
        small.north.lot_event("suspend", lot.lot, "x", date(2026, 1, 1)).signed,
        "somebody",
    )
    http.cookies.set("session", token)
    http.headers["x-form-token"] = session.csrf
    for path in (
        f"/registrar/uploads/{taken.upload}",
        f"/registrar/uploads/{taken.upload}/results",
        f"/registrar/awards/{lot.lot}",
        f"/registrar/awards/{lot.lot}/result",
    ):
        assert http.get(path).status_code == 404, path
    signed = small.north.lot_event("suspend", lot.lot, "x", date(2026, 1, 1)).signed
    item = json.loads(encode({"signed": json.loads(signed.data)}))
    body = encode({"statements": [item]})
    answer = http.post("/registrar/signed/statements", content=body)
    assert answer.status_code == 400
    assert "another institution's" in answer.text
    second = http.post(f"/registrar/approvals/{waiting.approval}/sign", content=encode(item))
    assert second.status_code in (401, 403, 404)
    assert http.post(f"/registrar/approvals/{waiting.approval}/drop").status_code in (404, 400)
    small.bank.approvals.drop(small.north.did, waiting.approval)
    small.bank.uploads.discard("north", taken.upload)


def test_a_finished_upload_leaves_no_name_behind(small: SmallBank, tmp_path: Path) -> None:
    """Its key ends with it; the control finds the name while the key is there."""
    uploads = small.bank.uploads
    secret = "Quintus Fabius Verrucosus"
    taken = uploads.take("north", "names.csv", table(row("q-1", secret)).encode())
    assert secret.encode() in uploads.contents("north", taken.upload).data
    uploads.discard("north", taken.upload)
    with pytest.raises(Exception, match="destroyed"):
        uploads.contents("north", taken.upload)
    stored = b"".join(
        path.read_bytes() for path in small.bank.settings.folder.rglob("bank.db*") if path.is_file()
    )
    assert secret.encode() not in stored


def test_bad_files_get_one_sentence(small: SmallBank, site: BankSite) -> None:
    from bank.errors import BadRequest
    from bank.results import ResultsError

    uploads = small.bank.uploads
    for name, data, said in (
        ("empty.csv", b"", "empty"),
        ("broken.xlsx", b"PK\x03\x04 not really", "cannot be read as a workbook"),
        ("a.pdf", b"%PDF-1.7\n", "PDF"),
        ("quote.csv", b'"a,b\nx', "quotation marks"),
    ):
        with pytest.raises((BadRequest, ResultsError), match=said):
            uploads.take("north", name, data)
    taken = uploads.take("north", "only-header.csv", table().encode())
    assert taken.state == "mapping"
    with pytest.raises(ResultsError, match="no rows"):
        uploads.map("north", taken.upload, _document())
    uploads.discard("north", taken.upload)
    _ = result, Any


def _document() -> dict[str, Any]:
    from bank.uploads import guess_mapping, nested

    return nested({name: text for name, text in guess_mapping(HEADER.split(",")).items() if text})
