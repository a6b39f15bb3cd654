"""Asking witnesses: what counts for the quorum, and what a bad or slow witness cannot do."""

from __future__ import annotations

import base64
import itertools
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import ledger.witnessing as module
from bank import witnesses
from bank.witnesses import HttpWitness
from keys import PrivateKey
from ledger import Checkpoint, NotFound, StoreFault, WitnessRecord, open_note, sign_note
from ledger.cosignature import MLDSA44Cosigner
from ledger.group_commit import GroupCommit
from ledger.log import Log
from ledger.note import signature_line
from ledger.sequencer import Placed
from ledger.store import open_store
from ledger.witness import AddCheckpoint, Turned
from ledger.witnessing import Witnessing, WitnessPort, WitnessUnreachable
from tests.log_kit import (
    LOG_KEY,
    ORIGIN,
    VERIFIER,
    award,
    awards,
    checkpointer_on,
    new_log,
    sequencer_on,
)
from tests.witness_kit import Port, cosigner


class Town:
    """A log, its signer, and what asks its witnesses."""

    def __init__(self, url: str) -> None:
        self.engine = new_log(url) if not _exists(url) else open_store(url)
        self.log = Log(self.engine)
        self.checkpointer = checkpointer_on(self.engine)
        self.sequencer = sequencer_on(self.engine)
        self.open: list[Witnessing] = []

    def witnessing(self, ports: Sequence[WitnessPort], quorum: int) -> Witnessing:
        made = Witnessing(self.log, self.checkpointer, [VERIFIER], ports, quorum)
        self.open.append(made)
        return made

    def grow(self, start: int, count: int) -> int:
        self.sequencer.append(awards(start, count))
        return Checkpoint.parse(open_note(self.checkpointer.sign(), ()).text).size

    def shown(self, *ports: Port) -> tuple[int, set[str]]:
        """The size of the checkpoint that is shown, and whose cosignatures it bears."""
        keys = {key: port.operator for port in ports for key in port.keys}
        opened = open_note(self.log.checkpoint(), [VERIFIER, *keys])
        size = Checkpoint.parse(opened.text).size
        return size, {keys[one.key] for one in opened.signatures if one.key in keys}

    def close(self) -> None:
        for witnessing in self.open:
            witnessing.close()
        self.engine.dispose()


def _exists(url: str) -> bool:
    return Path(url.removeprefix("sqlite:///")).exists()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(f"sqlite:///{tmp_path / 'log.db'}")
    yield town
    town.close()


def ports(*operators: str) -> list[Port]:
    return [Port(operator, [VERIFIER]) for operator in operators]


class Answering(Port):
    """A witness that answers whatever it is told to."""

    def __init__(self, operator: str, answer: Callable[[AddCheckpoint], str]) -> None:
        super().__init__(operator, [VERIFIER])
        self.answer = answer

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        return self.answer(request)

    def newest(self, origin: str) -> str | None:
        return None


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


# --- the quorum


def test_a_quorum_of_operators_publishes(town: Town) -> None:
    three = ports("a", "b", "c")
    size = town.grow(0, 5)
    assert town.witnessing(three, 2).gather()
    assert town.shown(*three) == (size, {"a", "b", "c"})


def test_fewer_than_the_quorum_publish_nothing(town: Town) -> None:
    three = ports("a", "b", "c")
    before = town.log.size()
    witnessing = town.witnessing(three, 2)
    assert witnessing.gather()
    size = town.grow(0, 5)
    three[0].reachable = three[1].reachable = False
    assert not witnessing.gather()
    # Readers keep the last checkpoint that a quorum has seen.
    assert town.shown(*three) == (before, {"a", "b", "c"})
    assert Checkpoint.parse(open_note(town.log.signed(), ()).text).size == size


def test_two_keys_of_one_operator_count_once(town: Town) -> None:
    both = Port(
        "a", [VERIFIER], [cosigner("a.example/w"), MLDSA44Cosigner("a.example/w", bytes(32))]
    )
    (other,) = ports("b")
    other.reachable = False
    witnessing = town.witnessing([both, other], 2)
    assert not witnessing.gather()
    assert town.shown(both, other)[1] == set()
    # The control: counted by keys instead of operators, they would have been enough.
    lines = both.add_checkpoint(AddCheckpoint(town.log.size(), (), town.log.signed()))
    assert len(open_note(town.log.signed() + lines, both.keys).signatures) == 2
    other.reachable = True
    assert eventually(witnessing.gather)
    assert town.shown(both, other)[1] == {"a", "b"}


