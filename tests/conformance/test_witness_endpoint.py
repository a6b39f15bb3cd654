"""The C2SP tlog-witness endpoint: every status code, both cosignatures, and no way back."""

import base64
import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bank.api.witness import make_witness_app
from keys import PrivateKey
from ledger import (
    Checkpoint,
    VerifierKey,
    consistency_proof,
    leaf_hash,
    open_note,
    root_hash,
    sign_note,
)
from ledger.cosignature import Ed25519Cosigner, MLDSA44Cosigner
from ledger.witness import AddCheckpoint, Seen, Turned, Witness
from ledger.witness_store import DatabaseWitnessStore

ORIGIN = "cq.example/log"
LOG, OWN = PrivateKey.from_seed(b"l" * 32), PrivateKey.from_seed(b"w" * 32)
LOG_KEY = VerifierKey(ORIGIN, 1, LOG.public_key.raw)
COSIGNERS = [Ed25519Cosigner("w.example/w", OWN), MLDSA44Cosigner("w.example/w", b"m" * 32)]
LEAVES = [leaf_hash(b"%d" % n) for n in range(40)]
OTHER = [leaf_hash(b"other %d" % n) for n in range(40)]


def note(size: int, leaves: list[bytes] = LEAVES, signer: PrivateKey = LOG) -> str:
    return sign_note(Checkpoint(ORIGIN, size, root_hash(leaves[:size])).text, ORIGIN, signer)


def proof(old: int, new: int, leaves: list[bytes] = LEAVES) -> tuple[bytes, ...]:
    return tuple(consistency_proof(old, new, lambda lo, hi: root_hash(leaves[lo:hi])))


def request(old: int, new: int, leaves: list[bytes] = LEAVES) -> bytes:
    return AddCheckpoint(old, proof(old, new, leaves), note(new, leaves)).encode()


def make(store: object) -> Witness:
    return Witness({ORIGIN: [LOG_KEY]}, COSIGNERS, store, lambda: datetime.now(UTC))  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatabaseWitnessStore]:
    store = DatabaseWitnessStore(f"sqlite:///{tmp_path / 'seen.db'}")
    yield store
    store.close()


@pytest.fixture
def http(store: DatabaseWitnessStore) -> TestClient:
    return TestClient(make_witness_app(make(store)))


def test_it_cosigns_what_continues_in_both_forms(http: TestClient) -> None:
    for old, new in ((0, 7), (7, 7), (7, 20), (20, 33)):
        answer = http.post("/add-checkpoint", content=request(old, new))
        assert answer.status_code == 200, answer.text
        opened = open_note(note(new) + answer.text, [LOG_KEY, *(c.key for c in COSIGNERS)])
        assert [s.key.kind for s in opened.signatures] == [0x01, 0x04, 0x06]
        times = [s.time for s in opened.signatures if s.time is not None]
        assert all(abs(time - datetime.now(UTC).timestamp()) < 60 for time in times)


def test_409_tells_the_size_as_its_own_media_type(http: TestClient) -> None:
    assert http.post("/add-checkpoint", content=request(0, 9)).status_code == 200
    for old, new in ((0, 12), (8, 12), (10, 12)):
        answer = http.post("/add-checkpoint", content=request(old, new))
        assert (answer.status_code, answer.text) == (409, "9\n")
        assert answer.headers["content-type"] == "text/x.tlog.size"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 00\n\n" + note(3).encode(),
        b"old -1\n\n" + note(3).encode(),
        b"old  0\n\n" + note(3).encode(),
        b"new 0\n\n" + note(3).encode(),
        b"old 0\nnot base64\n\n" + note(3).encode(),
        b"old 0\nAAAA\n\n" + note(3).encode(),
        b"old 0\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + note(3).encode(),
        b"old 0\n\nnot a note",
        b"old 4\n\n" + note(3).encode(),
        b"\xff",
        b"old 0\n\n" + b"x" * 200_000,
    ],
)
def test_400_what_is_malformed(http: TestClient, body: bytes) -> None:
    assert http.post("/add-checkpoint", content=body).status_code == 400


def test_404_a_log_it_does_not_know(http: TestClient) -> None:
    text = Checkpoint("other.example/log", 3, root_hash(LEAVES[:3])).text
    body = AddCheckpoint(0, (), sign_note(text, "other.example/log", LOG)).encode()
    assert http.post("/add-checkpoint", content=body).status_code == 404


def test_403_without_a_good_signature_of_the_log(http: TestClient) -> None:
    stranger = AddCheckpoint(0, (), note(3, signer=PrivateKey.generate())).encode()
    assert http.post("/add-checkpoint", content=stranger).status_code == 403
    line = note(3).splitlines()[-1]
    value = bytearray(base64.b64decode(line.split(" ")[2]))
    value[-1] ^= 1
    forged = note(3).replace(line.split(" ")[2], base64.b64encode(bytes(value)).decode())
    body = AddCheckpoint(0, (), forged).encode()
    assert http.post("/add-checkpoint", content=body).status_code == 403


