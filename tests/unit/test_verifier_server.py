"""The HTTP verifier: a file in, its report out; nothing else, and nothing kept."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from keys import PrivateKey
from verifier import BadTrust, Governance, Trust, open_trust
from verifier.server import MOST_BYTES, TrustFile, make_server


@pytest.fixture
def trust(story: Any, tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(story.trust.read_bytes())
    return path


@pytest.fixture
def client(trust: Path) -> TestClient:
    return TestClient(make_server(TrustFile(trust)))


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


def touch(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    later = path.stat().st_mtime_ns + 5_000_000_000
    os.utime(path, ns=(later, later))


def test_a_newer_trust_bundle_is_taken_and_a_bad_one_is_not(
    trust: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Signed by a governance of this test's own, which it can then sign again with."""
    governors = [PrivateKey.generate()]
    keys = tuple(key.public_key.multikey for key in governors)
    first = replace(open_trust(trust.read_bytes()), governance=Governance(keys, 1), version=5)

    def signed(**changes: Any) -> bytes:
        changed: Trust = replace(first, **changes)
        return changed.sign(governors)

    touch(trust, signed())
    file = TrustFile(trust)
    client = TestClient(make_server(file))
    assert client.get("/healthz").json()["version"] == 5
    touch(trust, signed(version=6))
    assert client.get("/healthz").json()["version"] == 6
    for bad in (signed(version=4), b"{}", replace(first, version=9).sign([PrivateKey.generate()])):
        touch(trust, bad)
        assert client.get("/healthz").json()["version"] == 6
        assert "not used" in caplog.text
        caplog.clear()
    trust.unlink()
    assert client.get("/healthz").json()["version"] == 6
    over = first.issued - timedelta(days=1)
    touch(trust, signed(version=7, expires=over, next_update=over))
    assert client.get("/healthz").status_code == 503


def test_it_does_not_start_without_a_good_trust_bundle(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    path.write_bytes(b"{}")
    with pytest.raises(BadTrust):
        TrustFile(path)
