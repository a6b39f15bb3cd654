"""A witness over real HTTP, word for word as C2SP tlog-witness has it; and its two promises.

What was cosigned is remembered over a restart, and of two requests at once one advances.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from bank.api.witness import make_witness_app
from bank.cli.background import served
from bank.witnesses import HttpWitness, create_witness, watch
from keys import PrivateKey
from ledger import (
    Checkpoint,
    VerifierKey,
    WitnessRecord,
    consistency_proof,
    leaf_hash,
    open_note,
    root_hash,
    sign_note,
)
from ledger.cosignature import Ed25519Cosigner, MLDSA44Cosigner
from ledger.note import signature_line
from ledger.tree import EMPTY_ROOT
from ledger.witness import AddCheckpoint, Seen, Turned, Witness, WitnessStore
from ledger.witness_store import DatabaseWitnessStore
from ledger.witnessing import WitnessUnreachable
from tests.witness_kit import CarelessStore, MemoryStore

ORIGIN, NAME, SECRET = "log.example/one", "sister.example/witness", "a passphrase of a witness"
LOG, SECOND, STRANGER, OWN = (PrivateKey.from_seed(bytes([n]) * 32) for n in range(1, 5))
LOG_KEY = VerifierKey(ORIGIN, 1, LOG.public_key.raw)
SECOND_KEY = VerifierKey(ORIGIN, 1, SECOND.public_key.raw)
LEAVES = [leaf_hash(b"%d" % number) for number in range(600)]
OTHER = [leaf_hash(b"other %d" % number) for number in range(600)]
TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"
HASH = sha256(ORIGIN.encode()).hexdigest()


@dataclass(frozen=True)
class Site:
    """A running witness: where, and its keys."""

    url: str
    keys: Sequence[VerifierKey]
    http: httpx.Client

    def ask(self, body: bytes) -> tuple[int, str, str]:
        answer = self.http.post(f"{self.url}/add-checkpoint", content=body)
        return answer.status_code, answer.headers["content-type"], answer.text

    def newest(self) -> httpx.Response:
        return self.http.get(f"{self.url}/{HASH}/checkpoint")

    def size(self) -> int | None:
        """The size it has seen, as monitors are told, and as an old size of 0 brings out."""
        answer = self.newest()
        if answer.status_code == 404:
            return None
        size = Checkpoint.parse(open_note(answer.text, ()).text).size
        if size:
            assert self.ask(request(0, size)) == (409, SIZE, f"{size}\n")
        return size


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    cosigners = [Ed25519Cosigner(NAME, OWN), MLDSA44Cosigner(NAME, bytes(range(32)))]
    store = DatabaseWitnessStore(f"sqlite:///{tmp_path / 'seen.db'}")
    logs = {ORIGIN: [LOG_KEY, SECOND_KEY]}
    witness = Witness(logs, cosigners, store, lambda: datetime.now(UTC))
    with served(make_witness_app(witness)) as url, httpx.Client() as http:
        yield Site(url, [one.key for one in cosigners], http)
    store.close()


def text(size: int, leaves: list[bytes] = LEAVES) -> str:
    return Checkpoint(ORIGIN, size, root_hash(leaves[:size])).text


def note(size: int, leaves: list[bytes] = LEAVES, signer: PrivateKey = LOG) -> str:
    return sign_note(text(size, leaves), ORIGIN, signer)


def proof(old: int, new: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    return consistency_proof(old, new, lambda lo, hi: root_hash(leaves[lo:hi]))


def body(old: str, path: Sequence[bytes], signed: str) -> bytes:
    """A request as the specification writes it, made without the code that reads it."""
    lines = [f"old {old}\n", *(base64.b64encode(node).decode() + "\n" for node in path)]
    return ("".join(lines) + "\n" + signed).encode()


def request(old: int, new: int, leaves: list[bytes] = LEAVES) -> bytes:
    return body(str(old), proof(old, new, leaves), note(new, leaves))


# --- 200


def test_200_are_signature_lines_in_both_forms(site: Site) -> None:
    for old, new in ((0, 3), (3, 3), (3, 7), (7, 256), (256, 600)):
        before = int(time.time())
        status, media, answer = site.ask(request(old, new))
        assert (status, media) == (200, TEXT)
        lines = answer.split("\n")
        assert lines.pop() == ""
        assert all(re.fullmatch(rf"— {NAME} [A-Za-z0-9+/]+=*", line) for line in lines)
        lengths = [len(base64.b64decode(line.split(" ")[2])) for line in lines]
        assert lengths == [4 + 8 + 64, 4 + 8 + 2420]
        opened = open_note(note(new) + answer, [LOG_KEY, *site.keys])
        assert opened.unknown == ()
        assert [one.key.kind for one in opened.signatures] == [0x01, 0x04, 0x06]
        times = [one.time for one in opened.signatures[1:]]
        assert all(one is not None and before <= one <= time.time() for one in times)
    assert site.size() == 600


def test_200_for_any_trusted_key_with_lines_of_others_passed_over(site: Site) -> None:
    others = [Ed25519Cosigner("w.example/w", STRANGER), MLDSA44Cosigner("w.example/w", bytes(32))]
    extra = "".join(one.cosign(text(5), 1) for one in others)
    # The right name with another key's id, and the right id under another name.
    extra += signature_line(VerifierKey(ORIGIN, 1, STRANGER.public_key.raw), bytes(64))
    value = base64.b64encode(LOG_KEY.key_id + bytes(64)).decode()
    extra += f"— else.example/log {value}\n"
    signed = note(5, signer=SECOND) + extra
    assert site.ask(body("0", [], signed))[0] == 200
    shown = open_note(site.newest().text, [LOG_KEY, SECOND_KEY, *site.keys])
    assert [one.key for one in shown.signatures] == [SECOND_KEY, *site.keys]
    assert shown.unknown == ()


def test_200_for_an_empty_log_and_what_follows_it(site: Site) -> None:
    assert sha256(b"").digest() == EMPTY_ROOT
    assert site.ask(request(0, 0))[0] == 200
    assert site.size() == 0
    assert site.ask(request(0, 0))[0] == 200
    assert site.ask(request(0, 9))[0] == 200
    assert site.size() == 9


def test_200_with_extension_lines_which_the_older_form_signs(site: Site) -> None:
    extended = Checkpoint(ORIGIN, 4, root_hash(LEAVES[:4]), ("extension one", "two")).text
    status, _, answer = site.ask(body("0", [], sign_note(extended, ORIGIN, LOG)))
    assert status == 200
    assert len(open_note(f"{extended}\n{answer}", site.keys).signatures) == 2


# --- refusals: each with the exact answer, and none of them changes what was seen


def refused(site: Site, asked: bytes, status: int, reason: str) -> None:
    before = site.size()
    assert site.ask(asked) == (status, TEXT, f"{reason}\n")
    assert site.size() == before


MALFORMED = "not an add-checkpoint request"
NOT_TEXT = "the request is not text with a proof in base64"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (b"", MALFORMED),
        (note(9).encode(), MALFORMED),
        (b"old 5\n", MALFORMED),
        (b"old 05\n\n" + note(9).encode(), MALFORMED),
        (b"old 00\n\n" + note(9).encode(), MALFORMED),
        (b"old +5\n\n" + note(9).encode(), MALFORMED),
        (b"old -5\n\n" + note(9).encode(), MALFORMED),
        (b"old 5 \n\n" + note(9).encode(), MALFORMED),
        (b"old  5\n\n" + note(9).encode(), MALFORMED),
        (b"old\t5\n\n" + note(9).encode(), MALFORMED),
        (b"Old 5\n\n" + note(9).encode(), MALFORMED),
        (b"old 5\r\n\r\n" + note(9).encode(), MALFORMED),
        ("old \u0665\n\n".encode() + note(9).encode(), MALFORMED),
        (b"old \n\n" + note(9).encode(), MALFORMED),
        (b"old " + b"1" * 5000 + b"\n\n" + note(9).encode(), MALFORMED),
        (b"old 5\n" + base64.b64encode(bytes(33)) + b"\n\n" + note(9).encode(), None),
        (b"old 5\n" + base64.b64encode(bytes(31)) + b"\n\n" + note(9).encode(), None),
        (b"old 5\n!\n\n" + note(9).encode(), NOT_TEXT),
        (b"old 5\n\xff\n\n" + note(9).encode(), NOT_TEXT),
        (body("5", [bytes(32)] * 64, note(9)), MALFORMED),
        (body("6", [], note(5)), "old size 6 is over the checkpoint's 5"),
        (body("5", [], text(9)), None),
        (body("5", [], text(9) + "\n"), None),
        (body("5", [], note(9).removesuffix("\n")), None),
        (body("5", [], note(9) + "\x01"), None),
        (body("5", [], sign_note("one line\n", ORIGIN, LOG)), None),
        (body("5", [], sign_note(f"{ORIGIN}\n09\nAAAA\n", ORIGIN, LOG)), None),
        (body("5", [], sign_note(f"{ORIGIN}\n9\nAAAA\n", ORIGIN, LOG)), None),
        (b"old 5\n\n" + b"x" * 200_000, "the request is too large"),
    ],
    ids=range(29),
)
def test_400_malformed(site: Site, asked: bytes, reason: str | None) -> None:
    assert site.ask(request(0, 5))[0] == 200
    if reason is not None:
        refused(site, asked, 400, reason)
    status, media, answer = site.ask(asked)
    assert (status, media) == (400, TEXT)
    assert re.fullmatch(r"[^\n]+\n", answer)
    assert site.size() == 5


def test_63_proof_lines_are_not_too_many(site: Site) -> None:
    assert site.ask(request(0, 5))[0] == 200
    assert site.ask(body("5", [bytes(32)] * 63, note(9)))[0] == 422


def test_403_no_signature_of_a_trusted_key(site: Site) -> None:
    reason = "the checkpoint bears no signature by a key trusted for its log"
    refused(site, body("0", [], note(5, signer=STRANGER)), 403, reason)
    # A trusted key under another name is another key.
    renamed = sign_note(text(5), "else.example/log", LOG)
    refused(site, body("0", [], renamed), 403, reason)
    # The witness's own cosignature is no signature of the log.
    _, _, own = site.ask(body("0", [], note(5)))
    assert site.ask(body("5", [], f"{text(5)}\n{own}")) == (403, TEXT, f"{reason}\n")


@pytest.mark.parametrize("good", [True, False], ids=["beside a good one", "alone"])
def test_403_a_trusted_key_s_line_that_does_not_verify(site: Site, good: bool) -> None:
    forged = signature_line(LOG_KEY, bytes(64))
    signed = note(5, signer=SECOND) + forged if good else f"{text(5)}\n{forged}"
    refused(site, body("0", [], signed), 403, f"the signature of {ORIGIN} does not match")
    wrong = note(5).replace("\n5\n", "\n6\n")
    refused(site, body("0", [], wrong), 403, f"the signature of {ORIGIN} does not match")


def test_404_an_unknown_origin(site: Site) -> None:
    unknown = Checkpoint("nobody.example/log", 3, root_hash(LEAVES[:3])).text
    reason = "this witness does not know the log nobody.example/log"
    refused(site, body("0", [], sign_note(unknown, "nobody.example/log", LOG)), 404, reason)
    refused(site, body("0", [], sign_note(unknown, ORIGIN, LOG)), 404, reason)


def test_409_is_the_size_and_nothing_else(site: Site) -> None:
    assert site.ask(body("3", proof(3, 9), note(9))) == (409, SIZE, "0\n")
    assert site.ask(request(0, 256))[0] == 200
    for old, new in ((0, 256), (0, 300), (255, 300), (257, 300), (300, 300), (3, 100)):
        assert site.ask(request(old, new)) == (409, SIZE, "256\n")
    # Also where the proof is bad besides: the size is told first.
    assert site.ask(body("255", [], note(300, OTHER))) == (409, SIZE, "256\n")
    assert site.size() == 256


def test_422_a_proof_that_does_not_verify(site: Site) -> None:
    assert site.ask(request(0, 9))[0] == 200
    reason = "the logs of 9 and 20 entries do not share their history"
    good = proof(9, 20)
    for index in range(len(good)):
        bad = [*good[:index], bytes(32), *good[index + 1 :]]
        refused(site, body("9", bad, note(20)), 422, reason)
    refused(site, request(9, 20, OTHER), 422, reason)
    refused(site, body("9", good, note(20, OTHER)), 422, reason)
    refused(site, body("9", [*good, bytes(32)], note(20)), 422, "the consistency proof is too long")
    refused(site, body("9", [], note(20)), 422, "the consistency proof is too short")
    refused(site, body("9", good[:-1], note(20)), 422, reason)
    assert site.ask(body("9", good, note(20)))[0] == 200


def test_422_an_empty_log_with_another_root(site: Site) -> None:
    wrong = sign_note(Checkpoint(ORIGIN, 0, bytes(32)).text, ORIGIN, LOG)
    refused(site, body("0", [], wrong), 422, "a log of no entries has another root")


def test_422_a_proof_from_size_zero(site: Site) -> None:
    reason = "a proof from size zero is empty"
    refused(site, body("0", [bytes(32)], note(5)), 422, reason)
    refused(site, body("0", [EMPTY_ROOT], note(0)), 422, reason)


def test_422_the_same_size_with_another_root(site: Site) -> None:
    assert site.ask(request(0, 9))[0] == 200
    reason = "two logs of 9 entries do not agree"
    refused(site, body("9", [], note(9, OTHER)), 422, reason)
    refused(site, body("9", [bytes(32)], note(9)), 422, reason)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_submits(site: Site, method: str) -> None:
    assert site.http.request(method, f"{site.url}/add-checkpoint").status_code in (404, 405)


# --- monitors


def test_monitors_find_the_newest_by_the_hash_of_the_origin(site: Site) -> None:
    assert site.newest().status_code == 404
    _, _, first = site.ask(request(0, 9))
    assert site.newest().text == note(9) + first
    _, _, second = site.ask(request(9, 20))
    answer = site.newest()
    assert answer.headers["content-type"] == TEXT
    assert answer.text == note(20) + second
    opened = open_note(answer.text, [LOG_KEY, *site.keys])
    assert [one.key.kind for one in opened.signatures] == [0x01, 0x04, 0x06]
    for name in (HASH.upper(), HASH[:-1], sha256(b"nobody").hexdigest(), ORIGIN.split("/")[0]):
        assert site.http.get(f"{site.url}/{name}/checkpoint").status_code == 404


def test_one_connection_serves_many_requests(site: Site) -> None:
    """Clients SHOULD use, and witnesses SHOULD support, HTTP keep-alive."""
    with socket.create_connection(("127.0.0.1", httpx.URL(site.url).port)) as connection:
        for size in (3, 9):
            asked = request(0 if size == 3 else 3, size)
            head = f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {len(asked)}\r\n"
            connection.sendall(head.encode() + b"\r\n" + asked)
            answer = b""
            while b"\r\n\r\n" not in answer or len(answer) < 3000:
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")


def test_our_own_client_speaks_it(site: Site) -> None:
    port = HttpWitness(WitnessRecord("sister", site.url, tuple(site.keys)), site.url)
    assert port.newest(ORIGIN) is None
    lines = port.add_checkpoint(AddCheckpoint(0, (), note(9)))
    assert port.newest(ORIGIN) == note(9) + lines
    with pytest.raises(Turned) as turned:
        port.add_checkpoint(AddCheckpoint(0, (), note(20)))
    assert (turned.value.status, turned.value.size) == (409, 9)
    with pytest.raises(Turned) as turned:
        port.add_checkpoint(AddCheckpoint(9, (), note(20)))
    assert (turned.value.status, turned.value.size) == (422, None)


# --- it remembers


def test_a_reopened_store_remembers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'seen.db'}"
    for size in (1, 9, 20):
        store = DatabaseWitnessStore(url)
        before = store.latest(ORIGIN)
        assert store.advance(ORIGIN, before, Seen(size, bytes([size]) * 32, f"note {size}"))
        store.close()
        again = DatabaseWitnessStore(url)
        assert again.latest(ORIGIN) == Seen(size, bytes([size]) * 32, f"note {size}")
        assert again.latest("other") is None
        # Someone who believes in what was there before is told no.
        assert not again.advance(ORIGIN, before, Seen(30, bytes(32), "note"))
        assert not again.advance(ORIGIN, None, Seen(30, bytes(32), "note"))
        assert again.latest(ORIGIN) == Seen(size, bytes([size]) * 32, f"note {size}")
        again.close()


def test_killed_with_sigkill_it_still_knows_what_it_cosigned(tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    create_witness(folder, NAME, SECRET)
    watch(folder, ORIGIN, [LOG_KEY])
    size = 0
    for new in (5, 90, 256, 600):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "bank.cli", "witness", "serve", "--folder", str(folder)]
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env={**os.environ, "CREDITBANK_PASSPHRASE": SECRET},
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(transport=httpx.HTTPTransport(retries=0)) as http:
                _wait_for(http, url)
                site = Site(url, [], http)
                assert site.size() == (size or None)
                if size:
                    assert site.ask(request(size, new, OTHER))[0] == 422
                assert site.ask(request(size, new))[0] == 200
                os.kill(process.pid, signal.SIGKILL)
        finally:
            process.kill()
            process.wait()
        size = new


def _wait_for(http: httpx.Client, url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            http.get(f"{url}/{HASH}/checkpoint")
            return
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError("the witness did not start")


# --- two at once: the race that the specification warns of


class Meeting:
    """A store where two requests have both read the latest before either writes."""

    def __init__(self, inner: WitnessStore) -> None:
        self.inner = inner
        self.barrier = threading.Barrier(2)
        self.to_meet = 0
        self.order: list[int] = []
        self.turn = threading.Condition()

    def latest(self, origin: str) -> Seen | None:
        found = self.inner.latest(origin)
        with self.turn:
            meets, self.to_meet = self.to_meet > 0, self.to_meet - 1
        if meets:
            self.barrier.wait(10)
        return found

    def advance(self, origin: str, before: Seen | None, after: Seen) -> bool:
        with self.turn:
            if not self.turn.wait_for(lambda: self.order[0] == after.size, 10):
                raise AssertionError("the other request did not come")
            done = self.inner.advance(origin, before, after)
            self.order.pop(0)
            self.turn.notify_all()
            return done


def race(inner: WitnessStore, first: int, second: int) -> tuple[list[int], int]:
    """Two requests from size 5, `first` written first; the sizes cosigned and what is then seen."""
    store = Meeting(inner)
    cosigner = Ed25519Cosigner(NAME, STRANGER)
    witness = Witness({ORIGIN: [LOG_KEY]}, [cosigner], store, lambda: datetime.now(UTC))
    store.order = [5, first, second]
    witness.add_checkpoint(AddCheckpoint.parse(request(0, 5)))
    store.to_meet = 2
    told: list[tuple[int, int | None]] = []

    def ask(size: int) -> int | None:
        try:
            witness.add_checkpoint(AddCheckpoint.parse(request(5, size)))
        except Turned as turned:
            told.append((turned.status, turned.size))
            return None
        return size

    with ThreadPoolExecutor(2) as pool:
        cosigned = [size for size in pool.map(ask, (first, second)) if size is not None]
    seen = inner.latest(ORIGIN)
    assert seen is not None
    assert told in ([], [(409, first)])
    return cosigned, seen.size


@pytest.mark.parametrize("kind", ["database", "memory"])
@pytest.mark.parametrize(("first", "second"), [(20, 9), (9, 20)])
def test_of_two_at_once_one_advances(tmp_path: Path, kind: str, first: int, second: int) -> None:
    database = DatabaseWitnessStore(f"sqlite:///{tmp_path / 'seen.db'}")
    store = database if kind == "database" else MemoryStore()
    assert race(store, first, second) == ([first], first)
    database.close()


def test_the_control_without_comparing_the_witness_is_rolled_back() -> None:
    assert race(CarelessStore(), 20, 9) == ([20, 9], 9)


def test_many_at_once_over_http_advance_one_by_one(site: Site) -> None:
    """Sixteen clients push conflicting histories: one history only is ever cosigned."""
    assert site.ask(request(0, 5))[0] == 200
    bodies = [request(5, 6 + n, LEAVES[:5] + [OTHER[n]] * 20) for n in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda asked: httpx.post(f"{site.url}/add-checkpoint", content=asked), bodies)
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 15
    (won,) = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    told = {answer.text for answer in answers if answer.status_code == 409}
    assert told == {f"{6 + won}\n"}


def test_two_processes_on_one_memory_advance_once(tmp_path: Path) -> None:
    """Two servers of one witness share its file: the database decides, not a lock in memory."""
    url = f"sqlite:///{tmp_path / 'seen.db'}"
    stores = [DatabaseWitnessStore(url) for _ in range(2)]
    for size in range(1, 60):
        before = stores[0].latest(ORIGIN)
        after = [Seen(size, bytes([n]) * 32, f"{n}") for n in range(2)]
        with ThreadPoolExecutor(2) as pool:
            done = list(
                pool.map(
                    lambda pair: pair[0].advance(ORIGIN, *pair[1:]),
                    [(stores[n], before, after[n]) for n in range(2)],
                )
            )
        assert sorted(done) == [False, True]
        assert stores[1].latest(ORIGIN) == after[done.index(True)]
    for store in stores:
        store.close()


def test_an_unreachable_witness_is_told(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    witness = HttpWitness(WitnessRecord("sister", "", tuple(site.keys)), f"http://127.0.0.1:{port}")
    with pytest.raises(WitnessUnreachable, match="sister"):
        witness.newest(ORIGIN)
