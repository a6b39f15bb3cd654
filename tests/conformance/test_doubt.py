"""A stolen key: what becomes of each award it signed, by Python and by the verifier page alike.

The key of north was stolen. The governance reports it as suspect from an entry on, north goes on
with another key and attests again what it did award itself. What counts is the entry's place in
the ledger and what the trust bundle says of the key, never a date that anybody wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bank.institution import Institution
from keys import PrivateKey, b64u_encode, encode
from ledger import Entry, KeyPeriod, Statement, format_time
from tests.bank_kit import SmallBank, result, small_bank
from tests.page_core_kit import Task, in_node
from verifier import Trust, open_trust

BEFORE, IN, AFTER = "before", "in", "after"
STOLEN, NEXT = "the stolen key", "the next key"
OLD, NEW = "old trust bundle", "new trust bundle"

CLAIMED = {BEFORE: date(2024, 1, 15), IN: date(2024, 3, 15), AFTER: date(2024, 6, 15)}
"""What the issuer writes as the day of the award, of the credential and of its proof: the key was
in doubt from February to May of that year, as far as dates go."""

EXPECTED = {
    # (entry, key): by the old bundle, by the new one, by the new one once attested
    (BEFORE, STOLEN): ("issuer.good", "issuer.good", "issuer.good"),
    (IN, STOLEN): ("issuer.good", "issuer.doubtful-key", "issuer.attested"),
    (AFTER, STOLEN): ("issuer.good", "issuer.dead-key", "issuer.dead-key"),
    (AFTER, NEXT): ("issuer.foreign-key", "issuer.good", "issuer.good"),
}
GOOD = {"issuer.good", "issuer.attested"}


@dataclass(frozen=True)
class Case:
    """One award, and the bundle it is checked with."""

    entry: str
    key: str
    claimed: str
    bundle: str
    attested: bool

    @property
    def expected(self) -> str:
        old, new, settled = EXPECTED[self.entry, self.key]
        if self.bundle == OLD:
            return old  # it knows of neither the theft nor the attestation
        return settled if self.attested else new


CASES = [
    Case(entry, key, claimed, bundle, attested)
    for (entry, key), claimed, bundle, attested in product(
        EXPECTED, CLAIMED, (OLD, NEW), (False, True)
    )
]


@dataclass(frozen=True)
class Theft:
    """The awards by (entry, key, claimed), and the bundle for each case."""

    awards: dict[tuple[str, str, str], bytes]
    bundles: dict[tuple[str, bool], bytes]
    at: datetime
    governance: PrivateKey

    def sign(self, trust: Trust) -> bytes:
        return trust.sign([self.governance])

    def trust(self, case: Case) -> bytes:
        return self.bundles[case.bundle, case.attested]

    def task(self, case: Case) -> Task:
        name = " / ".join((case.entry, case.key, case.claimed, case.bundle, str(case.attested)))
        return Task(name, self.at, self.awards[case.entry, case.key, case.claimed])


def _award(small: SmallBank, by: Institution, claimed: str, number: int) -> tuple[Any, int]:
    day = CLAIMED[claimed]
    made = replace(result(f"li{number}-1"), awarded=day)
    (slot,) = small.port.slots(by, [by.lot(made.source_key)])
    submission = by.award(
        made, Decimal(4), slot, datetime(day.year, day.month, day.day, tzinfo=UTC)
    )
    return submission.credential, small.submit(submission)


def theft(folder: Path) -> Theft:
    """The whole story on a real bank."""
    with small_bank(folder) as small:
        north, stolen, after = small.north, small.north.signer, PrivateKey.generate()
        number = iter(range(100))
        made: dict[tuple[str, str, str], tuple[Any, int]] = {}

        def award(entry: str, key: str, by: Institution) -> None:
            for claimed in CLAIMED:
                made[entry, key, claimed] = _award(small, by, claimed, next(number))

        award(BEFORE, STOLEN, north)
        first = small.bank.log.size()
        award(IN, STOLEN, north)
        last = small.bank.log.size()
        # Where the report will say that the key was suspect already: only a log that did not keep
        # its own rules holds these, so the report is put before them in the bundles below.
        award(AFTER, STOLEN, north)
        old = small.bank.trust.export([small.governance])
        suspect = {"key": stolen.public_key.multikey, "member": north.did, "from_index": first}
        small.govern("key.suspect", **suspect)
        small.govern("key.add", key=after.public_key.multikey, member=north.did, person="registrar")
        going_on = replace(north, signer=after)
        with pytest.raises(AssertionError, match="reported as suspect"):
            _award(small, north, IN, next(number))
        award(AFTER, NEXT, going_on)
        doubted = _reported(small, stolen.public_key.multikey, last)
        hashes = [
            b64u_encode(Entry.parse(small.bank.log.entry(index)).signed.statement.hash)
            for (_, key, _), (_, index) in made.items()
            if key == STOLEN
        ]
        statement = Statement.make(north.did, "award.attest", {"statements": hashes})
        (outcome,) = small.bank.intake.append([statement.sign(stolen)])
        assert "was reported as suspect" in getattr(outcome, "reason", "")
        (outcome,) = small.bank.intake.append([statement.sign(after)])
        assert not hasattr(outcome, "reason"), outcome
        settled = _reported(small, stolen.public_key.multikey, last)
        awards = {
            name: encode(small.bundle(credential, index))
            for name, (credential, index) in made.items()
        }
        bundles = {
            (OLD, False): old,
            (OLD, True): old,
            (NEW, False): doubted,
            (NEW, True): settled,
        }
        return Theft(awards, bundles, small.bank.now().replace(microsecond=0), small.governance)


def _reported(small: SmallBank, key: str, index: int) -> bytes:
    """A new bundle in which the report of `key` stands at entry `index`."""
    trust = open_trust(small.bank.trust.export([small.governance]))
    member = trust.members[small.north.did]
    keys = tuple(_at(period, index) if period.key == key else period for period in member.keys)
    members = {**trust.members, member.did: replace(member, keys=keys)}
    return replace(trust, members=members).sign([small.governance])


def _at(period: KeyPeriod, index: int) -> KeyPeriod:
    assert period.suspect_at is not None
    assert period.suspect_at > index
    return replace(period, suspect_at=index)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Theft:
    return theft(tmp_path_factory.mktemp("theft"))


def test_the_entry_decides_and_never_a_date(story: Theft, tmp_path: Path, repo: Path) -> None:
    """{entry before, in, after} x {claimed date} x {old, new bundle} x {attested or not}."""
    opened = {data: open_trust(data) for data in story.bundles.values()}
    said = {case: told(story.task(case).by_python(opened[story.trust(case)])) for case in CASES}
    page: dict[Case, tuple[str, str]] = {}
    for number, data in enumerate(opened):
        file = tmp_path / f"trust-{number}.json"
        file.write_bytes(data)
        mine = [case for case in CASES if story.trust(case) == data]
        answers = in_node(repo, file, [story.task(case) for case in mine])
        page |= dict(zip(mine, map(told, answers), strict=True))
    expected = {
        case: (case.expected, "verified" if case.expected in GOOD else "not verified")
        for case in CASES
    }
    assert len(expected) == 48
    assert said == expected
    assert page == expected


def told(answer: object) -> tuple[str, str]:
    """The code of the issuer's check, and the verdict."""
    assert isinstance(answer, tuple), answer
    verdict, checks = answer
    (code,) = [one[2] for one in checks if one[0] == "issuer"]
    assert all(one[1] != "failed" for one in checks if one[0] != "issuer"), checks
    return code, verdict


