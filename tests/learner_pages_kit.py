"""A learner with something of everything: two institutions, and awards in every state."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bank.applications import apply_for, redeem, reserve
from bank.institution import Submission
from bank.results import Learner, UnitRef
from keys import b64u_encode
from tests.bank_kit import QUALIFICATION, SOUTH_UNIT, SmallBank

NAME = "李明"
PYTHON = UnitRef(
    *("PY1", 1, "Programming in Python", "Python程序设计", "ict", "5", "64"),
    *("cq-lof", "standard-credit"),
)
CARE = UnitRef(
    *("CARE2", 1, "Care of the elderly", "老年照护", "health", "4", "48"),
    *("cq-lof", "standard-credit"),
)
DATA = UnitRef(
    *("DA3", 1, "Data analysis", "数据分析", "ict", "6", "48"),
    *("cq-lof", "standard-credit"),
)
NEAR: dict[str, Any] = {
    **QUALIFICATION,
    "code": "CERT",
    "title": {"en": "Certificate in applied computing", "zh": "应用计算结业证书"},
    "total": "12",
    "minima": [{"credits": "8", "fields": ["ict"], "level": "5"}],
    "residency": "3",
}
FAR: dict[str, Any] = {
    **QUALIFICATION,
    "code": "DEG",
    "level": "6",
    "title": {"en": "Diploma in law", "zh": "法学专科"},
    "total": "90",
    "minima": [{"credits": "60", "fields": ["law"], "level": "6"}],
    "residency": "30",
}


@dataclass(frozen=True)
class Furnished:
    """The record, and credential identifiers by what became of them."""

    record: str
    accounts: tuple[str, ...]
    awards: dict[str, str]
    """State to the name in the award's address."""


def furnish(small: SmallBank) -> Furnished:
    """Awards of every state for one learner with an account at either institution."""
    bank, south, north = small.bank, small.south, small.north
    day, dice = bank.now().date(), random.Random(1)
    for unit, credits in ((PYTHON, 4), (CARE, 3), (DATA, 3)):
        small.submit(north.publish_unit(unit, Decimal(credits)))
    small.submit(small.state(south, "qualification.publish", **QUALIFICATION))
    first, _ = small.award("li-1", PYTHON)
    second, _ = small.award("li-2", SOUTH_UNIT, "3")
    apply(small, [first.lot, second.lot], dice)
    usable, document = small.award("li-3", PYTHON, grade="92")
    expiring, _ = small.award("li-4", DATA, "3", expires=day + timedelta(days=60))
    small.award("li-5", CARE, "2.5", expires=day + timedelta(days=700))
    converted, _ = small.award("li-6", PYTHON)
    small.submit(small.convert(converted))
    revoked, _ = small.award("li-7", DATA, "3")
    small.submit(north.lot_event("revoke", revoked.lot, "fraud", day))
    suspended, _ = small.award("li-8", CARE, "3")
    small.submit(north.lot_event("suspend", suspended.lot, "review", day))
    held, _ = small.award("li-9", DATA, "3")
    until = (bank.now() + timedelta(days=20)).strftime("%Y-%m-%dT23:59:59Z")
    claim = b64u_encode(bytes(32))
    small.submit(south.use("reserve", held.lot, application=claim, until=until))
    for body in (NEAR, FAR):
        small.submit(small.state(south, "qualification.publish", **body))
    owner = bank.accounts.of_credential(str(document["id"]))
    accounts = [
        name for name in bank.accounts.names() if name == owner or name.startswith(south.did)
    ]
    record = bank.learners.open(NAME)
    for account in accounts:
        bank.learners.link(record, account)
    named = {
        "usable": usable,
        "expiring": expiring,
        "converted": converted,
        "redeemed": first,
        "revoked": revoked,
        "suspended": suspended,
        "reserved": held,
    }
    by_lot = {award.lot.lot: award.name for award in bank.reckoning.awards(accounts)}
    awards = {state: by_lot[lot.lot] for state, lot in named.items()}
    return Furnished(record, tuple(accounts), awards)


def apply(small: SmallBank, lots: list[str], dice: random.Random) -> list[Submission]:
    """Use these lots for south's diploma."""
    learner, now = Learner("li", NAME), small.bank.now()
    accounts = [small.bank.accounts.of_credential(credential_of(small, lot)) for lot in lots]
    evaluation = small.bank.reckoning.progress(accounts, small.south.did, "DIP@1")
    assert evaluation.met, evaluation
    made = apply_for(small.south, evaluation, learner, now)
    reserve([made], small.south, small.port, dice)
    known = small.bank.registry().catalogue.qualifications[small.south.did, "DIP@1"]
    return redeem([made], [known], small.south, small.port, dice, now)


def credential_of(small: SmallBank, lot: str) -> str:
    """The credential of a lot."""
    found = small.bank.lots.credential(lot)
    assert found is not None
    return found[0]
