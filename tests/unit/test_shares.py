"""Share links show what was chosen, to whoever has one, until they end."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.institution import Institution
from bank.opening import LocalBank, admit, create_bank, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from keys import PrivateKey
from tests.bank_kit import small_bank

UNIT = UnitRef(
    "ACC101", 1, "Accounting", "会计学", "business", "5", "40", "cq-lof", "standard-credit"
)


@dataclass
class Counter:
    """A bank with two learners, its API, and a clock that can be moved."""

    bank: Bank
    http: TestClient
    folder: Path
    tokens: dict[str, str]
    owned: dict[str, list[str]]
    now: datetime

    def ask(self, method: str, path: str, who: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return self.http.request(method, path, headers=headers, **more)

    def share(self, who: str, names: list[str], days: int = 7) -> tuple[str, str]:
        """The share and the path of its link."""
        done = self.ask("POST", "/shares", who, json={"credentials": names, "days": days})
        assert done.status_code == 201, done.text
        url = done.json()["url"]
        assert url.startswith("https://cq.example/s/")
        return done.json()["share"], url.removeprefix("https://cq.example")


@pytest.fixture
def counter(tmp_path: Path, repo: Path) -> Iterator[Counter]:
    governance, key = PrivateKey.generate(), PrivateKey.generate()
    public = governance.public_key.multikey
    create_bank(tmp_path, "cq.example", {"en": "CQ", "zh": "重庆"}, [public], 1, "p")
    bank = open_bank(tmp_path, "p")
    found = Counter(bank, TestClient(make_app(bank)), tmp_path, {}, {}, datetime.now(UTC))
    bank._clock = lambda: found.now
    bank.found([governance])
    admission = read_admissions(repo / "docs" / "samples" / "institutions.toml")[0]
    admit(bank, admission, key.public_key, [governance])
    institution = Institution("cq.example", "bayu-open", admission.names, key, b"r" * 32)
    port = LocalBank(bank)
    port.submit([institution.publish_unit(UNIT, Decimal(4))])
    for who, count in (("ana", 3), ("ben", 1)):
        for number in range(count):
            record = f"{who}-{number}"
            (slot,) = port.slots(institution, [institution.lot(record)])
            learner, day = Learner(who, who.title()), date(2024, 7, 1)
            result = Result(2, record, learner, "bayu-open", UNIT, "3.5", None, day, None)
            award = institution.award(result, Decimal(4), slot, datetime.now(UTC))
            port.submit([award])
            assert award.credential is not None
            found.owned.setdefault(who, []).append(str(award.credential["id"]))
    for account in bank.accounts.names():
        token = bank.vault.token(account)
        names = [name for name, _ in bank.accounts.credentials(token)]
        who = next(who for who, own in found.owned.items() if set(own) == set(names))
        found.tokens[who] = token
    yield found
    bank.close()


def test_a_link_shows_what_was_chosen_and_no_more(counter: Counter) -> None:
    first, second, third = counter.owned["ana"]
    share, path = counter.share("ana", [third, first])
    done = counter.ask("GET", path)
    assert done.status_code == 200
    assert done.headers["cache-control"] == "no-store"
    bundles = done.json()["bundles"]
    assert [bundle["credential"]["id"] for bundle in bundles] == [third, first]
    assert all(set(bundle) == {"credential", "receipt"} for bundle in bundles)
    assert second not in done.text
    (listed,) = counter.ask("GET", "/shares", "ana").json()["shares"]
    assert (listed["share"], len(listed["openings"])) == (share, 1)
    assert counter.ask("GET", "/shares", "ben").json() == {"shares": []}


def test_a_link_leads_to_where_the_bank_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its domain is its name; a bank behind another address gives links to that."""
    monkeypatch.setenv("CREDITBANK_PUBLIC_URL", "https://bank.elsewhere.example/")
    with small_bank(tmp_path) as small:
        _, credential = small.award("li-1")
        token = small.bank.accounts.token(*small.bank.accounts.names())
        done = TestClient(make_app(small.bank)).post(
            "/shares",
            headers={"Authorization": f"Bearer {token}"},
            json={"credentials": [credential["id"]], "days": 7},
        )
    assert done.json()["url"].startswith("https://bank.elsewhere.example/s/")


