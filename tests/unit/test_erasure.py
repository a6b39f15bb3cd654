"""After an erasure nothing that leads to the person is in the database; the log still audits."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import delete

from bank import claims
from bank.errors import NoSuchThing, NotAllowed
from bank.learners import Erased, NoSuchRecord
from bank.schema import migrate
from bank.sign_in import Role
from bank.tables import accounts
from bank.vault import AccountKey
from ledger.sequencer import Declined, Placed
from ledger.store import open_store, scrub, writing
from tests.learner_kit import CITIZEN_ID, NAME, NUMBER, Kit, learner_bank, terms

SENTENCE = "was erased and is not opened again"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with learner_bank(tmp_path) as made:
        yield made


def furnish(kit: Kit) -> tuple[str, str]:
    """A learner of whom the bank holds something of every kind, and the account."""
    account = kit.award("ana", 3)
    learner = kit.learners.open(NAME, CITIZEN_ID)
    kit.learners.link(learner, account)
    token, owned = kit.bank.vault.token(account), kit.credentials("ana")
    _, secret = kit.bank.shares.make(token, owned[:1], 7)
    kit.bank.shares.open(secret)
    offer = kit.bank.wallets.offer(token, owned[:1])
    kit.bank.wallets.redeem(offer.code, offer.tx_code)
    kit.bank.wallets.bind(account, "did:key:z6MkAna", kit.bank.wallets.nonce())
    kit.learners.consent(learner, terms())
    kit.learners.rename(learner, "欧阳大明")
    second = kit.learners.open("欧阳晓明")
    access = kit.bank.sign_in
    person = access.admit("ana.signs-in", "ana.signs-in", Role.LEARNER, second)
    access.begin(person.person)
    claims.invite(kit.bank, account)
    kit.learners.merge(learner, second)
    kit.learners.export(learner)
    return learner, account


def traces(kit: Kit, learner: str, account: str) -> dict[str, bytes]:
    """What leads to the learner, and is in the database while there is a record."""
    cell = kit.cell
    merged = cell("SELECT learner FROM learners WHERE merged_into = ?", learner).decode()
    found = {
        "keyed hash": cell("SELECT document FROM learners WHERE learner = ?", learner),
        "learner's key": cell("SELECT key FROM learners WHERE learner = ?", learner),
        "identity": cell("SELECT sealed FROM learners WHERE learner = ?", learner),
        "merge": (merged + learner).encode(),
        "link": (account + learner).encode(),
        "account": account.encode(),
        "reference": account.partition("|")[2].encode(),
        "account's key": cell("SELECT key FROM accounts WHERE account = ?", account),
        "account's token": cell("SELECT token FROM accounts WHERE account = ?", account),
        "consent": cell("SELECT sealed FROM consents WHERE learner = ?", learner),
        "event": cell("SELECT sealed FROM learner_events WHERE learner = ? LIMIT 1", learner),
        "share": cell("SELECT share FROM shares WHERE account = ?", account),
        "holder": b"did:key:z6MkAna",
        "login": b"ana.signs-in",
        "person": cell("SELECT person FROM people WHERE login = 'ana.signs-in'"),
        "session": cell("SELECT session FROM sessions"),
        "invitation": cell("SELECT code FROM invitations WHERE scope = ?", account),
    }
    for number, identifier in enumerate(kit.credentials("ana")):
        query = "SELECT sealed FROM credentials WHERE identifier = ?"
        found |= {f"id {number}": identifier.encode(), f"sealed {number}": cell(query, identifier)}
    return found


def never(kit: Kit) -> dict[str, bytes]:
    """What is in the database at no time."""
    digests = {
        f"{name} of {text}": digest
        for text in (NUMBER, f"citizen-id{NUMBER}", f"citizen-id\0{NUMBER}")
        for name, digest in (
            ("digest", sha256(text.encode()).digest()),
            ("hex", sha256(text.encode()).hexdigest().encode()),
        )
    }
    names = {name: name.encode() for name in (NAME, "欧阳大明", "欧阳晓明", NUMBER)}
    return digests | names | {"UTF-16": NAME.encode("utf-16-le")}


def checkpointed(kit: Kit) -> bytes:
    """The database's bytes, with what SQLite keeps beside the file gone into it."""
    assert scrub(kit.bank._engine)
    return kit.on_disk()


def dump(kit: Kit) -> list[str]:
    """Every row of every table but the operator's log, which says that there was an erasure."""
    with sqlite3.connect(kit.folder / "bank.db") as database:
        return [line for line in database.iterdump() if not line.startswith(_LOG)]


_LOG = tuple(f'INSERT INTO "journal{name}"' for name in ("", "_head", "_checkpoints"))


def found_in(data: bytes, needles: dict[str, bytes]) -> list[str]:
    return sorted(name for name, needle in needles.items() if needle in data)


