"""The map of lots: an authenticated dictionary from each lot to where it stands.

A compact sparse Merkle tree over SHA-256. A lot's key is the hash of its name, a leaf hashes
`0x10 || key || SHA-256(record)`, a node `0x11 || left || right`, an empty subtree is 32 zero
bytes, and a subtree with one leaf is that leaf: so a proof is some log2(n) hashes long. The
prefixes are none of RFC 6962's, so nothing of one tree passes for something of the other.

Its root stands on the log (`lots.root`), recomputed by every audit. With it, whoever is shown a
proof knows where a lot stood, or that there is none of that name.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from keys import Json, KeysError, b64u_decode, b64u_encode, encode, parse_exact
from ledger.errors import BadReceipt
from ledger.standing import LotState, Standing

EMPTY = bytes(32)
BUCKET_BITS = 12
"""Keys that share so many bits are kept, sorted and hashed together."""
BUCKETS = 1 << BUCKET_BITS
LEAF = 64
"""Bytes of a leaf as it is kept: its key and its record's hash."""
HEADER = "creditbank lot-map-proof v1"
_KEY = b"creditbank lot v1\n"
_DEEPEST = 256


@dataclass(frozen=True, slots=True)
class Subtree:
    """A subtree: how many leaves it has, and its hash."""

    count: int
    hash: bytes


_NOTHING = Subtree(0, EMPTY)


