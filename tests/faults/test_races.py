"""Racing sequencers, in threads and in processes, on both engines: no gap, no double, no fork.

All of them also submit the same statements, which must get one place each. The controls take
the lock away, which the log survives, and then the compare-and-swap and the unique index too,
which it does not: the same checks then find the fork.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

import ledger.sequencer
import ledger.store
from ledger import LedgerError
from ledger.log import read_head
from ledger.sequencer import Placed
from ledger.store import entries, head, open_store, reading, writing
from tests.log_kit import (
    Follower,
    acknowledge,
    acknowledgements,
    audited,
    award,
    awards,
    lost,
    new_log,
    opening,
    sequencer_on,
)

ROUNDS = 20
OWN = 3
SHARED = 900_000
"""The award number from which on all sequencers submit the same ones."""
Tell = Callable[[Iterable[int], Iterable[int]], None]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database on the engine asked for."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    return new_database(request.getfixturevalue("postgres"), "races")


def new_database(server: str, name: str) -> str:
    """A new database on the PostgreSQL server of the tests."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


both_engines = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)


def numbers_of(racer: int) -> list[list[int]]:
    """The award numbers of each batch of a racer: some of its own, and one that all submit."""
    starts = [racer * 10_000 + turn * OWN for turn in range(ROUNDS)]
    return [[*range(start, start + OWN), SHARED + turn] for turn, start in enumerate(starts)]


def run_race(url: str, racer: int, tell: Tell, tries: int = 1) -> int:
    """Append all batches of a racer, each tried up to `tries` times; how many tries failed."""
    engine = open_store(url)
    sequencer = sequencer_on(engine)
    rng = random.Random(racer)
    failed = 0
    for numbers in numbers_of(racer):
        rng.shuffle(numbers)
        for left in reversed(range(tries)):
            try:
                outcomes = sequencer.append([award(number) for number in numbers])
            except (LedgerError, SQLAlchemyError):
                failed += 1
                if not left:
                    raise
                continue
            tell(numbers, [outcome.index for outcome in outcomes if isinstance(outcome, Placed)])
            break
    engine.dispose()
    return failed