def test_nothing_that_leads_to_the_person_is_left(kit: Kit) -> None:
    learner, account = furnish(kit)
    other = kit.award("ben")
    ben = kit.learners.open("贝恩")
    kit.learners.link(ben, other)
    needles, absent = traces(kit, learner, account), never(kit)
    # Indices and rows spell these two in either order, so only their parts are sure to be found.
    for name in ("merge", "link"):
        needles.pop(name)
    assert found_in(checkpointed(kit), needles) == sorted(needles), "the search would miss it"
    assert found_in(kit.on_disk(), absent) == []

    size = kit.bank.log.size()
    assert kit.learners.erase(learner)

    left = kit.on_disk()
    assert found_in(left, needles) == []
    assert found_in(left, absent) == []
    assert kit.bank.log.size() == size
    assert kit.bank.upkeep.audit().size == size
    assert kit.bank.upkeep.rebuild()
    assert found_in(checkpointed(kit), needles) == []
    # The other learner lost nothing.
    assert kit.learners.accounts(ben) == [other]
    assert [
        name for name, _ in kit.bank.accounts.credentials(kit.bank.vault.token(other))
    ] == kit.credentials("ben")
    with sqlite3.connect(kit.folder / "bank.db") as database:
        database.execute("VACUUM")
    assert found_in(kit.on_disk(), needles | absent) == []


def test_what_remains_is_a_random_name_and_a_day(kit: Kit) -> None:
    learner, account = furnish(kit)
    kit.learners.erase(learner)
    with sqlite3.connect(kit.folder / "bank.db") as database:
        rows = database.execute("SELECT * FROM learners").fetchall()
        assert len(rows) == 2
        assert {row[1:] for row in rows} == {(None, None, None, None, "2026-11-24")}
        for table in ("learner_accounts", "consents", "learner_events", "accounts", "credentials"):
            assert database.execute(f"SELECT * FROM {table}").fetchall() == [], table
        for table in ("shares", "share_openings", "wallet_offers", "wallet_tokens", "holder_keys"):
            assert database.execute(f"SELECT * FROM {table}").fetchall() == [], table
        ((tombstone,),) = database.execute("SELECT * FROM erased_accounts").fetchall()
    # Only with the bank's secret, and only by naming the account.
    assert tombstone == kit.bank.vault.tombstone(account)
    assert tombstone != sha256(account.encode()).digest()


def test_erasing_again_does_nothing(kit: Kit) -> None:
    learner, account = furnish(kit)
    assert kit.learners.erase(learner)
    before = dump(kit)
    assert not kit.learners.erase(learner)
    kit.bank.accounts.erase(account)
    assert dump(kit) == before
    with pytest.raises(NoSuchRecord, match="no learner"):
        kit.learners.erase("A" * 22)
    with pytest.raises(NotAllowed, match="no such account"):
        kit.bank.accounts.erase("did:web:nowhere|x")


def test_nothing_can_be_asked_of_an_erased_learner(kit: Kit) -> None:
    learner, account = furnish(kit)
    (consent,) = kit.learners.consents(learner)
    other, token = kit.learners.open("贝恩"), kit.bank.vault.token(account)
    (identifier, *_) = kit.credentials("ana")
    kit.learners.erase(learner)
    for ask in (
        lambda: kit.learners.export(learner),
        lambda: kit.learners.identity(learner),
        lambda: kit.learners.link(learner, account),
        lambda: kit.learners.rename(learner, NAME),
        lambda: kit.learners.merge(other, learner),
        lambda: kit.learners.merge(learner, other),
        lambda: kit.learners.consent(learner, terms()),
        lambda: kit.learners.withdraw(learner, consent.consent),
        lambda: kit.learners.open(NAME, None, learner),
    ):
        with pytest.raises(Erased, match="was erased"):
            ask()
    with pytest.raises(NoSuchRecord):
        kit.learners.find(CITIZEN_ID)
    with pytest.raises(NoSuchRecord, match="no account"):
        kit.learners.link(other, account)
    with pytest.raises(NotAllowed, match="opens no account"):
        kit.bank.accounts.bundle(token, identifier)
    # Who comes back is somebody new.
    assert kit.learners.open(NAME, CITIZEN_ID) != learner


def test_an_award_to_an_erased_account_is_declined_in_a_sentence(kit: Kit) -> None:
    learner, _ = furnish(kit)
    kit.award("ben")
    late, bens = kit.make("ana", "ana-late"), kit.make("ben", "ben-late")
    kit.learners.erase(learner)
    size = kit.bank.log.size()
    again = kit.awards["ana"][0]
    declined, placed, repeated = kit.bank.intake.submit([late, bens, again])
    assert isinstance(placed, Placed)
    for outcome in (declined, repeated):
        assert isinstance(outcome, Declined)
        assert SENTENCE in outcome.reason
        assert "\n" not in outcome.reason
    assert kit.bank.log.size() == size + 1
    with sqlite3.connect(kit.folder / "bank.db") as database:
        assert len(database.execute("SELECT * FROM accounts").fetchall()) == 1
        assert len(database.execute("SELECT * FROM credentials").fetchall()) == 2


