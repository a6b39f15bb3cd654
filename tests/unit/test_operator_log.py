"""The operator's log: what is done stands in it or was not done, and any change of it is found."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from bank.api.app import make_app
from bank.errors import NotAllowed
from bank.learners import Document
from bank.opening import open_bank
from bank.operations.backup import make_backup
from bank.operations.restore import restore_backup
from bank.operator_log import Act, OperatorLog
from bank.service import Bank
from bank.settings import read_settings
from bank.sign_in import Role
from keys import PrivateKey
from ledger.errors import BadEntry
from ledger.journal import Journal, Record
from ledger.note import open_note
from ledger.store import open_store, writing
from tests.bank_kit import SmallBank, small_bank


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("operator")) as made:
        yield made


def last(bank: Bank) -> tuple[str, dict[str, str | int]]:
    (record,) = bank.operator_log.newest(1)
    return record.act, dict(record.facts)


def test_what_is_done_is_recorded_with_its_checkpoint(small: SmallBank) -> None:
    bank, access = small.bank, small.bank.sign_in
    operator = access.admit("op", "Olive Operator", Role.OPERATOR, "")
    assert last(bank) == ("access.begin", {"person": operator.person, "role": "operator"})
    token = access.begin(operator.person)
    assert last(bank)[0] == "session.begin"
    access.sign_out(token)
    assert last(bank) == ("session.end", {"person": operator.person, "role": "operator"})
    access.invite(Role.ADMIN, "north", by=operator.person)
    made = {"by": operator.person, "institution": "north", "role": "admin"}
    assert last(bank) == ("invitation.make", made)
    other = access.admit("reg", "Rita Registrar", Role.REGISTRAR, "north")
    access.end(other.person, None, operator.person)
    ended = {"by": operator.person, "person": other.person, "role": "registrar"}
    assert last(bank) == ("access.end", ended)
    for _ in range(5):
        with pytest.raises(NotAllowed):
            access.sign_in_with_password("op", "wrong", "000000")
    assert last(bank) == ("sign-in.lock", {"person": operator.person, "role": "operator"})
    bank.trust.export([small.governance])
    assert last(bank) == ("trust.export", {"version": 1})
    upload = bank.uploads.take("north", "names.csv", b"a,b\n1,2\n")
    bank.uploads.discard("north", upload.upload, other.person)
    gone = {"by": other.person, "institution": "north", "upload": upload.upload}
    assert last(bank) == ("upload.discard", gone)
    bank.upkeep.rebuild()
    assert last(bank) == ("ledger.rebuild", {"same": 1})
    bank.upkeep.recover(None)
    assert last(bank) == ("ledger.recover", {"left": 0, "repaired": 0})
    report = bank.operator_log.audit()
    assert report.problems == ()
    opened = open_note(bank.operator_log.checkpoint(), bank.operator_log.keys)
    assert len(opened.signatures) == 2
    assert opened.text.startswith(f"{bank.settings.origin}/operator\n{report.size}\n")


def test_api_keys_are_recorded(small: SmallBank) -> None:
    key = PrivateKey.generate().public_key.multikey
    small.bank.api_keys.add(small.north.did, key, "records")
    assert last(small.bank) == ("api-key.add", {"key": key})
    small.bank.api_keys.retire(key)
    assert last(small.bank) == ("api-key.retire", {"key": key})
    small.bank.api_keys.retire(key)
    assert [one.act for one in small.bank.operator_log.newest(2)] == [
        "api-key.retire",
        "api-key.add",
    ]


def test_a_backup_and_what_was_restored_from_it_are_recorded_when_a_bank_is_opened(
    tmp_path: Path,
) -> None:
    with small_bank(tmp_path / "bank") as small:
        now = small.bank.now
    made = make_backup(read_settings(tmp_path / "bank"), tmp_path / "kept.tar", now())
    for _ in range(2):
        bank = open_bank(tmp_path / "bank", "p")
        acts = [one.act for one in bank.operator_log.newest(100)]
        bank.close()
        assert (acts.count("backup.make"), acts.count("backup.restore")) == (1, 0)
    restore_backup(made.path, tmp_path / "again")
    bank = open_bank(tmp_path / "again", "p")
    act, facts = last(bank)
    bank.close()
    assert (act, facts["by"], facts["entries"]) == ("backup.restore", "shell", made.entries)


def test_a_learners_erasure_is_recorded_and_nothing_of_the_learner(small: SmallBank) -> None:
    bank = small.bank
    lot, _ = small.award("erased-1")
    held = bank.lots.credential(lot.lot)
    assert held is not None
    learner = bank.learners.open("Ana Anonymous", Document("cn-id", "11010519491231002X"))
    bank.learners.link(learner, held[1])
    person = bank.sign_in.admit("ana.signs-in", "ana", Role.LEARNER, learner)
    before = bank.operator_log.audit().size
    bank.sign_in.begin(person.person)
    bank.sign_in.invite(Role.LEARNER, held[1])
    assert bank.operator_log.audit().size == before, "a learner is no operator"
    bank.learners.erase(learner)
    assert last(bank) == ("learner.erase", {})
    every = b"".join(record.data for record in bank.operator_log.newest(1000))
    for secret in (learner, person.person, held[0], held[1], lot.lot, "Ana", "Olive", "reg"):
        assert secret.encode() not in every.replace(b'"registrar"', b""), secret


def test_it_tells_settings_and_witnesses_once_each(small: SmallBank) -> None:
    before = small.bank.operator_log.audit().size
    with closing(open_bank(small.bank.settings.folder, "p")) as again:
        assert again.operator_log.audit().size == before, "nothing has changed"
    path = small.bank.settings.folder / "bank.toml"
    path.write_text(path.read_text().replace('name_en = "CQ"', 'name_en = "Other"'))
    with closing(open_bank(small.bank.settings.folder, "p")) as again:
        assert last(again)[0] == "settings.change"


def test_what_is_rolled_back_is_not_recorded(small: SmallBank) -> None:
    log, engine = small.bank.operator_log, small.bank._engine
    before = log.audit()

    class Broken(Exception):
        """Something goes wrong after the record."""

    def act() -> None:
        with writing(engine) as connection:
            log.record(connection, Act.ERASED)
            raise Broken

    with pytest.raises(Broken):
        act()
    assert log.audit() == before
    log.note(Act.ERASED)
    assert (log.audit().size, log.audit().problems) == (before.size + 1, ())


def write_ten(log: OperatorLog) -> None:
    for _ in range(10):
        log.note(Act.ERASED)


def test_two_servers_and_many_threads_write_one_log(small: SmallBank) -> None:
    before = small.bank.operator_log.audit().size
    with closing(open_bank(small.bank.settings.folder, "p")) as other:
        logs = (small.bank.operator_log, other.operator_log) * 2
        threads = [threading.Thread(target=write_ten, args=(log,)) for log in logs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report = small.bank.operator_log.audit()
    assert report.problems == ()
    assert report.size == before + 40


def test_nobodys_name_fits_into_a_record() -> None:
    time = "2026-11-23T18:18:22Z"
    good = Record.make(0, bytes(32), time, "access.end", {"person": "x-_1", "count": 2})
    assert Record.parse(good.data) == good
    for facts in ({"person": "Ana Li"}, {"person": "李明"}, {"person": 1.5}, {"person": None}):
        with pytest.raises(BadEntry, match="neither a word nor a number"):
            Record.make(0, bytes(32), time, "access.end", facts)  # type: ignore[arg-type]
    for data in (
        b"{}",
        b"[]",
        good.data + b" ",
        good.data.replace(b'"count":2', b'"count":2.0'),
        good.data.replace(b"access.end", b"SignIn End"),
        good.data.replace(b'"prev":"00', b'"prev":"zz'),
        good.data.replace(time.encode(), b"yesterday"),
    ):
        with pytest.raises(BadEntry):
            Record.parse(data)


def swap(connection: Connection) -> None:
    connection.execute(text("UPDATE journal SET idx = -1 WHERE idx = 2"))
    connection.execute(text("UPDATE journal SET idx = 2 WHERE idx = 3"))
    connection.execute(text("UPDATE journal SET idx = 3 WHERE idx = -1"))


def cut(connection: Connection) -> None:
    """The last records, their checkpoints and the head, as if they had never been."""
    connection.execute(text("DELETE FROM journal WHERE idx >= 3"))
    connection.execute(text("DELETE FROM journal_checkpoints WHERE size > 3"))


def statement(sql: str, **values: Any) -> Callable[[Connection], None]:
    return lambda connection: connection.execute(text(sql), values) and None


CHANGES: dict[str, Callable[[Connection], None]] = {
    "another person": statement(
        "UPDATE journal SET data = CAST(replace(CAST(data AS TEXT), 'person\":\"p2', "
        "'person\":\"p9') AS BLOB) WHERE idx = 2"
    ),
    "another act": statement("UPDATE journal SET act = 'session.end' WHERE idx = 1"),
    "no longer there": statement("DELETE FROM journal WHERE idx = 2"),
    "in another order": swap,
    "the end cut off": cut,
    "a checkpoint less": statement("DELETE FROM journal_checkpoints WHERE size = 2"),
    "a checkpoint of another size": statement(
        "UPDATE journal_checkpoints SET note = "
        "(SELECT note FROM journal_checkpoints WHERE size = 1) WHERE size = 2"
    ),
    "a record put in behind": statement(
        "INSERT INTO journal SELECT 5, act, data FROM journal WHERE idx = 4"
    ),
    "another head": statement("UPDATE journal_head SET size = 4"),
}


def five(folder: Path, key: PrivateKey) -> OperatorLog:
    from bank.schema import migrate

    engine = open_store(f"sqlite:///{folder / 'log.db'}")
    migrate(engine)
    log = OperatorLog(engine, Journal("o.example/operator", key, ()), lambda: datetime.now(UTC))
    for number in range(5):
        log.note(Act.SIGNED_IN, person=f"p{number}")
    return log


@pytest.mark.parametrize("name", CHANGES)
def test_any_change_is_found(tmp_path: Path, name: str) -> None:
    log = five(tmp_path, PrivateKey.generate())
    assert log.audit().problems == (), "the control: nothing was changed"
    with writing(log._engine) as connection:
        for table in ("journal", "journal_checkpoints"):
            for action in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER {table}_no_{action}"))
        CHANGES[name](connection)
    assert log.audit().problems


def test_the_engine_refuses_changes(tmp_path: Path) -> None:
    log = five(tmp_path, PrivateKey.generate())
    for sql in ("UPDATE journal SET act = 'x'", "DELETE FROM journal_checkpoints"):
        with pytest.raises(Exception, match="append-only"), writing(log._engine) as connection:
            connection.execute(text(sql))
    assert log.audit().problems == ()


def test_a_history_told_anew_by_the_operator_does_not_continue_what_was_kept(
    tmp_path: Path,
) -> None:
    """Whoever has the keys and the database can write another log, and the checkpoint shows it."""
    key = PrivateKey.generate()
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    true, false = five(tmp_path / "one", key), five(tmp_path / "two", key)
    kept = true.checkpoint()
    true.note(Act.SIGNED_OUT, person="p1")
    assert true.audit([kept]).problems == (), "the control: it goes on"
    assert false.audit().problems == (), "by itself it holds"
    false.note(Act.TRUST_EXPORTED, version=2)
    assert "over others" in false.audit([true.checkpoint()]).problems[0]
    shorter = five(tmp_path, key)
    assert "were signed for once" in shorter.audit([true.checkpoint()]).problems[0]
    stranger = five(_made(tmp_path / "three"), PrivateKey.generate())
    assert "not signed by" in true.audit([stranger.checkpoint()]).problems[0]
    assert true.audit(["nonsense"]).problems


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REGULATOR])
def test_the_operator_and_the_regulator_read_it(small: SmallBank, role: Role) -> None:
    access = small.bank.sign_in
    http = TestClient(make_app(small.bank), follow_redirects=False)
    person = access.admit(f"reads-{role}", f"Reads {role}", role, "")
    token = access.begin(person.person)
    session = access.session(token)
    assert session is not None
    http.cookies.set("session", token)
    http.headers["accept-language"] = "en"
    page = http.get(f"/{role}/log")
    assert page.status_code == 200
    assert "Somebody signed in." in page.text
    assert f"Reads {role}" in page.text
    checked = http.post(f"/{role}/log", data={"form_token": session.csrf})
    assert re.search(r"All [\d,]+ records hold", checked.text)
    note = http.get(f"/{role}/log/checkpoint")
    assert note.text == small.bank.operator_log.checkpoint()
    for number in range(120):
        small.bank.operator_log.note(Act.TRUST_EXPORTED, version=number)
    older = re.search(r'href="(/\w+/log\?before=\d+)"', http.get(f"/{role}/log").text)
    assert older is not None
    assert http.get(older[1]).status_code == 200


def test_others_do_not(small: SmallBank) -> None:
    access = small.bank.sign_in
    app = make_app(small.bank)
    person = access.admit("reads-not", "Not", Role.ADMIN, "north")
    http = TestClient(app, follow_redirects=False)
    http.cookies.set("session", access.begin(person.person))
    for path in ("/operator/log", "/regulator/log", "/operator/log/checkpoint"):
        assert http.get(path).status_code == 403
        assert TestClient(app, follow_redirects=False).get(path).status_code == 303


def test_an_address_held_off_is_told_once_a_minute_without_the_address(small: SmallBank) -> None:
    http = TestClient(make_app(small.bank), follow_redirects=False)
    before = small.bank.operator_log.audit().size
    answers = [http.get("/join").status_code for _ in range(30)]
    assert answers.count(429) > 1
    assert last(small.bank) == ("sign-in.pace", {})
    assert small.bank.operator_log.audit().size == before + 1
