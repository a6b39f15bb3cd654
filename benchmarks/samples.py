"""What is measured: an institution, its results, and a log that knows it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from bank.frameworks import supplied
from bank.institution import Institution, Submission
from bank.opening import LocalBank, admit, create_bank, govern, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from keys import Json, PrivateKey
from ledger import SignedStatement, Slot, Statement, VerifierKey
from ledger.note import ED25519

REPO = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DOMAIN = "chongqing.creditbank.example"
ORIGIN = f"{DOMAIN}/bench"
UNIT = UnitRef(
    "ACC101", 1, "Basic Accounting", "基础会计", "business", "5", "48", "cq-lof", "standard-credit"
)
AVAILABLE = Decimal("3.5")
LOG_KEY = PrivateKey.from_seed(b"l" * 32)
GOVERNANCE = PrivateKey.from_seed(b"g" * 32)
INSTITUTION = Institution(
    DOMAIN,
    "bayu-open",
    {"en": "Bayu Open University", "zh": "巴渝开放大学"},
    PrivateKey.from_seed(b"i" * 32),
    b"r" * 32,
)


def result(number: int) -> Result:
    learner = Learner(f"S{number}", f"王{number}")
    return Result(
        number, f"S{number}|ACC101", learner, "bayu-open", UNIT, "3.5", "92", date(2026, 7, 1), None
    )


def award(number: int) -> Submission:
    slot = Slot(1 + number // 131_072, number % 131_072)
    return INSTITUTION.award(result(number), AVAILABLE, slot, NOW)


MOST_ALONE = 1_000_000
"""Awards that one person hands in a day here: the second person is not what is measured."""


def opening() -> list[SignedStatement]:
    """The statements that must stand in a log before the institution may award."""
    bank, member = f"did:web:{DOMAIN}", INSTITUTION.did
    key = INSTITUTION.signer.public_key.multikey
    names = {"en": "Bench", "zh": "测试"}
    governance = {"keys": [GOVERNANCE.public_key.multikey], "threshold": 1}
    log_key = str(VerifierKey(ORIGIN, ED25519, LOG_KEY.public_key.raw))
    facts: list[tuple[str, dict[str, Json]]] = [
        (
            "log.open",
            {
                "domain": DOMAIN,
                "governance": governance,
                "log": [log_key],
                "name": names,
                "origin": ORIGIN,
            },
        ),
        *supplied(),
        ("policy.publish", {"alone": MOST_ALONE}),
        (
            "member.admit",
            {
                "capacities": ["awarding"],
                "member": member,
                "name": names,
                "uscc": "12500000MB00BY011H",
            },
        ),
        ("key.add", {"key": key, "member": member}),
        (
            "grant",
            {
                "fields": ["*"],
                "from": "2020-01-01",
                "level": "8",
                "member": member,
                "until": "2040-01-01",
            },
        ),
    ]
    signed = [Statement.make(bank, kind, body).sign(GOVERNANCE) for kind, body in facts]
    return [*signed, INSTITUTION.publish_unit(UNIT, AVAILABLE).signed]


_AWARDS: list[SignedStatement] = []


def award_statements(number: int) -> Sequence[SignedStatement]:
    """That many signed award statements, made once a run."""
    while len(_AWARDS) < number:
        _AWARDS.append(award(len(_AWARDS)).signed)
    return _AWARDS[:number]


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder on the disk that the repository is on."""
    base = REPO / "build"
    base.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=base, prefix="bench-") as name:
        yield Path(name)


@contextmanager
def small_bank(number: int = 10) -> Iterator[tuple[Bank, list[Submission]]]:
    """A whole bank with that many awards, for what a verifier is shown."""
    with folder() as path:
        governance = GOVERNANCE.public_key.multikey
        create_bank(path, DOMAIN, {"en": "Bench", "zh": "测试"}, [governance], 1, "p")
        bank = open_bank(path, "p")
        try:
            bank.found([GOVERNANCE])
            admission = read_admissions(REPO / "docs" / "samples" / "institutions.toml")[0]
            admit(bank, admission, INSTITUTION.signer.public_key, [GOVERNANCE])
            govern(bank, [("policy.publish", {"alone": MOST_ALONE})], [GOVERNANCE])
            port = LocalBank(bank)
            port.submit([INSTITUTION.publish_unit(UNIT, AVAILABLE)])
            awards = [award(n) for n in range(number)]
            port.submit(awards)
            yield bank, awards
        finally:
            bank.close()


DICE = random.Random(1)
