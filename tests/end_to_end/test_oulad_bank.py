"""Real numbers through the whole bank: 15,385 awards, recognised, used, moved, reconciled."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bank.applications import Application, apply_for, redeem, reserve
from bank.federation import Federation
from bank.importing import import_results
from bank.institution import Institution
from bank.opening import Admission, LocalBank, admit
from bank.recognition import Recogniser
from bank.results import Learner, read_mapping, read_results
from keys import PrivateKey
from ledger import LotState, Statement, format_time
from ledger.conservation import conservation
from ledger.sequencer import Declined, Placed
from tests.bank_kit import SmallBank, small_bank

MODULES = {"social": ("AAA", "BBB", "GGG"), "stem": ("CCC", "DDD", "EEE", "FFF")}
CONVERSIONS, TRANSFERS, REDEMPTIONS = 1000, 1000, 500
USCC = {"social": "12100000MB00UD042X", "stem": "52500108MJ00CC032F"}
RULE: dict[str, Any] = {
    "code": "OTHER",
    "from": "2020-01-01",
    "rounding": {"mode": "down", "step": "0.5"},
    "title": {"en": "The other's modules", "zh": "另一机构课程"},
    "until": "2100-01-01",
    "version": 1,
}
DIPLOMA: dict[str, Any] = {
    "code": "CERT",
    "framework": "fheq",
    "from": "2020-01-01",
    "level": "4",
    "scheme": "uk-credit",
    "title": {"en": "Certificate of Higher Education, half", "zh": "半个证书"},
    "total": "60",
    "until": "2100-01-01",
    "version": 1,
}


def members(small: SmallBank) -> dict[str, Institution]:
    found = {}
    for slug in MODULES:
        key, second = PrivateKey.generate(), PrivateKey.generate()
        names = {"en": slug, "zh": slug}
        capacities = ("awarding", "receiving")
        grant = (("*",), "8", "2013-01-01", "2100-01-01")
        admission = Admission(slug, names, USCC[slug], capacities, *grant)
        admit(small.bank, admission, key.public_key, [small.governance], second.public_key)
        found[slug] = Institution("cq.example", slug, names, key, slug.encode() * 8, second)
    return found


@pytest.fixture
def step() -> Callable[[str], None]:
    """Print how long each step took."""
    last = [time.perf_counter()]

    def said(what: str) -> None:
        now = time.perf_counter()
        print(f"{what}: {now - last[0]:.1f} s")
        last[0] = now

    return said


def test_the_whole_bank(
    repo: Path,
    tmp_path: Path,
    shared_data: Callable[[str], Path],
    step: Callable[[str], None],
) -> None:
    with ExitStack() as stack:
        home, sister = (
            stack.enter_context(small_bank(tmp_path / domain, domain))
            for domain in ("cq.example", "sichuan.example")
        )
        own = members(home)
        _deposit(repo, tmp_path, shared_data("oulad/studentInfo.csv"), home, own)
        step("15,385 awards deposited")
        lots = [lot for lot in home.bank.lots.each() if lot.facts.institution != home.north.did]
        assert len(lots) == 15_385
        assert len(set(Counter(lot.facts.institution for lot in lots))) == 2
        dice = random.Random(20261124)
        _recognise(home, own, dice)
        step(f"{CONVERSIONS} conversions")
        _redeem(home, own, dice)
        step(f"{REDEMPTIONS} redemptions")
        _transfer(home, sister, dice)
        step(f"{TRANSFERS} custody transfers")
        _reconcile(home)
        step("every passbook reconciled to the ledger")
        for made in (home, sister):
            report = made.bank.upkeep.audit()
            assert report.passed, report.problems
            assert conservation(made.bank.log.entries()).balances
            assert made.bank.upkeep.rebuild()
            print(f"{report.origin}: {report.size} entries, {report.lots} lots, {report.kinds}")
        step("both ledgers audited, folded anew, and every credit accounted for")
        _cross_check(home, sister)


def _deposit(
    repo: Path, folder: Path, file: Path, home: SmallBank, own: dict[str, Institution]
) -> None:
    text = (repo / "docs" / "samples" / "oulad.mapping.toml").read_text(encoding="utf-8")
    values = ", ".join(f'{m} = "{slug}"' for slug, every in MODULES.items() for m in every)
    choice = f'institution = {{ from = "{{code_module}}", values = {{ {values} }} }}'
    path = folder / "two.mapping.toml"
    path.write_text(text.replace('institution = "oulad-open"', choice), encoding="utf-8")
    preview = read_results(file, read_mapping(path), {slug: slug for slug in own})
    done = import_results(preview, own, LocalBank(home.bank), home.bank.now)
    assert (done.awarded, done.declined) == (15_385, ())


def _recognise(home: SmallBank, own: dict[str, Institution], dice: random.Random) -> None:
    """Each institution takes half of the other's credits for a module of its own."""
    for slug, other, target in (("social", "stem", "AAA"), ("stem", "social", "DDD")):
        rule = {
            **RULE,
            "sources": [{"institutions": [own[other].did], "ratio": "0.5"}],
            "target": f"{target}@1",
        }
        home.submit(home.state(own[slug], "rule.publish", **rule))
    registry, now = home.bank.registry(), home.bank.now()
    engine = Recogniser(registry)
    every = [lot for lot in home.bank.lots.each() if lot.facts.institution != home.north.did]
    by_author = defaultdict(list)
    for lot in dice.sample(every, CONVERSIONS):
        (decision,) = [
            found
            for found in engine.recognise(lot.facts, format_time(now))
            if found.rule.code == "OTHER"
        ]
        assert decision.credits == Decimal(lot.facts.credits) / 2
        by_author[decision.rule.author].append((lot, decision))
    for institution in own.values():
        pairs = by_author[institution.did]
        names = [institution.conversion(lot.lot) for lot, _ in pairs]
        slots = home.port.slots(institution, names)
        made = []
        for (lot, decision), slot in zip(pairs, slots, strict=True):
            unit = registry.units[institution.did, decision.rule.target]
            learner = Learner(lot.lot, "OULAD learner")
            made.append(institution.convert(lot, decision, unit, learner, slot, now))
        outcomes = home.port.submit(made)
        assert not [one for one in outcomes if isinstance(one, Declined)]


