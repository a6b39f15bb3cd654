"""Work done in groups: in order, up to a size, all of it before the end."""

from __future__ import annotations

import threading

import pytest

from ledger import LedgerError
from ledger.gathering import Gathering


class Slow:
    """Keeps the groups it is given; the first one waits until `go` is set."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.groups: list[list[str]] = []

    def do(self, group: list[str]) -> None:
        self.begun.set()
        assert self.go.wait(10)
        self.groups.append(group)


@pytest.fixture
def slow() -> Slow:
    return Slow()


def test_what_comes_while_one_group_is_done_is_the_next(slow: Slow) -> None:
    gathering = Gathering("work", slow.do, 10)
    gathering.put("first")
    assert slow.begun.wait(10)
    for item in ("a", "b", "c"):
        gathering.put(item)
    assert gathering.waiting() == 3
    slow.go.set()
    gathering.close()
    assert slow.groups == [["first"], ["a", "b", "c"]]


def test_a_group_is_full_once_it_weighs_enough(slow: Slow) -> None:
    gathering = Gathering("work", slow.do, 4, len)
    gathering.put("first")
    assert slow.begun.wait(10)
    for item in ("a", "bc", "def", "ghijk", "", "l"):
        gathering.put(item)
    slow.go.set()
    gathering.close()
    assert slow.groups == [["first"], ["a", "bc", "def"], ["ghijk"], ["", "l"]]


def test_without_weights_the_items_are_counted(slow: Slow) -> None:
    gathering = Gathering("work", slow.do, 2)
    gathering.put("first")
    assert slow.begun.wait(10)
    for item in "abc":
        gathering.put(item)
    slow.go.set()
    gathering.close()
    assert slow.groups == [["first"], ["a", "b"], ["c"]]


def test_an_item_alone_is_not_held_up() -> None:
    done = threading.Event()
    gathering: Gathering[str] = Gathering("work", lambda group: done.set(), 10)
    gathering.put("a")
    assert done.wait(10)
    gathering.close()


def test_nothing_is_taken_behind_the_end(slow: Slow) -> None:
    slow.go.set()
    gathering = Gathering("work", slow.do, 10)
    gathering.put("a")
    gathering.close()
    with pytest.raises(LedgerError, match="shutting down"):
        gathering.put("b")
    gathering.close()
    assert slow.groups == [["a"]]


def test_one_with_nothing_to_do_ends(slow: Slow) -> None:
    Gathering("idle", slow.do, 10).close()
    assert slow.groups == []
    assert all(thread.name != "idle" for thread in threading.enumerate())


def test_whoever_was_let_in_while_it_closes_is_done() -> None:
    for _ in range(20):
        done: list[int] = []
        gathering = Gathering("work", done.extend, 3)
        let_in: list[int] = []

        def call(
            first: int, gathering: Gathering[int] = gathering, let_in: list[int] = let_in
        ) -> None:
            for number in range(first, first + 1000):
                try:
                    gathering.put(number)
                except LedgerError:
                    return
                let_in.append(number)

        callers = [threading.Thread(target=call, args=(1000 * n,)) for n in range(4)]
        for caller in callers:
            caller.start()
        gathering.close()
        for caller in callers:
            caller.join()
        assert sorted(done) == sorted(let_in)
