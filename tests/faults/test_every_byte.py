"""Every byte of a published log of 1,000 entries, and of a receipt, changed in turn: all are seen.

What is seen must be told as a LedgerError: any other exception fails these tests too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger import (
    BadNote,
    Checkpoint,
    Entry,
    LedgerError,
    Receipt,
    leaf_hash,
    open_note,
    verify_inclusion,
)
from ledger.audit import audit, audit_tree
from ledger.cosignature import MLDSA44Cosigner
from ledger.log import Log
from ledger.publishing import publish
from ledger.static import StaticLog
from tests.log_kit import VERIFIER, awards, checkpointer_on, new_log, sequencer_on
from tests.witness_kit import cosigner

ENTRIES = 1000
WITNESSES = [cosigner("one.example/w"), MLDSA44Cosigner("two.example/w", bytes(32))]
KEYS = [VERIFIER, *(one.key for one in WITNESSES)]
BUNDLES = [*(f"tile/entries/{index:03}" for index in range(3)), "tile/entries/003.p/232"]
LEAVES = [*(f"tile/0/{index:03}" for index in range(3)), "tile/0/003.p/232"]
ABOVE = "tile/1/000.p/3"
FILES = [*BUNDLES, *LEAVES, ABOVE, "checkpoint"]
PER_FILE = 200


class Memory:
    """A publishing target in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def get(self, path: str) -> bytes | None:
        return self.files.get(path)

    def put(self, path: str, data: bytes, media_type: str) -> None:
        self.files[path] = data


@dataclass(frozen=True)
class Published:
    """What was published, and a receipt."""

    files: Mapping[str, bytes]
    receipt: str

    def fetch(self, changed: str, data: bytes) -> Callable[[str], bytes | None]:
        return lambda path: data if path == changed else self.files.get(path)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder: Path = tmp_path_factory.mktemp("log")
    engine = new_log(f"sqlite:///{folder / 'log.db'}")
    log = Log(engine)
    sequencer_on(engine).append(awards(0, ENTRIES - log.size()))
    note = checkpointer_on(engine).sign()
    text = open_note(note, ()).text
    note += "".join(one.cosign(text, 1_700_000_000) for one in WITNESSES)
    target = Memory()
    publish(
        target,
        note,
        log.tile,
        lambda start, end: list(log.entries(start, end)),
        log.root,
    )
    engine.dispose()
    receipt = StaticLog(target.get).receipt(700).encode()
    assert sorted(target.files) == sorted(FILES)
    return Published(target.files, receipt)


def check_note(note: str) -> Checkpoint:
    """A checkpoint that the log and both of two witnesses have signed."""
    opened = open_note(note, KEYS)
    if {one.key for one in opened.signatures} != set(KEYS):
        raise BadNote("a signature is missing")
    return Checkpoint.parse(opened.text)


def check_log(fetch: Callable[[str], bytes | None], *, signatures: bool) -> None:
    """Everything a stranger can check who has only the published files."""
    log = StaticLog(fetch)
    note = log.checkpoint()
    size = check_note(note).size
    faults: list[str] = []
    entries = log.checked_entries(size, faults)
    report = audit(entries, [note]) if signatures else audit_tree(entries, note, KEYS)
    if faults or not report.passed:
        raise LedgerError("; ".join((*report.problems, *faults)))


def check_receipt(data: bytes) -> None:
    """What the verifier checks of a receipt."""
    receipt = Receipt.parse(data.decode("utf-8", "replace"))
    checkpoint = check_note(receipt.checkpoint)
    leaf = leaf_hash(receipt.entry)
    verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.path, checkpoint.root)
    entry = Entry.parse(receipt.entry)
    if entry.index != receipt.index:
        raise LedgerError("the entry stands elsewhere")
    entry.signed.verify()


def is_seen(check: Callable[[], None]) -> bool:
    try:
        check()
    except LedgerError:
        return True
    return False