def test_two_witnesses_of_one_operator_count_once(town: Town) -> None:
    first = Port("a", [VERIFIER], [cosigner("a.example/one")])
    second = Port("a", [VERIFIER], [cosigner("a.example/two")])
    (other,) = ports("b")
    other.reachable = False
    witnessing = town.witnessing([first, second, other], 2)
    assert not witnessing.gather()
    other.reachable = True
    assert eventually(witnessing.gather)


def test_what_has_a_quorum_is_not_asked_for_again(town: Town) -> None:
    two = ports("a", "b")
    witnessing = town.witnessing(two, 2)
    assert witnessing.gather()
    assert witnessing.gather()
    assert [len(port.asked) for port in two] == [1, 1]


# --- slow witnesses


class Blocking(Port):
    """A witness that takes the request and says nothing until it is let go."""

    def __init__(self, operator: str) -> None:
        super().__init__(operator, [VERIFIER])
        self.gate = threading.Event()
        self.waiting = 0

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        self.waiting += 1
        self.gate.wait(60)
        return super().add_checkpoint(request)

    def newest(self, origin: str) -> str | None:
        return None


@pytest.fixture
def slow() -> Iterator[Blocking]:
    slow = Blocking("slow")
    yield slow
    slow.gate.set()


def test_a_slow_witness_does_not_hold_up_appends(town: Town, slow: Blocking) -> None:
    witnessing = town.witnessing([slow], 1)
    witnessing.start()
    group = GroupCommit(town.sequencer, town.checkpointer, witnessing.nudge)
    took = []
    for number in range(20):
        start = time.monotonic()
        (outcome,) = group.append([award(number)])
        took.append(time.monotonic() - start)
        assert isinstance(outcome, Placed)
    assert eventually(lambda: slow.waiting == 1)
    group.append([award(20)])
    group.close()
    assert max(took) < 2
    assert town.shown(slow)[1] == set()
    slow.gate.set()
    assert eventually(lambda: town.shown(slow) == (town.log.size(), {"slow"}))


def test_a_slow_witness_does_not_hold_up_the_quorum_of_others(
    town: Town, slow: Blocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE", 0.2)
    two = ports("a", "b")
    witnessing = town.witnessing([slow, *two], 2)
    for number in range(3):
        size = town.grow(number, 1)
        start = time.monotonic()
        assert witnessing.gather()
        assert time.monotonic() - start < 5
        assert town.shown(slow, *two) == (size, {"a", "b"})
    # It owes one answer, and takes no further thread.
    assert slow.waiting == 1


def test_a_witness_that_never_answers_ends_the_round(
    town: Town, slow: Blocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.3)
    witnessing = town.witnessing([slow], 1)
    start = time.monotonic()
    assert not witnessing.gather()
    assert time.monotonic() - start < 5


def test_a_witness_that_is_silent_from_the_start_does_not_hold_up_the_bank(
    town: Town, slow: Blocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.3)
    gate = slow.gate

    class Mute(Blocking):
        def newest(self, origin: str) -> str | None:
            gate.wait(60)
            return None

    start = time.monotonic()
    town.witnessing([Mute("mute")], 1).start()
    assert time.monotonic() - start < 5


def test_one_round_at_a_time(town: Town) -> None:
    two = ports("a", "b")
    witnessing = town.witnessing(two, 2)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: witnessing.gather(), range(4))) == [True] * 4
    assert [len(port.asked) for port in two] == [1, 1]


# --- back-off


