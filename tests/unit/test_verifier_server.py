"""The HTTP verifier: a file in, its report out; nothing else, and nothing kept."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from keys import PrivateKey
from verifier import BadTrust, Governance, Trust, open_trust
from verifier import server as server_module
from verifier.server import MOST_BYTES, make_server
from verifier.trust_file import TrustFile


@pytest.fixture
def trust(story: Any, tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(story.trust.read_bytes())
    return path


@pytest.fixture
def client(trust: Path) -> TestClient:
    return http(TrustFile(trust, trust.parent / "memory"))


def http(file: TrustFile) -> TestClient:
    return TestClient(make_server(file, lambda: datetime.now(UTC)))


@pytest.mark.parametrize("kind", ["bundle.json", "certificate.pdf", "badge.png", "qr.png"])
def test_a_file_is_verified(client: TestClient, story: Any, kind: str) -> None:
    data = (story.out / f"learner.{kind}").read_bytes()
    report = client.post("/verify", content=data).json()
    assert (report["verdict"], report["exit_code"]) == ("verified", 0)
    chinese = client.post("/verify?lang=zh", content=data).json()
    assert chinese["checks"][0]["sentence"] == "完整的 Open Badges 3.0 凭证。"


def test_what_is_not_verified_is_an_answer_too(client: TestClient, story: Any) -> None:
    data = story.bundle.read_bytes().replace(b'"creditsEarned":2.5', b'"creditsEarned":9')
    answer = client.post("/verify", content=data)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "not verified")


def test_refusals(client: TestClient) -> None:
    for body, status, said in (
        (b"", 422, "empty"),
        (b"hello", 422, "not JSON"),
        (b"x" * (MOST_BYTES + 1), 413, "at most"),
    ):
        answer = client.post("/verify", content=body)
        assert answer.status_code == status
        assert said in answer.json()["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.post("/verify?lang=de", content=b"x").status_code == 422
    assert client.get("/verify").status_code == 405


def test_the_page_is_there_too(client: TestClient, trust: Path) -> None:
    assert "POST /verify" in client.get("/").text
    assert client.get("/v/").headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get("/v", follow_redirects=False).headers["location"] == "/v/"
    assert client.get("/v/trust.json").content == trust.read_bytes()
    assert client.get("/v/../pyproject.toml").status_code == 404
    assert client.get("/v/core/nothing.js").status_code == 404


def test_the_text_of_a_qr_code(client: TestClient, story: Any) -> None:
    from credentials.qr import scan

    url = scan((story.out / "learner.qr.png").read_bytes())
    for text in (url, f"\n {url}\r\n"):
        report = client.post("/verify?lang=zh", content=text.encode()).json()
        assert (report["verdict"], report["form"]) == ("verified", "qr")
    cut = client.post("/verify", content=url[:-40].encode())
    assert cut.status_code == 422


def test_a_form_is_told_what_to_do_instead(client: TestClient, story: Any) -> None:
    answer = client.post("/verify", files={"file": story.bundle.read_bytes()})
    assert answer.status_code == 415
    assert "as the body" in answer.json()["detail"]


def test_nothing_sent_is_told_when_we_fail(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(data: bytes, *_: object) -> None:
        raise RuntimeError(data)

    monkeypatch.setattr(server_module, "verify_file", fail)
    answer = client.post("/verify", content=b"a secret")
    assert answer.status_code == 500
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text + answer.text


def test_nothing_is_cached_and_it_describes_itself(client: TestClient, story: Any) -> None:
    answer = client.post("/verify", content=story.bundle.read_bytes())
    assert answer.headers["cache-control"] == "no-store"
    assert "/verify" in client.get("/openapi.json").json()["paths"]
    assert "POST /verify" in client.get("/?lang=zh").text
    assert client.get("/nothing").json()["status"] == 404


CALLED = {"en": "Another", "zh": "别的"}


def touch(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    later = path.stat().st_mtime_ns + 5_000_000_000
    os.utime(path, ns=(later, later))


def test_a_newer_trust_bundle_is_taken_and_a_bad_one_is_not(
    trust: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed by a governance of this test's own, which it can then sign again with."""
    governors = [PrivateKey.generate()]
    keys = tuple(key.public_key.multikey for key in governors)
    first = replace(open_trust(trust.read_bytes()), roots=(Governance(keys, 1),), version=5)

    def signed(**changes: Any) -> bytes:
        changed: Trust = replace(first, **changes)
        return changed.sign(governors)

    touch(trust, signed())
    # A memory that cannot be written: the server itself must know what it has seen.
    monkeypatch.setattr("verifier.memory._write", lambda path, seen: None)
    client = http(TrustFile(trust, trust.parent / "memory"))
    assert client.get("/healthz").json()["version"] == 5
    touch(trust, signed(version=6))
    assert client.get("/healthz").json()["version"] == 6
    other = replace(first, version=9).sign([PrivateKey.generate()])
    for bad in (signed(version=4), signed(version=6, quorum=0, names=CALLED), b"{}", b"", other):
        touch(trust, bad)
        health = client.get("/healthz").json()
        assert health["version"] == 6
        assert health["problem"], "it says why the newer is not in use"
        assert client.get("/healthz").json()["problem"] == health["problem"], "and goes on to"
        assert open_trust(client.get("/v/trust.json").content).version == 6
    touch(trust, signed(version=6))
    assert client.get("/healthz").json()["problem"] == ""
    trust.unlink()
    gone = client.get("/healthz").json()
    assert (gone["version"], "cannot be read" in gone["problem"]) == (6, True)
    over = first.issued - timedelta(days=1)
    touch(trust, signed(version=7, expires=over, next_update=over))
    assert client.get("/healthz").status_code == 503