def race_threads(url: str, count: int, tries: int = 1) -> tuple[list[dict[int, int]], int]:
    """What each of `count` threads was told, and how many tries failed in all."""
    told: list[dict[int, int]] = [{} for _ in range(count)]
    failed: list[int] = []
    broken: list[BaseException] = []

    def race(racer: int) -> None:
        def tell(numbers: Iterable[int], places: Iterable[int]) -> None:
            told[racer].update(zip(numbers, places, strict=True))

        try:
            failed.append(run_race(url, racer, tell, tries))
        except BaseException as error:
            broken.append(error)

    threads = [threading.Thread(target=race, args=(racer,)) for racer in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    if broken:
        raise broken[0]
    return told, sum(failed)


def race_processes(url: str, count: int) -> tuple[list[dict[int, int]], int]:
    """What each of `count` processes was told; none of their tries may fail."""
    racers = []
    for racer in range(count):
        out, into = os.pipe()
        pid = os.fork()
        if not pid:
            in_child(
                lambda racer=racer, into=into: run_race(  # type: ignore[misc]
                    url, racer, lambda numbers, places: acknowledge(into, numbers, places)
                )
            )
        os.close(into)
        racers.append((pid, out))
    told = []
    for pid, out in racers:
        with os.fdopen(out, "rb") as pipe:
            told.append(acknowledgements(pipe.read()))
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, "a racer failed; see its traceback"
    return told, 0


def in_child(body: Callable[[], object]) -> None:
    """Run `body` and end this (forked) process."""
    status = 1
    try:
        body()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def check(engine: Engine, told: list[dict[int, int]]) -> None:
    """Every racer was told the truth, and the log is one line without a gap."""
    Follower().catch_up(engine)
    everything: dict[int, int] = {}
    for racer, places in enumerate(told):
        assert set(places) == {number for batch in numbers_of(racer) for number in batch}
        for number, place in places.items():
            assert everything.setdefault(number, place) == place, f"award {number} has two places"
    assert lost(engine, everything) == []
    first = len(opening())
    assert sorted(everything.values()) == [*range(first, first + len(everything))]
    assert audited(engine).size == first + len(everything)


@both_engines
@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("race", [race_threads, race_processes])
def test_racing_sequencers(
    url: str, count: int, race: Callable[[str, int], tuple[list[dict[int, int]], int]]
) -> None:
    new_log(url).dispose()
    told, _ = race(url, count)
    engine = open_store(url)
    check(engine, told)
    assert len(told) == count
    engine.dispose()


@both_engines
def test_a_killed_sequencer_holds_nobody_up(url: str) -> None:
    """One dies with the lock in its hand; the next appends within seconds."""
    new_log(url).dispose()
    out, into = os.pipe()
    pid = os.fork()
    if not pid:

        def hold() -> None:
            with writing(open_store(url)) as connection:
                read_head(connection, lock=True)
                os.write(into, b".")
                time.sleep(60)

        in_child(hold)
    assert os.read(out, 1) == b"."
    engine = open_store(url)
    waiting = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    waiting.start()
    start = time.monotonic()
    sequencer_on(engine).append(awards(0, 1))
    took = time.monotonic() - start
    waiting.join()
    os.waitpid(pid, 0)
    os.close(into)
    os.close(out)
    print(f"{took:.2f} s, of which 0.30 s until the kill")
    assert 0.25 < took < 5
    audited(engine)
    engine.dispose()


def take_lock_away(patch: pytest.MonkeyPatch) -> None:
    """Transactions begin without the lock, and nobody waits at the head row."""
    patch.setattr(ledger.store, "_BEGIN_WRITING", dict.fromkeys(("sqlite", "postgresql"), "BEGIN"))
    patch.setattr(
        ledger.sequencer, "read_head", lambda connection, lock=False: read_head(connection)
    )


@both_engines
def test_control_without_the_lock_rounds_fail_but_nothing_forks(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is for speed. Without it rounds fail, loudly, and can be tried again."""
    new_log(url).dispose()
    take_lock_away(monkeypatch)
    told, failed = race_threads(url, 4, tries=1000)
    print(f"{failed} of {failed + 4 * ROUNDS} rounds failed")
    assert failed > 0, "without the lock nothing went wrong: the race shows nothing"
    monkeypatch.undo()
    engine = open_store(url)
    check(engine, told)
    engine.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_control_without_compare_and_swap_the_fork_is_found(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the lock, the compare-and-swap and the unique indices gone, the log forks."""
    engine = new_log(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE entries DROP CONSTRAINT entries_pkey"))
        connection.execute(text("ALTER TABLE lots DROP CONSTRAINT lots_award_index_key"))
        connection.execute(text("ALTER TABLE alone DROP CONSTRAINT alone_pkey"))
    engine.dispose()

    def move(connection: Any, before: object, state: Any, time: str) -> None:
        connection.execute(
            head.update().values(
                size=state.edge.size, root=state.edge.root, leaf=state.leaf, time=time
            )
        )

    both_read = threading.Barrier(2)

    def read_together(connection: Any, *, lock: bool = False) -> Any:
        found = read_head(connection)
        with suppress(threading.BrokenBarrierError):  # once one has stumbled, the other goes on
            both_read.wait(timeout=5)
        return found

    monkeypatch.setattr(ledger.sequencer, "read_head", read_together)
    monkeypatch.setattr(ledger.sequencer, "_move_head", move)
    told: list[Counter[int]] = [Counter(), Counter()]

    def race(racer: int) -> None:
        engine = open_store(url)
        sequencer = sequencer_on(engine)
        for numbers in numbers_of(racer):
            outcomes = sequencer.append([award(number) for number in numbers[:OWN]])
            told[racer].update(outcome.index for outcome in outcomes if isinstance(outcome, Placed))

    def quietly(racer: int) -> None:
        # A racer may stumble over the damage it did: that too is noticed.
        try:
            race(racer)
        except (LedgerError, SQLAlchemyError):
            return

    threads = [threading.Thread(target=quietly, args=(racer,)) for racer in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.undo()
    engine = open_store(url)
    with reading(engine) as connection:
        twice = select(entries.c.idx).group_by(entries.c.idx).having(func.count() > 1)
        forked = len(connection.execute(twice).all())
    both = len(told[0].keys() & told[1].keys())
    print(f"{forked} places taken twice, {both} of them acknowledged twice")
    assert forked > 0, "without any guard nothing forked: the race shows nothing"
    with pytest.raises((AssertionError, LedgerError)):
        Follower().catch_up(engine)
    engine.dispose()
