"""The learner's pages: only one's own is there, bad input is told what to do, nothing leaks."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyotp
import pytest
from fastapi.testclient import TestClient
from httpx import Response

from bank import claims
from bank.api.app import make_app
from bank.openid4vci import holder_of_proof
from bank.pages.language import Words
from bank.pages.learner.data import ERASE
from bank.pages.learner.picture import charts
from bank.pages.sentences import told
from bank.passbook import Balance
from bank.sign_in import Role
from credentials.qr import BadQR
from keys import PrivateKey, b64u_encode
from tests.learner_kit import NAME, Kit, learner_bank


@dataclass
class Visitor:
    """A learner at the pages, without a browser."""

    kit: Kit
    http: TestClient
    record: str
    token: str
    awards: list[str]

    def get(self, path: str = "", **more: Any) -> Response:
        return self.http.get(f"/learner{path}", headers={"accept": "text/html"}, **more)

    def post(self, path: str, **fields: Any) -> Response:
        data = {"form_token": self.token, **fields}
        return self.http.post(f"/learner{path}", data=data, headers={"accept": "text/html"})


def visitor(kit: Kit, who: str, language: str = "en") -> Visitor:
    account = kit.award(who, 2)
    record = kit.learners.record_of(account) or kit.learners.open(NAME)
    kit.learners.link(record, account)
    person = kit.bank.sign_in.admit(f"{who}-signs-in", who, Role.LEARNER, record)
    session = kit.bank.sign_in.begin(person.person)
    http = TestClient(make_app(kit.bank), follow_redirects=False, base_url="http://localhost")
    http.cookies.set("session", session)
    http.cookies.set("language", language)
    opened = kit.bank.sign_in.session(session)
    assert opened is not None
    names = [award.name for award in kit.bank.reckoning.awards([account])]
    return Visitor(kit, http, record, opened.csrf, names)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with learner_bank(tmp_path) as made:
        yield made


@pytest.fixture
def ana(kit: Kit) -> Visitor:
    return visitor(kit, "ana")


def alert(answer: Response) -> str:
    """What a page says is wrong."""
    found = re.search(r'role="alert">\s*<p>(.*?)</p>', answer.text, re.DOTALL)
    assert found is not None, answer.text[:2000]
    return found[1]


def test_another_learners_awards_are_not_there(kit: Kit, ana: Visitor) -> None:
    ben = visitor(kit, "ben")
    mine, theirs = ana.awards[0], ben.awards[0]
    assert ana.get(f"/awards/{mine}").status_code == 200
    for path in ("", "/bundle.json", "/certificate.pdf", "/qr.svg", "/offer.png"):
        answer = ana.get(f"/awards/{theirs}{path}")
        assert answer.status_code in (303, 404), path
        assert "Accounting" not in answer.text
    assert ana.post(f"/awards/{theirs}/offer").status_code == 404
    assert alert(ana.post("/shares", award=theirs, days="7")) == (
        "choose at least one award to share"
    )
    assert ben.post("/shares", award=theirs, days="7").status_code == 303
    (share,) = kit.bank.shares.of(kit.bank.vault.token(kit.account("ben")))
    assert ana.post("/shares/end", share=share.share).status_code == 404
    assert kit.bank.shares.of(kit.bank.vault.token(kit.account("ben")))[0].withdrawn == ""
    assert ben.post("/shares/end", share=share.share).status_code == 303
    assert kit.bank.shares.of(kit.bank.vault.token(kit.account("ben")))[0].withdrawn != ""


def test_what_is_no_award_and_no_file(ana: Visitor) -> None:
    assert ana.get("/awards/none").status_code == 404
    assert ana.get("/awards/..%2f..%2fetc").status_code == 404
    answer = ana.get(f"/awards/{ana.awards[0]}/keys.json")
    assert answer.status_code == 404
    assert alert(answer) == "an award has no such file; go back to it and choose one"


@pytest.mark.parametrize("days", ["", "0", "366", "-1", "7.5", "x", "٣", "9" * 40])
def test_a_link_lasts_a_sensible_time(ana: Visitor, days: str) -> None:
    answer = ana.post("/shares", award=ana.awards[0], days=days)
    assert answer.status_code == 400
    assert alert(answer) == "a link lasts 1 to 365 days; write a number of days"
    assert f'value="{ana.awards[0]}" checked' in answer.text, "what was chosen is still chosen"


def test_a_secret_is_shown_to_its_person_and_stands_in_no_address(kit: Kit, ana: Visitor) -> None:
    answer = ana.post("/shares", award=ana.awards[0], days="7")
    assert answer.headers["location"] == "/learner/shares"
    cookie = ana.http.cookies["notice"]
    page = ana.get("/shares").text
    (link,) = set(re.findall(r"http://localhost/s/[\w-]{32}", page))
    assert link.rpartition("/")[2] not in cookie
    assert "notice=" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    # With another person the same cookie says nothing, and nor does one that was changed.
    ben = visitor(kit, "ben")
    for value in (cookie, cookie[:-4] + "AAAA", "x"):
        ben.http.cookies.set("notice", value, path="/learner")
        assert "/s/" not in ben.get("/shares").text
    # What is told once only is gone when the page is opened again.
    ana.post(
        "/shares/end", share=kit.bank.shares.of(kit.bank.vault.token(kit.account("ana")))[0].share
    )
    assert "The link has ended." in ana.get("/shares").text
    assert "The link has ended." not in ana.get("/shares").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"purpose": " "}, "write what the consent is for, and to whom it is given"),
        ({"recipient": ""}, "write what the consent is for, and to whom it is given"),
        ({"scope": "some"}, "choose the awards that the consent is to, or all of them"),
        ({"until": "2020-01-01"}, "the last day of the consent is past; choose a later one"),
        ({"until": "soon"}, "the consent's until is a day such as 2027-06-30"),
        ({"from": "2091-01-01"}, "the consent would end on 2090-01-01, before it begins on 20"),
        ({"purpose": "x" * 501}, "the consent's purpose is text of 1 to 500 characters"),
        ({"scope": "some", "credential": "urn:uuid:0"}, "this learner's accounts hold no"),
    ],
)
def test_a_consent_says_what_for_to_whom_and_until_when(
    ana: Visitor, fields: dict[str, str], said: str
) -> None:
    good = {"purpose": "job", "recipient": "Ltd", "scope": "all", "until": "2090-01-01"}
    answer = ana.post("/data/consents", **{**good, **fields})
    assert answer.status_code == 400
    assert alert(answer).replace("&#39;", "'").startswith(said)
    assert ana.kit.learners.consents(ana.record) == []
    assert ana.post("/data/consents", **good).status_code == 303


def test_a_consent_of_somebody_else_is_not_withdrawn(kit: Kit, ana: Visitor) -> None:
    ben = visitor(kit, "ben")
    good = {"purpose": "job", "recipient": "Ltd", "scope": "all", "until": "2090-01-01"}
    ben.post("/data/consents", **good)
    (consent,) = kit.learners.consents(ben.record)
    assert ana.post("/data/consents/withdraw", consent=consent.consent).status_code == 404
    assert kit.learners.consents(ben.record)[0].withdrawn == ""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_erased_unless_the_words_are_typed(kit: Kit, language: str) -> None:
    ana = visitor(kit, "ana", language)
    for wrong in ("", "yes", "delete", "删除"):
        answer = ana.post("/data/erase", confirm=wrong)
        assert answer.status_code == 400
        assert alert(answer) == told(Words(language), "the words do not match; nothing was erased")
    assert len(kit.bank.reckoning.awards([kit.account("ana")])) == 2
    answer = ana.post("/data/erase", confirm=f" {Words(language).say(ERASE).upper()} ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/erased")
    assert kit.bank.reckoning.awards([kit.account("ana")]) == []
    assert kit.bank.sign_in.people(ana.record) == []
    assert ana.get().headers["location"].startswith("/sign-in")
    assert ana.http.get("/erased").status_code == 200


def proof(kit: Kit, issuer: str, nonce: str, made: int) -> str:
    key = PrivateKey.generate()
    x = b64u_encode(key.public_key.raw)
    head = {"alg": "EdDSA", "jwk": {"crv": "Ed25519", "kty": "OKP", "x": x}}
    parts = [
        b64u_encode(json.dumps(part).encode())
        for part in (
            {**head, "typ": "openid4vci-proof+jwt"},
            {"aud": issuer, "iat": made, "nonce": nonce},
        )
    ]
    return ".".join([*parts, b64u_encode(key.sign(".".join(parts).encode()))])


def test_only_a_key_that_is_there_is_bound(kit: Kit, ana: Visitor) -> None:
    asked = ana.post("/keys/challenge").json()
    good = proof(kit, asked["issuer"], asked["nonce"], asked["time"])
    other = proof(kit, asked["issuer"], "never-given", asked["time"])
    old = proof(kit, asked["issuer"], asked["nonce"], asked["time"] - 7200)
    for wrong in ("", "a.b.c", other, old, good[:-8] + "AAAAAAA=", good.replace("a", "b", 3)):
        answer = ana.post("/keys", proof=wrong)
        assert answer.status_code == 400, wrong
        assert answer.json()["detail"]
    accounts = [kit.account("ana")]
    assert kit.bank.wallets.bound(accounts) == []
    assert ana.post("/keys", proof=good).status_code == 200
    assert ana.post("/keys", proof=good).status_code == 400, "its nonce is taken"
    (key,) = kit.bank.wallets.bound(accounts)
    assert key.did == holder_of_proof(good, asked["issuer"], kit.bank.now())[0]
    ben = visitor(kit, "ben")
    ben.post("/keys/remove", did=key.did)
    assert kit.bank.wallets.bound(accounts) == [key], "it is another's"
    ana.post("/keys/remove", did=key.did)
    assert kit.bank.wallets.bound(accounts) == []


def test_an_invitation_to_what_is_anothers_says_what_to_do(kit: Kit, ana: Visitor) -> None:
    visitor(kit, "ben")
    code = claims.invite(kit.bank, kit.account("ben"))
    page = ana.get(f"/claim?code={code}")
    assert page.status_code == 200
    assert "These awards are in another record." in page.text
    assert "Add these awards to my record</button>" not in page.text
    answer = ana.post("/claim", code=code)
    assert answer.status_code == 409
    assert kit.learners.accounts(ana.record) == [kit.account("ana")]
    for wrong in ("", "nonsense"):
        assert ana.get(f"/claim?code={wrong}").status_code == 410
        assert ana.post("/claim", code=wrong).status_code == 410
    staff = kit.bank.sign_in.invite(Role.OPERATOR, "")
    assert ana.get(f"/claim?code={staff}").status_code == 400
    # Whoever is signed in is led there by the invitation's own address.
    led = ana.http.get(f"/join?code={code}")
    assert led.headers["location"] == f"/learner/claim?code={code}"


def test_the_join_page_gives_no_second_way_in(kit: Kit, ana: Visitor) -> None:
    code = claims.invite(kit.bank, kit.account("ana"))
    stranger = TestClient(make_app(kit.bank), follow_redirects=False, base_url="http://localhost")
    page = stranger.get(f"/join?code={code}", headers={"accept-language": "en"})
    assert "Somebody signs in to these awards already." in page.text
    assert 'name="password"' not in page.text
    form = {"code": code, "login": "mallory", "password": "three quiet words", "totp": "000000"}
    answer = stranger.post("/join", data=form, headers={"accept-language": "en"})
    assert answer.status_code == 400
    assert "somebody signs in" in alert(answer)


def test_an_award_too_large_for_a_code_says_what_to_do(
    ana: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise BadQR("this credential is too large for a QR code that prints well; share it …")

    monkeypatch.setattr("bank.award_files.choose_symbol", too_large)
    page = ana.get(f"/awards/{ana.awards[0]}")
    assert page.status_code == 200
    assert "This award is too large for a QR code" in page.text
    assert "certificate.pdf" not in page.text
    assert "bundle.json" in page.text
    assert ana.get(f"/awards/{ana.awards[0]}/qr.svg").status_code == 404
    assert ana.get(f"/awards/{ana.awards[0]}/bundle.json").status_code == 200


def test_long_lists_come_in_pages(kit: Kit, ana: Visitor) -> None:
    kit.award("ana", 43)
    first, last = ana.get().text, ana.get("?page=3").text
    assert "Page 1 of 3" in first
    assert first.count('<td class="day"') == 20
    assert last.count('<td class="day"') == 5
    for odd in ("0", "-5", "99"):
        assert ana.get(f"?page={odd}").status_code == 200
    assert "Page 3 of 3" in ana.get("/awards?page=99").text
    assert ana.get("?page=x").status_code == 422


def test_large_records_are_quick(kit: Kit, ana: Visitor) -> None:
    kit.award("ana", 100)
    for path in ("", "/awards", "/options", "/shares", "/data"):
        best = 1.0
        for _ in range(4):
            started = time.perf_counter()
            assert ana.get(path).status_code == 200
            best = min(best, time.perf_counter() - started)
        assert best < 0.2, path


def test_an_empty_record_says_how_it_gets_filled(kit: Kit) -> None:
    record = kit.learners.open("新人")
    person = kit.bank.sign_in.admit("new", "new", Role.LEARNER, record)
    http = TestClient(make_app(kit.bank), follow_redirects=False, base_url="http://localhost")
    http.cookies.set("session", kit.bank.sign_in.begin(person.person))
    for path in ("", "/awards", "/options", "/shares", "/data", "/data/erase"):
        assert http.get(f"/learner{path}").status_code == 200, path
    assert "enter its code" in http.get("/learner?lang=en").text


def test_a_learners_name_is_kept_under_seal_alone(kit: Kit) -> None:
    account = kit.award("ana")
    http = TestClient(make_app(kit.bank), follow_redirects=False, base_url="http://localhost")
    code = claims.invite(kit.bank, account)
    secret = base64.b32encode(kit.bank.sign_in.totp_secret(code)).decode()
    now = int(kit.bank.now().timestamp())
    form = {
        **{"code": code, "login": "ana@example.org", "name": NAME},
        **{"password": "three quiet words", "totp": pyotp.TOTP(secret).at(now)},
    }
    assert http.post("/join", data=form).headers["location"] == "/learner"
    assert NAME.encode() not in kit.on_disk()
    assert NAME in http.get("/learner").text


def test_bars_are_as_wide_as_what_they_show() -> None:
    balances = [
        Balance("a", "10", Decimal(2), {}),
        Balance("a", "4", Decimal(8), {"reserved": Decimal(2), "suspended": Decimal(1)}),
        Balance("a", "5", Decimal(0), {}),
        Balance("b", "5", Decimal(0), {}),
    ]
    first, second = charts(balances)
    assert [bar.level for bar in first.bars] == ["4", "10"]
    assert [(bar.usable_width, bar.back_width) for bar in first.bars] == [
        ("62.50", "37.50"),
        ("25.00", "0.00"),
    ]
    assert (first.usable, first.held, second.bars) == ("7", "10", ())
