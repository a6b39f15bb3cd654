"""Credentials as the bank issues them, of several kinds, for implementations nobody here wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from bank.institution import Institution
from bank.results import Learner, Result, UnitRef
from keys import Json, PrivateKey, did_document, verification_method
from ledger import Slot

CREATED = datetime(2024, 7, 1, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Issued:
    """A credential with its two proofs, and what a verifier would find at the issuer's DID."""

    credential: dict[str, Json]
    controller: dict[str, Json]
    method: str
    signer: PrivateKey
    created: str = "2024-07-01T08:30:00Z"

    @property
    def unsecured(self) -> dict[str, Json]:
        return {name: value for name, value in self.credential.items() if name != "proof"}


RESULTS = {
    "Latin text, whole credits": ("Ana Müller", "Data structures", "数据结构", "4", None, None),
    "Chinese text, half credits": ("李小龙", "会计学基础", "会计学基础", "2.5", None, None),
    "an expiry": ("王 Wang", "First aid", "急救", "1", None, date(2099, 12, 31)),
    "a grade": ("𠮷田 Yoshida", "Welding", "焊接", "0.75", "优秀 A+", None),
    "everything": (
        'O\'Brien "the \\ welder"\ttab\nline 🎓',
        "Care of the elderly",
        "养老护理",
        "12.3456",
        "94.5",
        date(2099, 1, 1),
    ),
}


@pytest.fixture(scope="session", params=RESULTS)
def issued(request: pytest.FixtureRequest) -> Issued:
    """Every kind of credential there is, one after the other."""
    return issue(*RESULTS[request.param])


@pytest.fixture(scope="session")
def one() -> Issued:
    """One credential with every field, where a test is about something else."""
    return issue(*RESULTS["everything"])


def issue(
    learner: str,
    title_en: str,
    title_zh: str,
    credits: str,
    grade: str | None,
    expires: date | None,
) -> Issued:
    signer = PrivateKey.from_seed(bytes(range(32)))
    institution = Institution(
        "chongqing.creditbank.example",
        "bayu-open",
        {"en": "Bayu Open University", "zh": "巴渝开放大学"},
        signer,
        b"secret of the records' pseudonyms",
    )
    unit = UnitRef("CS-101", 2, title_en, title_zh, "0611", "4", "120", "cq-lof", "standard-credit")
    result = Result(
        2,
        f"2024-{learner}",
        Learner("S-1", learner),
        institution.slug,
        unit,
        credits,
        grade,
        date(2024, 6, 30),
        expires,
    )
    submission = institution.award(result, Decimal("16.5"), Slot(3, 77), CREATED)
    assert submission.credential is not None
    return Issued(
        json.loads(json.dumps(submission.credential)),
        did_document(institution.did, [signer.public_key]),
        verification_method(institution.did, signer.public_key),
        signer,
    )
