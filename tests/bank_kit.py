"""A small real bank on disk: two institutions, a regulator, and results to award."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from bank.institution import Institution, Submission
from bank.opening import Admission, LocalBank, admit, create_bank, govern, open_bank
from bank.recognition import Recogniser
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from keys import PrivateKey, b64u_encode
from ledger import Lot, Statement, format_time
from ledger.sequencer import Placed

NORTH_UNIT = UnitRef("CS101", 1, "Computing", "计算", "ict", "5", "64", "cq-lof", "standard-credit")
SOUTH_UNIT = UnitRef("SE201", 1, "Software", "软件", "ict", "5", "48", "cq-lof", "standard-credit")
LAW_UNIT = UnitRef("LAW1", 1, "Law", "法", "law", "6", "64", "cq-lof", "standard-credit")
NAMES = {"en": "CQ", "zh": "重庆"}
USCC = {"north": "91350100M000100Y43", "south": "12500000MB00BY011H"}
RULE: dict[str, Any] = {
    "code": "R1",
    "from": "2020-01-01",
    "rounding": {"mode": "down", "step": "0.5"},
    "sources": [{"fields": ["ict"], "ratio": "0.8"}],
    "target": "SE201@1",
    "title": {"en": "Computing", "zh": "计算"},
    "until": "2100-01-01",
    "version": 1,
}


QUALIFICATION: dict[str, Any] = {
    "code": "DIP",
    "framework": "cq-lof",
    "from": "2020-01-01",
    "level": "5",
    "minima": [{"credits": "3", "fields": ["ict"], "level": "5"}],
    "residency": "3",
    "scheme": "standard-credit",
    "title": {"en": "Diploma", "zh": "文凭"},
    "total": "7",
    "until": "2100-01-01",
    "version": 1,
}


@dataclass(frozen=True)
class SmallBank:
    """The bank, its two members and its regulator's key."""

    bank: Bank
    north: Institution
    south: Institution
    governance: PrivateKey

    @property
    def port(self) -> LocalBank:
        return LocalBank(self.bank)

    def submit(self, submission: Submission) -> int:
        """Append; the entry's index."""
        (outcome,) = self.port.submit([submission])
        assert isinstance(outcome, Placed), outcome
        return outcome.index

    def declined(self, submission: Submission) -> str:
        (outcome,) = self.port.submit([submission])
        assert not isinstance(outcome, Placed), outcome
        return outcome.reason

    def state(self, institution: Institution, kind: str, **body: Any) -> Submission:
        return Submission(Statement.make(institution.did, kind, body).sign(institution.signer))

    def award(
        self, key: str, unit: UnitRef = NORTH_UNIT, credits: str = "4", **more: Any
    ) -> tuple[Lot, dict[str, Any]]:
        """Award to the learner that the key begins with, `li-1` to li; lot and credential."""
        institution = self.south if unit is SOUTH_UNIT else self.north
        submission = self.offer(institution, result(key, unit, credits, **more))
        self.submit(submission)
        assert submission.credential is not None
        return self.bank.lots.get(institution.lot(key)), submission.credential

    def offer(self, institution: Institution, made: Result) -> Submission:
        (slot,) = self.port.slots(institution, [institution.lot(made.source_key)])
        return institution.award(made, Decimal(4), slot, self.bank.now())

    def convert(self, lot: Lot, learner: str = "li") -> Submission:
        """A conversion by the best rule of south."""
        registry = self.bank.registry()
        decisions = Recogniser(registry).recognise(lot.facts, format_time(self.bank.now()))
        decision = next(d for d in decisions if d.rule.author == self.south.did)
        (slot,) = self.port.slots(self.south, [self.south.conversion(lot.lot)])
        unit = registry.units[self.south.did, decision.rule.target]
        person = Learner(learner, "李明")
        return self.south.convert(lot, decision, unit, person, slot, self.bank.now())

    def every_kind(self) -> dict[str, tuple[dict[str, Any], int]]:
        """A credential of each kind of statement that has one, with its entry."""
        found: dict[str, tuple[dict[str, Any], int]] = {}

        def keep(kind: str, submission: Submission) -> None:
            assert submission.credential is not None
            found[kind] = (submission.credential, self.submit(submission))

        keep("award", self.offer(self.north, result("wu-1")))
        keep("ending", self.offer(self.north, result("wu-2", expires=date(2090, 1, 1))))
        offered = self.offer(self.north, result("wu-3"))
        body = {**offered.signed.statement.body, "rpl": [b64u_encode(bytes([7]) * 32)]}
        assert self.north.approver is not None
        both = Statement.make(self.north.did, "award", body)
        keep("rpl", replace(offered, signed=both.sign(self.north.signer, self.north.approver)))
        keep("convert", self.convert(self.award("wu-4")[0]))
        old, after = self.north.lot("wu-1"), result("wu-1", credits="3.5")
        (slot,) = self.port.slots(self.north, [self.north.correction(old, after)])
        now = self.bank.now()
        keep(
            "supersede",
            self.north.correct(old, after, Decimal(4), slot, now, "regraded"),
        )
        self.submit(self.state(self.south, "qualification.publish", **QUALIFICATION))
        lots = [self.award("wu-5", SOUTH_UNIT, "3")[0].lot, self.award("wu-6", LAW_UNIT)[0].lot]
        (slot,) = self.port.slots(self.south, [self.south.conferment(lots)])
        known = self.bank.registry().catalogue.qualifications[self.south.did, "DIP@1"]
        now = self.bank.now()  # the qualification is in force from its entry on
        person, as_of = Learner("wu", "吴敏"), format_time(now)
        keep("confer", self.south.confer(known, lots, person, {}, as_of, slot, now))
        return found

    def bundle(self, credential: dict[str, Any], index: int) -> dict[str, Any]:
        """As the learner shows it."""
        return {"credential": credential, "receipt": self.bank.log.receipt(index).encode()}

    def govern(self, kind: str, **body: Any) -> None:
        govern(self.bank, [(kind, body)], [self.governance])