def test_what_is_attested_is_one_statement_of_one_member(story: Theft) -> None:
    trust = open_trust(story.bundles[NEW, True])
    own = next(one for one in trust.members.values() if one.attested)
    other = next(one for one in trust.members.values() if not one.attested)
    codes = []
    for attested in [own.attested, *(frozenset([name]) for name in own.attested), frozenset()]:
        members = {
            **trust.members,
            own.did: replace(own, attested=attested),
            # What another member attests says nothing of this one's awards.
            other.did: replace(other, attested=own.attested),
        }
        changed = replace(trust, members=members)
        tasks = [story.task(Case(IN, STOLEN, claimed, NEW, True)) for claimed in CLAIMED]
        found = [told(task.by_python(changed))[0] for task in tasks]
        assert set(found) <= {"issuer.attested", "issuer.doubtful-key"}
        codes.append(found.count("issuer.attested"))
    # All nine that the stolen key signed were attested, of which three were in doubt.
    assert codes[0] == 3
    assert codes[-1] == 0
    assert sorted(codes[1:-1]) == [0] * 6 + [1] * 3


def test_an_expired_root_is_the_same_caution_in_the_page(
    story: Theft, tmp_path: Path, repo: Path
) -> None:
    trust, case = open_trust(story.bundles[OLD, False]), Case(BEFORE, STOLEN, IN, OLD, False)
    for seconds in (-1, 0, 1):
        end = format_time(story.at + timedelta(seconds=seconds))
        ending = replace(trust, roots=(replace(trust.governance, expires=end),))
        file = tmp_path / f"trust{seconds}.json"
        file.write_bytes(story.sign(ending))
        (page,) = in_node(repo, file, [story.task(case)])
        assert page == story.task(case).by_python(open_trust(file.read_bytes()))
        assert isinstance(page, tuple)
        (code,) = [one[2] for one in page[1] if one[0] == "trust"]
        assert code == ("trust.root-expired" if seconds < 0 else "trust.good")
        assert page[0] == ("verified with a caution" if seconds < 0 else "verified")
