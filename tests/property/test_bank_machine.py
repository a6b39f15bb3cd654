"""Two banks, four institutions, and whatever they do in whatever order: the invariants hold.

The numbers are those of docs/credit-bank.md. What a machine of statements cannot show (12 in
names, 14, 18) has tests of its own, named there. A run has exactly as many steps as it is said to:
hypothesis by itself would stop after half of them, on average.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from bank.qualifications import evaluate_lots
from bank.recognition import Recogniser
from bank.reports import figures, tables
from keys import PrivateKey, b64u_encode
from ledger import (
    Entry,
    LotBook,
    LotState,
    Refused,
    SignedStatement,
    Statement,
    consistency_proof,
    format_time,
    leaf_hash,
    root_hash,
    verify_consistency,
)
from ledger.conservation import Conserving, conservation
from ledger.lots import Lot
from ledger.standing import CONSUMED
from tests.property.test_transfers import START, Bank, agree, name

SPENDING = ("redeem", "convert", "transfer.final", "supersede")
USABLE = (LotState.ACTIVE, LotState.RESERVED, LotState.SUSPENDED)
SOURCES = [{"ratio": "0.5"}, {"ratio": "1"}, {"ratio": "100"}, {"credits": "9"}]
CITIZEN = re.compile(rb"(?<!\d)\d{17}[\dXx](?!\d)")
HASH = b64u_encode(bytes(32))


class Town(Bank):
    """A bank with two institutions, of which each has a registrar and an approver."""

    def __init__(self, domain: str, seed: int) -> None:
        super().__init__(domain, seed)
        self.places: dict[bytes, int] = {}
        self.staff = {
            f"{self.did}:members:{slug}": tuple(
                PrivateKey.from_seed(bytes([seed + n + k]) * 32) for k in (0, 1)
            )
            for n, slug in ((50, "a"), (60, "b"))
        }
        self.refused: Counter[str] = Counter()

    def append(self, signed: SignedStatement) -> int:
        """As the bank's, with the repeated found by their hash."""
        identity = signed.statement.hash
        if identity not in self.places:
            time, index = format_time(self.now), len(self.entries)
            self.registry.check(signed, index, time)
            entry = Entry.make(index, self.prev, time, signed)
            self.book.take(entry)
            self.registry.apply(entry)
            self.entries.append(entry.data)
            self.prev, self.places[identity] = entry.leaf, index
        return self.places[identity]

    def settle_in(self) -> None:
        self.open()
        span = {"from": "2026-01-01", "until": "2030-01-01"}
        for number, (did, keys) in enumerate(self.staff.items()):
            self.govern(
                "member.admit",
                capacities=["awarding", "receiving", "evaluation"],
                member=did,
                name={"en": "M", "zh": "院"},
                uscc=("12500000MB00BY011H", "52500108MJ00CC032F")[number],
            )
            self.govern("grant", fields=["*"], level="8", member=did, **span)
            for person, key in zip(("registrar", "approver"), keys, strict=True):
                add = {"key": key.public_key.multikey, "member": did, "person": person}
                self.govern("key.add", **add)
            unit = {"credits": "4", "field": "ict", "framework": "f", "hours": "64", "level": "5"}
            title = {"title": {"en": "U", "zh": "课"}, "version": 1, "scheme": "s"}
            self.says(did, "unit.publish", **unit, **title, unit="U")
            wanted = {"code": "Q", "framework": "f", "level": "5", "total": "6"}
            self.says(did, "qualification.publish", **wanted, **title, **span)

    def says(self, did: str, kind: str, *, two: bool = False, **body: Any) -> int:
        keys = self.staff[did][: 2 if two else 1]
        return self.append(Statement.make(did, kind, body).sign(*keys))


