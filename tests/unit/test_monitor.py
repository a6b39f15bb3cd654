"""A monitor follows logs from their static files, and keeps the proof if one shows two faces."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keys import PrivateKey, b64u_encode
from ledger import (
    BadEntry,
    BadNote,
    Checkpoint,
    LedgerError,
    SignedStatement,
    Statement,
    StoreFault,
    VerifierKey,
    open_note,
    sign_note,
)
from ledger.monitor import Monitor, SplitView, compare
from ledger.publishing import FolderTarget, publish
from ledger.sequencer import Sequencer
from ledger.sources import open_source
from ledger.static import Fetch, StaticLog, folder_fetch
from ledger.store import create_tables, open_store

Run = Callable[..., subprocess.CompletedProcess[str]]
BANK, MEMBER, ORIGIN = "did:web:cq.example", "did:web:cq.example:members:a", "cq.example/log"
GOVERNANCE, KEY, LOG = (PrivateKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
NAMES = {"en": "A", "zh": "甲"}


class NoTables:
    def begin(self, connection: object, batch: object, registry: object) -> "NoTables":
        return self

    def take(self, entry: object) -> None:
        pass

    def flush(self) -> None:
        pass


def opening() -> list[SignedStatement]:
    log_key = str(VerifierKey(ORIGIN, 1, LOG.public_key.raw))
    governance = {"keys": [GOVERNANCE.public_key.multikey], "threshold": 1}
    uscc = "12500000MB00BY011H"
    facts: list[tuple[str, dict[str, object]]] = [
        (
            "log.open",
            {
                "domain": "cq.example",
                "governance": governance,
                "log": [log_key],
                "name": NAMES,
                "origin": ORIGIN,
            },
        ),
        (
            "framework.publish",
            {
                "framework": "cq",
                "levels": [{"level": "5", "name": NAMES}],
                "name": NAMES,
                "version": 1,
            },
        ),
        ("scheme.publish", {"hours": "16", "name": NAMES, "scheme": "std", "version": 1}),
        (
            "member.admit",
            {"capacities": ["awarding"], "member": MEMBER, "name": NAMES, "uscc": uscc},
        ),
        ("key.add", {"key": KEY.public_key.multikey, "member": MEMBER}),
        (
            "grant",
            {
                "fields": ["*"],
                "from": "2020-01-01",
                "level": "8",
                "member": MEMBER,
                "until": "2040-01-01",
            },
        ),
    ]
    unit = {
        "credits": "2",
        "field": "ict",
        "framework": "cq",
        "hours": "32",
        "level": "5",
        "scheme": "std",
        "title": NAMES,
        "unit": "A1",
        "version": 1,
    }
    made = [Statement.make(BANK, kind, body).sign(GOVERNANCE) for kind, body in facts]  # type: ignore[arg-type]
    return [*made, Statement.make(MEMBER, "unit.publish", unit).sign(KEY)]  # type: ignore[arg-type]


def award(number: int, lot: int | None = None) -> SignedStatement:
    body = {
        "commitment": b64u_encode(number.to_bytes(32, "big")),
        "credits": "2",
        "level": "5",
        "lot": b64u_encode((number if lot is None else lot).to_bytes(16, "big")),
        "scheme": "std",
        "status": {"index": number, "list": 1},
        "unit": "A1@1",
    }
    return Statement.make(MEMBER, "award", body).sign(KEY)  # type: ignore[arg-type]


class Grown:
    """A log in a folder that can be grown and published."""

    def __init__(self, folder: Path) -> None:
        from datetime import UTC, datetime

        from ledger.checkpointer import Checkpointer
        from ledger.log import Log

        engine = open_store(f"sqlite:///{folder / 'log.db'}")
        create_tables(engine)
        self.sequencer = Sequencer(engine, NoTables(), lambda: datetime.now(UTC))
        self.checkpointer = Checkpointer(engine, ORIGIN, LOG)
        self.log = Log(engine)
        self.public = folder / "public"
        self.grow(opening())

    def grow(self, statements: list[SignedStatement]) -> None:
        self.sequencer.append(statements)
        log = self.log
        publish(
            FolderTarget(self.public),
            self.checkpointer.sign(),
            log.tile,
            lambda start, end: list(log.entries(start, end)),
            log.root,
        )


@pytest.fixture
def grown(tmp_path: Path) -> Grown:
    folder = tmp_path / "one"
    folder.mkdir()
    return Grown(folder)


def test_it_follows_a_log_as_it_grows(grown: Grown, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    for start in range(0, 900, 300):
        grown.grow([award(n) for n in range(start, start + 300)])
        # A monitor of its own each time: what it knows is on disk.
        monitor = Monitor(url)
        followed = monitor.follow(open_source(str(grown.public)))
        assert (followed.old, followed.new) == (start + 7 if start else 0, start + 307)
        assert followed.problems == ()
        monitor.close()


def test_it_sees_what_is_wrong_with_new_entries(grown: Grown, tmp_path: Path) -> None:
    monitor = Monitor(f"sqlite:///{tmp_path / 'monitor.db'}")
    source = open_source(str(grown.public))
    grown.grow([award(1), award(2)])
    assert monitor.follow(source).problems == ()
    # The log's own check of lots is left out here (NoTables): a second award of one lot slips in.
    grown.grow([award(3, lot=1)])
    (problem,) = monitor.follow(source).problems
    assert problem.startswith("entry 9: the lot")
    assert "was awarded already" in problem
    # It is not forgotten: the next look says it again.
    assert monitor.follow(source).problems != ()


def test_a_forged_signature_is_seen(grown: Grown, tmp_path: Path) -> None:
    good = award(5)
    forged = SignedStatement(good.statement, award(6).signatures)
    grown.sequencer.verify = lambda signed: None
    grown.grow([forged])
    monitor = Monitor(f"sqlite:///{tmp_path / 'monitor.db'}")
    problems = monitor.follow(open_source(str(grown.public))).problems
    assert any("does not match" in problem for problem in problems)


def test_a_rewritten_history_is_a_split_view(grown: Grown, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    other = Grown(tmp_path / "two")
    grown.grow([award(n) for n in range(300)])
    other.grow([award(n) for n in range(1000, 1400)])
    monitor = Monitor(f"sqlite:///{tmp_path / 'monitor.db'}")
    monitor.follow(open_source(str(grown.public)))
    with pytest.raises(SplitView) as caught:
        monitor.follow(open_source(str(other.public)))
    key = VerifierKey(ORIGIN, 1, LOG.public_key.raw)
    seen, shown = (Checkpoint.parse(open_note(note, [key]).text) for note in caught.value.notes)
    assert (seen.origin, seen.size, shown.size) == (shown.origin, 307, 407)
    places = [("one", open_source(str(grown.public))), ("two", open_source(str(other.public)))]
    with pytest.raises(SplitView, match="two histories"):
        compare(places)
    compare([places[0], places[0]])


def test_a_mirror_that_lags_is_no_split_view(grown: Grown, tmp_path: Path) -> None:
    grown.grow([award(n) for n in range(300)])
    shutil.copytree(grown.public, tmp_path / "mirror")
    grown.grow([award(n) for n in range(300, 600)])
    compare([("m", open_source(str(tmp_path / "mirror"))), ("log", open_source(str(grown.public)))])


def test_a_checkpoint_by_another_key_is_refused(grown: Grown, tmp_path: Path) -> None:
    monitor = Monitor(f"sqlite:///{tmp_path / 'monitor.db'}")
    source = open_source(str(grown.public))
    monitor.follow(source)
    grown.grow([award(1)])
    text = open_note(source.checkpoint(), ()).text
    (grown.public / "checkpoint").write_text(sign_note(text, ORIGIN, PrivateKey.generate()))
    with pytest.raises(Exception, match="not signed by the log"):
        monitor.follow(source)


def test_the_command_keeps_the_evidence(grown: Grown, tmp_path: Path, run: Run) -> None:
    (tmp_path / "two").mkdir()
    other = Grown(tmp_path / "two")
    grown.grow([award(1)])
    other.grow([award(2)])
    state = tmp_path / "watch"
    done = run("ledger", "monitor", str(grown.public), "--state", str(state))
    assert done.returncode == 0, done.stderr
    assert "0 entries known, 8 now, all good" in done.stdout
    done = run("ledger", "monitor", str(other.public), "--state", str(state))
    assert done.returncode == 4
    assert "SPLIT VIEW" in done.stderr
    (evidence,) = state.glob("split-view-*.txt")
    for folder in (grown.public, other.public):
        note = (folder / "checkpoint").read_text(encoding="utf-8")
        assert note in evidence.read_text(encoding="utf-8")
    done = run("ledger", "monitor", str(tmp_path / "none"), "--state", str(state))
    assert done.returncode == 1
    assert "neither a folder nor an http(s) URL" in done.stderr


def test_audit_of_any_c2sp_log(tmp_path: Path, run: Run) -> None:
    """A log whose entries are no statements: the tree and the signature are checked."""
    from ledger import leaf_hash, root_hash
    from ledger.tiles import TileEdge

    entries = [b"go.example/module v1.%d" % n for n in range(300)]
    leaves = [leaf_hash(entry) for entry in entries]
    edge = TileEdge(0, lambda level, index, width: b"")
    full = {(t.level, t.index): t for leaf in leaves for t in edge.append(leaf)}
    root = root_hash(leaves)
    note = sign_note(Checkpoint("other.example/log", 300, root).text, "other.example/log", LOG)

    def tile(level: int, index: int, width: int) -> bytes:
        if level:
            return full[0, 0].root
        return b"".join(leaves[256 * index : 256 * index + width])

    public = tmp_path / "public"
    publish(FolderTarget(public), note, tile, lambda s, e: entries[s:e], lambda size: root)
    key = str(VerifierKey("other.example/log", 1, LOG.public_key.raw))
    done = run("ledger", "audit", str(public), "--key", key)
    assert done.returncode == 0, done.stderr
    assert "300 entry" in done.stdout
    done = run("ledger", "monitor", str(public), "--key", key, "--state", str(tmp_path / "w"))
    assert done.returncode == 0, done.stderr
    stranger = str(VerifierKey("other.example/log", 1, KEY.public_key.raw))
    done = run("ledger", "audit", str(public), "--key", stranger)
    assert done.returncode == 1
    bundle = public / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"v1.7", b"v1.8", 1))
    assert run("ledger", "audit", str(public), "--key", key).returncode == 1


# --- what is a split view, and what is none: nobody is accused without evidence


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Monitor]:
    monitor = Monitor(f"sqlite:///{tmp_path / 'monitor.db'}")
    yield monitor
    monitor.close()


def fork(tmp_path: Path, start: int, count: int) -> Grown:
    """Another history that the same key signs."""
    folder = tmp_path / f"fork-{start}-{count}"
    folder.mkdir()
    forked = Grown(folder)
    forked.grow([award(n) for n in range(start, start + count)])
    return forked


def copied(grown: Grown, folder: Path) -> StaticLog:
    shutil.copytree(grown.public, folder)
    return StaticLog(folder_fetch(folder))


def with_checkpoint_of(shown: Grown, other: Grown) -> StaticLog:
    """The files of one history under the checkpoint of another."""
    inner = folder_fetch(shown.public)
    checkpoint = (other.public / "checkpoint").read_bytes()
    return StaticLog(lambda path: checkpoint if path == "checkpoint" else inner(path))


@pytest.mark.parametrize("size", [100, 260])
def test_a_shorter_history_is_a_split_view(
    grown: Grown, monitor: Monitor, tmp_path: Path, size: int
) -> None:
    """Its own tiles lead to its root, of course: what counts are those of what was seen."""
    grown.grow([award(n) for n in range(300)])
    monitor.follow(open_source(str(grown.public)))
    forked = fork(tmp_path, 1000, size)
    with pytest.raises(SplitView, match="another, shorter history"):
        monitor.follow(with_checkpoint_of(grown, forked))
    # The control: the same checkpoint size of the same history.
    grown.grow([award(n) for n in range(300, 320)])
    monitor.follow(open_source(str(grown.public)))
    older = Grown.__new__(Grown)
    older.public = tmp_path / "older"
    text = Checkpoint(ORIGIN, size, grown.log.root(size)).text
    older.public.mkdir()
    (older.public / "checkpoint").write_text(sign_note(text, ORIGIN, LOG), encoding="utf-8")
    with pytest.raises(LedgerError, match="it is behind, or was restored") as caught:
        monitor.follow(with_checkpoint_of(grown, older))
    assert not isinstance(caught.value, SplitView)


def test_a_shorter_history_is_seen_by_the_subtrees_that_are_remembered(
    grown: Grown, monitor: Monitor, tmp_path: Path
) -> None:
    """The tiles of what was seen are gone; a complete subtree of it is another one now."""
    grown.grow([award(n) for n in range(300)])
    behind = copied(grown, tmp_path / "behind")
    grown.grow([award(n) for n in range(300, 340)])
    monitor.follow(open_source(str(grown.public)))
    with pytest.raises(SplitView, match="another, shorter history"):
        monitor.follow(open_source(str(fork(tmp_path, 1000, 260).public)))
    # Where no remembered subtree fits in, nothing is proved, and it is not called good either.
    for log in (open_source(str(fork(tmp_path, 1000, 100).public)), behind):
        with pytest.raises(LedgerError, match="not what proves") as caught:
            monitor.follow(log)
        assert not isinstance(caught.value, SplitView)


def lacking(fetch: Fetch, part: str, instead: bytes | Exception | None) -> Fetch:
    def found(path: str) -> bytes | None:
        if part not in path:
            return fetch(path)
        if isinstance(instead, Exception):
            raise instead
        return instead

    return found


@pytest.mark.parametrize(
    "instead",
    [None, StoreFault("the log did not answer: timed out"), bytes(32 * 256), b""],
    ids=["missing", "unreachable", "damaged", "cut short"],
)
def test_bad_tiles_are_no_split_view(
    grown: Grown, monitor: Monitor, tmp_path: Path, instead: bytes | Exception | None
) -> None:
    monitor.follow(open_source(str(grown.public)))
    mirror = copied(grown, tmp_path / "mirror")
    grown.grow([award(n) for n in range(100)])
    bad = StaticLog(lacking(folder_fetch(grown.public), "tile/0/", instead))
    for look in (
        lambda: monitor.follow(bad),
        lambda: compare([("mirror", mirror), ("log", bad)]),
        lambda: compare([("log", bad), ("mirror", mirror)]),
    ):
        with pytest.raises(LedgerError) as caught:
            look()
        assert not isinstance(caught.value, SplitView)
    # The control: whole tiles pass, and those of another history are evidence.
    assert monitor.follow(open_source(str(grown.public))).problems == ()
    with pytest.raises(SplitView):
        monitor.follow(open_source(str(fork(tmp_path, 1000, 200).public)))


def test_a_tile_that_came_damaged_once_is_read_again(grown: Grown, monitor: Monitor) -> None:
    """A monitor that looks again and again keeps the log's tiles, but not wrong ones."""
    grown.grow([award(n) for n in range(300)])
    monitor.follow(open_source(str(grown.public)))
    grown.grow([award(n) for n in range(300, 400)])
    inner, damaged = folder_fetch(grown.public), ["tile/0/001.p/151"]
    assert inner(damaged[0]) is not None

    def fetch(path: str) -> bytes | None:
        data = inner(path)
        if path not in damaged or data is None:
            return data
        damaged.remove(path)
        return bytes(len(data))

    log = StaticLog(fetch)
    with pytest.raises(BadEntry, match="the tiles do not lead to the root"):
        monitor.follow(log)
    assert not damaged
    assert monitor.follow(log).problems == ()


