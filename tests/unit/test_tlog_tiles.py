"""Static tiles: names, what a grown log must publish, and a folder that is enough by itself."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger import (
    BadEntry,
    Checkpoint,
    NotFound,
    StoreFault,
    leaf_hash,
    open_note,
    root_hash,
    sign_note,
    verify_consistency,
    verify_inclusion,
)
from ledger.audit import audit
from ledger.monitor import SplitView, compare
from ledger.publishing import FolderTarget, Target, publish
from ledger.static import StaticLog, folder_fetch
from ledger.tiles import TileEdge
from ledger.tlog_tiles import Resource, decode_bundle, encode_bundle, resources
from tests.log_kit import LOG_KEY, ORIGIN, VERIFIER, awards, checkpointer_on, new_log, sequencer_on

# --- names


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (Resource(0, 1234067, 256), "tile/0/x001/x234/067"),
        (Resource(0, 0, 256), "tile/0/000"),
        (Resource(0, 999, 256), "tile/0/999"),
        (Resource(0, 1000, 256), "tile/0/x001/000"),
        (Resource(63, 1, 1), "tile/63/001.p/1"),
        (Resource(1, 1234067, 255), "tile/1/x001/x234/067.p/255"),
        (Resource(None, 1234067, 256), "tile/entries/x001/x234/067"),
        (Resource(None, 12, 7), "tile/entries/012.p/7"),
    ],
)
def test_names(resource: Resource, path: str) -> None:
    assert resource.path == path
    assert Resource.parse(path) == resource


def test_every_name_is_read_back() -> None:
    rng = random.Random(1)
    for _ in range(5000):
        level = rng.choice([None, *range(64)])
        resource = Resource(level, rng.randrange(10 ** rng.randint(1, 12)), rng.randint(1, 256))
        assert Resource.parse(resource.path) == resource
        *folders, last = resource.path.removesuffix(f".p/{resource.width}").split("/")[2:]
        assert all(len(part) == 4 and part[0] == "x" for part in folders)
        assert len(last) == 3


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/001/234",
        "tile/0/x001/x234",
        "tile/0/x1/234",
        "tile/0/xx01/234",
        "tile/0/-01",
        "tile/0/+01",
        "tile/0/ 01",
        "tile/0/1e2",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0x1/000",
        "tile/Entries/000",
        "tile/data/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/-1",
        "tile/0/000.p/1/",
        "tile/0/x000.p/1/000",
        "tile/0/000/",
        "/tile/0/000",
        "tile//0/000",
        "tile/8/0/000/000",
        "tile/0/٠٠١",
        "tile/٣/000",
        "tile/0/000.p/٣",
        "tile/0/00²",
        "tile/0/../0/000",
        "tile/0/" + "1" * 5000,
        "tile/0/" + "x001/" * 5000 + "001",
        "tile/" + "1" * 5000 + "/000",
        "tile/0/000.p/" + "1" * 5000,
        "checkpoint",
    ],
)
def test_one_spelling_only(path: str) -> None:
    assert Resource.parse(path) is None


# --- what must be published


def present(size: int) -> set[Resource]:
    """Every tile and bundle of a log of `size` entries, straight from the specification."""
    found = set()
    for level in (None, *range(8)):
        hashes = size // 256 ** (level or 0)
        found |= {Resource(level, index, 256) for index in range(hashes // 256)}
        if hashes % 256:
            found.add(Resource(level, hashes // 256, hashes % 256))
    return found


def test_the_specification_s_example_of_70000() -> None:
    made = Counter((r.level, r.width) for r in resources(0, 70_000))
    bundles = {(None, 256): 273, (None, 112): 1}
    assert made == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1, **bundles}


def test_the_specification_s_example_of_256() -> None:
    whole = {Resource(None, 0, 256), Resource(0, 0, 256), Resource(1, 0, 1)}
    assert set(resources(0, 256)) == whole
    assert list(resources(0, 0)) == []


SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, 70_000, 131_072]


@pytest.mark.parametrize("size", SIZES)
def test_from_nothing_it_is_all_there_is(size: int) -> None:
    made = list(resources(0, size))
    assert len(made) == len(set(made))
    assert set(made) == present(size)


def test_growth_adds_exactly_what_was_not_there() -> None:
    rng = random.Random(2)
    pairs = [(old, new) for old in SIZES for new in SIZES if old <= new]
    pairs += [tuple(sorted(rng.choices(range(140_000), k=2))) for _ in range(60)]
    pairs += [(old, old + step) for old in range(250, 262) for step in range(9)]
    for old, new in pairs:
        made = list(resources(old, new))
        assert len(made) == len(set(made)), (old, new)
        assert set(made) == present(new) - present(old), (old, new)


def test_small_sizes_one_by_one() -> None:
    there: set[Resource] = set()
    for size in range(1, 1100):
        there |= set(resources(size - 1, size))
        assert present(size) <= there, size


def test_bundles_come_before_the_tiles_that_hash_them() -> None:
    levels = [-1 if r.level is None else r.level for r in resources(0, 70_000)]
    assert levels == sorted(levels)


# --- bundles


def test_bundles_round_trip() -> None:
    rng = random.Random(3)
    for _ in range(200):
        entries = [rng.randbytes(rng.choice([0, 1, 2, 255, 256, 700])) for _ in range(40)]
        assert decode_bundle(encode_bundle(entries)) == entries
    largest = [b"x" * 65_535, b"", b"y"]
    assert decode_bundle(encode_bundle(largest)) == largest
    assert encode_bundle([b"ab"]) == b"\0\2ab"
    assert decode_bundle(b"") == []


def test_a_bundle_cut_anywhere_between_entries_is_refused() -> None:
    data = encode_bundle([b"one", b"", b"three"])
    whole = {0, 5, 7, 14}
    for end in range(len(data) + 1):
        if end in whole:
            assert encode_bundle(decode_bundle(data[:end])) == data[:end]
        else:
            with pytest.raises(BadEntry, match="cut short"):
                decode_bundle(data[:end])


# --- a folder that grows


class Grown:
    """A log of opaque entries in memory, published to a folder as it grows."""

    def __init__(self, folder: Path, prefix: str = "entry") -> None:
        self.folder = folder
        self.prefix = prefix
        self.entries: list[bytes] = []
        self.leaves: list[bytes] = []
        self.full: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        self.edge = TileEdge(0, lambda level, index, width: b"")

    @property
    def size(self) -> int:
        return len(self.entries)

    def grow(self, size: int) -> None:
        while self.size < size:
            entry = b"%s %d" % (self.prefix.encode(), self.size)
            self.entries.append(entry)
            self.leaves.append(leaf_hash(entry))
            for tile in self.edge.append(self.leaves[-1]):
                self.full[tile.level, tile.index] = (tile.hashes, tile.root)

    def tile(self, level: int, index: int, width: int) -> bytes:
        row = range(256 * index, 256 * index + width)
        if not level:
            return b"".join(self.leaves[place] for place in row)
        return b"".join(self.full[level - 1, place][1] for place in row)

    def root(self, size: int) -> bytes:
        return root_hash(self.leaves[:size])

    def note(self, origin: str = ORIGIN) -> str:
        return sign_note(Checkpoint(origin, self.size, self.root(self.size)).text, origin, LOG_KEY)

    def publish(self, target: Target | None = None, note: str = "") -> int:
        return publish(
            target or FolderTarget(self.folder),
            note or self.note(),
            self.tile,
            lambda start, end: self.entries[start:end],
            self.root,
        )


@pytest.fixture
def grown(tmp_path: Path) -> Grown:
    return Grown(tmp_path / "public")


def backed(folder: Path, entries: list[bytes]) -> Checkpoint:
    """Check that the folder alone holds all that its checkpoint speaks of."""
    log = StaticLog(folder_fetch(folder))
    opened = open_note(log.checkpoint(), [VERIFIER])
    assert len(opened.signatures) == 1
    checkpoint = Checkpoint.parse(opened.text)
    size = checkpoint.size
    assert list(log.entries(0, size)) == entries[:size]
    assert log.root(size) == checkpoint.root == root_hash(map(leaf_hash, entries[:size]))
    for resource in present(size):
        assert (folder / resource.path).is_file(), resource.path
    return checkpoint


def test_after_each_growth_the_folder_alone_proves_everything(grown: Grown) -> None:
    rng = random.Random(4)
    sizes = [1, 2, 255, 256, 257, 300, 512, 1000, 65_536, 65_537]
    written = set()
    for size in sizes:
        before = grown.size
        grown.grow(size)
        count = grown.publish()
        assert count == len(set(resources(before, size))) + 1
        written |= set(resources(before, size))
        checkpoint = backed(grown.folder, grown.entries)
        assert checkpoint.size == size
        log = StaticLog(folder_fetch(grown.folder))
        places = range(size) if size <= 300 else [*rng.sample(range(size), 40), 0, size - 1]
        for index in places:
            receipt = log.receipt(index)
            assert receipt.entry == grown.entries[index]
            leaf = leaf_hash(receipt.entry)
            verify_inclusion(leaf, index, size, receipt.path, checkpoint.root)
        olds = range(1, size + 1) if size <= 300 else rng.sample(range(1, size), 30)
        roots = {old: grown.root(old) for old in (olds if size <= 1000 else sizes[:-2])}
        for old, root in roots.items():
            proof = log.consistency(old, size)
            verify_consistency(old, size, proof, root, checkpoint.root)
        for old in {size, *(old for old in sizes if old < size)}:
            assert log.root(old) == grown.root(old)
        with pytest.raises(NotFound):
            log.receipt(size)
    assert {
        p.relative_to(grown.folder).as_posix() for p in grown.folder.rglob("*") if p.is_file()
    } == {
        "checkpoint",
        *(resource.path for resource in written),
    }
    # Nothing new: only the checkpoint is written again.
    assert grown.publish() == 1


def test_a_real_log_in_a_folder_is_audited_from_it_alone(tmp_path: Path) -> None:
    from ledger.log import Log

    engine = new_log(f"sqlite:///{tmp_path / 'log.db'}")
    sequencer, checkpointer, log = sequencer_on(engine), checkpointer_on(engine), Log(engine)
    notes = []
    for start, count in ((0, 1), (1, 250), (251, 400), (651, 1)):
        sequencer.append(awards(start, count))
        notes.append(checkpointer.sign())
        publish(
            FolderTarget(tmp_path / "public"),
            notes[-1],
            log.tile,
            lambda start, end: list(log.entries(start, end)),
            log.root,
        )
        size = log.size()
        static = StaticLog(folder_fetch(tmp_path / "public"))
        report = audit(static.entries(0, size), [static.checkpoint()])
        assert report.passed, report.problems
        assert (report.size, report.origin) == (size, ORIGIN)
        # Every checkpoint of before is still provable from what is there now.
        assert audit(static.entries(0, size), notes).passed
        for index in (0, size // 2, size - 1):
            assert static.receipt(index) == log.receipt(index)
        assert static.consistency(6, size) == log.consistency(6, size)
    engine.dispose()


def test_partial_tiles_may_be_deleted_once_the_full_ones_are_there(grown: Grown) -> None:
    for size in (200, 500, 900):
        grown.grow(size)
        grown.publish()
    old = StaticLog(folder_fetch(grown.folder)).consistency(500, 900)
    for path in grown.folder.glob("tile/*/*.p/*"):
        resource = Resource.parse(path.relative_to(grown.folder).as_posix())
        assert resource is not None
        if resource not in present(900):
            path.unlink()
    assert StaticLog(folder_fetch(grown.folder)).consistency(500, 900) == old
    backed(grown.folder, grown.entries)


def test_two_copies_published_at_different_sizes_are_one_history(tmp_path: Path) -> None:
    """The larger one never served the partial tiles of the smaller one's size."""
    sizes = [5, 256, 300, 310, 600]
    for small, large in [(a, b) for a in sizes for b in sizes if a < b]:
        copies = []
        for size in (small, large):
            copy = Grown(tmp_path / f"{small}-{large}-{size}")
            copy.grow(size)
            copy.publish()
            copies.append((str(size), StaticLog(folder_fetch(copy.folder))))
        compare(copies, [VERIFIER])
        compare(copies[::-1], [VERIFIER])
        fork = Grown(tmp_path / f"{small}-{large}-fork", "other")
        fork.grow(large)
        fork.publish()
        for order in (1, -1):
            pair = [copies[0], ("fork", StaticLog(folder_fetch(fork.folder)))]
            with pytest.raises(SplitView, match="two histories"):
                compare(pair[::order], [VERIFIER])


