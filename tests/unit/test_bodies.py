"""Bodies over a real socket: too large, of no length that is told, of the wrong type, too slow."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from bank.api import app as application
from bank.api import slow_headers
from bank.authorization.bodies import Bodies
from bank.cli.background import served
from tests.api_kit import new_token
from tests.bank_kit import small_bank

HEAD = "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
SHORT = 1.0


class Impatient(Bodies):
    """As it is served, but waiting for a second where that waits for twenty."""

    def __init__(self, app: object, largest: int) -> None:
        super().__init__(app, largest, patience=SHORT)  # type: ignore[arg-type]


@dataclass
class Wire:
    """Bytes to and from a server."""

    address: tuple[str, int]
    token: str

    def ask(self, head: str, *pieces: bytes, pause: float = 0, path: str = "/slots") -> str:
        """The answer's first line to a request sent in pieces; empty where there was none."""
        with socket.create_connection(self.address, timeout=20) as wire:
            wire.sendall((HEAD.format(path, self.token) + head + "\r\n").encode())
            answer = b""
            try:
                for piece in pieces:
                    wire.sendall(piece)
                    time.sleep(pause)
                answer = wire.recv(4096)
            except (BrokenPipeError, ConnectionResetError):
                answer = answer or wire.recv(4096)
            return answer.decode(errors="replace")


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with pytest.MonkeyPatch.context() as patch, small_bank(tmp_path_factory.mktemp("b")) as small:
        patch.setattr(application, "Bodies", Impatient)
        patch.setattr(slow_headers.Impatient, "patience", SHORT)
        token = new_token(small.bank, small.north.did)
        with served(application.make_app(small.bank)) as url:
            parts = urlsplit(url)
            assert parts.hostname
            assert parts.port
            yield Wire((parts.hostname, parts.port), token)


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


END = b"0\r\n\r\n"
BODY = b'{"lots":[]}'
CHUNKED = "Transfer-Encoding: chunked\r\n"


def test_bodies_that_are_taken(wire: Wire) -> None:
    length = f"Content-Length: {len(BODY)}\r\n"
    assert " 200 " in wire.ask(length, BODY)
    assert " 200 " in wire.ask(CHUNKED, chunk(BODY[:4]), chunk(BODY[4:]), END)
    json = f"Content-Type: Application/JSON; charset=utf-8\r\n{length}"
    assert " 200 " in wire.ask(json, BODY)


def test_too_large_is_refused_before_it_is_sent(wire: Wire) -> None:
    for length in ("2000000", "99999999999999999999999", "-1", "1e3"):
        answer = wire.ask(f"Content-Length: {length}\r\n")
        # What is no number is refused by the server, before any of this.
        assert " 413 " in answer or " 400 " in answer, answer
    assert " 413 " in wire.ask("Content-Length: 2000000\r\n")


def test_too_large_without_a_length_is_stopped_on_the_way(wire: Wire) -> None:
    piece = chunk(b" " * 100_000)
    answer = wire.ask(CHUNKED, *[piece] * 12, END)
    assert " 413 " in answer
    assert "connection: close" in answer.lower()
    # The control: a little under the most that this route takes.
    assert " 400 " in wire.ask(CHUNKED, *[piece] * 10, END)


def test_the_wrong_type_is_refused(wire: Wire) -> None:
    for given in ("text/html", "application/x-www-form-urlencoded", "application/jsonx"):
        head = f"Content-Type: {given}\r\nContent-Length: {len(BODY)}\r\n"
        assert " 415 " in wire.ask(head, BODY)


def test_a_body_that_does_not_come_is_not_waited_for(wire: Wire) -> None:
    start = time.monotonic()
    answer = wire.ask("Content-Length: 100\r\n", b"{")
    assert " 408 " in answer
    assert "connection: close" in answer.lower()
    assert SHORT <= time.monotonic() - start < SHORT + 5
    # Byte by byte is no better: each buys only its share of time.
    assert " 408 " in wire.ask(CHUNKED, *[chunk(b" ")] * 8, pause=SHORT / 5)
    # The control: slow, but in time.
    slow = [chunk(BODY[n : n + 3]) for n in range(0, len(BODY), 3)]
    assert " 200 " in wire.ask(CHUNKED, *slow, END, pause=SHORT / 20)


def test_headers_that_do_not_come_are_not_waited_for(wire: Wire) -> None:
    for begun in ("", "POST /slots HT", "POST /slots HTTP/1.1\r\nHost: localhost\r\nX-More: "):
        start = time.monotonic()
        with socket.create_connection(wire.address, timeout=20) as slow:
            slow.sendall(begun.encode())
            assert slow.recv(100) == b""
        assert SHORT <= time.monotonic() - start < SHORT + 5
    # The second request of a connection has no more time than the first.
    with socket.create_connection(wire.address, timeout=20) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in slow.recv(4096)
        start = time.monotonic()
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        assert slow.recv(100) == b""
        assert SHORT <= time.monotonic() - start < SHORT + 5
    # The control: slow, but in time; and one that asks nothing more for a while.
    with socket.create_connection(wire.address, timeout=20) as slow:
        for piece in (b"GET /health HTTP/1.1\r\n", b"Host: localhost\r\n", b"\r\n"):
            time.sleep(SHORT / 5)
            slow.sendall(piece)
        assert b" 200 " in slow.recv(4096)
        time.sleep(SHORT * 2)
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in slow.recv(4096)
