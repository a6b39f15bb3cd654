"""Group commit in bad luck: whoever was let in hears back; the thread outlives its callers."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import pytest

from ledger import LedgerError
from ledger.group_commit import GroupCommit
from tests.log_kit import award


class FakeSequencer:
    """Places whatever comes, once `open` is set."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()
        self.appended = 0

    def append(self, batch: list[Any]) -> list[Any]:
        self.begun.set()
        assert self.open.wait(10)
        self.appended += len(batch)
        return [None] * len(batch)


class FakeCheckpointer:
    def check(self) -> None:
        pass

    def sign(self) -> str:
        return ""


def group_on(sequencer: FakeSequencer) -> GroupCommit:
    return GroupCommit(sequencer, FakeCheckpointer())  # type: ignore[arg-type]


class SlowQueue(queue.SimpleQueue[Any]):
    """A caller is held up just before its batch enters; the end of the queue is not."""

    def put(self, item: Any, *rest: Any, **more: Any) -> None:
        if item is not None:
            time.sleep(0.2)
        super().put(item, *rest, **more)


def test_a_caller_let_in_while_it_closes_hears_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its batch once came behind the end of the queue, and it waited for ever."""
    monkeypatch.setattr("ledger.gathering.SimpleQueue", SlowQueue)
    sequencer = FakeSequencer()
    sequencer.open.set()
    group = group_on(sequencer)
    caller = threading.Thread(target=group.append, args=([award(0)],), daemon=True)
    caller.start()
    time.sleep(0.05)
    group.close()
    caller.join(timeout=2)
    assert not caller.is_alive(), "it waits for ever"
    assert sequencer.appended == 1
    with pytest.raises(LedgerError, match="shutting down"):
        group.append([award(1)])


def test_a_caller_that_gave_up_does_not_end_the_thread() -> None:
    """A cancelled batch is left out if it was not begun; the others get their places."""
    sequencer = FakeSequencer()
    group = group_on(sequencer)
    first = group.enqueue([award(0)])
    assert sequencer.begun.wait(10)
    given_up = group.enqueue([award(1)])
    other = group.enqueue([award(2)])
    assert given_up.cancel()
    sequencer.open.set()
    assert first.result(timeout=5) == other.result(timeout=5) == [None]
    assert group.enqueue([award(3)]).result(timeout=5) == [None]
    assert sequencer.appended == 3
    group.close()
