"""A damaged or restored store: it refuses to sign, says why, and is repaired from a public copy."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bank.errors import BadSetup
from bank.institution import Institution
from bank.opening import LocalBank, admit, create_bank, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from keys import PrivateKey
from ledger import StoreFault
from ledger.publishing import FolderTarget, publish
from ledger.sequencer import Placed
from ledger.static import StaticLog, folder_fetch

DAY = date(2026, 7, 1)
UNIT = UnitRef("A1", 1, "Unit", "单元", "ict", "5", "48", "cq-lof", "standard-credit")


@dataclass
class Town:
    """A bank, its institution, a published copy, and backups of its database."""

    folder: Path
    bank: Bank
    institution: Institution

    def award(self, numbers: range) -> None:
        port = LocalBank(self.bank)
        lots = [self.institution.lot(f"k{n}") for n in numbers]
        slots = port.slots(self.institution, lots)
        awards = [
            self.institution.award(
                Result(
                    2,
                    f"k{n}",
                    Learner(f"S{n}", "学生"),
                    "b",
                    UNIT,
                    "2",
                    None,
                    date(2026, 7, 1),
                    None,
                ),
                Decimal(2),
                slot,
                datetime.now(UTC),
            )
            for n, slot in zip(numbers, slots, strict=True)
        ]
        assert all(isinstance(outcome, Placed) for outcome in port.submit(awards))

    def publish(self) -> None:
        log = self.bank.log
        publish(
            FolderTarget(self.folder / "public"),
            log.checkpoint(),
            log.tile,
            lambda start, end: list(log.entries(start, end)),
            log.root,
        )

    def copy(self) -> StaticLog:
        return StaticLog(folder_fetch(self.folder / "public"))

    def reopen(self) -> Bank:
        self.bank.close()
        self.bank = open_bank(self.folder, "p")
        return self.bank

    def sql(self, *statements: str) -> None:
        self.bank.close()
        with sqlite3.connect(self.folder / "bank.db") as database:
            for statement in statements:
                database.execute(statement)
        self.bank = open_bank(self.folder, "p")


@pytest.fixture
def town(tmp_path: Path, repo: Path) -> Iterator[Town]:
    governance, key = PrivateKey.generate(), PrivateKey.generate()
    public = governance.public_key.multikey
    create_bank(tmp_path, "cq.example", {"en": "CQ", "zh": "重庆"}, [public], 1, "p")
    bank = open_bank(tmp_path, "p")
    bank.found([governance])
    admission = read_admissions(repo / "docs" / "samples" / "institutions.toml")[0]
    admit(bank, admission, key.public_key, [governance])
    institution = Institution("cq.example", "bayu-open", admission.names, key, b"r" * 32)
    town = Town(tmp_path, bank, institution)
    bank.intake.submit([institution.publish_unit(UNIT, Decimal(2))])
    town.award(range(300))
    yield town
    town.bank.close()


def test_a_whole_log_is_left_as_it_is(town: Town) -> None:
    recovery = town.bank.upkeep.recover(None)
    assert (recovery.found, recovery.repaired, recovery.left) == ((), (), ())


def test_a_damaged_entry_stops_the_signing_and_is_put_back(town: Town) -> None:
    town.publish()
    size = town.bank.log.size()
    town.sql(
        "DROP TRIGGER entries_no_update",
        f"UPDATE entries SET data = CAST('x' AS BLOB) WHERE idx = {size - 1}",
    )
    alone = town.bank.upkeep.recover(None)
    assert alone.found == (f"stored entry {size - 1} is damaged",)
    assert "name a published copy with --from" in alone.left[0]
    assert not town.bank.upkeep.audit().passed
    recovery = town.bank.upkeep.recover(town.copy())
    assert recovery.left == ()
    assert "put back 1 entries from the published copy" in recovery.repaired
    assert town.bank.upkeep.audit().passed
    town.award(range(300, 310))
    assert town.bank.upkeep.audit().passed
    # The rows are protected again.
    with pytest.raises(sqlite3.IntegrityError):
        town.sql("DELETE FROM entries WHERE idx = 3")


def test_a_damaged_entry_is_never_signed_over(town: Town) -> None:
    from ledger.checkpointer import Checkpointer

    size = town.bank.log.size()
    town.sql(
        "DROP TRIGGER entries_no_update",
        "DROP TRIGGER checkpoints_no_delete",
        "DELETE FROM checkpoints",
        f"UPDATE entries SET data = CAST('x' AS BLOB) WHERE idx = {size - 1}",
    )
    engine = town.bank._engine
    with pytest.raises(StoreFault, match="does not continue the chain"):
        Checkpointer(engine, town.bank.settings.origin, PrivateKey.generate()).sign()


def test_a_restored_backup_takes_its_missing_entries_from_the_public_copy(town: Town) -> None:
    town.bank.close()
    shutil.copy(town.folder / "bank.db", town.folder / "backup.db")
    town.bank = open_bank(town.folder, "p")
    town.award(range(300, 700))
    size, note = town.bank.log.size(), town.bank.log.checkpoint()
    town.publish()
    town.bank.close()
    shutil.copy(town.folder / "backup.db", town.folder / "bank.db")
    town.bank = open_bank(town.folder, "p")
    assert town.bank.log.size() < size
    with pytest.raises(StoreFault, match="restored backup"):
        town.publish()
    recovery = town.bank.upkeep.recover(town.copy())
    assert recovery.left == ()
    assert "restored from an old backup" in recovery.found[0]
    assert "put back 400 entries from the published copy" in recovery.repaired
    assert town.bank.log.size() == size
    assert town.bank.log.checkpoint() == note
    assert town.bank.upkeep.audit().passed
    assert town.bank.upkeep.rebuild()
    # The credentials went with the backup; the institution sends them again.
    assert len(town.bank.accounts.names()) == 300
    town.award(range(300, 700))
    assert len(town.bank.accounts.names()) == 700
    assert town.bank.log.size() == size
    town.award(range(700, 720))
    town.publish()
    assert town.bank.upkeep.audit().passed


def test_a_lost_database_is_no_new_log(town: Town) -> None:
    town.publish()
    size = town.bank.log.size()
    town.bank.close()
    for file in town.folder.glob("bank.db*"):
        file.unlink()
    town.bank = open_bank(town.folder, "p")
    with pytest.raises(BadSetup, match="was opened before, and its database is empty now"):
        town.bank.found([PrivateKey.generate()])
    assert town.bank.log.size() == 0
    assert town.bank.upkeep.recover(town.copy()).left == ()
    assert town.bank.log.size() == size
    assert town.bank.upkeep.audit().passed


def test_damaged_tiles_are_computed_anew(town: Town) -> None:
    town.sql("DROP TRIGGER tiles_no_update", "UPDATE tiles SET hashes = zeroblob(8192)")
    recovery = town.bank.upkeep.recover(None)
    assert recovery.found == ("stored tiles do not fit the entries",)
    assert recovery.repaired == ("computed 1 tiles anew from the entries",)
    assert town.reopen().upkeep.audit().passed
    assert town.bank.log.receipt(5).index == 5


def test_two_histories_are_evidence_and_nothing_is_touched(town: Town) -> None:
    town.bank.close()
    shutil.copy(town.folder / "bank.db", town.folder / "backup.db")
    town.bank = open_bank(town.folder, "p")
    town.award(range(300, 310))
    town.publish()
    town.bank.close()
    shutil.copy(town.folder / "backup.db", town.folder / "bank.db")
    town.bank = open_bank(town.folder, "p")
    town.award(range(400, 410))
    recovery = town.bank.upkeep.recover(town.copy())
    assert recovery.repaired == ()
    assert any("two histories exist" in sentence for sentence in recovery.left)