@pytest.mark.parametrize("keys", [(), (VerifierKey(ORIGIN, 1, LOG.public_key.raw),)])
def test_what_the_log_did_not_sign_accuses_nobody(
    grown: Grown, tmp_path: Path, keys: tuple[VerifierKey, ...]
) -> None:
    forked = fork(tmp_path, 1000, 20)
    grown.grow([award(1)])
    (forked.public / "checkpoint").write_text(
        sign_note(
            open_note((forked.public / "checkpoint").read_text("utf-8"), ()).text,
            ORIGIN,
            PrivateKey.generate(),
        ),
        encoding="utf-8",
    )
    places = [("log", open_source(str(grown.public))), ("b", open_source(str(forked.public)))]
    with pytest.raises(BadNote, match=r"what b shows of cq\.example/log is not signed"):
        compare(places, keys)
    # The control: signed by the log's key, it is evidence.
    signed = fork(tmp_path, 1000, 21)
    with pytest.raises(SplitView, match="two histories"):
        compare([places[0], ("b", open_source(str(signed.public)))], keys)


def test_another_name_hides_no_other_history(
    grown: Grown, monitor: Monitor, tmp_path: Path
) -> None:
    """A checkpoint under a new origin has no past to contradict, but the same key signed it."""
    grown.grow([award(1)])
    key = VerifierKey(ORIGIN, 1, LOG.public_key.raw)
    assert monitor.follow(open_source(str(grown.public)), [key]).problems == ()
    forked = fork(tmp_path, 1000, 20)
    text = open_note((forked.public / "checkpoint").read_text("utf-8"), ()).text
    renamed = text.replace(ORIGIN, "cq.example/other")
    (forked.public / "checkpoint").write_text(sign_note(renamed, ORIGIN, LOG), encoding="utf-8")
    source = open_source(str(forked.public))
    with pytest.raises(BadNote, match=r"signed by the key of cq\.example/log"):
        monitor.follow(source, [key])
    # Without keys its first entry names the log that it is.
    (problem,) = monitor.follow(source).problems
    assert problem == "the checkpoint is of another log, cq.example/other"


