"""A credential of an issuer no credit bank knows is verified in part at best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from credentials import ECDSA_JCS, JCS, RDFC, sign
from keys import AnySigner, PrivateKey
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
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("VERIFIED IN PART")
    assert "is not a member of any bank you trust" in done.stdout
    assert "could not be checked" in done.stdout
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