# --- interrupted, refused


class Counting:
    """A target that fails at one of its puts, before or after the file is there."""

    def __init__(self, inner: Target, fail_at: int, after: bool) -> None:
        self.inner, self.left, self.after = inner, fail_at, after
        self.paths: list[str] = []

    def get(self, path: str) -> bytes | None:
        return self.inner.get(path)

    def put(self, path: str, data: bytes, media_type: str) -> None:
        self.paths.append(path)
        self.left -= 1
        if self.left == 0 and not self.after:
            raise OSError("interrupted")
        self.inner.put(path, data, media_type)
        if self.left == 0:
            raise OSError("interrupted")


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_interrupted_anywhere_the_checkpoint_shown_is_backed(tmp_path: Path, after: bool) -> None:
    steps = [(0, 300), (300, 1100)]
    for old, new in steps:
        puts = len(list(resources(old, new))) + 1
        for fail_at in range(1, puts + 1):
            grown = Grown(tmp_path / f"{new}-{fail_at}")
            if old:
                grown.grow(old)
                grown.publish()
            grown.grow(new)
            target = Counting(FolderTarget(grown.folder), fail_at, after)
            with pytest.raises(OSError, match="interrupted"):
                grown.publish(target)
            shown = grown.folder / "checkpoint"
            if fail_at == puts and after:
                assert backed(grown.folder, grown.entries).size == new
            elif old:
                assert backed(grown.folder, grown.entries).size == old
            else:
                assert not shown.exists()
            # The next run, of a log that has grown meanwhile, needs no help.
            grown.grow(new + 70)
            grown.publish()
            assert backed(grown.folder, grown.entries).size == new + 70