def test_a_place_out_of_reach_keeps_nobody_from_seeing_the_others(
    grown: Grown, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "empty").mkdir()
    state = tmp_path / "watch"
    done = run(
        "ledger", "monitor", str(tmp_path / "empty"), str(grown.public), "--state", str(state)
    )
    assert done.returncode == 1
    assert f"{tmp_path / 'empty'} holds no log" in done.stderr
    assert "0 entries known, 7 now, all good" in done.stdout


@pytest.mark.parametrize("again", ["member", "lot"])
def test_what_was_said_once_is_not_said_again_at_a_later_look(
    grown: Grown, monitor: Monitor, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    """Who runs the log could else undo what came after, by what an author signed long ago."""

    def member(kind: str, reason: str) -> SignedStatement:
        return Statement.make(BANK, kind, {"member": MEMBER, "reason": reason}).sign(GOVERNANCE)

    def lot(kind: str, **more: str) -> SignedStatement:
        body = {"lot": b64u_encode((1).to_bytes(16, "big")), **more}
        return Statement.make(MEMBER, kind, body).sign(KEY)

    def suspended(reason: str) -> SignedStatement:
        if again == "member":
            return member("member.suspend", reason)
        return lot("suspend", reason=reason, appeal="2030-01-01")

    def restored(reason: str) -> SignedStatement:
        if again == "member":
            return member("member.reinstate", reason)
        return lot("reinstate", reason=reason)

    source = open_source(str(grown.public))
    grown.grow([award(1), suspended("doubt"), restored("settled")])
    assert monitor.follow(source).problems == ()
    # The control: the same once more, for another reason, is new.
    grown.grow([suspended("again"), restored("cleared"), suspended("for-good")])
    assert monitor.follow(source).problems == ()
    # The log's own check is made blind.
    monkeypatch.setattr("ledger.sequencer.identity_of", lambda statement: (0, os.urandom(32)))
    grown.grow([restored("settled")])
    assert grown.log.size() == 14
    assert monitor.follow(source).problems == ("entry 13: its statement is in the log already",)