def test_a_failing_witness_is_left_alone_for_longer_each_time(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    tried: list[float] = []

    def fail(request: AddCheckpoint) -> str:
        tried.append(now[0])
        raise WitnessUnreachable("no answer")

    witnessing = town.witnessing([Answering("a", fail)], 1)
    while now[0] < 1400:
        assert not witnessing.gather()
        now[0] += 0.5
    gaps = [later - before for before, later in itertools.pairwise(tried)]
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert witnessing.health() == {"a": "no answer"}


def test_success_ends_the_back_off(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    (port,) = ports("a")
    witnessing = town.witnessing([port], 1)
    port.reachable = False
    for pause in (1, 2, 4):
        assert not witnessing.gather()
        now[0] += pause
    port.reachable = True
    assert witnessing.gather()
    assert witnessing.health() == {"a": ""}
    port.reachable = False
    town.grow(0, 1)
    assert not witnessing.gather()
    port.reachable = True
    assert not witnessing.gather()
    now[0] += 1
    assert witnessing.gather()


def test_the_thread_retries_by_itself(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.02)
    (port,) = ports("a")
    port.reachable = False
    witnessing = town.witnessing([port], 1)
    for asked in witnessing._asked:
        asked._pause = 0.02
    witnessing.start()
    assert eventually(lambda: witnessing.health()["a"] != "")
    port.reachable = True
    assert eventually(lambda: town.shown(port)[1] == {"a"})


# --- wrong answers


def own_line(port: Port, request: AddCheckpoint) -> str:
    return port.cosigners[0].cosign(open_note(request.note, ()).text, int(time.time()))


def forged(port: Port, request: AddCheckpoint) -> str:
    key = port.keys[0]
    return signature_line(key, int(time.time()).to_bytes(8, "big") + bytes(64))


BAD = Port("bad", [VERIFIER])
HONEST = Port("honest", [VERIFIER])


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: "",
        lambda request: "garbage",
        lambda request: "\n",
        lambda request: "<html>gateway time-out</html>\n",
        lambda request: "— bad.example/w \n",
        lambda request: "— bad.example/w AAAA\n",
        lambda request: "\x00\ud800\n",
        lambda request: "— x AAAAAAAA\n" * 200,
        lambda request: "x" * 2_000_000,
        lambda request: forged(BAD, request),
        lambda request: forged(HONEST, request),
        lambda request: own_line(HONEST, request),
        lambda request: own_line(Port("stranger", [VERIFIER]), request),
        # Its own good signature twice, or on something else than was asked for.
        lambda request: own_line(BAD, request) * 2,
        lambda request: BAD.cosigners[0].cosign("other.example\n1\n" + "A" * 43 + "=\n", 1),
        lambda request: "\n" + BAD.cosigners[0].cosign(request.note, int(time.time())),
        lambda request: BAD.cosigners[0].cosign(open_note(request.note, ()).text, 2**63),
    ],
)
def test_a_wrong_answer_counts_for_nothing_and_spoils_nothing(
    town: Town, answer: Callable[[AddCheckpoint], str]
) -> None:
    honest = ports("honest", "second")
    bad = Answering("bad", answer)
    size = town.log.size()
    assert not town.witnessing([bad, *honest], 3).gather()
    witnessing = town.witnessing([bad, *honest], 2)
    assert witnessing.gather()
    assert town.shown(bad, *honest) == (size, {"honest", "second"})
    assert witnessing.health()["bad"] != ""


@pytest.mark.parametrize("extra", [forged, own_line], ids=["forged", "doubled"])
def test_lines_in_the_name_of_another_do_not_spoil_the_note(
    town: Town, extra: Callable[[Port, AddCheckpoint], str]
) -> None:
    """Its own line is good; the line in the honest witness's name must not reach the note."""
    (honest,) = ports("honest")
    bad = Answering("bad", lambda request: extra(HONEST, request) + own_line(BAD, request))
    assert town.witnessing([bad, honest], 2).gather()
    assert town.shown(bad, honest)[1] == {"bad", "honest"}
    assert town.log.checkpoint().count("honest.example/w") == 1


def test_a_witness_that_keeps_changing_its_mind_is_given_up(town: Town) -> None:
    sizes = iter(range(1, 100))

    def change(request: AddCheckpoint) -> str:
        raise Turned(409, "another size", next(sizes) % 5)

    witnessing = town.witnessing([Answering("a", change)], 1)
    assert not witnessing.gather()
    assert next(sizes) == 4
    assert "keeps changing" in witnessing.health()["a"]