def test_it_ends_when_it_was_to_end(counter: Counter) -> None:
    _, path = counter.share("ana", counter.owned["ana"][:1], days=7)
    counter.now += timedelta(days=7)
    assert counter.ask("GET", path).status_code == 200
    counter.now += timedelta(seconds=1)
    done = counter.ask("GET", path)
    assert done.status_code == 410
    assert "this share ended on" in done.json()["detail"]
    assert len(counter.ask("GET", "/shares", "ana").json()["shares"][0]["openings"]) == 1


def test_it_ends_when_its_owner_says_so(counter: Counter) -> None:
    share, path = counter.share("ana", counter.owned["ana"][:1])
    assert counter.ask("DELETE", f"/shares/{share}", "ben").status_code == 404
    assert counter.ask("GET", path).status_code == 200
    for _ in range(2):
        assert counter.ask("DELETE", f"/shares/{share}", "ana").status_code == 204
    done = counter.ask("GET", path)
    assert done.status_code == 410
    assert done.json()["detail"].startswith("this share was withdrawn by its owner")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"credentials": [], "days": 7}, 400, "1 to 100 credentials"),
        ({"credentials": ["urn:uuid:0"], "days": 0}, 400, "1 to 365 days"),
        ({"credentials": ["urn:uuid:0"], "days": 366}, 400, "1 to 365 days"),
        ({"credentials": ["urn:uuid:0"], "days": "7"}, 400, "days"),
        ({"credentials": "urn:uuid:0"}, 400, "credentials"),
        ({"credentials": ["urn:uuid:0"]}, 404, "holds no credential"),
        ([], 400, "credentials"),
    ],
)
def test_what_cannot_be_shared(counter: Counter, body: Any, status: int, reason: str) -> None:
    done = counter.ask("POST", "/shares", "ana", json=body)
    assert done.status_code == status
    assert reason in done.json()["detail"]


def test_nobody_shares_what_is_anothers(counter: Counter) -> None:
    body = {"credentials": counter.owned["ana"][:1]}
    assert counter.ask("POST", "/shares", "ben", json=body).status_code == 404
    assert counter.ask("POST", "/shares", json=body).status_code == 401
    assert counter.ask("GET", "/s/" + "A" * 32).status_code == 404


def test_the_secret_is_not_kept(counter: Counter) -> None:
    _, path = counter.share("ana", counter.owned["ana"][:1])
    secret = path.removeprefix("/s/")
    with sqlite3.connect(counter.folder / "bank.db") as database:
        rows = [row for row in database.execute("SELECT * FROM shares")]
    assert len(rows) == 1
    assert secret not in repr(rows)


def test_an_erased_learner_is_shared_no_more(counter: Counter) -> None:
    _, path = counter.share("ana", counter.owned["ana"][:1])
    bank, token = counter.bank, counter.tokens["ana"]
    account = next(name for name in bank.accounts.names() if bank.vault.token(name) == token)
    bank.wallets.offer(token, counter.owned["ana"][:1])
    assert counter.ask("GET", path).status_code == 200
    _, other = counter.share("ben", counter.owned["ben"])
    bank.accounts.erase(account)
    assert counter.ask("GET", path).status_code == 404
    assert counter.ask("GET", other).status_code == 200
    with sqlite3.connect(counter.folder / "bank.db") as database:
        for table in ("shares", "share_openings", "wallet_offers"):
            (rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert rows == (0 if table == "wallet_offers" else 1), table


def test_every_opening_is_noted(counter: Counter) -> None:
    _, path = counter.share("ana", counter.owned["ana"][:1])
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(counter.ask("GET", path).status_code))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 12
    (listed,) = counter.ask("GET", "/shares", "ana").json()["shares"]
    assert len(listed["openings"]) == 12


def test_a_browser_is_sent_to_the_page_that_verifies(counter: Counter) -> None:
    _, path = counter.share("ana", counter.owned["ana"][:1])
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    done = counter.http.get(path, headers=accept, follow_redirects=False)
    assert done.status_code == 303
    assert done.headers["location"] == f"/v/#share={path.removeprefix('/s/')}"
    assert done.headers["vary"] == "Accept"
    # Looking ahead at a link is not opening it.
    (listed,) = counter.ask("GET", "/shares", "ana").json()["shares"]
    assert listed["openings"] == []
    odd = counter.http.get("/s/%22%3E%0d%0aX:1", headers=accept, follow_redirects=False)
    assert odd.headers["location"] == "/v/#share=%22%3E%0D%0AX%3A1"
