"""Looking up a did:web: only public hosts, the address that was checked, and little of it."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bank.did_fetch import LIMIT, fetch_did, is_public
from bank.errors import BadRequest
from keys import BadIdentifier, Json, PrivateKey, did_document, parse

HOST = "issuer.example"
KEY = PrivateKey.from_seed(b"w" * 32).public_key
Answer = Callable[[BaseHTTPRequestHandler], None]


def certificate(folder: Path, host: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{host}.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


class Web:
    """An HTTPS server on loopback, which says what it was asked."""

    def __init__(self, folder: Path, host: str = HOST) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.names: list[str | None] = []
        self.answer: Answer = lambda request: reply(request, json.dumps(self.document).encode())
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host, encoding = self.headers["host"], self.headers["accept-encoding"]
                web.asked.append((host, self.path, encoding))
                web.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        path = certificate(folder, host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.trusting = ssl.create_default_context(cafile=str(path))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def did(self) -> str:
        return f"did:web:{HOST}%3A{self.port}"

    @property
    def document(self) -> dict[str, Any]:
        return did_document(self.did, [KEY])

    def fetch(
        self,
        did: str = "",
        addresses: Sequence[str] = ("127.0.0.1",),
        allowed: Callable[[str], bool] = lambda _: True,
        seconds: float = 10,
    ) -> Json:
        transport = httpx.AsyncHTTPTransport(verify=self.trusting, trust_env=False)
        lookup = lambda _host, _port: addresses  # noqa: E731
        return parse(fetch_did(did or self.did, lookup, transport, allowed, seconds))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def reply(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    server = Web(tmp_path)
    yield server
    server.close()


def test_a_document_is_found_at_the_address_that_was_checked(web: Web) -> None:
    assert web.fetch() == web.document
    assert web.asked == [(f"{HOST}:{web.port}", "/.well-known/did.json", "identity")]
    assert web.names == [HOST]
    deeper = f"{web.did}:members:a"
    web.answer = lambda request: reply(request, json.dumps(did_document(deeper, [KEY])).encode())
    assert web.fetch(deeper) == did_document(deeper, [KEY])
    assert web.asked[-1][1] == "/members/a/did.json"


def test_the_certificate_is_the_hosts_own(tmp_path: Path) -> None:
    other = Web(tmp_path, "other.example")
    try:
        with pytest.raises(BadRequest, match="cannot be reached"):
            other.fetch()
        assert other.asked == []
    finally:
        other.close()


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:4700::1111", "fd00::1"],
        [],
    ],
)
def test_what_is_not_public_is_not_connected_to(web: Web, addresses: list[str]) -> None:
    with pytest.raises(BadRequest, match="not a public" if addresses else "no address"):
        web.fetch(addresses=addresses, allowed=is_public)
    assert web.asked == web.names == []
    # The control: the same server, where its address may be connected to.
    assert web.fetch() == web.document


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1"])
def test_a_did_names_no_address(web: Web, host: str) -> None:
    with pytest.raises(BadRequest, match="not an address"):
        web.fetch(f"did:web:{host}%3A{web.port}")
    assert web.asked == []


@pytest.mark.parametrize(
    "did",
    [
        "did:key:z6Mk",
        "did:web:",
        "did:web:user@a.example",
        "http://a.example",
        "did:web:a%2Fb",
        "did:web:0177.0.0.1",
    ],
)
def test_other_names_are_not_looked_up(web: Web, did: str) -> None:
    with pytest.raises((BadRequest, BadIdentifier)):
        web.fetch(did)
    assert web.names == []


def redirect(request: BaseHTTPRequestHandler) -> None:
    reply(request, b"", 302, location=f"https://{HOST}/elsewhere")


def long(request: BaseHTTPRequestHandler) -> None:
    reply(request, b'{"id":"' + b"x" * LIMIT + b'"}')


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        for _ in range(1000):
            request.wfile.write(b" " * 10)
            time.sleep(0.05)
    except OSError:
        pass


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (redirect, "answered 302"),
        (lambda request: reply(request, b"{}", 404), "answered 404"),
        (long, "is over"),
        (lambda request: reply(request, b"\x1f\x8b", content_encoding="gzip"), "an encoding"),
        (lambda request: reply(request, b"<html>"), "cannot be read"),
        (lambda request: reply(request, b'{"id":"a","id":"b"}'), "cannot be read"),
        (lambda request: reply(request, b"[" * 100 + b"]" * 100), "cannot be read"),
    ],
)
def test_answers_that_are_refused(web: Web, answer: Answer, reason: str) -> None:
    web.answer = answer
    with pytest.raises(BadRequest, match=reason):
        web.fetch()
    assert len(web.asked) == 1


def test_time_is_capped_though_bytes_keep_coming(web: Web) -> None:
    web.answer = endless
    start = time.monotonic()
    with pytest.raises(BadRequest, match=r"took over 0\.5 s"):
        web.fetch(seconds=0.5)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("192.88.99.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("ff02::1", False),
        ("64:ff9b::8.8.8.8", False),
        ("2001::1", False),
        ("2002:7f00:1::", False),
        ("2001:db8::1", False),
        ("3fff::1", False),
        ("localhost", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public