def test_a_witness_behind_or_ahead_of_what_we_think_is_told_the_right_proof(town: Town) -> None:
    (port,) = ports("a")
    witnessing = town.witnessing([port], 1)
    assert witnessing.gather()
    town.grow(0, 10)
    port.store._seen.clear()  # it lost its memory
    assert witnessing.gather()
    size = town.grow(10, 300)
    # A new process of the bank, which knows nothing of the witness yet.
    assert town.witnessing([port], 1).gather()
    assert town.shown(port) == (size, {"a"})


# --- another history


def log_note(size: int, root: bytes, signer: PrivateKey = LOG_KEY) -> str:
    return sign_note(Checkpoint(ORIGIN, size, root).text, ORIGIN, signer)


def restored(town: Town, tmp_path: Path, port: Port) -> Town:
    """The same log from a backup made before what the witness has seen since."""
    town.grow(0, 10)
    town.engine.dispose()
    shutil.copy(tmp_path / "log.db", tmp_path / "backup.db")
    town.grow(10, 10)
    assert town.witnessing([port], 1).gather()
    return Town(f"sqlite:///{tmp_path / 'backup.db'}")


def test_a_restored_backup_signs_nothing_and_says_what_to_do(town: Town, tmp_path: Path) -> None:
    (port,) = ports("a")
    old = restored(town, tmp_path, port)
    old.witnessing([port], 1).start()
    with pytest.raises(StoreFault) as caught:
        old.checkpointer.sign()
    message = str(caught.value)
    assert f"the witness a has seen {town.log.size()} entries and the store holds fewer" in message
    assert "backup" in message
    assert "'creditbank ledger recover'" in message
    with pytest.raises(StoreFault):
        old.grow(10, 1)
    old.close()


def test_the_control_without_witnesses_a_restored_backup_signs_a_fork(
    town: Town, tmp_path: Path
) -> None:
    (port,) = ports("a")
    old = restored(town, tmp_path, port)
    size = old.grow(100, 10)
    assert size == town.log.size()
    assert old.log.root(size) != town.log.root(size)
    old.close()


def test_a_backup_is_noticed_also_where_the_witness_answered_late(
    town: Town, tmp_path: Path
) -> None:
    (port,) = ports("a")
    old = restored(town, tmp_path, port)
    port.reachable = False
    witnessing = old.witnessing([port], 1)
    witnessing.start()
    old.checkpointer.sign()
    port.reachable = True
    assert eventually(lambda: _halts(old))
    old.close()


def test_another_history_stops_the_signing(town: Town, tmp_path: Path) -> None:
    (port,) = ports("a")
    old = restored(town, tmp_path, port)
    old.grow(100, 30)  # past what the witness has seen, and not the same
    witnessing = old.witnessing([port], 1)
    assert not witnessing.gather()
    with pytest.raises(StoreFault, match="has seen another history of 28 entries"):
        old.checkpointer.sign()
    with pytest.raises(StoreFault, match="ledger recover"):
        old.checkpointer.sign()
    old.close()


@pytest.mark.parametrize("at_start", [True, False])
def test_another_history_is_seen_at_the_start_too(
    town: Town, tmp_path: Path, at_start: bool
) -> None:
    (port,) = ports("a")
    old = restored(town, tmp_path, port)
    old.grow(100, 30)
    witnessing = old.witnessing([port], 1)
    witnessing.start() if at_start else witnessing.gather()
    assert _halts(old)
    old.close()


def _halts(town: Town) -> bool:
    try:
        town.checkpointer.sign()
    except StoreFault:
        return True
    return False


def claims(town: Town, note: str) -> Witnessing:
    """Ask a witness that turns us away and shows `note` as the newest it has cosigned."""

    def refuse(request: AddCheckpoint) -> str:
        raise Turned(409, "seen more", 10_000)

    port = Answering("a", refuse)
    port.newest = lambda origin: note  # type: ignore[method-assign]
    witnessing = town.witnessing([port], 1)
    assert not witnessing.gather()
    witnessing._check_start(witnessing._asked[0])
    return witnessing


STRANGER = PrivateKey.from_seed(b"s" * 32)