def test_422_what_does_not_continue(http: TestClient) -> None:
    assert http.post("/add-checkpoint", content=request(0, 9)).status_code == 200
    good = proof(9, 20)
    for hashes in ((), good[:-1], (*good, bytes(32)), (bytes(32), *good[1:])):
        body = AddCheckpoint(9, hashes, note(20)).encode()
        assert http.post("/add-checkpoint", content=body).status_code == 422
    rewritten = http.post("/add-checkpoint", content=request(9, 20, OTHER))
    assert rewritten.status_code == 422
    twin = AddCheckpoint(9, (), note(9, OTHER)).encode()
    assert http.post("/add-checkpoint", content=twin).status_code == 422
    assert http.post("/add-checkpoint", content=request(9, 20)).status_code == 200


def test_422_an_empty_log_with_another_root_or_a_proof_from_nothing(http: TestClient) -> None:
    text = Checkpoint(ORIGIN, 0, bytes(32)).text
    body = AddCheckpoint(0, (), sign_note(text, ORIGIN, LOG)).encode()
    assert http.post("/add-checkpoint", content=body).status_code == 422
    body = AddCheckpoint(0, (bytes(32),), note(5)).encode()
    assert http.post("/add-checkpoint", content=body).status_code == 422
    assert http.post("/add-checkpoint", content=request(0, 0)).status_code == 200
    assert http.post("/add-checkpoint", content=request(0, 5)).status_code == 200


def test_monitors_find_the_newest_with_every_signature(http: TestClient) -> None:
    name = sha256(ORIGIN.encode()).hexdigest()
    assert http.get(f"/{name}/checkpoint").status_code == 404
    for old, new in ((0, 9), (9, 20)):
        http.post("/add-checkpoint", content=request(old, new))
    answer = http.get(f"/{name}/checkpoint")
    opened = open_note(answer.text, [LOG_KEY, *(c.key for c in COSIGNERS)])
    assert Checkpoint.parse(opened.text).size == 20
    assert len(opened.signatures) == 3
    assert http.get(f"/{'0' * 64}/checkpoint").status_code == 404


def test_unknown_signature_lines_are_passed_over(http: TestClient) -> None:
    extra = Ed25519Cosigner("else.example/w", PrivateKey.generate())
    body = AddCheckpoint(0, (), note(4) + extra.cosign(note(4).split("\n\n")[0] + "\n", 1)).encode()
    assert http.post("/add-checkpoint", content=body).status_code == 200
    newest = http.get(f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint").text
    assert "else.example" not in newest


def test_it_remembers_after_a_restart(store: DatabaseWitnessStore, tmp_path: Path) -> None:
    make(store).add_checkpoint(AddCheckpoint.parse(request(0, 9)))
    again = DatabaseWitnessStore(f"sqlite:///{tmp_path / 'seen.db'}")
    with pytest.raises(Turned) as turned:
        make(again).add_checkpoint(AddCheckpoint.parse(request(0, 20, OTHER)))
    assert (turned.value.status, turned.value.size) == (409, 9)
    again.close()


class Forgetful:
    """A store that does not compare before it swaps: the race the specification warns of."""

    def __init__(self, inner: DatabaseWitnessStore) -> None:
        self.seen: Seen | None = None

    def latest(self, origin: str) -> Seen | None:
        return self.seen

    def advance(self, origin: str, before: Seen | None, after: Seen) -> bool:
        self.seen = after
        return True


class Paused:
    """A store in which two requests have both read before either writes."""

    def __init__(self, inner: object) -> None:
        self.inner = inner
        self.barrier = threading.Barrier(2)

    def latest(self, origin: str) -> Seen | None:
        found = self.inner.latest(origin)  # type: ignore[attr-defined]
        with contextlib.suppress(threading.BrokenBarrierError):
            self.barrier.wait(timeout=5)
        return found  # type: ignore[no-any-return]

    def advance(self, origin: str, before: Seen | None, after: Seen) -> bool:
        return bool(self.inner.advance(origin, before, after))  # type: ignore[attr-defined]


def race(inner: object) -> list[int]:
    """Two conflicting checkpoints of one size, asked for at once; the sizes cosigned."""
    witness = make(Paused(inner))
    cosigned: list[int] = []

    def ask(leaves: list[bytes]) -> None:
        try:
            witness.add_checkpoint(AddCheckpoint.parse(request(0, 9, leaves)))
            cosigned.append(9)
        except Turned:
            witness._store.barrier.abort()  # type: ignore[attr-defined]

    threads = [threading.Thread(target=ask, args=(leaves,)) for leaves in (LEAVES, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return cosigned


def test_two_at_once_never_get_two_roots_for_one_size(store: DatabaseWitnessStore) -> None:
    assert race(store) == [9]


def test_the_race_can_be_lost(store: DatabaseWitnessStore) -> None:
    assert race(Forgetful(store)) == [9, 9]
