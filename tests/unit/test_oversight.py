"""What watches over a bank: one report for each size, one audit at a time, errors, proposals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bank.audits import Audits
from bank.condition import witnessed
from bank.errors import BadRequest, NoSuchThing
from bank.measures import Force, Measure, measure, standing
from bank.per_size import PerSize
from bank.proposal_tray import ProposalTray
from bank.proposals import Proposal, propose
from bank.quorum import approval
from bank.recent_errors import RecentErrors
from bank.service import Bank
from keys import PrivateKey
from ledger import StoreFault, format_time
from ledger.audit import AuditReport
from ledger.checkpoint import Checkpoint
from ledger.cosignature import Ed25519Cosigner
from ledger.note import open_note
from ledger.store import create_tables, open_store, writing
from ledger.store_facts import store_facts
from tests.bank_kit import SmallBank, small_bank


def clock() -> datetime:
    return datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not check() and time.monotonic() < deadline:
        time.sleep(0.01)
    return check()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    with small_bank(tmp_path_factory.mktemp("bank")) as made:
        made.award("li-1")
        yield made


class Growing:
    """A log that grows, and something made of it that can be held up."""

    def __init__(self) -> None:
        self.size = 5
        self.made: list[int] = []
        self.fault: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.per_size = PerSize(lambda: self.size, self.make, clock)

    def make(self, size: int, progress: Callable[[int], None]) -> str:
        progress(size // 2)
        self.go.wait(10)
        progress(size)
        if self.fault is not None:
            raise self.fault
        self.made.append(size)
        return f"of {size}"


def test_it_is_made_once_for_each_size() -> None:
    log = Growing()
    for _ in range(3):
        look = log.per_size.look()
        assert look.made is not None
        assert (look.made.value, look.made.size, look.current) == ("of 5", 5, True)
        assert look.made.time == "2026-11-24T12:00:00Z"
    assert log.made == [5]
    log.size = 9
    assert eventually(lambda: log.per_size.look().current)
    assert log.made == [5, 9]


def test_what_there_is_is_shown_while_the_next_is_made() -> None:
    log = Growing()
    log.per_size.look()
    log.go.clear()
    log.size = 40
    start = time.monotonic()
    look = log.per_size.look()
    assert time.monotonic() - start < 0.5
    assert look.made is not None
    assert (look.made.size, look.size, look.making, look.current) == (5, 40, True, False)
    assert log.per_size.look().done == 20
    log.go.set()
    assert eventually(lambda: log.per_size.look().current)
    assert log.made == [5, 40]


def test_a_hundred_who_ask_at_once_have_it_made_once() -> None:
    log = Growing()
    log.go.clear()
    threads = [threading.Thread(target=log.per_size.look) for _ in range(100)]
    for thread in threads:
        thread.start()
    log.go.set()
    for thread in threads:
        thread.join()
    assert log.made == [5]


def test_a_fault_is_told_and_what_there_was_stays() -> None:
    log = Growing()
    log.per_size.look()
    log.size, log.fault = 6, StoreFault("the disk is full")
    log.per_size.look()
    assert eventually(lambda: log.per_size.look().fault == "the disk is full")
    look = log.per_size.look()
    assert look.made is not None
    assert look.made.size == 5
    log.fault = KeyError("somebody's name")
    other = Growing()
    other.fault = log.fault
    assert eventually(lambda: "KeyError" in other.per_size.look().fault)
    assert "somebody" not in other.per_size.look().fault


def test_it_breaks_off_when_the_bank_is_closed() -> None:
    log = Growing()
    log.go.clear()
    asking = threading.Thread(target=log.per_size.look)
    asking.start()
    assert eventually(lambda: log.per_size.look().making)
    threading.Timer(0.05, log.go.set).start()
    log.per_size.close()
    asking.join()
    assert log.made == []
    assert not log.per_size.look().making


def report(size: int = 7, problems: tuple[str, ...] = ()) -> AuditReport:
    return AuditReport("o", size, bytes(32), {"award": size}, 3, 2, problems)


def test_one_audit_at_a_time_and_the_result_is_kept(tmp_path: Path) -> None:
    go, runs = threading.Event(), []

    def run(progress: Callable[[int], None]) -> AuditReport:
        runs.append(1)
        progress(3)
        go.wait(10)
        return report()

    audits = Audits(run, lambda: 7, clock, tmp_path)
    assert audits.state().last is None
    began = [audits.start() for _ in range(20)]
    assert began == [True] + [False] * 19
    assert eventually(lambda: audits.state().done == 3)
    assert (audits.state().running, audits.state().total) == (True, 7)
    go.set()
    assert eventually(lambda: not audits.state().running)
    assert len(runs) == 1
    last = audits.state().last
    assert last is not None
    assert (last.passed, last.size, last.lots, last.kinds) == (True, 7, 3, {"award": 7})
    assert Audits(run, lambda: 7, clock, tmp_path).state().last == last
    assert audits.start()
    assert eventually(lambda: not audits.state().running)


def test_an_audit_that_finds_something_or_breaks_off_does_not_pass(tmp_path: Path) -> None:
    answers: list[Any] = [report(problems=("entry 3: wrong",)), StoreFault("it is gone"), KeyError]

    def run(progress: Callable[[int], None]) -> AuditReport:
        answer = answers.pop(0)
        if isinstance(answer, AuditReport):
            return answer
        raise answer

    audits = Audits(run, lambda: 7, clock, tmp_path)
    for wanted in ("", "it is gone", "KeyError stopped it"):
        audits.start()
        assert eventually(lambda: not audits.state().running)
        last = audits.state().last
        assert last is not None
        assert (last.passed, last.fault) == (False, wanted)


def test_a_kept_result_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    for text_ in ("", "{}", "[]", '{"size": 1}'):
        (tmp_path / "last-audit.json").write_text(text_)
        assert Audits(lambda _: report(), lambda: 1, clock, tmp_path).state().last is None


def test_the_bank_audits_itself(small: SmallBank) -> None:
    audits = small.bank.oversight.audits
    assert audits.start()
    assert eventually(lambda: not audits.state().running)
    last = audits.state().last
    assert last is not None
    assert last.passed, last
    assert last.size == small.bank.log.size()
    small.bank.oversight.report.look()
    assert small.bank.oversight.lots.look().made is not None


def test_recent_errors_are_few_and_about_nobody() -> None:
    errors = RecentErrors(clock)
    try:
        PrivateKey(b"li ming's secret")
    except Exception as error:
        caught: Exception = error
    for number in range(150):
        errors.note(f"GET /learners/{{learner}}/{number}", 500, caught)
    kept = errors.newest()
    assert len(kept) == 100
    assert kept[0].route.endswith("149")
    errors.note("POST /x", 503, StoreFault("the disk is full"))
    try:
        small_dict: dict[str, str] = {}
        small_dict["李明 500101199001011234"]
    except KeyError as error:
        errors.note("GET /y", 500, error)
    newest, before = errors.newest()[:2]
    assert (before.sentence, before.status, before.time) == (
        "the disk is full",
        503,
        "2026-11-24T12:00:00Z",
    )
    assert newest.sentence == "KeyError at a place outside the bank's own code"


def test_the_place_of_an_error_in_our_own_code() -> None:
    errors = RecentErrors(clock)
    try:
        Bank(None, None)  # type: ignore[arg-type]
    except AttributeError as error:
        errors.note("GET /", 500, error)
    (kept,) = errors.newest()
    assert kept.sentence.startswith("AttributeError at bank.service, line ")


KEYS = [PrivateKey.generate() for _ in range(3)]


def suspension(bank: Bank, member: str, reason: str = "irregular-awards") -> Proposal:
    return propose(bank.settings.did, "member.suspend", {"member": member, "reason": reason})


def test_copies_of_a_proposal_are_put_together(small: SmallBank, tmp_path: Path) -> None:
    tray = ProposalTray(tmp_path / "proposals")
    assert tray.waiting() == []
    proposal = suspension(small.bank, small.north.did)
    name = tray.keep(proposal)
    copies = [proposal.sign(key) for key in KEYS]
    threads = [threading.Thread(target=tray.keep, args=(copy,)) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tray.keep(copies[0]) == name
    (waiting,) = tray.waiting()
    assert {key for key, _ in waiting.proposal.signatures} == {
        key.public_key.multikey for key in KEYS
    }
    assert tray.find(name) == waiting
    tray.keep(suspension(small.bank, small.south.did))
    assert len(tray.waiting()) == 2
    tray.put_away(name)
    assert len(tray.waiting()) == 1
    for wrong in (name, "..", "*", "0" * 64):
        tray.put_away(wrong)
        with pytest.raises(NoSuchThing, match="does not wait here"):
            tray.find(wrong)
    assert len(tray.waiting()) == 1


def test_only_what_the_governance_signs_waits(small: SmallBank, tmp_path: Path) -> None:
    tray = ProposalTray(tmp_path / "proposals")
    other = propose(small.north.did, "rule.withdraw", {"code": "R1", "version": 1})
    with pytest.raises(BadRequest, match="only what the governance signs"):
        tray.keep(other)
    assert not (tmp_path / "proposals").exists()


def test_who_signed_and_who_is_missing(small: SmallBank) -> None:
    bank, registry = small.bank, small.bank.registry()
    proposal = suspension(bank, small.south.did)

    def asked(proposal: Proposal) -> Any:
        index = bank.log.index_of(proposal.statement)
        now = format_time(bank.now())
        return approval(proposal, bank.registry(), bank.identity(), index, now)

    fresh = asked(proposal)
    assert (fresh.missing, fresh.ready, [key.signed for key in fresh.keys]) == (1, False, [False])
    stranger = asked(proposal.sign(KEYS[0]))
    assert (stranger.missing, stranger.others) == (1, (KEYS[0].public_key.multikey,))
    ready = asked(proposal.sign(small.governance))
    assert (ready.missing, ready.ready, ready.refusal) == (0, True, "")
    both = asked(proposal.sign(small.governance).sign(KEYS[0]))
    assert not both.ready
    assert "by nobody else" in both.refusal
    unfit = propose(
        bank.settings.did, "member.reinstate", {"member": small.south.did, "reason": "x"}
    )
    assert "is not suspended" in asked(unfit.sign(small.governance)).refusal
    assert registry.members[small.south.did].active
    bank.intake.append([proposal.sign(small.governance).signed()])
    done = asked(proposal.sign(small.governance))
    assert (done.entry, done.ready) == (bank.log.size() - 1, False)


def test_decisions_about_a_member(small: SmallBank) -> None:
    member = small.bank.registry().members[small.north.did]
    did, grant = member.did, member.grants[0]
    key = next(iter(member.keys))
    index = str(grant.index)
    assert measure(member, Measure.SUSPEND, "", "x") == (
        "member.suspend",
        {"member": did, "reason": "x"},
    )
    assert measure(member, Measure.END_GRANT, index, "x")[1] == {
        "index": grant.index,
        "member": did,
        "reason": "x",
    }
    assert measure(member, Measure.RETIRE_KEY, key, "") == (
        "key.retire",
        {"key": key, "member": did},
    )
    for what, about, reason, said in (
        (Measure.REINSTATE, "", "x", "is not suspended"),
        (Measure.SUSPEND, "", "", "choose a reason"),
        (Measure.END_GRANT, "999", "x", "no grant by entry 999"),
        (Measure.RETIRE_KEY, "z6Mk", "", "no such key"),
        ("log.open", "", "", "no decision 'log.open'"),
    ):
        with pytest.raises(BadRequest, match=said):
            measure(member, what, about, reason)
    found = standing(member, "2019-12-31")
    assert [force for _, force in found.grants] == [Force.NOT_YET]
    assert standing(member, "2100-01-02").grants[0][1] is Force.OVER
    now = standing(member, "2026-01-01")
    assert (now.holding_grants, now.holding_keys) == (1, 2)


def test_how_far_witnesses_are(small: SmallBank) -> None:
    bank = small.bank
    secret = PrivateKey.generate()
    cosigner = Ed25519Cosigner("one.example/witness", secret)
    body = {
        "keys": [str(cosigner.key)],
        "operator": "one",
        "quorum": 1,
        "url": "https://one.example/witness",
    }
    small.govern("witness.admit", **body)
    signed, registry = bank.log.signed(), bank.registry()
    size = Checkpoint.parse(open_note(signed, ()).text).size
    alone = witnessed(registry, signed, signed, bank.log_keys, None, {})
    (one,) = alone.witnesses
    assert (alone.quorum, alone.quorum_met, alone.asked) == (1, False, False)
    assert (one.reached, one.behind, one.time) == (0, size, "")
    shown = signed + cosigner.cosign(open_note(signed, ()).text, 1_700_000_000)
    small.award("li-7")
    later = bank.log.signed()
    behind = witnessed(registry, later, shown, bank.log_keys, {"one": 3}, {"one": "no answer"})
    (one,) = behind.witnesses
    assert (behind.shown, behind.signed, behind.quorum_met) == (size, size + 1, False)
    assert (one.reached, one.behind, one.trouble) == (size, 1, "no answer")
    assert one.time == "2023-11-14T22:13:20Z"
    caught_up = witnessed(registry, later, shown, bank.log_keys, {"one": size + 1}, {})
    assert (caught_up.quorum_met, caught_up.cosigned) == (True, 1)


def test_the_condition_of_a_bank(small: SmallBank) -> None:
    condition = small.bank.health.condition()
    assert condition.entries == small.bank.log.size()
    assert condition.queue.commits > 0
    assert (condition.queue.waiting, condition.queue.in_hand, condition.halted) == (0, 0, "")
    store = condition.store
    assert (store.kind, store.holder) == ("SQLite", "")
    assert dict(store.settings)["synchronous"] == "FULL"
    assert dict(store.settings)["journal_mode"] == "WAL"
    assert store.bytes > 10_000
    assert condition.free > 0


def test_who_writes_is_seen_without_waiting(small: SmallBank) -> None:
    engine = small.bank._engine
    with writing(engine) as connection:
        connection.execute(text("UPDATE head SET size = size"))
        start = time.monotonic()
        assert store_facts(engine).holder == "a process on this machine"
        assert time.monotonic() - start < 1
    assert store_facts(engine).holder == ""


def test_the_facts_of_a_postgres_store(postgres: str) -> None:
    with create_engine(postgres, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE oversight"))
    engine = open_store(make_url(postgres).set(database="oversight").render_as_string(False))
    create_tables(engine)
    facts = store_facts(engine)
    assert (facts.kind, facts.holder) == ("PostgreSQL", "")
    assert dict(facts.settings)["synchronous_commit"] == "on"
    assert facts.bytes > 1_000_000
    with writing(engine) as connection:
        connection.execute(text("SELECT size FROM head WHERE id = 1 FOR UPDATE"))
        assert "process " in store_facts(engine).holder
    assert store_facts(engine).holder == ""
    engine.dispose()