class BankMachine(RuleBasedStateMachine):
    """Everything that may be asked of two banks; what is refused changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.towns = [Town("home.example", 10), Town("sister.example", 100)]
        for town in self.towns:
            town.settle_in()
        agree(*self.towns)
        self.number = 0
        self.born = [Decimal(0), Decimal(0)]
        self.spent: dict[tuple[int, str], int] = {}
        self.done: Counter[str] = Counter()
        self.outsiders = [Conserving(), Conserving()]
        """What somebody makes of the entries who knows nothing else."""
        self.followed = [0, 0]

    @initialize()
    def begin(self) -> None:
        for _ in range(3):
            self.award(0, 0, "4", 0)

    def new(self) -> str:
        self.number += 1
        return name(self.number)

    def attempt(self, which: int, kind: str, act: Callable[[], int]) -> bool:
        """Whether it was taken; a refusal is one sentence, and leaves everything as it was."""
        town = self.towns[which]
        before = (len(town.entries), dict(town.book.lots))
        said = self.said(act)
        grown = len(town.entries) > before[0]
        self.done[kind if grown else f"{kind} refused" if said else f"{kind} repeated"] += 1
        assert "\n" not in said
        if not grown:
            assert dict(town.book.lots) == before[1]
        return grown

    def said(self, act: Callable[[], int]) -> str:
        """Why something was refused, or nothing."""
        try:
            act()
        except Refused as error:
            return str(error) or "?"
        return ""

    def pick(self, which: int, place: int, *wanted: LotState) -> Lot | None:
        """Mostly a lot in one of these states, if there is one; now and then any."""
        kinds = ("confer", "transfer.refuse")
        lots = [lot for lot in self.towns[which].book.lots.values() if lot.kind not in kinds]
        if place % 6 != 5:
            lots = [lot for lot in lots if not wanted or lot.state in wanted] or lots
        return lots[place % len(lots)] if lots else None

    def member(self, which: int, who: int) -> str:
        return list(self.towns[which].staff)[who]

    def rightful(self, which: int, who: int, did: str) -> str:
        """Mostly whoever may; `who` is 0 to 5."""
        return did if who < 4 and did in self.towns[which].staff else self.member(which, who % 2)

    def awarded(self, credits: str, number: int, expires: str) -> dict[str, Any]:
        body = {
            "commitment": HASH,
            "credits": credits,
            "level": "5",
            "lot": self.new(),
            "scheme": "s",
            "status": {"index": number, "list": 1},
            "unit": "U@1",
        }
        return {**body, "expires": expires} if expires else body

    _which, _who, _place = st.integers(0, 1), st.integers(0, 1), st.integers(0, 30)
    _hand = st.integers(0, 5)

    @rule(which=_which, who=_who, credits=st.sampled_from(["4", "2.5", "5"]), days=_place)
    def award(self, which: int, who: int, credits: str, days: int) -> None:
        expires = (START + timedelta(days=days)).date().isoformat() if days % 3 else ""
        town, did = self.towns[which], self.member(which, who)
        body = self.awarded(credits, self.number + 1, expires)
        taken = self.attempt(which, "award", lambda: town.says(did, "award", **body))
        active = town.registry.members[did].active
        assert taken is (active and Decimal(credits) <= 4)  # 4: under a grant, a member, a unit
        if taken:
            self.born[which] += Decimal(credits)
            # 11: the same record once more is the same entry, with other content a conflict.
            size = len(town.entries)
            town.says(did, "award", **body)
            assert len(town.entries) == size
            other = {**body, "credits": "1", "status": {"index": self.number + 9000, "list": 1}}
            with pytest.raises(Refused, match="awarded already"):
                town.says(did, "award", **other)

    @rule(which=_which, who=_who, place=_place, days=st.integers(-1, 20))
    def reserve(self, which: int, who: int, place: int, days: int) -> None:
        if lot := self.pick(which, place, LotState.ACTIVE):
            town = self.towns[which]
            until = format_time(town.now + timedelta(days=days))
            body = {"application": b64u_encode(self.number.to_bytes(32, "big")), "until": until}
            self.number += 1
            did = self.member(which, who)
            free = lot.standing.at(format_time(town.now)) is LotState.ACTIVE
            taken = self.attempt(
                which, "reserve", lambda: town.says(did, "reserve", lot=lot.lot, **body)
            )
            assert free or not taken

    @rule(which=_which, who=_hand, place=_place, kind=st.sampled_from(["redeem", "release"]))
    def use(self, which: int, who: int, place: int, kind: str) -> None:
        if lot := self.pick(which, place, LotState.RESERVED):
            town, did = self.towns[which], self.rightful(which, who, lot.standing.holder)
            more = {"evaluation": HASH} if kind == "redeem" else {}
            # Releasing what has lapsed by itself does no harm; using it is too late.
            state = lot.standing.at(format_time(town.now)) if kind == "redeem" else lot.state
            mine = state is LotState.RESERVED and lot.standing.holder == did
            taken = self.attempt(which, kind, lambda: town.says(did, kind, lot=lot.lot, **more))
            assert mine or not taken

    @rule(which=_which, who=_who, source=st.sampled_from(SOURCES), depth=st.integers(1, 3))
    def publish(self, which: int, who: int, source: dict[str, Any], depth: int) -> None:
        self.number += 1
        body = {
            "code": f"R{self.number}",
            "depth": depth,
            "from": "2026-01-01",
            "rounding": {"mode": "half-up", "step": "0.5"},
            "sources": [source],
            "target": "U@1",
            "title": {"en": "R", "zh": "规"},
            "until": "2030-01-01",
            "validity": 6,
            "version": 1,
        }
        did, town = self.member(which, who), self.towns[which]
        self.attempt(which, "rule", lambda: town.says(did, "rule.publish", **body))

    @rule(which=_which, who=_hand, place=_place, turn=_place)
    def convert(self, which: int, who: int, place: int, turn: int) -> None:
        lot, town = self.pick(which, place, LotState.ACTIVE), self.towns[which]
        if lot is None:
            return
        found = Recogniser(town.registry).recognise(lot.facts, format_time(town.now))
        if not found:
            return
        decision = found[turn % len(found)]
        assert all(line.sentence for line in decision.lines)  # 7
        did = self.rightful(which, who, decision.rule.author)
        derived = self.awarded(
            format(decision.credits, "f"), self.number + 20_000, decision.expires
        )
        body = {
            "derived": derived,
            "evaluation": HASH,
            "facts": lot.facts.to_json(),
            "lot": lot.lot,
            "rule": decision.rule.name,
            "source": decision.source,
        }
        taken = self.attempt(which, "convert", lambda: town.says(did, "convert", **body))
        if taken:
            assert did == decision.rule.author  # 16
            self.born[which] += decision.credits
            made = town.book.lots[derived["lot"]]
            # 5, 8: no credits and no days more, one conversion deeper, its origin kept.
            assert decision.credits <= Decimal(lot.facts.credits)
            assert made.facts.depth == lot.facts.depth + 1 <= decision.rule.depth
            assert made.origin == lot.lot
            assert made.facts.expires <= (lot.facts.expires or "9999")

    @rule(which=_which, who=_hand, place=_place, kind=st.sampled_from(["revoke", "suspend"]))
    def against(self, which: int, who: int, place: int, kind: str) -> None:
        if lot := self.pick(which, place, *USABLE):
            town, did = self.towns[which], self.rightful(which, who, lot.standing.keeper)
            self.number += 1
            body = {"appeal": "2029-01-01", "lot": lot.lot, "reason": f"r{self.number}"}
            two = kind == "revoke"
            if two:  # 10: by one person alone never
                with pytest.raises(Refused):
                    town.says(did, kind, **body)
            self.attempt(which, kind, lambda: town.says(did, kind, two=two, **body))

    @rule(which=_which, who=_hand, place=_place)
    def reinstate(self, which: int, who: int, place: int) -> None:
        if lot := self.pick(which, place, LotState.SUSPENDED):
            town, did = self.towns[which], self.rightful(which, who, lot.standing.keeper)
            body = {"lot": lot.lot, "reason": f"r{self.number}"}
            self.number += 1
            self.attempt(which, "reinstate", lambda: town.says(did, "reinstate", **body))

    @rule(which=_which, who=_hand, place=_place)
    def supersede(self, which: int, who: int, place: int) -> None:
        if lot := self.pick(which, place, *USABLE):
            town, did = self.towns[which], self.rightful(which, who, lot.standing.keeper)
            successor = self.awarded("2", self.number + 40_000, "")
            body = {"appeal": "2029-01-01", "lot": lot.lot, "reason": f"r{self.number}"}
            taken = self.attempt(
                which,
                "supersede",
                lambda: town.says(did, "supersede", **body, successor=successor),
            )
            self.born[which] += Decimal(2) * taken

    @rule(which=_which, who=_hand, place=_place)
    def review(self, which: int, who: int, place: int) -> None:
        if lot := self.pick(which, place, *CONSUMED):
            town, did = self.towns[which], self.rightful(which, who, lot.standing.keeper)
            body = {"lot": lot.lot, "reason": f"r{self.number}"}
            self.number += 1
            taken = self.attempt(which, "review", lambda: town.says(did, "review.open", **body))
            assert not taken or lot.state in CONSUMED  # 9: opened, and nothing is unspent

    @rule(which=_which, place=_place, days=st.integers(1, 20))
    def send(self, which: int, place: int, days: int) -> None:
        if lot := self.pick(which, place, LotState.ACTIVE):
            town, other = self.towns[which], self.towns[1 - which]
            until = format_time(town.now + timedelta(days=days))
            body = {"facts": lot.facts.to_json(), "lot": lot.lot, "to": other.did, "until": until}
            transfer = self.new()
            self.attempt(
                which, "send", lambda: town.state("transfer.out", transfer=transfer, **body)
            )

    @rule(which=_which, place=_place, refuse=st.booleans())
    def answer(self, which: int, place: int, refuse: bool) -> None:
        """The other bank decides about a lot on its way; asked again it has decided."""
        pending = self.pending(which)
        if not pending:
            return
        lot, other = pending[place % len(pending)], self.towns[1 - which]
        claim = lot.standing.claim
        if refuse:
            body = {"lot": claim, "reason": "declined"}
            self.attempt(1 - which, "refuse", lambda: other.state("transfer.refuse", **body))
            return
        receipt = self.towns[which].receipt(lot.changed)
        taken = self.attempt(
            1 - which, "arrive", lambda: other.state("transfer.in", home=receipt, lot=claim)
        )
        self.born[1 - which] += Decimal(lot.facts.credits) * taken

    @rule(which=_which, place=_place)
    def close(self, which: int, place: int) -> None:
        pending = self.pending(which)
        if not pending:
            return
        lot, other = pending[place % len(pending)], self.towns[1 - which]
        decided = other.book.lots.get(lot.standing.claim)
        if decided is None:
            return
        kind = "transfer.final" if decided.kind == "transfer.in" else "transfer.return"
        body = {"lot": lot.lot, "sister": other.receipt(decided.award_index)}
        assert self.attempt(which, kind, lambda: self.towns[which].state(kind, **body))

    @rule(days=st.integers(1, 10))
    def wait(self, days: int) -> None:
        for town in self.towns:
            town.now += timedelta(days=days)

    @rule(which=_which, who=_who, turn=st.integers(0, 3))
    def suspend_member(self, which: int, who: int, turn: int) -> None:
        town, did = self.towns[which], self.member(which, who)
        if town.registry.members[did].active and turn:
            return
        kind = "member.suspend" if town.registry.members[did].active else "member.reinstate"
        self.number += 1
        town.govern(kind, member=did, reason=f"r{self.number}")

    def pending(self, which: int) -> list[Lot]:
        lots = self.towns[which].book.lots.values()
        return [lot for lot in lots if lot.state is LotState.PENDING_OUT]

    @invariant()
    def nothing_is_unspent(self) -> None:
        """2 and 9: what is consumed stays so, by the same entry."""
        for which, town in enumerate(self.towns):
            for lot in town.book.lots.values():
                if lot.state in CONSUMED:
                    entry = lot.standing.consumed
                    assert self.spent.setdefault((which, lot.lot), entry) == entry
            names = {key for at, key in self.spent if at == which}
            assert all(town.book.lots[key].state in CONSUMED for key in names)

    @invariant()
    def one_custodian(self) -> None:
        """3: of a lot and what it became at the other bank one at most can be used."""
        for which, town in enumerate(self.towns):
            for lot in town.book.lots.values():
                there = self.towns[1 - which].book.lots.get(lot.standing.claim)
                if lot.state is LotState.PENDING_OUT and there is not None:
                    assert lot.state not in USABLE
                if lot.kind == "transfer.in":
                    home = self.towns[1 - which].book.lots[lot.origin]
                    assert home.state in (LotState.PENDING_OUT, LotState.TRANSFERRED)

    @invariant()
    def every_credit_is_somewhere(self) -> None:
        """15, after every step: what came is what there is and what was used."""
        for born, town in zip(self.born, self.towns, strict=True):
            kinds = ("confer", "transfer.refuse")
            lots = [lot for lot in town.book.lots.values() if lot.kind not in kinds]
            assert born == sum((Decimal(lot.facts.credits) for lot in lots), Decimal(0))

    @invariant()
    def the_statement_balances(self) -> None:
        """15, after every step, as an outsider recomputes it from the entries alone."""
        for which, town in enumerate(self.towns):
            for data in town.entries[self.followed[which] :]:
                self.outsiders[which].take(Entry.parse(data))
            self.followed[which] = len(town.entries)
            told = self.outsiders[which].statement()
            assert told.balances
            came = sum((sum(a.born.values()) for a in told.accounts.values()), Decimal(0))
            assert came == self.born[which]

    @invariant()
    def what_overlaps_counts_once(self) -> None:
        """6 and 7: a unit counts once, however often it was passed; what is judged by is said."""
        if len(self.towns[0].entries) % 7:
            return
        for town in self.towns:
            for (author, _), known in town.registry.catalogue.qualifications.items():
                lots = list(town.book.lots.values())
                found = evaluate_lots(lots, town.registry.catalogue, known, town.now)
                used = [town.book.lots[one.lot].facts for one in found.used]
                assert len({(facts.institution, facts.unit) for facts in used}) == len(used)
                assert (found.author, found.code, found.version) == (author, "Q", 1)
                assert found.day == town.now.date()
                assert found.met is all(line.met for line in found.lines)
                assert all(line.en and line.zh for line in found.lines)

    def teardown(self) -> None:
        for town in self.towns:
            again = LotBook()
            for data in town.entries:
                again.take(Entry.parse(data))
                # 12: in what was stated; a chain hash may well have eighteen digits in a row.
                assert not CITIZEN.search(Entry.parse(data).signed.statement.data)
            assert again.lots == town.book.lots  # 1
            assert conservation(town.entries).balances  # 15, by an outsider
            uses = Counter(
                str(Entry.parse(data).signed.statement.body["lot"])
                for data in town.entries
                if Entry.parse(data).signed.statement.kind in SPENDING
            )
            assert max(uses.values(), default=0) <= 1  # 2
            leaves = [leaf_hash(data) for data in town.entries]
            half, size = len(leaves) // 2, len(leaves)
            hashed = lambda lo, hi, leaves=leaves: root_hash(leaves[lo:hi])  # noqa: E731
            proof = tuple(consistency_proof(half, size, hashed))
            verify_consistency(half, size, proof, root_hash(leaves[:half]), root_hash(leaves))  # 13
            for table in tables(figures(town.entries), 10):  # 17
                if table.columns[-1] == "lots":
                    assert all(row[-1] is None or int(str(row[-1])) >= 10 for row in table.rows)
        TOTAL.update(self.done)


TOTAL: Counter[str] = Counter()


STEPS: Counter[str] = Counter()


def scripts(steps: int) -> st.SearchStrategy[list[tuple[str, dict[str, Any]]]]:
    """Exactly so many acts and what they are done with, of all that the machine knows."""
    acts = []
    for known in BankMachine().rules:
        arguments = st.fixed_dictionaries(known.arguments_strategies)
        acts.append(st.tuples(st.just(known.function.__name__), arguments))
    return st.lists(st.one_of(acts), min_size=steps, max_size=steps)


def run(examples: int, steps: int, *, shrink: bool = True) -> Counter[str]:
    """What was done in so many runs of so many steps each, every invariant held after every one."""
    TOTAL.clear()
    STEPS.clear()

    @settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(scripts(steps))
    def play(script: list[tuple[str, dict[str, Any]]]) -> None:
        machine = BankMachine()
        held = [known.function for known in machine.invariants]
        machine.begin()
        for act, arguments in script:
            getattr(machine, act)(**arguments)
            for known in held:
                known(machine)
        machine.teardown()
        STEPS["runs"] += 1
        STEPS["steps"] += len(script)

    play()
    return TOTAL


def test_the_invariants_hold() -> None:
    done = run(100, 50)
    print(f"\n{dict(STEPS)}: {dict(sorted(done.items()))}")
    assert STEPS["runs"] >= 100
    assert STEPS["steps"] == 50 * STEPS["runs"]
    wanted = ("award", "reserve", "redeem", "convert", "revoke", "supersede", "send", "arrive")
    assert all(done[kind] for kind in (*wanted, "transfer.final", "transfer.return", "review"))


@pytest.mark.slow
def test_the_invariants_hold_for_long() -> None:
    done = run(500, 50)
    print(f"\n{dict(STEPS)}, {sum(done.values())} acts: {dict(sorted(done.items()))}")
    assert STEPS["runs"] >= 500
    assert STEPS["steps"] == 50 * STEPS["runs"]


def test_the_machine_would_see_a_lot_that_is_spent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a ledger that lets a redeemed lot be used again."""
    import ledger.standing as standing

    real = standing.move

    def careless(known: Any, event: Any) -> Any:
        if known.state in CONSUMED and event.kind in ("reserve", "supersede", "convert"):
            known = standing.replace(known, state=LotState.ACTIVE)
        return real(known, event)

    monkeypatch.setattr("ledger.lots.move", careless)
    with pytest.raises((AssertionError, KeyError, BaseExceptionGroup)):
        run(100, 50, shrink=False)