def test_the_checkpoint_is_last(grown: Grown) -> None:
    for size in (10, 600, 600):
        grown.grow(size)
        target = Counting(FolderTarget(grown.folder), -1, after=False)
        grown.publish(target)
        assert target.paths.index("checkpoint") == len(target.paths) - 1
        assert target.paths[-1] == "checkpoint"


def test_the_control_with_the_checkpoint_first_a_reader_finds_holes(grown: Grown) -> None:
    grown.grow(300)
    FolderTarget(grown.folder).put("checkpoint", grown.note().encode(), "text/plain")
    with pytest.raises(NotFound):
        backed(grown.folder, grown.entries)


def test_a_file_is_never_seen_half_written(grown: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    grown.grow(300)
    grown.publish()
    before = {path: path.read_bytes() for path in grown.folder.rglob("*") if path.is_file()}

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    grown.grow(310)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreFault, match="No space left on device"):
        grown.publish()
    monkeypatch.undo()
    after = {path: path.read_bytes() for path in grown.folder.rglob("*") if path.is_file()}
    assert after == before


@pytest.fixture
def published(grown: Grown) -> Iterator[Grown]:
    grown.grow(300)
    grown.publish()
    before = {path: path.read_bytes() for path in grown.folder.rglob("*") if path.is_file()}
    yield grown
    after = {path: path.read_bytes() for path in grown.folder.rglob("*") if path.is_file()}
    assert after == before, "a refusal changed the folder"


