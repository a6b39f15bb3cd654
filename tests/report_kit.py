"""A bank with a past: months of awards, conversions, decisions against learners, an appeal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bank.institution import Institution
from bank.opening import Admission, admit, create_bank, open_bank
from bank.recognition import Recogniser
from bank.results import Learner, UnitRef
from bank.service import Bank
from bank.uscc import check_uscc
from keys import PrivateKey, b64u_encode
from ledger import Lot, Statement, format_time
from tests.bank_kit import NAMES, SmallBank, result

_MEMBERS = (
    ("north", "Bayu Open University", "巴渝开放大学", "12500000MB00BY011H", 30),
    ("south", "Jialing Institute of Technology", "嘉陵理工学院", "12500000MB00JT02XJ", 24),
    ("west", "Shancheng Skills Centre", "山城职业技能中心", "52500108MJ00CC032F", 13),
    ("east", "Liangjiang College", "两江学院", "91350100M000100Y43", 5),
)
"""The last number: awards in a usual month."""
_UNITS = (
    ("CS101", "Computing", "计算基础", "ict", "5", 0.45),
    ("BUS210", "Bookkeeping", "会计实务", "business", "4", 0.3),
    ("ENG330", "Mechanics", "工程力学", "engineering", "6", 0.25),
)
_MONTHS = 14
SMALL_FLOW = 7
"""Lots of east's that west recognised: too few to be shown, and all that its rule was used for."""


@dataclass
class Calendar:
    """A clock that stands where it is put; once let go, it is the real one."""

    moment: datetime | None

    def __call__(self) -> datetime:
        return self.moment or datetime.now(UTC)


@dataclass(frozen=True)
class PastBank:
    """The bank, its members by short name, and all keys of its governance."""

    small: SmallBank
    members: dict[str, Institution]
    governance: tuple[PrivateKey, ...]

    @property
    def bank(self) -> Bank:
        return self.small.bank