def test_it_does_not_start_without_a_good_trust_bundle(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    path.write_bytes(b"{}")
    with pytest.raises(BadTrust):
        TrustFile(path, tmp_path / "memory")
    with pytest.raises(BadTrust, match="cannot be read"):
        TrustFile(tmp_path / "none.json", tmp_path / "memory")


def test_a_file_rewritten_within_one_tick_of_the_clock_is_seen(trust: Path) -> None:
    """Same size, same time: what a coarse clock makes of two writes in a row."""
    governor = PrivateKey.generate()
    governance = Governance((governor.public_key.multikey,), 1)
    first = replace(open_trust(trust.read_bytes()), roots=(governance,), version=5)
    trust.write_bytes(first.sign([governor]))
    times = trust.stat().st_mtime_ns
    file = TrustFile(trust, trust.parent / "memory")
    trust.write_bytes(replace(first, version=6).sign([governor]))
    os.utime(trust, ns=(times, times))
    assert file.trust().version == 6


def test_a_settled_file_is_read_once(trust: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(trust, (1, 1))
    monkeypatch.setattr("verifier.trust_file.time.time_ns", lambda: 2**62)
    file = TrustFile(trust, trust.parent / "memory")
    monkeypatch.setattr("verifier.trust_file.read_limited", lambda path: pytest.fail("read again"))
    assert file.trust() is file.trust()
    assert file.problem == ""


@contextmanager
def serving(*arguments: str, state: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`creditbank verifier serve`: what it says it has for an address, and its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bank.cli", "verifier", "serve", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200", "CREDITBANK_STATE": str(state)},
    )
    try:
        assert process.stderr is not None
        yield process.stderr.readline(), process
    finally:
        process.kill()
        process.communicate()


def test_the_command(story: Any, tmp_path: Path) -> None:
    options = ("--trust", str(story.trust), "--port", "0")
    with serving(*options, state=tmp_path) as (line, process):
        found = re.search(r"http://127\.0\.0\.1:([1-9]\d*)/", line)
        assert found, line
        data = story.bundle.read_bytes()
        for body in (data, data.replace(b"2.5", b"25"), b"private words"):
            httpx.post(f"{found[0]}verify", content=body)
        # A port that another has is one sentence.
        taken = ("--trust", str(story.trust), "--port", found[1])
        with serving(*taken, state=tmp_path) as (said, second):
            assert "cannot be had" in said
            assert second.wait(timeout=30) == 1
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        # Three requests, one of them refused, and not a word about any of them.
        assert (process.returncode, out, errors) == (0, "", "")


def test_a_client_that_goes_away_leaves_no_trace(story: Any, tmp_path: Path) -> None:
    options = ("--trust", str(story.trust), "--port", "0")
    with serving(*options, state=tmp_path) as (line, process):
        port = int(re.findall(r":(\d+)/", line)[0])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nabc")
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").json()["ok"]
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