def refused(log: Grown, match: str, note: str = "") -> None:
    with pytest.raises(StoreFault, match=match):
        log.publish(note=note)


def test_another_log_is_refused(published: Grown) -> None:
    published.grow(400)
    refused(published, f"another log, {ORIGIN}, is published", published.note("other.example/log"))


def test_a_restored_backup_is_refused(published: Grown) -> None:
    backup = Grown(published.folder)
    backup.grow(299)
    refused(backup, "300 entries is published there that this log of 299 entries does not continue")
    refused(backup, "restored backup.*'creditbank ledger recover'")


@pytest.mark.parametrize("size", [300, 301, 5000])
def test_a_fork_is_refused(published: Grown, size: int) -> None:
    fork = Grown(published.folder, "other")
    fork.grow(size)
    refused(fork, "does not continue")


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xff\xfe", b"cq.example\n1\nAAAA\n\n"])
def test_a_damaged_checkpoint_is_not_built_upon(grown: Grown, data: bytes) -> None:
    grown.grow(300)
    grown.publish()
    (grown.folder / "checkpoint").write_bytes(data)
    refused(grown, "the published checkpoint is damaged")


def test_a_place_that_is_no_folder_is_told_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    log = Grown(file)
    log.grow(3)
    refused(log, "cannot be read: Not a directory")
    assert file.read_text() == "not a folder"


