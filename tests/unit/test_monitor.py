"""A monitor follows logs from their static files, and keeps the proof if one shows two faces."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from keys import PrivateKey, b64u_encode
from ledger import Checkpoint, SignedStatement, Statement, VerifierKey, open_note, sign_note
from ledger.monitor import Monitor, SplitView, compare
from ledger.publishing import FolderTarget, publish
from ledger.sequencer import Sequencer
from ledger.sources import open_source
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
