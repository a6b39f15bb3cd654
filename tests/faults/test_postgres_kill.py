"""PostgreSQL killed with SIGKILL under two writers: what was acknowledged is there after restart.

Every process of the server dies at once, as in a crash of the server; the machine goes on, so
what the server had handed to the operating system survives. With synchronous_commit=off, the
control, a commit is answered before that: the log stays valid and acknowledged entries are gone.
"""

from __future__ import annotations

import os
import random
import select
import time
import traceback
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from ledger import StoreFault
from ledger.store import open_store
from tests.log_kit import (
    Follower,
    acknowledgements,
    append_and_acknowledge,
    audited,
    checkpointer_on,
    lost,
    new_log,
    opening,
    sequencer_on,
)
from tests.postgres_server import Server, serving

WRITERS = 2
SPACING = 1_000_000
KILLS = 5
HEARD, FAILED = 3, 4
"""How a writer ends: told by a StoreFault, or by anything else."""


def write(url: str, start: int, rng: random.Random, pipe: int, *, asynchronous: bool) -> None:
    """Append for ever from award `start`; acknowledge what the sequencer returned."""
    engine = open_store(url)
    if asynchronous:
        event.listen(engine, "connect", _do_not_wait)
        engine.dispose()
    sequencer, checkpointer = sequencer_on(engine), checkpointer_on(engine)
    while True:
        numbers = range(start, start + rng.randint(1, 6))
        append_and_acknowledge(sequencer, pipe, numbers)
        start = numbers.stop
        if rng.random() < 0.2:
            checkpointer.sign()


def _do_not_wait(connection: Any, record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    connection.commit()


def fork_writer(url: str, start: int, seed: int, *, asynchronous: bool) -> tuple[int, int]:
    """A writer's process id and the pipe its acknowledgements come through."""
    out, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        return pid, out
    status = FAILED
    try:
        os.close(out)
        write(url, start, random.Random(seed), into, asynchronous=asynchronous)
    except StoreFault:
        status = HEARD
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


@dataclass
class Figures:
    kills: int = 0
    acknowledgements: int = 0
    unheard: int = 0
    """Entries found after a restart whose acknowledgement was never sent."""
    lost: int = 0
    losing: int = 0
    """Kills that lost something."""
    processes: int = 0
    size: int = 0


def kill_under_writers(server: Server, *, asynchronous: bool) -> Figures:
    """Kill and restart the server under two writers, again and again; check after each."""
    rng = random.Random(3)
    new_log(server.url).dispose()
    figures, follower = Figures(), Follower()
    nexts = [writer * SPACING for writer in range(WRITERS)]
    known: set[int] = set()
    for _ in range(KILLS):
        writers = [
            fork_writer(server.url, start, rng.randrange(1 << 30), asynchronous=asynchronous)
            for start in nexts
        ]
        said = read_until(writers, rng.randint(60, 150))
        time.sleep(rng.uniform(0, 0.005))
        figures.processes += server.kill()
        for pid, out in writers:
            with os.fdopen(out, "rb") as pipe:
                said[out] += pipe.read()
            _, status = os.waitpid(pid, 0)
            assert os.waitstatus_to_exitcode(status) == HEARD, "a writer was not told clearly"
        server.start()
        engine = open_store(server.url)
        told = {}
        for number, (_, out) in enumerate(writers):
            places = acknowledgements(said[out])
            assert places, "a writer wrote nothing"
            told.update(places)
            # The next writer submits some of it again.
            nexts[number] = max(max(places) - 3, number * SPACING)
        missing = lost(engine, told)
        figures.kills += 1
        figures.lost += len(missing)
        figures.losing += bool(missing)
        known |= told.keys() - set(missing)
        follower.catch_up(engine)
        figures.size = follower.tree.size
        figures.acknowledgements += len(told)
        report = audited(engine)
        assert report.size == figures.size
        engine.dispose()
    figures.unheard = figures.size - len(opening()) - len(known)
    return figures


def read_until(writers: list[tuple[int, int]], enough: int) -> dict[int, bytes]:
    """What came through the pipes until each writer was acknowledged `enough` awards."""
    said = {out: b"" for _, out in writers}
    end = time.monotonic() + 60
    while any(len(acknowledgements(data)) < enough for data in said.values()):
        ready, _, _ = select.select(list(said), [], [], 1)
        for out in ready:
            said[out] += os.read(out, 65536)
        assert time.monotonic() < end, "the writers do not get on"
    return said


def test_five_kills_lose_nothing() -> None:
    with serving() as server:
        figures = kill_under_writers(server, asynchronous=False)
    print(figures)
    assert figures.kills == KILLS
    assert figures.lost == 0


def test_control_asynchronous_commits_are_lost() -> None:
    """The chain still recomputes: a valid log alone does not show that nothing was lost."""
    # Its background writer, left to itself, would save some of it.
    with serving({"wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}) as server:
        figures = kill_under_writers(server, asynchronous=True)
    print(figures)
    assert figures.losing > 0, "synchronous_commit=off lost nothing: the kills show nothing"