def test_an_award_under_way_does_not_bring_the_account_back(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, _ = furnish(kit)
    late = kit.make("ana", "ana-late")
    sealing = kit.bank.intake._account_keys

    def overtaken(names: list[str]) -> dict[str, AccountKey]:
        keys = sealing(names)
        kit.learners.erase(learner)
        return keys

    monkeypatch.setattr(kit.bank.intake, "_account_keys", overtaken)
    assert isinstance(kit.submit(late), Placed)
    with sqlite3.connect(kit.folder / "bank.db") as database:
        assert database.execute("SELECT * FROM accounts").fetchall() == []
        assert database.execute("SELECT * FROM credentials").fetchall() == []
    assert kit.bank.upkeep.rebuild()


def test_a_wallet_under_way_does_not_bring_the_account_back(kit: Kit) -> None:
    learner, account = furnish(kit)
    nonce = kit.bank.wallets.nonce()
    kit.learners.erase(learner)
    with pytest.raises(Exception, match="was erased"):
        kit.bank.wallets.bind(account, "did:key:z6MkAna", nonce)
    assert b"did:key:z6MkAna" not in kit.on_disk()


def test_one_account_can_be_erased_alone(kit: Kit) -> None:
    learner, account = furnish(kit)
    kit.bank.accounts.erase(account)
    assert kit.learners.accounts(learner) == []
    assert kit.learners.identity(learner).name == "欧阳大明"
    outcome = kit.submit(kit.make("ana", "ana-late"))
    assert isinstance(outcome, Declined)
    assert SENTENCE in outcome.reason


def test_an_account_erased_by_an_earlier_program_stays_erased(kit: Kit) -> None:
    account = kit.award("ana")
    with writing(kit.bank._engine) as connection:
        connection.execute(accounts.update().values(key=None, token=os.urandom(32)))
    outcome = kit.submit(kit.make("ana", "ana-late"))
    assert isinstance(outcome, Declined)
    assert SENTENCE in outcome.reason
    with pytest.raises(NoSuchRecord, match="no account"):
        kit.learners.link(kit.learners.open(NAME), account)
    kit.bank.accounts.erase(account)
    assert account.encode() not in kit.on_disk()
    assert isinstance(kit.submit(kit.make("ana", "ana-late")), Declined)


def test_a_failed_erasure_leaves_everything(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, account = furnish(kit)

    def fail(*_: object) -> None:
        raise NoSuchThing("the power went")

    monkeypatch.setattr("bank.learners.store.end_record", fail)
    before = kit.learners.events(learner)
    with pytest.raises(NoSuchThing):
        kit.learners.erase(learner)
    monkeypatch.undo()
    assert kit.learners.events(learner) == before
    assert kit.learners.accounts(learner) == [account]
    assert len(kit.bank.accounts.credentials(kit.bank.vault.token(account))) == 3


@pytest.mark.parametrize("overwrite", [True, False])
def test_rows_moved_by_a_page_split_leave_no_copy(tmp_path: Path, overwrite: bool) -> None:
    """The control, without overwriting, finds such copies: VACUUM or this is needed."""
    engine = open_store(f"sqlite:///{tmp_path / 'bank.db'}")
    migrate(engine)
    dice = random.Random(7)
    rows = [
        {
            "account": f"did:web:x|{dice.getrandbits(128):032x}",
            "key": dice.randbytes(72),
            "token": dice.randbytes(32),
        }
        for _ in range(3000)
    ]
    for start in range(0, len(rows), 50):
        with writing(engine) as connection:
            connection.exec_driver_sql(f"PRAGMA secure_delete = {int(overwrite)}")
            connection.execute(accounts.insert(), rows[start : start + 50])
    gone = rows[::20]
    with writing(engine) as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = 1")
        names = [row["account"] for row in gone]
        connection.execute(delete(accounts).where(accounts.c.account.in_(names)))
    assert scrub(engine)
    engine.dispose()
    data = (tmp_path / "bank.db").read_bytes()
    left = sum(str(row["account"]).encode() in data for row in gone)
    assert (left == 0) == overwrite, left


def test_an_unforeseen_fault_is_told_and_not_waited_for(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.award("ana")

    def fail(*_: object) -> None:
        raise ValueError("unforeseen")

    monkeypatch.setattr(kit.bank.intake, "_keep_late", fail)
    with pytest.raises(ValueError, match="unforeseen"):
        kit.bank.intake.enqueue([kit.make("ana", "ana-more")]).result(timeout=20)
