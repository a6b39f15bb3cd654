"""What takes two persons takes two: bulk awards, and one person with two keys or two ways in."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.client import RemoteBank
from bank.errors import BadRequest, NeedsSecondPerson
from bank.importing import import_results
from bank.institution import Institution, Submission
from bank.opening import open_bank
from bank.proposals import Proposal
from bank.results import Preview
from bank.sign_in import Role
from keys import PrivateKey, b64u_encode, encode, parse
from ledger import SignedStatement, Statement
from ledger.batch import batch_approval
from ledger.sequencer import Declined, Placed
from tests.api_kit import client, new_key
from tests.bank_kit import SmallBank, result, small_bank

ALONE = 5


_number = itertools.count()


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("eyes")) as made:
        made.govern("policy.publish", alone=ALONE)
        yield made


@pytest.fixture
def small(common: SmallBank) -> SmallBank:
    """The bank on a day of its own."""
    next_day(common)
    return common


def next_day(small: SmallBank) -> None:
    later = timedelta(days=next(_number) + 1)
    small.bank._clock = small.bank._sequencer._clock = lambda: datetime.now(UTC) + later


def awards(small: SmallBank, count: int) -> list[Submission]:
    """Of learners and records that no other test has."""
    return [small.offer(small.north, result(f"a{next(_number)}-1")) for _ in range(count)]


def hashes(submissions: Sequence[Submission]) -> list[bytes]:
    return [one.signed.statement.hash for one in submissions]


def placed(outcomes: Sequence[Any]) -> int:
    return sum(isinstance(one, Placed) for one in outcomes)


def second_key(small: SmallBank, **person: str) -> PrivateKey:
    key = PrivateKey.generate()
    body = {"key": key.public_key.multikey, "member": small.north.did, **person}
    small.govern("key.add", **body)
    return key


def test_one_person_hands_in_so_many_a_day_and_no_more(small: SmallBank) -> None:
    made = awards(small, 8)
    outcomes = small.bank.intake.submit(made)
    assert placed(outcomes) == ALONE
    assert isinstance(outcomes[-1], Declined)
    assert "approved by two persons" in outcomes[-1].reason
    assert small.bank.intake.alone(small.north.did) == 0
    # What is there already is no further award, and others are not held up.
    assert placed(small.bank.intake.submit(made[:ALONE])) == ALONE
    assert small.bank.intake.alone(small.south.did) == ALONE
    # All of them or none, and on another day again.
    with pytest.raises(AssertionError):
        small.submit(made[-1])
    next_day(small)
    assert placed(small.bank.intake.submit(made)) == 8


def test_the_control_without_such_a_policy_takes_them_all(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        assert placed(small.bank.intake.submit(awards(small, 8))) == 8


def test_a_correction_counts_as_the_award_in_it(small: SmallBank) -> None:
    lot, _ = small.award("li-1")
    small.bank.intake.submit(awards(small, ALONE - 1))
    after = result("li-1", credits="3")
    (slot,) = small.port.slots(small.north, [small.north.correction(lot.lot, after)])
    made = small.north.correct(lot.lot, after, Decimal(4), slot, small.bank.now(), "regraded")
    assert "approved by two persons" in small.declined(made)


def test_a_batch_approved_by_two_goes_in_whole_and_leaves_no_room_for_others(
    small: SmallBank,
) -> None:
    made = awards(small, 12)
    signed = small.north.approve_batch(hashes(made))
    assert isinstance(small.bank.intake.approve_batch(signed, hashes(made)[::-1]), Placed)
    other = small.offer(small.north, result("z1-1"))
    assert placed(small.bank.intake.submit(made[:7])) == 7
    assert small.bank.intake.alone(small.north.did) == ALONE, "what two approved is not counted"
    assert placed(small.bank.intake.submit([other, *made[7:]])) == 6
    assert small.bank.intake.alone(small.north.did) == ALONE - 1
    assert small.bank.upkeep.rebuild(), (
        "what was approved is asked once, not again when it is folded"
    )
    assert small.bank.upkeep.audit().passed
    with small.bank._engine.connect() as connection:
        for table in ("batches", "batch_awards"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0


def test_an_approval_is_of_exactly_these_awards(small: SmallBank) -> None:
    made = awards(small, 12)
    signed = small.north.approve_batch(hashes(made))
    with pytest.raises(BadRequest, match="are not those"):
        small.bank.intake.approve_batch(signed, hashes(made)[1:])
    small.bank.intake.approve_batch(signed, hashes(made))
    changed = small.offer(small.north, result("changed-1", credits="3"))
    small.bank.intake.submit(awards(small, ALONE))
    assert "approved by two persons" in small.declined(changed)
    assert placed(small.bank.intake.submit(made)) == 12


def test_one_person_with_two_keys_is_one(small: SmallBank) -> None:
    statement = batch_approval(small.north.did, hashes(awards(small, 12)))
    north = small.north.signer
    for key in (
        second_key(small, person="registrar"),
        second_key(small),  # registered without saying whose
    ):
        outcome = small.bank.intake.append([statement.sign(north, key)])[0]
        assert isinstance(outcome, Declined)
        assert "a person with two keys is one" in outcome.reason
    assert isinstance(small.bank.intake.append([statement.sign(north)])[0], Declined)
    nameless = [second_key(small), second_key(small)]
    assert isinstance(small.bank.intake.append([statement.sign(*nameless)])[0], Declined)
    stranger = statement.sign(north, PrivateKey.generate())
    assert isinstance(small.bank.intake.append([stranger])[0], Declined)
    assert small.north.approver is not None
    assert isinstance(
        small.bank.intake.append([statement.sign(north, small.north.approver)])[0], Placed
    )


def test_a_revocation_takes_two_named_persons_too(small: SmallBank) -> None:
    lot, _ = small.award("revoked-1")
    body = {"appeal": "2090-01-01", "lot": lot.lot, "reason": "misconduct"}
    statement = Statement.make(small.north.did, "revoke", body)
    own = second_key(small, person="registrar")
    assert isinstance(
        small.bank.intake.append([statement.sign(small.north.signer, own)])[0], Declined
    )
    assert small.north.approver is not None
    both = statement.sign(small.north.signer, small.north.approver)
    assert isinstance(small.bank.intake.append([both])[0], Placed)


def test_two_servers_together_let_no_more_through(small: SmallBank) -> None:
    made = awards(small, 40)
    other = open_bank(small.bank.settings.folder, "p", clock=small.bank.now)
    found: list[Any] = []

    def hand_in(bank: Any, own: list[Submission]) -> None:
        for one in own:
            found.extend(bank.intake.submit([one]))

    try:
        threads = [
            threading.Thread(target=hand_in, args=(bank, own))
            for bank, own in ((small.bank, made[:20]), (other, made[20:]))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        other.close()
    assert placed(found) == ALONE


def preview(count: int) -> Preview:
    made = tuple(result(f"p{next(_number)}-1") for _ in range(count))
    return Preview(made, (), count, 0)


def test_an_import_asks_for_the_second_person_and_goes_on_with_them(small: SmallBank) -> None:
    alone, results = replace(small.north, approver=None), preview(12)

    def run(institution: Institution, approvals: Sequence[SignedStatement] = ()) -> Any:
        own = {"north": institution}
        return import_results(results, own, small.port, small.bank.now, approvals=approvals)

    size = small.bank.log.size()
    with pytest.raises(NeedsSecondPerson, match="have a second person sign") as told:
        run(alone)
    assert small.bank.log.size() == size
    proposal = Proposal(told.value.proposed.statement, told.value.proposed.signatures)
    with pytest.raises(NeedsSecondPerson):
        run(alone, [proposal.signed()])
    own = second_key(small, person="registrar")
    with pytest.raises(BadRequest, match="a person with two keys is one"):
        run(alone, [proposal.sign(own).signed()])
    assert small.north.approver is not None
    both = Proposal.parse(proposal.encode()).sign(small.north.approver).signed()
    assert run(alone, [both]).awarded == 12
    assert run(small.north).repeated == 12, "again, with the second person's key at hand"


def test_over_http_it_is_the_same(small: SmallBank) -> None:
    key = new_key(small.bank, small.north.did)
    with client(small.bank, small.north.did) as http, TestClient(make_app(small.bank)) as plain:
        port = RemoteBank(plain, small.bank.now, {small.north.did: key})
        assert port.alone(small.north) == ALONE
        done = import_results(preview(12), {"north": small.north}, port, small.bank.now)
        assert done.awarded == 12
        made = awards(small, ALONE + 1)
        answers = port.submit(made)
        assert [isinstance(one, Placed) for one in answers] == [True] * ALONE + [False]
        signed = small.north.approve_batch(hashes(made))
        for body, said in (
            ({"awards": []}, "has the fields"),
            ({"awards": [], "signed": {}}, "1 to"),
            ({"awards": ["short"], "signed": {}}, "the batch"),
            (
                {"awards": [b64u_encode(bytes(32))], "signed": parse(signed.data)},
                "are not those",
            ),
        ):
            headers = {"content-type": "application/json"}
            sent = encode(body)  # type: ignore[arg-type]
            answer = http.post("/batches", content=sent, headers=headers)
            assert answer.status_code == 400
            assert said in answer.json()["detail"]


def test_at_the_pages_one_account_is_one_person(small: SmallBank) -> None:
    """Whatever they sign in by, and whatever key they use; the second is another account."""
    access = small.bank.sign_in
    app = make_app(small.bank)

    def visitor(login: str, role: Role) -> TestClient:
        person = access.admit(login, login, role, "north")
        http = TestClient(app, follow_redirects=False)
        token = access.begin(person.person)
        session = access.session(token)
        assert session is not None
        http.cookies.set("session", token)
        http.headers["x-form-token"] = session.csrf
        return http

    made = awards(small, 12)
    assert small.north.approver is not None
    statement = batch_approval(small.north.did, hashes(made))
    upload = small.bank.uploads.take("north", "a.csv", b"a,b\n1,2\n")
    names = [b64u_encode(one) for one in hashes(made)]

    def propose(http: TestClient) -> bool:
        value = {"awards": names, "signed": parse(statement.sign(small.north.signer).data)}
        path = f"/registrar/uploads/{upload.upload}/signed/batch"
        answer = http.post(path, content=encode(value))  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["approved"])

    def second(http: TestClient, key: Any) -> tuple[int, str]:
        (waiting,) = small.bank.approvals.waiting(small.north.did)
        value = {"signed": parse(statement.sign(key).data)}
        path = f"/registrar/approvals/{waiting.approval}/sign"
        answer = http.post(path, content=encode(value))
        return answer.status_code, answer.text

    # An administrator may sign first and second, but not both, in this session or in another.
    one, again = visitor("ana", Role.ADMIN), visitor("ana", Role.ADMIN)
    registrar, approver = visitor("reg", Role.REGISTRAR), visitor("app", Role.APPROVER)
    assert propose(one) is False
    for http in (one, again):
        status, text = second(http, small.north.approver)
        assert status == 400
        assert "cannot also be the second" in text
    assert "not for a registrar" in second(registrar, small.north.approver)[1]
    own = second_key(small, person="registrar")
    status, text = second(approver, own)
    assert status == 400
    assert "a person with two keys is one" in text
    assert second(approver, small.north.signer)[0] == 400
    assert placed(small.bank.intake.submit(made)) == ALONE, "not approved yet"
    assert propose(registrar) is False, "proposed again it is still the first person's"
    assert second(approver, small.north.approver)[0] == 200
    assert propose(one) is True
    assert placed(small.bank.intake.submit(made)) == 12
    assert propose(one) is True
    assert not small.bank.batches.left(small.north.did, ALONE)


def test_what_is_withdrawn_is_not_approved(small: SmallBank) -> None:
    made = awards(small, 12)
    statement = small.north.approve_batch(hashes(made)).statement
    assert small.bank.batches.keep(statement, hashes(made))
    assert not small.bank.batches.keep(statement, hashes(made))
    assert placed(small.bank.intake.submit(made)) == ALONE
    small.bank.batches.drop(statement)
    small.bank.batches.approve(statement)
    assert placed(small.bank.intake.submit(made)) == ALONE