def _redeem(home: SmallBank, own: dict[str, Institution], dice: random.Random) -> None:
    university = own["social"]
    home.submit(home.state(university, "qualification.publish", **DIPLOMA))
    applications: list[Application] = []
    for account in dice.sample(home.bank.accounts.names(), 3000):
        evaluation = home.bank.reckoning.progress([account], university.did, "CERT@1")
        if evaluation.met:
            learner = Learner(account, "OULAD learner")
            applications.append(apply_for(university, evaluation, learner, home.bank.now()))
        if len(applications) == REDEMPTIONS:
            break
    assert len(applications) == REDEMPTIONS
    reserve(applications, university, home.port, dice)
    known = home.bank.registry().catalogue.qualifications[university.did, "CERT@1"]
    conferred = redeem(
        applications, [known] * REDEMPTIONS, university, home.port, dice, home.bank.now()
    )
    assert len(conferred) == REDEMPTIONS


class Next:
    """The sister bank in this process."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation

    def offer(self, receipt: str) -> str:
        return self._federation.receive(receipt)


def _transfer(home: SmallBank, sister: SmallBank, dice: random.Random) -> None:
    here, there = (Federation(made.bank, made.bank.chance.name) for made in (home, sister))
    banks: Any = [here.party(), there.party()]
    body = {"banks": banks, "from": "2020-01-01", "until": "2100-01-01"}
    statement = Statement.make(home.bank.settings.did, "agreement", body)
    signed = statement.sign(home.governance, sister.governance)
    for made in (home, sister):
        assert isinstance(made.bank.intake.append([signed])[0], Placed)
    active = [lot for lot in home.bank.lots.each() if lot.state is LotState.ACTIVE]
    for lot in dice.sample(active, TRANSFERS):
        here.send(lot.lot, sister.bank.settings.did)
    port = Next(there)
    moved = Counter(one.outcome for one in here.settle(lambda did: port))
    assert moved == {"taken": TRANSFERS}


def _reconcile(home: SmallBank) -> None:
    """All passbooks together hold what the ledger says is active, by scheme and level."""
    held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for account in home.bank.accounts.names():
        found = home.bank.reckoning.passbook([account])
        last: dict[tuple[str, str], Decimal] = {}
        for move in found.movements:
            last[move.scheme, move.level] = move.balance
        for balance in found.balances:
            assert last[balance.scheme, balance.level] == balance.held >= 0
            held[balance.scheme, balance.level] += balance.held
    active: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (scheme, level, _), account in conservation(home.bank.log.entries()).accounts.items():
        active[scheme, level] += account.stand["active"]
    assert held == active


def _cross_check(home: SmallBank, sister: SmallBank) -> None:
    """What one log says left, the other says came: the same lots with the same facts."""
    left = {
        lot.lot: lot.facts for lot in home.bank.lots.each() if lot.state is LotState.TRANSFERRED
    }
    came = {lot.origin: lot.facts for lot in sister.bank.lots.each() if lot.kind == "transfer.in"}
    assert left == came
    assert len(left) == TRANSFERS