@dataclass(frozen=True, slots=True)
class LotRecord:
    """What the map says of one lot; a reservation that lapsed still reads as one."""

    lot: str
    state: LotState
    consumed: int
    """The entry that used it up; -1 if none did."""
    expires: str
    until: str
    """When a reservation or transfer that it is on lapses, or ""."""

    @classmethod
    def of(cls, lot: str, standing: Standing) -> "LotRecord":
        """Of a lot's standing."""
        return cls(lot, standing.state, standing.consumed, standing.expires, standing.until)

    @property
    def data(self) -> bytes:
        """The exact bytes (JCS)."""
        return encode(
            {
                "consumed": self.consumed,
                "expires": self.expires,
                "lot": self.lot,
                "state": self.state.value,
                "until": self.until,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "LotRecord":
        """Of its exact bytes; BadReceipt if they are none."""
        try:
            value = parse_exact(data)
            if isinstance(value, dict) and set(value) == _RECORD:
                consumed, texts = value["consumed"], [_text(value, name) for name in _TEXTS]
                if type(consumed) is int:
                    lot, state, expires, until = texts
                    return cls(lot, LotState(state), consumed, expires, until)
        except (KeysError, ValueError) as error:
            raise BadReceipt(f"the lot's record is malformed: {error}") from error
        raise BadReceipt("the lot's record is malformed")

    @property
    def leaf(self) -> bytes:
        """Its key, and its own hash: 64 bytes."""
        return key_of(self.lot) + sha256(self.data).digest()


_TEXTS = ("lot", "state", "expires", "until")
_RECORD = {"consumed", *_TEXTS}


def key_of(lot: str) -> bytes:
    """The key of a lot, 16 bytes as base64url; BadReceipt if it is none."""
    try:
        return sha256(_KEY + b64u_decode(lot, 16)).digest()
    except KeysError as error:
        raise BadReceipt(f"{lot[:40]!r} is not the name of a lot: {error}") from error


def bucket_of(key: bytes) -> int:
    """The bucket of a key, or of a leaf, which begins with one: its first 12 bits."""
    return int.from_bytes(key[:2], "big") >> 16 - BUCKET_BITS


def bucket_subtree(leaves: bytes) -> Subtree:
    """The subtree of a bucket's leaves, 64 bytes each, in any order."""
    return _subtree(_sorted(leaves), BUCKET_BITS)


def root_of(buckets: Sequence[Subtree]) -> bytes:
    """The root over all buckets, in order."""
    return _tops(buckets)[0][0].hash


def _tops(buckets: Sequence[Subtree]) -> list[list[Subtree]]:
    """The levels above the buckets, from the root down to the buckets themselves."""
    levels = [list(buckets)]
    while len(levels[0]) > 1:
        below = levels[0]
        levels.insert(0, [_join(below[n], below[n + 1]) for n in range(0, len(below), 2)])
    return levels


def _subtree(leaves: Sequence[bytes], depth: int) -> Subtree:
    """Of sorted leaves whose keys share their first `depth` bits."""
    if len(leaves) < 2:
        return Subtree(1, _leaf_hash(leaves[0])) if leaves else _NOTHING
    middle = _middle(leaves, depth)
    return _join(_subtree(leaves[:middle], depth + 1), _subtree(leaves[middle:], depth + 1))


def _middle(leaves: Sequence[bytes], depth: int) -> int:
    """How many of the leaves have a 0 at `depth`."""
    return bisect_left(leaves, True, key=lambda leaf: bool(_bit(leaf, depth)))


def _join(left: Subtree, right: Subtree) -> Subtree:
    count = left.count + right.count
    if count < 2:
        return right if right.count else left
    return Subtree(count, _node(left.hash, right.hash))


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x11" + left + right).digest()


def _bit(key: bytes, depth: int) -> int:
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


@dataclass(frozen=True, slots=True)
class MapProof:
    """Where one lot's path ends: at its own record, at another's leaf, or at nothing."""

    lot: str
    record: LotRecord | None
    other: tuple[bytes, bytes] | None
    """Another leaf on the lot's path, its key and record's hash, where there is no such lot."""
    path: tuple[bytes, ...]
    """The hashes beside the path, from the root down."""

    def encode(self) -> str:
        """The proof as text."""
        if self.record is not None:
            end = f"record {self.record.data.decode()}"
        elif self.other is not None:
            end = f"other {b64u_encode(self.other[0])} {b64u_encode(self.other[1])}"
        else:
            end = "empty"
        lines = [HEADER, f"lot {self.lot}", end, *map(b64u_encode, self.path)]
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> "MapProof":
        """Of its text; BadReceipt unless it is one, spelled in the one way."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[0] != HEADER or not lines[1].startswith("lot ") or lines[-1]:
            raise BadReceipt("this is no proof of the map of lots")
        kind, _, rest = lines[2].partition(" ")
        record, other = None, None
        try:
            if kind == "record":
                record = LotRecord.parse(rest.encode())
            elif kind == "other":
                key, _, value = rest.partition(" ")
                other = (b64u_decode(key, 32), b64u_decode(value, 32))
            elif lines[2] != "empty":
                raise BadReceipt("a proof ends at a record, at another leaf, or is empty")
            path = tuple(b64u_decode(line, 32) for line in lines[3:-1])
        except (KeysError, UnicodeEncodeError) as error:
            raise BadReceipt(f"the proof of the map of lots is malformed: {error}") from error
        if len(path) > _DEEPEST:
            raise BadReceipt("the proof's path is longer than a key")
        return cls(lines[1].removeprefix("lot "), record, other, path)


def prove(
    lot: str,
    buckets: Sequence[Subtree],
    leaves_of: Callable[[int], bytes],
    record: LotRecord | None,
) -> MapProof:
    """The proof of a lot in a map of these `buckets`; `record` is its own, if it is there.

    `leaves_of` gives the leaves of a bucket.
    """
    key = key_of(lot)
    ordered, path = _descend(key, buckets, leaves_of)
    if record is not None:
        return MapProof(lot, record, None, path)
    others = [(leaf[:32], leaf[32:]) for leaf in ordered]
    return MapProof(lot, None, others[0] if others else None, path)


def _descend(
    key: bytes, buckets: Sequence[Subtree], leaves_of: Callable[[int], bytes]
) -> tuple[Sequence[bytes], tuple[bytes, ...]]:
    """The leaves, one at most, at the end of a key's path, and what lies beside it."""
    levels, place = _tops(buckets), bucket_of(key)
    path: list[bytes] = []
    for depth in range(BUCKET_BITS):
        if levels[depth][place >> BUCKET_BITS - depth].count < 2:
            first = (place >> BUCKET_BITS - depth) << BUCKET_BITS - depth
            within = range(first, first + (1 << BUCKET_BITS - depth))
            held = [number for number in within if buckets[number].count]
            return _sorted(leaves_of(held[0]) if held else b""), tuple(path)
        path.append(levels[depth + 1][(place >> BUCKET_BITS - depth - 1) ^ 1].hash)
    ordered, depth = _sorted(leaves_of(place)), BUCKET_BITS
    while len(ordered) > 1:
        middle = _middle(ordered, depth)
        left, right = ordered[:middle], ordered[middle:]
        ordered, beside = (right, left) if _bit(key, depth) else (left, right)
        depth += 1
        path.append(_subtree(beside, depth).hash)
    return ordered, tuple(path)


def check(proof: MapProof, root: bytes) -> LotRecord | None:
    """The lot's record, None where there is no such lot; BadReceipt unless `root` has the proof.

    Only what an honest map has is taken: no path goes on beside nothing but one leaf.
    """
    key, node, path = key_of(proof.lot), EMPTY, proof.path
    if proof.record is not None:
        if proof.record.lot != proof.lot:
            raise BadReceipt("the proof's record is of another lot")
        node = _leaf_hash(proof.record.leaf)
    elif proof.other is not None:
        other, value = proof.other
        if other == key:
            raise BadReceipt("the proof says that the lot is not there, and shows it")
        if any(_bit(other, depth) != _bit(key, depth) for depth in range(len(path))):
            raise BadReceipt("the other leaf of the proof does not lie on the lot's path")
        node = _leaf_hash(other + value)
    if path and path[-1] == EMPTY:
        raise BadReceipt("the proof's path goes on where the map's ends")
    for depth in range(len(path) - 1, -1, -1):
        beside = path[depth]
        node = _node(beside, node) if _bit(key, depth) else _node(node, beside)
    if node != root:
        raise BadReceipt("the proof does not lead to the root of the map of lots")
    return proof.record


def leaves_by_bucket(records: Iterable[LotRecord]) -> dict[int, bytearray]:
    """The leaves of records, in the buckets of their keys; those that are not there are empty."""
    found: dict[int, bytearray] = {}
    for record in records:
        leaf = record.leaf
        found.setdefault(bucket_of(leaf), bytearray()).extend(leaf)
    return found


def _leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x10" + leaf).digest()


def _sorted(leaves: bytes) -> list[bytes]:
    return sorted(leaves[place : place + LEAF] for place in range(0, len(leaves), LEAF))


def _text(value: Mapping[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise BadReceipt(f"the lot's record has no text {name!r}")
    return text
