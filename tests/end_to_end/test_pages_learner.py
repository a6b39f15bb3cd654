"""The learner's pages in a real browser: awards claimed, used, shared, taken along, deleted."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page

from bank import claims
from bank.openid4vci.metadata import PRE_AUTHORIZED
from bank.sign_in import Role
from credentials.qr import scan
from tests.bank_kit import SmallBank, small_bank
from tests.browser_kit import DESKTOP, PHONE, Visit, chromium, visiting
from tests.learner_pages_kit import NAME, Furnished, furnish
from tests.pages_kit import BankSite, bank_pages, faults, is_calm, signed_in
from verifier import open_trust, read_evidence, verify

LANGUAGES = {"en-US": "en", "zh-CN": "zh"}
SIZES = {"phone": PHONE, "desktop": DESKTOP}


@dataclass
class Place:
    """The pages of a bank with a learner who has something of everything."""

    site: BankSite
    small: SmallBank
    made: Furnished

    @property
    def url(self) -> str:
        return self.site.url

    def award(self, state: str) -> str:
        return f"{self.url}/learner/awards/{self.made.awards[state]}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with small_bank(tmp_path_factory.mktemp("learner")) as small:
        made = furnish(small)
        small.bank.trust.export([small.governance])
        with bank_pages(small, made.record) as site:
            yield Place(site, small, made)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, place: Place) -> Iterator[Visit]:
    with signed_in(browser, place.site, Role.LEARNER) as opened:
        yield opened


def text(page: Page) -> str:
    return page.inner_text("main")


def is_drawn(page: Page, picture: str) -> bool:
    """Whether a picture was loaded."""
    page.wait_for_load_state("load")
    return bool(page.eval_on_selector(picture, "one => one.naturalWidth > 0"))


def looks_good(visit: Visit, name: str) -> None:
    assert faults(visit.page) == [], name
    assert is_calm(visit.page), name
    visit.shot(f"pages-learner-{name}")


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_the_pages_in_both_languages(
    browser: Browser, place: Place, locale: str, size: str
) -> None:
    end = f"{size}-{LANGUAGES[locale]}"
    with signed_in(browser, place.site, Role.LEARNER, SIZES[size], locale) as visit:
        for path in ("", "/awards", "/options", "/shares", "/data", "/data/erase"):
            visit.page.goto(f"{place.url}/learner{path}")
            for summary in visit.page.query_selector_all("main details > summary"):
                summary.click()
            looks_good(visit, f"{path.strip('/').replace('/', '-') or 'passbook'}-{end}")
            assert visit.page.locator("[aria-current=page]").count() == 2
        for state in ("usable", "revoked"):
            visit.page.goto(place.award(state))
            looks_good(visit, f"award-{state}-{end}")


def test_it_is_readable_in_the_dark(browser: Browser, place: Place) -> None:
    with signed_in(browser, place.site, Role.LEARNER, color_scheme="dark") as visit:
        for path in ("", "/options", "/data"):
            visit.page.goto(f"{place.url}/learner{path}")
            looks_good(visit, f"dark-{path.strip('/') or 'passbook'}")


def test_the_passbook_says_what_can_be_used(visit: Visit, place: Place) -> None:
    page = visit.page
    page.goto(f"{place.url}/learner")
    assert page.inner_text("h1") == NAME
    found = place.small.bank.reckoning.passbook(list(place.made.accounts))
    usable = sum(one.usable for one in found.balances)
    assert page.inner_text(".balances .figure") == f"{usable.normalize():f}"
    bars = [bar.get_attribute("aria-label") for bar in page.query_selector_all(".bars svg")]
    assert "Level 6: 3 can be used, 3 cannot just now" in bars
    page.click("summary:has-text('The same as a table')")
    rows = page.locator("table").first.locator("tbody tr").all_inner_texts()
    assert len(rows) == len([one for one in found.balances if one.held])
    assert "in 60 days" in text(page)
    assert page.locator(".moves tbody tr").count() == len(found.movements)
    assert "taken back: revoked" in text(page)


def test_states_are_told_in_plain_words(visit: Visit, place: Place) -> None:
    said = {
        "usable": "You can use it",
        "reserved": "south holds it for your application until",
        "suspended": "north has suspended it",
        "revoked": "north revoked it",
        "redeemed": "south counted it towards a qualification",
        "converted": "south took it and awarded credits of its own",
    }
    for state, words in said.items():
        visit.page.goto(place.award(state))
        assert words in text(visit.page), state
    visit.page.goto(place.award("revoked"))
    assert "fraud" in text(visit.page)
    assert "You can appeal" in text(visit.page)


def test_the_files_of_an_award_are_genuine(visit: Visit, place: Place, tmp_path: Path) -> None:
    page, bank = visit.page, place.small.bank
    page.goto(place.award("usable"))
    trust = open_trust(bank.trust.newest())
    named = {
        "certificate.pdf": "Certificate (PDF)",
        "bundle.json": "Award with its proof",
        "badge.png": "Badge",
    }
    for file, label in named.items():
        with page.expect_download() as waiting:
            page.click(f"a:has-text('{label}')")
        path = tmp_path / waiting.value.suggested_filename
        assert path.name.endswith(file)
        waiting.value.save_as(path)
        report = verify(read_evidence(path.read_bytes(), path.name), trust, bank.now())
        assert report.subject.learner == NAME, file
        assert "verified" in report.verdict.value
    with page.expect_download() as waiting:
        page.click("a:text-is('PNG')")
    waiting.value.save_as(tmp_path / "qr.png")
    assert scan((tmp_path / "qr.png").read_bytes()).startswith("https://cq.example/v#1")
    assert is_drawn(page, ".code-picture")


def test_a_wallet_takes_what_is_offered(visit: Visit, place: Place) -> None:
    page = visit.page
    page.goto(place.award("usable"))
    page.click("text=Offer it to a wallet")
    page.wait_for_selector(".digits")
    assert is_drawn(page, "#wallet img")
    looks_good(visit, "offer")
    code = page.inner_text(".digits").replace(" ", "")
    link = page.get_attribute("#wallet a.button", "href") or ""
    offer = json.loads(httpx.URL(link).params["credential_offer"])
    grant = offer["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
    asked = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": grant, "tx_code": code}
    token = httpx.post(f"{place.url}/openid4vci/token", data=asked)
    assert token.status_code == 200, token.text
    assert grant not in page.url
    # It is shown again where it was made, and nowhere else.
    page.reload()
    assert page.inner_text(".digits").replace(" ", "") == code
    page.goto(place.award("expiring"))
    assert page.query_selector(".digits") is None


@pytest.mark.parametrize(("locale", "size"), [("en-US", "desktop"), ("zh-CN", "phone")])
def test_a_shared_link_shows_a_stranger_what_is_genuine(
    browser: Browser, place: Place, locale: str, size: str
) -> None:
    end = f"{size}-{LANGUAGES[locale]}"
    with signed_in(browser, place.site, Role.LEARNER, SIZES[size], locale) as visit:
        page = visit.page
        page.goto(f"{place.url}/learner/shares")
        for state in ("usable", "expiring", "revoked"):
            page.check(f"input[value='{place.made.awards[state]}']")
        page.fill("#days", "7")
        page.click("form.card button.main")
        page.wait_for_selector(".share-link")
        looks_good(visit, f"shared-{end}")
        (link,) = page.locator(".share-link a").all_inner_texts()
        assert link not in page.url
        verdicts = stranger_sees(browser, link, SIZES[size], locale, f"pages-learner-seen-{end}")
        assert len(verdicts) == 3
        assert sum("NOT VERIFIED" in item or "验证未通过" in item for item in verdicts) == 1
        page.goto(f"{place.url}/learner/shares")
        newest = page.locator(".made").first
        opened = newest.locator("summary").inner_text()
        assert ("Opened 1 times" if locale == "en-US" else "已被打开 1 次") in opened
        newest.locator("form button").click()
        page.wait_for_selector(".note.good")
        with visiting(browser, SIZES[size], locale) as other:
            other.page.goto(link)
            other.page.wait_for_selector("#problem:not([hidden])")
            said = other.page.inner_text("#problem-text")
            assert ("This share has ended" if locale == "en-US" else "该分享已到期") in said


def stranger_sees(
    browser: Browser, link: str, size: Sequence[int], locale: str, name: str
) -> list[str]:
    """What each award is said to be, to somebody who follows the link."""
    with visiting(browser, size, locale) as stranger:
        stranger.page.goto(link)
        stranger.page.wait_for_selector("#verdict")
        assert stranger.page.url.endswith("/v/"), "the secret stays in no address"
        assert faults(stranger.page) == []
        assert is_calm(stranger.page)
        shown = stranger.page.locator("details.shared")
        shown.first.locator("> summary").click()
        assert NAME in shown.first.inner_text()
        stranger.shot(name)
        assert stranger.errors == []
        return shown.locator("> summary").all_inner_texts()


def test_one_shared_award_is_shown_as_any_other(
    visit: Visit, browser: Browser, place: Place
) -> None:
    visit.page.goto(place.award("usable"))
    visit.page.click("text=Make a link")
    visit.page.wait_for_selector(".share-link")
    link = visit.page.inner_text(".share-link")
    with visiting(browser) as stranger:
        stranger.page.goto(link)
        stranger.page.wait_for_selector("#verdict")
        assert stranger.page.inner_text("#verdict") == "VERIFIED"
        assert stranger.page.locator("details.shared").count() == 0
        # A secret that was never made is told as such, and nothing is asked of the bank twice.
        stranger.page.goto(re.sub(r"/s/.*", "/s/" + "A" * 32, link))
        stranger.page.wait_for_selector("#problem:not([hidden])")
        assert "There is no such share" in stranger.page.inner_text("#problem-text")


def test_awards_of_two_institutions_get_a_link_each(visit: Visit, place: Place) -> None:
    page = visit.page
    page.goto(f"{place.url}/learner/shares")
    for group in page.query_selector_all("fieldset.choices"):
        box = group.query_selector("input")
        assert box is not None
        box.check()
    page.click("form.card button.main")
    page.wait_for_selector(".share-link")
    assert page.locator(".share-link").count() == 2
    assert "one for each institution" in text(page)


def test_options_show_every_line_and_what_is_missing(visit: Visit, place: Place) -> None:
    page = visit.page
    page.goto(f"{place.url}/learner/options")
    assert page.locator(".prospect h3").all_inner_texts() == [
        "Certificate in applied computing",
        "Diploma in law",
    ], "near first, and the diploma that was conferred is none"
    assert "3 are missing" in page.locator(".prospect").first.inner_text()
    option = page.locator(".option", has_text="Programming in Python")
    option.locator("summary").click()
    lines = option.locator(".lines li").all_inner_texts()
    assert any("It comes to 3 credits of SE201@1" in line for line in lines)
    assert not any("did:web" in line for line in lines)
    assert all(line.startswith("met") for line in lines)
    page.goto(f"{place.award('usable')}")
    page.click("text=What could I do with it?")
    assert page.locator(".option").count() == 1


def test_a_consent_is_given_and_withdrawn(visit: Visit, place: Place) -> None:
    page = visit.page
    page.goto(f"{place.url}/learner/data")
    page.click("summary:has-text('Give a consent')")
    page.fill("#purpose", "Job application")
    page.fill("#recipient", "Yuzhou Ltd")
    page.check("input[value=some]")
    page.locator(".some input").first.check()
    page.fill("#until", "2090-01-01")
    page.click("button:text-is('Agree')")
    page.wait_for_selector(".note.good")
    assert "in force" in page.inner_text(".consents")
    assert "Job application" in page.inner_text(".consents")
    looks_good(visit, "consented")
    page.click("button:text-is('Withdraw')")
    page.wait_for_selector("text=Your consent is withdrawn.")
    assert page.locator(".consents .badge").inner_text() == "withdrawn"


def test_everything_held_comes_in_one_file(visit: Visit, place: Place, tmp_path: Path) -> None:
    visit.page.goto(f"{place.url}/learner/data")
    with visit.page.expect_download() as waiting:
        visit.page.click("text=Export everything")
    path = tmp_path / "all.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert NAME in archive.read("identity.json").decode()
        bundles = [name for name in archive.namelist() if name.startswith("bundles/")]
    assert len(bundles) == len(place.small.bank.reckoning.awards(list(place.made.accounts)))


def test_a_key_is_made_here_bound_and_removed(visit: Visit, place: Place) -> None:
    page, bank = visit.page, place.small.bank
    page.goto(f"{place.url}/learner/data")
    page.click("text=Make a key in this browser")
    page.wait_for_selector("[data-here]:not([hidden])")
    (key,) = bank.wallets.bound(place.made.accounts)
    assert key.accounts == place.made.accounts
    assert key.did in text(page)
    looks_good(visit, "key")
    kept = page.evaluate(
        """() => new Promise((resolve) => {
          const opening = indexedDB.open("creditbank-holder", 1);
          opening.onsuccess = () => {
            const all = opening.result.transaction("keys").objectStore("keys").getAll();
            all.onsuccess = () => resolve(all.result.map(({ did, keys }) =>
              [did, keys.privateKey.extractable]));
          };
        })"""
    )
    assert kept == [[key.did, False]]
    page.click("form[data-forget] button")
    page.wait_for_selector("text=The key is bound to your record no more.")
    assert bank.wallets.bound(place.made.accounts) == []


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_newcomer_claims_uses_and_deletes(browser: Browser, place: Place, locale: str) -> None:
    """From the invitation to nothing left, with a second invitation in between."""
    language, bank = LANGUAGES[locale], place.small.bank
    who = f"ana{language}"
    accounts = []
    for key in (f"{who}-1", f"{who}b-1"):
        _, document = place.small.award(key)
        accounts.append(bank.accounts.of_credential(str(document["id"])))
    size = PHONE if locale == "zh-CN" else DESKTOP
    with visiting(browser, size, locale) as visit:
        page = visit.page
        page.goto(f"{place.url}/join?code={claims.invite(bank, accounts[0])}")
        assert NAME in text(page)
        assert page.query_selector("#name") is None
        page.fill("#login", f"{who}@example.org")
        page.click("details summary")
        looks_good(visit, f"join-{language}")
        secret = page.inner_text("details code").replace(" ", "")
        page.fill("#password", "three quiet words")
        page.fill("#totp", pyotp.TOTP(secret).now())
        page.click("details button.main")
        page.wait_for_url(f"{place.url}/learner")
        record = bank.learners.record_of(accounts[0])
        assert record is not None
        assert page.inner_text("h1") == NAME
        # A second invitation is added to the record of whoever is signed in.
        page.goto(f"{place.url}/join?code={claims.invite(bank, accounts[1])}")
        looks_good(visit, f"claim-{language}")
        page.click("main form button")
        page.wait_for_url(f"{place.url}/learner")
        assert bank.learners.accounts(record) == sorted(accounts)
        page.goto(f"{place.url}/learner/data/erase")
        page.fill("#confirm", "yes")
        page.click("main .danger")
        page.wait_for_selector("[role=alert]")
        looks_good(visit, f"not-confirmed-{language}")
        phrase = page.inner_text("label[for=confirm] code")
        page.fill("#confirm", phrase)
        page.click("main .danger")
        page.wait_for_url(f"{place.url}/erased")
        looks_good(visit, f"erased-{language}")
        assert bank.reckoning.awards(accounts) == []
        assert bank.sign_in.people(record) == []
        page.goto(f"{place.url}/learner")
        assert "/sign-in" in page.url
        assert visit.errors == []


def test_the_pages_are_quick_and_light(place: Place) -> None:
    person = place.site.people[Role.LEARNER]
    token = place.small.bank.sign_in.begin(person.person)
    with httpx.Client(base_url=place.url, cookies={"session": token}) as http:
        for path in ("", "/awards", "/options", "/shares", "/data"):
            for _ in range(5):
                page = http.get(f"/learner{path}")
                assert page.status_code == 200
                if page.elapsed.total_seconds() < 0.05:
                    break
            else:
                pytest.fail(f"/learner{path} took {page.elapsed.total_seconds():.3f} s")
            own = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
            assert sum(len(http.get(name).content) for name in own) < 100_000