def months_ago(count: int) -> datetime:
    """Noon of the third day of a month."""
    today = datetime.now(UTC)
    number = today.year * 12 + today.month - 1 - count
    return datetime(number // 12, number % 12 + 1, 3, 12, tzinfo=UTC)


@contextmanager
def past_bank(folder: Path, months: int = _MONTHS) -> Iterator[PastBank]:
    """A bank whose first months are long over; two of three governance keys sign together."""
    calendar = Calendar(months_ago(months + 1))
    governance = tuple(PrivateKey.generate() for _ in range(3))
    keys = [key.public_key.multikey for key in governance]
    create_bank(folder, "cq.example", NAMES, keys, 2, "p")
    bank = open_bank(folder, "p", clock=calendar)
    try:
        bank.found(governance[:2])
        members = {}
        for slug, en, zh, uscc, _ in _MEMBERS:
            key, second = PrivateKey.generate(), PrivateKey.generate()
            names = {"en": en, "zh": zh}
            grant = (("*",), "8", "2020-01-01", "2100-01-01")
            capacities = ("awarding", "receiving", "evaluation")
            admission = Admission(slug, names, check_uscc(uscc), capacities, *grant)
            admit(bank, admission, key.public_key, governance[:2], second.public_key)
            members[slug] = Institution("cq.example", slug, names, key, bytes(32), second)
        past = PastBank(
            SmallBank(bank, members["north"], members["south"], governance[0]), members, governance
        )
        _publish(past)
        lots = _award(past, calendar, months)
        calendar.moment = None
        _convert(past, lots)
        _decide(past, lots)
        yield past
    finally:
        bank.close()


def _unit(slug: str, row: tuple[str, str, str, str, str, float]) -> UnitRef:
    code, en, zh, field, level, _ = row
    return UnitRef(
        f"{code}-{slug[0].upper()}", 1, en, zh, field, level, "64", "cq-lof", "standard-credit"
    )


def _publish(past: PastBank) -> None:
    small = past.small
    for slug, member in past.members.items():
        for row in _UNITS:
            small.submit(member.publish_unit(_unit(slug, row), Decimal(4)))
    for slug, code, field, title in (
        ("south", "R-ICT", "ict", {"en": "Computing from anywhere", "zh": "信息技术类互认"}),
        ("north", "R-BUS", "business", {"en": "Bookkeeping from anywhere", "zh": "会计类互认"}),
        ("west", "R-ENG", "engineering", {"en": "Mechanics of any member", "zh": "工程类互认"}),
        ("east", "R-LAW", "law", {"en": "Law, which nobody awards", "zh": "法律类互认"}),
    ):
        unit = {"ict": 0, "business": 1, "engineering": 2, "law": 0}[field]
        body: dict[str, Any] = {
            "code": code,
            "from": "2020-01-01",
            "rounding": {"mode": "down", "step": "0.5"},
            "sources": [{"fields": [field], "ratio": "0.8"}],
            "target": f"{_UNITS[unit][0]}-{slug[0].upper()}@1",
            "title": title,
            "until": "2100-01-01",
            "version": 1,
        }
        small.submit(small.state(past.members[slug], "rule.publish", **body))


def _award(past: PastBank, calendar: Calendar, months: int) -> dict[str, list[Lot]]:
    dice = random.Random(7)
    made: dict[str, list[str]] = {slug: [] for slug in past.members}
    for month in range(months + 1):
        calendar.moment = months_ago(months - month) if month < months else None
        for slug, _, _, _, usual in _MEMBERS:
            count = max(2, round(usual * (0.75 + 0.5 * dice.random()) * (1 + month / 30)))
            if (slug, month) == ("west", months - 2):
                count *= 9  # something an alert is for
            made[slug] += _award_month(past, slug, month, count, dice)
    return {slug: [past.bank.lots.get(name) for name in names] for slug, names in made.items()}


def _award_month(
    past: PastBank, slug: str, month: int, count: int, dice: random.Random
) -> list[str]:
    member, port, now = past.members[slug], past.small.port, past.bank.now()
    weights = [row[-1] for row in _UNITS]
    results = []
    for place in range(count):
        (row,) = dice.choices(_UNITS, weights)
        made = result(f"{slug}{month}x{place}-1", _unit(slug, row))
        results.append(replace(made, awarded=(now - timedelta(days=2)).date()))
    names = [member.lot(one.source_key) for one in results]
    slots = port.slots(member, names)
    port.submit(
        [member.award(one, Decimal(4), slot, now) for one, slot in zip(results, slots, strict=True)]
    )
    return names


def _convert(past: PastBank, lots: dict[str, list[Lot]]) -> None:
    registry, bank = past.bank.registry(), past.bank
    recogniser, time = Recogniser(registry), format_time(bank.now())
    wanted = {
        ("north", "south"): 40,
        ("west", "south"): 17,
        ("south", "north"): 23,
        ("west", "north"): 12,
        ("east", "west"): SMALL_FLOW,
    }
    for (source, target), count in wanted.items():
        member, submissions = past.members[target], []
        for lot in lots[source]:
            found = [
                one
                for one in recogniser.recognise(lot.facts, time)
                if one.rule.author == member.did
            ]
            if not found or len(submissions) == count:
                continue
            (slot,) = past.small.port.slots(member, [member.conversion(lot.lot)])
            unit = registry.units[member.did, found[0].rule.target]
            person = Learner(lot.lot[:6], "李明")
            submissions.append(member.convert(lot, found[0], unit, person, slot, bank.now()))
        past.small.port.submit(submissions)
        taken = {str(one.signed.statement.body["lot"]) for one in submissions}
        lots[source] = [lot for lot in lots[source] if lot.lot not in taken]


def _decide(past: PastBank, lots: dict[str, list[Lot]]) -> None:
    small, day = past.small, past.bank.now().date()
    for lot in lots["north"][-11:]:
        small.submit(small.north.lot_event("suspend", lot.lot, "record-under-review", day))
    for lot in lots["south"][-2:]:
        small.submit(small.south.lot_event("revoke", lot.lot, "entered-in-error", day))
    body = {
        "against": small.north.did,
        "appeal": b64u_encode(b"a" * 16),
        "due": (day + timedelta(days=30)).isoformat(),
        "grounds": b64u_encode(bytes(32)),
    }
    statement = Statement.make(past.bank.settings.did, "appeal", body)
    past.bank.intake.append([statement.sign(past.bank.signer)])