def flipped(data: bytes, position: int, mask: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= mask
    return bytes(changed)


def sampled(path: str, size: int, count: int) -> list[tuple[int, int]]:
    """Places and masks: both ends, and others."""
    rng = random.Random(path)
    places = {0, 1, size - 1, *rng.sample(range(size), min(size, count))}
    return [(place, rng.randint(1, 255)) for place in sorted(places)]


# --- the fast set


def test_the_control_nothing_changed_passes(published: Published) -> None:
    check_log(published.files.get, signatures=True)
    check_log(published.files.get, signatures=False)
    check_receipt(published.receipt.encode())
    for path in FILES:
        unchanged = published.fetch(path, flipped(published.files[path], 0, 0))
        check_log(unchanged, signatures=False)
    seen = [entry_is_seen(published, path, 0, 0) for path in BUNDLES]
    assert seen == [False] * len(BUNDLES)


@pytest.mark.parametrize("path", FILES)
def test_bytes_of_each_file(published: Published, path: str) -> None:
    data = published.files[path]
    missed = [
        place
        for place, mask in sampled(path, len(data), PER_FILE)
        if not is_seen(
            lambda place=place, mask=mask: check_log(
                published.fetch(path, flipped(data, place, mask)), signatures=False
            )
        )
    ]
    assert missed == []


@pytest.mark.parametrize("path", FILES)
def test_bytes_of_each_file_by_a_full_audit(published: Published, path: str) -> None:
    data = published.files[path]
    for place, mask in sampled(f"{path} audit", len(data), 2)[:4]:
        fetch = published.fetch(path, flipped(data, place, mask))
        assert is_seen(lambda fetch=fetch: check_log(fetch, signatures=True)), place


def test_every_byte_of_the_checkpoint(published: Published) -> None:
    data = published.files["checkpoint"]
    missed = [
        place
        for place in range(len(data))
        if not is_seen(
            lambda place=place: _check_checkpoint(published, flipped(data, place, 1 + place % 255))
        )
    ]
    assert missed == []


def _check_checkpoint(published: Published, data: bytes) -> None:
    log = StaticLog(published.fetch("checkpoint", data))
    checkpoint = check_note(log.checkpoint())
    if log.root(checkpoint.size) != checkpoint.root:
        raise LedgerError("another root")


def test_every_byte_of_a_receipt(published: Published) -> None:
    data = published.receipt.encode()
    missed = [
        place
        for place in range(len(data))
        if not is_seen(lambda place=place: check_receipt(flipped(data, place, 1 + place % 255)))
    ]
    assert missed == []


@pytest.mark.parametrize("path", FILES)
def test_a_file_cut_short_or_gone(published: Published, path: str) -> None:
    data = published.files[path]
    for place, _ in sampled(f"{path} cut", len(data), 4):
        fetch = published.fetch(path, data[:place])
        assert is_seen(lambda fetch=fetch: check_log(fetch, signatures=False)), place
    files = {name: data for name, data in published.files.items() if name != path}
    assert is_seen(lambda: check_log(files.get, signatures=False))


def test_the_control_entries_alone_do_not_show_a_changed_tile(published: Published) -> None:
    """Why the tiles are compared as well: an audit of the entries never reads them."""
    data = published.files["tile/0/000"]
    log = StaticLog(published.fetch("tile/0/000", flipped(data, 5, 1)))
    assert audit_tree(log.entries(0, ENTRIES), log.checkpoint(), KEYS).passed
    assert is_seen(lambda: _check_all_receipts(log))


def _check_all_receipts(log: StaticLog) -> None:
    for index in range(ENTRIES):
        check_receipt(log.receipt(index).encode().encode())


# --- all of it


def entry_is_seen(published: Published, path: str, place: int, mask: int) -> bool:
    """Whether the entry at this place of a bundle can still be had."""
    data = published.files[path]
    index, start = 256 * BUNDLES.index(path), 0
    while (end := start + 2 + int.from_bytes(data[start : start + 2], "big")) <= place:
        index, start = index + 1, end
    log = StaticLog(published.fetch(path, flipped(data, place, mask)))
    return is_seen(lambda: check_receipt(log.receipt(index).encode().encode()))


def _places(data: bytes) -> Iterator[tuple[int, int]]:
    """For each byte of a bundle, the place of its entry in the bundle."""
    start, index = 0, 0
    while start < len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        for place in range(start, end):
            yield place, index
        start, index = end, index + 1


@pytest.mark.slow
@pytest.mark.parametrize("path", BUNDLES)
def test_every_byte_of_the_bundles(published: Published, path: str) -> None:
    data = bytearray(published.files[path])
    current: dict[str, bytes] = {}
    # One reader for all: its tiles do not change, the bundle it fetches does.
    log = StaticLog(lambda name: current["data"] if name == path else published.files.get(name))
    first = 256 * BUNDLES.index(path)
    missed, count = [], 0
    for place, index in _places(bytes(data)):
        mask = 1 + place % 255
        data[place] ^= mask
        current["data"] = bytes(data)
        data[place] ^= mask
        count += 1
        try:
            log.receipt(first + index)
        except LedgerError:
            continue
        missed.append(place)
    assert (missed, count) == ([], len(data))


@pytest.mark.slow
@pytest.mark.parametrize("path", LEAVES)
def test_every_byte_of_the_leaf_tiles(published: Published, path: str) -> None:
    data = published.files[path]
    first = 256 * LEAVES.index(path)
    missed = []
    for place in range(len(data)):
        log = StaticLog(published.fetch(path, flipped(data, place, 1 + place % 255)))
        if not is_seen(lambda log=log, place=place: _receipt(log, first + place // 32)):
            missed.append(place)
    assert missed == []


def _receipt(log: StaticLog, index: int) -> None:
    log.receipt(index)


@pytest.mark.slow
def test_every_byte_of_the_tile_above(published: Published) -> None:
    data = published.files[ABOVE]
    for place in range(len(data)):
        fetch = published.fetch(ABOVE, flipped(data, place, 1 + place % 255))
        assert is_seen(lambda fetch=fetch: check_log(fetch, signatures=False)), place


@pytest.mark.slow
def test_every_bit_of_the_checkpoint_and_a_receipt(published: Published) -> None:
    note, receipt = published.files["checkpoint"], published.receipt.encode()
    for bit in range(8):
        for place in range(len(note)):
            changed = flipped(note, place, 1 << bit)
            assert is_seen(lambda changed=changed: _check_checkpoint(published, changed)), place
        for place in range(len(receipt)):
            changed = flipped(receipt, place, 1 << bit)
            assert is_seen(lambda changed=changed: check_receipt(changed)), place
