"""Receipts: exactly what `encode` writes, and everything needed to check an entry offline."""

from __future__ import annotations

import base64

import pytest

from ledger import (
    BadNote,
    BadProofPath,
    BadReceipt,
    Checkpoint,
    Entry,
    LedgerError,
    Receipt,
    inclusion_proof,
    leaf_hash,
    open_note,
    root_hash,
    sign_note,
    verify_inclusion,
)
from tests.log_kit import LOG_KEY, ORIGIN, VERIFIER, award

ENTRIES = [
    Entry.make(index, bytes(32), "2026-11-23T18:18:22Z", award(index)).data for index in range(7)
]
LEAVES = [leaf_hash(data) for data in ENTRIES]
CHECKPOINT = Checkpoint(ORIGIN, 7, root_hash(LEAVES))
NOTE = sign_note(CHECKPOINT.text, ORIGIN, LOG_KEY)


def receipt(index: int) -> Receipt:
    path = inclusion_proof(index, 7, lambda lo, hi: root_hash(LEAVES[lo:hi]))
    return Receipt(ENTRIES[index], index, tuple(path), NOTE)


def check(given: Receipt) -> None:
    """What a verifier does with a receipt and the log's key."""
    opened = open_note(given.checkpoint, [VERIFIER])
    if not opened.signatures:
        raise BadNote("not signed by the log")
    checkpoint = Checkpoint.parse(opened.text)
    leaf = leaf_hash(given.entry)
    verify_inclusion(leaf, given.index, checkpoint.size, given.path, checkpoint.root)


def test_round_trip() -> None:
    for index in range(7):
        given = receipt(index)
        again = Receipt.parse(given.encode())
        assert again == given
        assert again.encode() == given.encode()
        check(again)
    alone = Receipt(b"", 0, (), "")
    assert Receipt.parse(alone.encode()) == alone


def test_every_changed_character_is_seen() -> None:
    text = receipt(5).encode()
    for place in range(len(text)):
        for bit in (1, 2, 64):
            changed = text[:place] + chr(ord(text[place]) ^ bit) + text[place + 1 :]
            with pytest.raises(LedgerError):
                check(Receipt.parse(changed))


def test_every_cut_is_seen() -> None:
    text = receipt(5).encode()
    for place in range(len(text)):
        for changed in (text[:place], text[:place] + text[place + 1 :]):
            with pytest.raises(LedgerError):
                check(Receipt.parse(changed))


def test_a_receipt_for_another_entry_or_place_is_refused() -> None:
    good = receipt(5)
    for wrong in (
        Receipt(ENTRIES[4], 5, good.path, NOTE),
        Receipt(ENTRIES[5], 4, good.path, NOTE),
        Receipt(ENTRIES[5], 7, good.path, NOTE),
        Receipt(ENTRIES[5], 5, good.path[:-1], NOTE),
        Receipt(ENTRIES[5], 5, (*good.path, bytes(32)), NOTE),
        Receipt(ENTRIES[5], 5, good.path[::-1], NOTE),
    ):
        with pytest.raises(BadProofPath):
            check(Receipt.parse(wrong.encode()))


HEAD, TAIL = receipt(5).encode().split("\n\n", 1)
LINES = HEAD.split("\n")
NODE = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "lines",
    [
        ["c2sp.org/tlog-proof@v2", *LINES[1:]],
        LINES[1:],
        LINES[:2],
        [LINES[0], *LINES[2:]],
        [LINES[0], LINES[2], LINES[1], *LINES[3:]],
        [*LINES[:2], "index 05", *LINES[3:]],
        [*LINES[:2], "index -5", *LINES[3:]],
        [*LINES[:2], "index ", *LINES[3:]],
        [*LINES[:2], "index 5 ", *LINES[3:]],
        [*LINES[:2], "index  5", *LINES[3:]],
        [*LINES[:2], "index 5²", *LINES[3:]],
        [*LINES[:2], "index ٥", *LINES[3:]],
        [*LINES[:2], "5", *LINES[3:]],
        [*LINES[:2], "index " + "9" * 17, *LINES[3:]],
        [*LINES[:2], "index " + "9" * 5000, *LINES[3:]],
        [LINES[0], "extra " + "=", *LINES[2:]],
        [LINES[0], "extra é", *LINES[2:]],
        [LINES[0], "extra AB==", *LINES[2:]],
        [LINES[0], "Extra AA==", *LINES[2:]],
        [*LINES, NODE[:-2] + "=="],
        [*LINES, NODE + " "],
        [*LINES, "é" * 44],
        [*LINES, *[NODE] * 64],
        [*LINES, base64.b64encode(bytes(31)).decode()],
        [*LINES[:3], "\r" + LINES[3], *LINES[4:]],
    ],
    ids=range(25),
)
def test_another_spelling_is_refused(lines: list[str]) -> None:
    with pytest.raises(BadReceipt):
        Receipt.parse("\n".join(lines) + "\n\n" + TAIL)
    assert Receipt.parse("\n".join(LINES) + "\n\n" + TAIL).encode() == f"{HEAD}\n\n{TAIL}"


def test_what_is_no_receipt_at_all() -> None:
    for text in ("", "\n\n", HEAD, HEAD + "\n", "\n" + HEAD + "\n\n" + TAIL, NOTE):
        with pytest.raises(BadReceipt):
            Receipt.parse(text)


def test_its_first_line_and_its_longest_path() -> None:
    longest = Receipt(b"{}", 0, (bytes(32),) * 63, "checkpoint\n")
    text = longest.encode()
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra e30=\nindex 0\nAAAA")
    assert Receipt.parse(text) == longest
    too_long = Receipt(b"{}", 0, (bytes(32),) * 64, "checkpoint\n").encode()
    for bad, says in (
        (too_long, "path is too long"),
        (text.replace("v1", "v2"), "does not begin as a tlog-proof"),
        (text.replace("\n\n", "\n"), "does not begin as a tlog-proof"),
        ("c2sp.org/tlog-proof@v1\nextra e30=\n\nx\n", "cut short"),
        (text.replace("index 0", "index 12345678901234567"), "index is too large"),
        (text.replace("index 0", "index x"), "or its index"),
        (text.replace("extra ", "other "), "lacks the entry"),
        (text.replace("e30=", "e 30="), "not base64"),
    ):
        with pytest.raises(BadReceipt, match=says):
            Receipt.parse(bad)
    sixteen = Receipt(b"{}", 10**16 - 1, (), "checkpoint\n")
    assert Receipt.parse(sixteen.encode()) == sixteen
