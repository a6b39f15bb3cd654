"""The map of lots against a naive one, and every way to change a proof."""

from __future__ import annotations

import itertools
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import b64u_encode
from ledger.errors import BadReceipt
from ledger.lot_map import (
    BUCKETS,
    EMPTY,
    LotRecord,
    MapProof,
    Subtree,
    bucket_subtree,
    check,
    key_of,
    leaves_by_bucket,
    prove,
    root_of,
)
from ledger.standing import LotState


class Map:
    """All buckets of some records."""

    def __init__(self, records: list[LotRecord]) -> None:
        self.records = {record.lot: record for record in records}
        self.leaves = leaves_by_bucket(records)
        nothing = Subtree(0, EMPTY)
        self.buckets = [
            bucket_subtree(bytes(self.leaves[n])) if n in self.leaves else nothing
            for n in range(BUCKETS)
        ]
        self.root = root_of(self.buckets)

    def prove(self, lot: str) -> MapProof:
        leaves = lambda n: bytes(self.leaves.get(n, b""))  # noqa: E731
        return prove(lot, self.buckets, leaves, self.records.get(lot))


def naive(records: list[LotRecord]) -> bytes:
    """The root by the definition, bit by bit, from names alone."""
    items = {}
    for record in records:
        raw = __import__("base64").urlsafe_b64decode(record.lot + "==")
        key = sha256(b"creditbank lot v1\n" + raw).digest()
        items[key] = sha256(b"\x10" + key + sha256(record.data).digest()).digest()

    def tree(keys: list[bytes], depth: int) -> bytes:
        if not keys:
            return bytes(32)
        if len(keys) == 1:
            return items[keys[0]]
        bit = lambda key: int.from_bytes(key, "big") >> (255 - depth) & 1  # noqa: E731
        sides = [tree([key for key in keys if bit(key) == side], depth + 1) for side in (0, 1)]
        return sha256(b"\x11" + sides[0] + sides[1]).digest()

    return tree(list(items), 0)


def record(number: int, state: LotState = LotState.ACTIVE, consumed: int = -1) -> LotRecord:
    return LotRecord(b64u_encode(number.to_bytes(16, "big")), state, consumed, "", "")


_numbers = st.sets(st.integers(0, 2**128 - 1), max_size=40)


def test_small_maps_one_by_one() -> None:
    for size in range(9):
        for numbers in itertools.islice(itertools.combinations(range(9), size), 30):
            records = [record(number) for number in numbers]
            made = Map(records)
            assert made.root == naive(records)
            for number in range(9):
                name = record(number).lot
                wanted = made.records.get(name)
                assert check(MapProof.parse(made.prove(name).encode()), made.root) == wanted


@given(_numbers, st.integers(0, 2**128 - 1))
def test_every_map_is_the_naive_one_and_proves_what_it_holds(numbers: set[int], more: int) -> None:
    records = [record(number) for number in numbers]
    made = Map(records)
    assert made.root == naive(list(reversed(records)))
    for number in [*list(numbers)[:5], more]:
        proof = made.prove(record(number).lot)
        assert MapProof.parse(proof.encode()) == proof
        assert check(proof, made.root) == made.records.get(proof.lot)


def test_thousands_of_lots_share_buckets() -> None:
    records = [record(number) for number in range(20_000)]
    made = Map(records)
    assert made.root == naive(records)
    assert max(subtree.count for subtree in made.buckets) > 10
    lengths = set()
    for number in (*range(0, 20_000, 997), 20_001, 30_000):
        proof = made.prove(record(number).lot)
        lengths.add(len(proof.path))
        assert (check(proof, made.root) is None) is (number >= 20_000)
    assert 12 < max(lengths) < 30


@given(_numbers.filter(bool), st.data())
@settings(max_examples=60)
def test_no_proof_says_anything_else(numbers: set[int], data: st.DataObject) -> None:
    """The controls: another state, another lot, another path or another root."""
    made = Map([record(number) for number in numbers])
    chosen = data.draw(st.sampled_from(sorted(numbers)))
    good = made.prove(record(chosen).lot)
    assert good.record is not None
    spent = record(chosen, LotState.REDEEMED, 7)
    absent = MapProof(good.lot, None, None, good.path)
    forged = [
        MapProof(good.lot, spent, None, good.path),
        absent,
        MapProof(good.lot, None, (key_of(good.lot), bytes(32)), good.path),
        MapProof(good.lot, good.record, None, (*good.path, EMPTY)),
        MapProof(good.lot, good.record, None, (*good.path, bytes([1]) * 32)),
    ]
    if good.path:
        forged.append(MapProof(good.lot, good.record, None, good.path[1:]))
        place = data.draw(st.integers(0, len(good.path) - 1))
        changed = bytes([good.path[place][0] ^ 1]) + good.path[place][1:]
        path = (*good.path[:place], changed, *good.path[place + 1 :])
        forged.append(MapProof(good.lot, good.record, None, path))
    for one in forged:
        with pytest.raises(BadReceipt):
            check(one, made.root)
    with pytest.raises(BadReceipt, match="does not lead to the root"):
        check(good, bytes([made.root[0] ^ 1]) + made.root[1:])
    # A lot that is not there is never shown to be, nor the other way round.
    stranger = record(2**128 - 1 if 2**128 - 1 not in numbers else 5)
    if stranger.lot not in made.records:
        none = made.prove(stranger.lot)
        assert check(none, made.root) is None
        with pytest.raises(BadReceipt):
            check(MapProof(stranger.lot, stranger, None, none.path), made.root)


@given(st.integers(0, 5000), st.integers(1, 255))
def test_every_changed_byte_is_noticed(place: int, change: int) -> None:
    made = Map([record(number) for number in range(50)])
    proof = made.prove(record(7).lot)
    text = bytearray(proof.encode().encode())
    text[place % len(text)] ^= change
    with pytest.raises((BadReceipt, UnicodeDecodeError)):
        check(MapProof.parse(text.decode()), made.root)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "creditbank lot-map-proof v1\n",
        "creditbank lot-map-proof v2\nlot AAAAAAAAAAAAAAAAAAAAAA\nempty\n",
        "creditbank lot-map-proof v1\nlot AAAAAAAAAAAAAAAAAAAAAA\nnothing\n",
        "creditbank lot-map-proof v1\nlot AAAAAAAAAAAAAAAAAAAAAA\nempty\nAAAA\n",
        'creditbank lot-map-proof v1\nlot AAAAAAAAAAAAAAAAAAAAAA\nrecord {"lot":1}\n',
        "creditbank lot-map-proof v1\nlot AAAAAAAAAAAAAAAAAAAAAA\nempty",
        "creditbank lot-map-proof v1\nlot AAAAAAAAAAAAAAAAAAAAAA\nempty\n" + "A" * 43 + "\n\n",
    ],
)
def test_malformed_proofs(text: str) -> None:
    with pytest.raises(BadReceipt):
        MapProof.parse(text)