# --- a reader believes nothing


def test_a_bundle_with_too_few_or_other_entries_is_refused(published: Grown) -> None:
    files = dict.fromkeys(("tile/entries/000", "tile/entries/001.p/44"), b"")
    fetch = folder_fetch(published.folder)
    for path in files:
        whole = decode_bundle(fetch(path) or b"")
        for wrong in (whole[:-1], [], [*whole, b"more"]):
            log = StaticLog(_with(fetch, path, encode_bundle(wrong)))
            for index in (0, 255, 256, 299):
                if (index > 255) == path.endswith("44"):
                    with pytest.raises(BadEntry, match="holds"):
                        log.receipt(index)
            with pytest.raises(BadEntry, match="holds"):
                list(log.entries(0, 300))
        swapped = [whole[1], whole[0], *whole[2:]]
        log = StaticLog(_with(fetch, path, encode_bundle(swapped)))
        with pytest.raises(BadEntry, match="does not hash to its leaf"):
            log.receipt(0 if path.endswith("000") else 256)


def _with(
    fetch: Callable[[str], bytes | None], changed: str, data: bytes
) -> Callable[[str], bytes | None]:
    return lambda path: data if path == changed else fetch(path)


# --- the server


def test_the_server_serves_the_same_bytes_and_turns_other_names_away(tmp_path: Path) -> None:
    from fastapi import FastAPI

    from bank.api.problems import install
    from bank.api.tiles import tile_routes
    from ledger.log import Log

    engine = new_log(f"sqlite:///{tmp_path / 'log.db'}")
    sequencer_on(engine).append(awards(0, 600))
    note = checkpointer_on(engine).sign()
    log = Log(engine)
    publish(
        FolderTarget(tmp_path / "public"),
        note,
        log.tile,
        lambda start, end: list(log.entries(start, end)),
        log.root,
    )
    app = FastAPI()
    install(app)
    app.include_router(tile_routes(log))
    http = TestClient(app, raise_server_exceptions=False)
    answer = http.get("/log/checkpoint")
    assert answer.content == (tmp_path / "public" / "checkpoint").read_bytes()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    for resource in present(log.size()):
        answer = http.get(f"/log/{resource.path}")
        assert answer.content == (tmp_path / "public" / resource.path).read_bytes()
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]
    past = [
        "tile/0/002.p/97",
        "tile/0/003",
        "tile/0/003.p/1",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/63/000.p/1",
        "tile/entries/002.p/97",
        "tile/entries/002",
        "tile/entries/x999/999",
        "tile/entries/" + "x999/" * 5 + "999",
        "tile/0/" + "x999/" * 5 + "999",
        "tile/0/" + "x999/" * 5 + "999.p/7",
        "tile/7/" + "x999/" * 5 + "999.p/7",
        "tile/0/" + "x999/" * 12 + "999",
        "tile/0/" + "1" * 5000,
        "tile/0/0",
    ]
    assert {path: http.get(f"/log/{path}").status_code for path in past} == dict.fromkeys(past, 404)
    engine.dispose()