@pytest.mark.parametrize(
    "note",
    [
        log_note(10_000, bytes(32), STRANGER),
        log_note(3, bytes(32), STRANGER),
        # The log's line is there, but it does not verify.
        log_note(10_000, bytes(32)).replace("\n10000\n", "\n10001\n"),
        sign_note(Checkpoint("other", 10_000, bytes(32)).text, ORIGIN, LOG_KEY),
        Checkpoint(ORIGIN, 10_000, bytes(32)).text,
        cosigner("a.example/w").cosign("x", 1),
        "garbage",
        "",
        "\x00\n\n",
        sign_note("no checkpoint\n", ORIGIN, LOG_KEY),
    ],
    ids=range(10),
)
def test_only_a_note_by_the_logs_own_key_stops_the_signing(town: Town, note: str) -> None:
    claims(town, note)
    town.grow(0, 3)


@pytest.mark.parametrize("size", [10_000, 3])
def test_the_control_a_note_by_the_logs_own_key_does(town: Town, size: int) -> None:
    claims(town, log_note(size, bytes(32)))
    with pytest.raises(StoreFault, match=f"{size} entries"):
        town.grow(0, 3)


# --- over HTTP


def http_witness(handle: Callable[[httpx.Request], httpx.Response]) -> HttpWitness:
    client = httpx.Client(transport=httpx.MockTransport(handle))
    record = WitnessRecord("a", "https://a.example", tuple(ports("a")[0].keys))
    return HttpWitness(record, "https://a.example/", client)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 422, 429, 500, 503])
def test_every_other_status_is_a_refusal(status: int) -> None:
    witness = http_witness(lambda request: httpx.Response(status, text="no"))
    with pytest.raises(Turned) as turned:
        witness.add_checkpoint(AddCheckpoint(0, (), "note"))
    assert (turned.value.status, turned.value.size) == (status, None)
    if status == 404:
        assert witness.newest("log") is None
    else:
        with pytest.raises(WitnessUnreachable, match=str(status)):
            witness.newest("log")


@pytest.mark.parametrize(
    ("body", "size"),
    [("12\n", 12), ("0\n", 0), ("x\n", None), ("-1\n", None), ("", None), ("9" * 5000, None)],
)
def test_a_conflict_tells_the_size_or_nothing(body: str, size: int | None) -> None:
    witness = http_witness(lambda request: httpx.Response(409, text=body))
    with pytest.raises(Turned) as turned:
        witness.add_checkpoint(AddCheckpoint(0, (), "note"))
    assert (turned.value.status, turned.value.size) == (409, size)


def test_no_answer_is_told_with_who_and_where() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out", request=request)

    witness = http_witness(fail)
    for ask in (
        lambda: witness.newest("log"),
        lambda: witness.add_checkpoint(AddCheckpoint(0, (), "note")),
    ):
        with pytest.raises(WitnessUnreachable, match=r"the witness a at https://a\.example did"):
            ask()


@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["endless", "drop by drop"])
def test_an_answer_without_end_is_cut_off(pause: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnesses, "_LONGEST", 0.2 if pause else 60)
    sent = []

    def drops() -> Iterator[bytes]:
        while True:
            sent.append(1 if pause else 65536)
            time.sleep(pause)
            yield b"x" * sent[-1]

    witness = http_witness(lambda request: httpx.Response(200, content=drops()))
    for ask in (
        lambda: witness.newest("log"),
        lambda: witness.add_checkpoint(AddCheckpoint(0, (), "note")),
    ):
        sent.clear()
        with pytest.raises(WitnessUnreachable, match="does not stop answering"):
            ask()
        assert sum(sent) < 2_000_000


def test_before_the_first_checkpoint_there_is_nothing_to_ask(tmp_path: Path) -> None:
    from bank.tables import derived, private
    from ledger.store import create_tables

    engine = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    create_tables(engine, derived, private)
    (port,) = ports("a")
    witnessing = Witnessing(Log(engine), checkpointer_on(engine), [VERIFIER], [port], 1)
    assert witnessing.gather()
    assert port.asked == []
    with pytest.raises(NotFound):
        Log(engine).signed()
    witnessing.close()
    engine.dispose()


def test_the_forged_lines_above_differ_from_good_ones_in_the_signature_only() -> None:
    request = AddCheckpoint(0, (), log_note(3, bytes(32)))
    good, bad = own_line(BAD, request).split(" "), forged(BAD, request).split(" ")
    assert good[:2] == bad[:2]
    assert base64.b64decode(good[2])[:4] == base64.b64decode(bad[2])[:4]
    assert len(good[2]) == len(bad[2])
