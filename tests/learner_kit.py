"""A bank with an institution, awards for made-up learners, and a clock that stands still."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bank.institution import Institution, Submission
from bank.learners import CITIZEN, Document, Learners, Terms, read_document, read_terms
from bank.opening import LocalBank, admit, create_bank, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from keys import PrivateKey
from ledger.sequencer import Outcome

SAMPLES = Path(__file__).resolve().parent.parent / "docs" / "samples"
START = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
UNIT = UnitRef(
    "ACC101", 1, "Accounting", "会计学", "business", "5", "40", "cq-lof", "standard-credit"
)
NUMBER = "11010519491231002X"
CITIZEN_ID = read_document(CITIZEN, NUMBER, START.date())
PASSPORT = Document("passport/DEU", "C01X00T47")
NAME = "欧阳小明"


def terms(**changes: object) -> Terms:
    """What a learner may agree to."""
    value: Any = {"purpose": "job", "recipient": "渝州公司", "credentials": "all"}
    return read_terms({**value, "until": "2027-06-30", **changes}, START.date())


@dataclass
class Kit:
    """An open bank, its institution, and what was awarded."""

    bank: Bank
    institution: Institution
    folder: Path
    now: datetime = START
    awards: dict[str, list[Submission]] = field(default_factory=dict)

    @property
    def learners(self) -> Learners:
        return self.bank.learners

    def award(self, who: str, count: int = 1) -> str:
        """Awards to `who`, and the account they go to."""
        given = self.awards.setdefault(who, [])
        for _ in range(count):
            given.append(self.make(who, f"{who}-{len(given)}"))
            self.submit(given[-1])
        return self.account(who)

    def make(self, who: str, record: str) -> Submission:
        """An award of a source record, not submitted yet."""
        port = LocalBank(self.bank)
        (slot,) = port.slots(self.institution, [self.institution.lot(record)])
        result = Result(
            *(2, record, Learner(who, NAME), "bayu-open"),
            *(UNIT, "3.5", None, date(2024, 7, 1), None),
        )
        return self.institution.award(result, Decimal(4), slot, self.now)

    def submit(self, submission: Submission) -> Outcome:
        (outcome,) = self.bank.intake.submit([submission])
        return outcome

    def account(self, who: str) -> str:
        return f"{self.institution.did}|{self.awards[who][0].learner}"

    def credentials(self, who: str) -> list[str]:
        return [str(given.credential["id"]) for given in self.awards[who] if given.credential]

    def on_disk(self) -> bytes:
        """Every byte of the database's files."""
        files = sorted(self.folder.glob("bank.db*"))
        return b"".join(path.read_bytes() for path in files)

    def cell(self, query: str, *values: object) -> bytes:
        """The one value that a query finds in the file, as bytes."""
        with sqlite3.connect(self.folder / "bank.db") as database:
            (value,) = database.execute(query, values).fetchone()
        database.close()
        return value.encode() if isinstance(value, str) else bytes(value)


@contextmanager
def learner_bank(folder: Path) -> Iterator[Kit]:
    """A new bank in `folder`, on the database that the environment names."""
    governance, key = PrivateKey.generate(), PrivateKey.generate()
    public = governance.public_key.multikey
    create_bank(folder, "cq.example", {"en": "CQ", "zh": "重庆"}, [public], 1, "p")
    bank = open_bank(folder, "p")
    admission = read_admissions(SAMPLES / "institutions.toml")[0]
    institution = Institution("cq.example", "bayu-open", admission.names, key, b"r" * 32)
    kit = Kit(bank, institution, folder)
    bank.found([governance])
    admit(bank, admission, key.public_key, [governance])
    LocalBank(bank).submit([institution.publish_unit(UNIT, Decimal(4))])
    bank._clock = lambda: kit.now
    try:
        yield kit
    finally:
        bank.close()