def result(
    key: str,
    unit: UnitRef = NORTH_UNIT,
    credits: str = "4",
    grade: str | None = "85",
    expires: date | None = None,
) -> Result:
    learner = Learner(key.partition("-")[0], "李明")
    return Result(2, key, learner, "north", unit, credits, grade, date(2024, 7, 1), expires)


@contextmanager
def small_bank(
    folder: Path, domain: str = "cq.example", passphrase: str = "p"
) -> Iterator[SmallBank]:
    """Made anew in `folder`: north awards CS101 and LAW1, south SE201 and takes 0.8 of any ict."""
    governance = PrivateKey.generate()
    create_bank(folder, domain, NAMES, [governance.public_key.multikey], 1, passphrase)
    bank = open_bank(folder, passphrase)
    try:
        bank.found([governance])
        members = []
        for slug in ("north", "south"):
            key, second = PrivateKey.generate(), PrivateKey.generate()
            capacities = ("awarding", "receiving", "evaluation")
            names = {"en": slug, "zh": slug}
            grant = (("*",), "8", "2020-01-01", "2100-01-01")
            admission = Admission(slug, names, USCC[slug], capacities, *grant)
            admit(bank, admission, key.public_key, [governance], second.public_key)
            members.append(Institution(domain, slug, names, key, bytes(32), second))
        made = SmallBank(bank, *members, governance)
        for unit in (NORTH_UNIT, LAW_UNIT):
            made.submit(made.north.publish_unit(unit, Decimal(4)))
        made.submit(made.south.publish_unit(SOUTH_UNIT, Decimal(3)))
        made.submit(made.state(made.south, "rule.publish", **RULE))
        yield made
    finally:
        bank.close()
