"""What the bank's own staff and an institution's administrator do over HTTP about records, keys."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.sign_in import Role
from keys import PrivateKey, encode
from tests.api_kit import Signing, client, new_key, new_token
from tests.bank_kit import QUALIFICATION, SmallBank, small_bank

NUMBER = "11010519491231002X"


@dataclass
class Staff:
    """The bank's own software, at its records."""

    small: SmallBank
    http: TestClient

    def post(self, path: str, status: int = 200, /, **body: Any) -> Any:
        answer = self.http.post(path, content=encode(body))
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    with small_bank(tmp_path_factory.mktemp("bank")) as small:
        small.submit(small.state(small.south, "qualification.publish", **QUALIFICATION))
        yield Staff(small, client(small.bank, small.bank.settings.did))


def test_a_record_from_its_opening_to_its_erasure(staff: Staff) -> None:
    small, bank = staff.small, staff.small.bank
    lot, credential = small.award("li-1")
    account = bank.accounts.of_credential(str(credential["id"]))
    learner = staff.post("/learners", name="李明", number=NUMBER)["learner"]
    assert staff.post("/learners", name="李明", number=NUMBER)["learner"] == learner
    assert staff.post("/learners", 409, name="王芳", number=NUMBER)["status"] == 409
    assert staff.post("/learners/find", number=NUMBER) == {"learner": learner}
    staff.post(f"/learners/{learner}/accounts", account=account)
    staff.post(f"/learners/{learner}/name", name="李明远")
    terms = {"purpose": "job", "recipient": "Yu", "credentials": "all", "until": "2099-01-01"}
    consent = staff.post(f"/learners/{learner}/consents", **terms)["consent"]
    held = staff.http.get(f"/learners/{learner}").json()
    assert held["identity"]["name"] == "李明远"
    assert [former["name"] for former in held["identity"]["former"]] == ["李明"]
    assert held["identity"]["document"]["number"] == NUMBER
    assert held["accounts"] == [account]
    assert [item["consent"] for item in held["consents"]] == [consent]
    ended = staff.http.delete(f"/learners/{learner}/consents/{consent}").json()
    assert ended["withdrawn"]
    book = staff.http.get(f"/learners/{learner}/passbook").json()
    assert book == bank.reckoning.passbook([account]).to_json()
    wanted = {"author": small.south.did, "qualification": "DIP@1"}
    progress = staff.http.get(f"/learners/{learner}/progress", params=wanted)
    assert progress.status_code == 200, progress.text
    archive = staff.http.get(f"/learners/{learner}/archive")
    assert archive.headers["content-type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(archive.content)).testzip() is None
    second = staff.post("/learners", name="李明远")["learner"]
    assert staff.post(f"/learners/{learner}/merge", learner=second) == {"learner": learner}
    assert staff.http.delete(f"/learners/{learner}").json() == {"erased": True}
    assert staff.http.get(f"/learners/{learner}").status_code in (404, 410)
    assert bank.lots.get(lot.lot)


def test_documents_are_added_and_slips_are_told(staff: Staff) -> None:
    learner = staff.post("/learners", name="Ann Lee")["learner"]
    path = f"/learners/{learner}/document"
    added = staff.post(path, kind="passport/DEU", number="C01X00T47")
    assert added == {"learner": learner, "new": True}
    assert staff.post(path, kind="passport/DEU", number="C01X00T47")["new"] is False
    for body, said in (
        ({"number": "110105194912310021"}, "number"),
        ({"kind": "passport/DEU"}, "number"),
        ({}, "no number"),
        ({"number": 7}, "text"),
        ({"number": NUMBER, "x": 1}, "besides"),
    ):
        answer = staff.http.post("/learners/find", content=encode(body))
        assert answer.status_code == 400, answer.text
        assert said in answer.json()["detail"]
        assert "110105194912310021" not in answer.text
    assert staff.http.get("/learners/nobody").status_code == 404


def test_records_are_for_signed_requests_of_the_banks_own_keys_alone(staff: Staff) -> None:
    bank, http = staff.small.bank, TestClient(make_app(staff.small.bank))
    token = new_token(bank, bank.settings.did)
    body = encode({"number": NUMBER})
    bearing = {"Authorization": f"Bearer {token}"}
    by_session = http.post("/learners/find", content=body, headers=bearing)
    assert (by_session.status_code, "sign the request itself" in by_session.text) == (403, True)
    north = Signing(bank, new_key(bank, staff.small.north.did))
    assert http.post("/learners/find", content=body, auth=north).status_code == 403
    # The control: the same session is good for what it is for.
    assert http.post("/statements", content=b"{}", headers=bearing).status_code == 400


def test_an_administrator_registers_and_retires_keys(staff: Staff) -> None:
    bank = staff.small.bank
    http = TestClient(make_app(bank), base_url="http://localhost", follow_redirects=False)
    person = bank.sign_in.admit("keeper", "Keeper", Role.ADMIN, "north")
    token = bank.sign_in.begin(person.person)
    http.cookies.set("session", token)
    session = bank.sign_in.session(token)
    assert session is not None
    form = {"form_token": session.csrf}
    key = PrivateKey.generate()
    multikey = key.public_key.multikey
    path = "/registrar/api-keys"
    added = http.post(path, data={**form, "key": multikey, "name": "student records"})
    assert added.headers["location"] == path
    shown = http.get(path)
    assert multikey in shown.text
    assert "student records" in shown.text
    asked = TestClient(make_app(bank))
    assert asked.get("/awards", auth=Signing(bank, key)).status_code == 200
    for wrong, said in (
        (staff.small.north.signer.public_key.multikey, "stands on the ledger"),
        (multikey, "registered before"),
        ("nothing", "no Ed25519 key"),
    ):
        refused = http.post(path, data={**form, "key": wrong, "name": "again"})
        assert refused.status_code == 400
        assert said in refused.text
    # Another institution's administrator neither sees it nor ends it.
    other = bank.sign_in.admit("other", "Other", Role.ADMIN, "south")
    http.cookies.set("session", bank.sign_in.begin(other.person))
    south = bank.sign_in.session(http.cookies["session"])
    assert south is not None
    assert multikey not in http.get(path).text
    theirs = {"form_token": south.csrf, "key": multikey}
    assert http.post(f"{path}/retire", data=theirs).status_code == 404
    assert asked.get("/awards", auth=Signing(bank, key)).status_code == 200
    http.cookies.set("session", token)
    assert http.post(f"{path}/retire", data={**form, "key": multikey}).status_code == 303
    assert asked.get("/awards", auth=Signing(bank, key)).status_code == 401
