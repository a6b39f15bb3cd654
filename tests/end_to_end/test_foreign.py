"""A credential of an issuer no credit bank knows is at best one that nobody can tell of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from credentials import (
    ECDSA_JCS,
    JCS,
    RDFC,
    StatusList,
    sign,
    status_list_credential,
)
from keys import AnySigner, PrivateKey, did_document
from keys.ecdsa import EcdsaPrivateKey

SIGNERS: list[tuple[AnySigner, tuple[str, ...]]] = [
    (PrivateKey.from_seed(b"f" * 32), (RDFC, JCS)),
    (EcdsaPrivateKey.from_secret("P-256", 11), (ECDSA_JCS,)),
]


def credential(signer: AnySigner, suites: tuple[str, ...], **changes: Any) -> dict[str, Any]:
    did = f"did:key:{signer.public_key.multikey}"
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:6e0b2d6a-7c43-4c89-9ed8-7b4e0b6f3a11",
        "type": ["VerifiableCredential"],
        "issuer": did,
        "credentialSubject": {"id": "did:example:subject", "name": "张伟"},
        **changes,
    }
    method = f"{did}#{signer.public_key.multikey}"
    return sign(document, signer, method, "2026-11-24T12:00:00Z", suites)


@pytest.mark.parametrize(("signer", "suites"), SIGNERS)
def test_a_strangers_credential(
    story: Any, tmp_path: Path, run: Any, signer: AnySigner, suites: tuple[str, ...]
) -> None:
    def look(document: dict[str, Any], *options: str) -> Any:
        path = tmp_path / "c.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return run("verify", str(path), "--trust", str(story.trust), *options)

    good = credential(signer, suites)
    done = look(good, "--foreign")
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stdout.startswith("CANNOT TELL")
    assert "is not a member of any bank you trust" in done.stdout
    assert "names no status list" in done.stdout
    assert "不是您信任的任何学分银行的成员" in look(good, "--foreign", "--lang", "zh").stdout
    # Unless it is asked for, a stranger's credential is no award, and is not verified.
    assert look(good).returncode == 1
    changed = {**good, "credentialSubject": {"id": "did:example:subject", "name": "李娜"}}
    done = look(changed, "--foreign", "--json")
    assert done.returncode == 1
    checks = {c["check"]: c["outcome"] for c in json.loads(done.stdout)["checks"]}
    assert (checks["format"], checks["signature"]) == ("passed", "failed")
    over = credential(signer, suites, validUntil="2020-01-01T00:00:00Z")
    assert "was valid until 2020-01-01" in look(over, "--foreign").stdout
    assert look({**good, "issuer": "did:example:other"}, "--foreign").returncode == 1


def write(path: Path, document: dict[str, Any]) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def test_its_status_list_comes_as_a_file(tmp_path: Path, run: Any) -> None:
    signer, suites = SIGNERS[0]
    url = "https://a.example/status/1"
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": url,
    }
    did = f"did:key:{signer.public_key.multikey}"
    method = f"{did}#{signer.public_key.multikey}"
    path = write(tmp_path / "c.json", credential(signer, suites, credentialStatus=entry))
    for places, code, said in (
        (None, 4, "could not be checked: its status list was not given"),
        ([6], 4, "Not revoked and not suspended as of 2026-11-24"),
        ([7], 1, "The institution has revoked"),
    ):
        options: list[str] = []
        if places is not None:
            bits = StatusList.of(places)
            document = status_list_credential(
                url, did, "revocation", bits, "2026-11-24T00:00:00Z", "2036-11-24T00:00:00Z"
            )
            made = sign(document, signer, method, "2026-11-24T12:00:00Z", suites)
            options = ["--status-list", write(tmp_path / "list.json", made)]
        done = run("verify", path, "--foreign", *options)
        assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr


def test_did_web_with_its_document(tmp_path: Path, run: Any) -> None:
    signer, suites = SIGNERS[0]
    did = "did:web:localhost"
    method = f"{did}#{signer.public_key.multikey}"
    document = {**credential(signer, suites), "issuer": did}
    path = write(tmp_path / "c.json", sign(document, signer, method, "2026-11-24T12:00:00Z"))
    done = run("verify", path, "--foreign", "--json")
    assert done.returncode == 1
    assert "give its DID document" in done.stdout
    made = write(tmp_path / "did.json", did_document(did, [signer.public_key]))
    assert run("verify", path, "--foreign", "--did", made).returncode == 4
    done = run("fetch-did", did, "--out", str(tmp_path / "new.json"))
    assert done.returncode == 1
    assert "which is not a public address" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give the credit bank's trust bundle with --trust"),
        (("--did", "/none.json"), "--did goes with --foreign"),
        (("--status-list", "/none.json"), "--status-list goes with --foreign"),
        (("--foreign", "--status-list", "/none.json"), "/none.json cannot be read"),
    ],
)
def test_questions_that_cannot_be_answered(
    tmp_path: Path, run: Any, options: tuple[str, ...], said: str
) -> None:
    signer, suites = SIGNERS[0]
    path = write(tmp_path / "c.json", credential(signer, suites))
    done = run("verify", path, *options)
    assert done.returncode == 2
    assert said in done.stderr
