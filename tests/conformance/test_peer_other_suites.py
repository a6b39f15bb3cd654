"""Credentials under the suites of other issuers pass between here and @digitalbazaar/vc."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credentials import (
    AUTHENTICATION,
    ECDSA_JCS,
    ECDSA_RDFC,
    RDFC,
    Terms,
    key_in_did_key,
    sign,
)
from credentials.presentation import (
    sign_presentation,
    verifiable_presentation,
)
from credentials.rdf import canonical_nquads, context, known_contexts
from credentials.verifiable import Check
from keys import AnySigner, PrivateKey, did_key, verification_method
from keys.ecdsa import EcdsaPrivateKey

CONTEXTS = {url: context(url) for url in known_contexts()}
V2, V1 = "https://www.w3.org/ns/credentials/v2", "https://www.w3.org/2018/credentials/v1"
FORMS = {"rdfc": ECDSA_RDFC, "jcs": ECDSA_JCS}
NEW = {
    "@context": [V2],
    "id": "urn:uuid:6e0b2d6a-7c43-4c89-9ed8-7b4e0b6f3a11",
    "type": ["VerifiableCredential"],
    "name": [{"@value": "会计学", "@language": "zh"}, {"@value": "Accounting", "@language": "en"}],
    "credentialSubject": {"id": "did:example:subject", "name": "张伟"},
}
# Objects without an id, which RDF canonicalisation orders by their hashes.
NAMELESS = {
    **NEW,
    "evidence": [{"type": "https://a.example/Seen", "name": f"E{n}"} for n in range(6)],
}
OLD = {
    "@context": [V1, "https://w3id.org/security/suites/ed25519-2020/v1"],
    "id": "urn:uuid:6e0b2d6a-7c43-4c89-9ed8-7b4e0b6f3a12",
    "type": ["VerifiableCredential"],
    "issuanceDate": "2021-03-16T22:37:26Z",
    "credentialSubject": {"id": "did:example:subject"},
}
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context"
BADGE = {
    "id": "urn:uuid:6e0b2d6a-7c43-4c89-9ed8-7b4e0b6f3a13",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "会计学",
    "credentialSubject": {
        "id": "did:example:subject",
        "type": ["AchievementSubject"],
        "achievement": {
            "id": "https://a.example/achievements/1",
            "type": ["Achievement"],
            "name": "Accounting",
            "description": "Books of account",
            "criteria": {"narrative": "An *examination*"},
        },
    },
}


def badge(first: str, version: str) -> dict[str, Any]:
    """An Open Badge as wallets hold them, under a version of its context."""
    contexts = [first, f"{OB}{version}.json", "https://w3id.org/security/suites/ed25519-2020/v1"]
    dated = {"issuanceDate" if first == V1 else "validFrom": "2023-08-02T17:43:32.903Z"}
    return {"@context": contexts, **BADGE, **dated}


BADGES = {
    f"{first[-14:]} {version or '3.0.0'}": badge(first, version)
    for first in (V1, V2)
    for version in ("", "-3.0.1", "-3.0.2", "-3.0.3")
    # Versions 3.0.0 and 3.0.1 define anew what the second data model protects.
    if first == V1 or version > "-3.0.1"
}
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def ask(repo: Path) -> Ask:
    folder = repo / "tests" / "peers"
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not on this machine: @digitalbazaar/vc cannot run")
    if not (folder / "node_modules" / "@digitalbazaar" / "ecdsa-multikey").exists():
        pytest.skip("scripts/peers has not installed @digitalbazaar/vc")

    def put(**question: Any) -> dict[str, Any]:
        done = subprocess.run(
            [node, "other_suites.mjs"],
            cwd=folder,
            input=json.dumps({**question, "contexts": CONTEXTS}).encode() + b"\n",
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return put


def faults(credential: Any) -> list[str]:
    check = Check(key_in_did_key, datetime.now(UTC))
    return [fault.reason for fault in check.credential(credential)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_theirs_here(ask: Ask, curve: str, form: str) -> None:
    made = ask(make=curve, form=form, credential=NEW)["credential"]
    assert faults(made) == []
    changed = copy.deepcopy(made)
    changed["credentialSubject"]["name"] = "李娜"
    assert faults(changed) == ["the ECDSA signature does not match"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_ours_there(ask: Ask, curve: str, form: str) -> None:
    signer = EcdsaPrivateKey.generate(curve)
    did = f"did:key:{signer.public_key.multikey}"
    method, suites = f"{did}#{signer.public_key.multikey}", (FORMS[form],)
    made = sign({**NEW, "issuer": did}, signer, method, "2026-11-24T12:00:00Z", suites)
    assert ask(check=made, form=form) == {"verified": True, "error": None}
    changed = copy.deepcopy(made)
    changed["credentialSubject"]["name"] = "李娜"
    assert ask(check=changed, form=form)["verified"] is False
    assert faults(changed) == ["the ECDSA signature does not match"]


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_nameless_objects_are_ordered_by_the_hash_of_the_curve(ask: Ask, curve: str) -> None:
    assert canonical_nquads(NAMELESS, "sha256") != canonical_nquads(NAMELESS, "sha384")
    assert faults(ask(make=curve, form="rdfc", credential=NAMELESS)["credential"]) == []
    signer = EcdsaPrivateKey.generate(curve)
    did = f"did:key:{signer.public_key.multikey}"
    method = f"{did}#{signer.public_key.multikey}"
    made = sign({**NAMELESS, "issuer": did}, signer, method, "2026-11-24T12:00:00Z", (ECDSA_RDFC,))
    assert ask(check=made, form="rdfc") == {"verified": True, "error": None}


@pytest.mark.parametrize("document", [OLD, {**NEW, "@context": [V2, OLD["@context"][1]]}])
def test_what_wallets_held_before(ask: Ask, document: dict[str, Any]) -> None:
    made = ask(make="2020", credential=document)["credential"]
    assert made["proof"]["type"] == "Ed25519Signature2020"
    assert faults(made) == []
    changed = copy.deepcopy(made)
    changed["credentialSubject"]["id"] = "did:example:other"
    assert faults(changed) == ["the Ed25519 signature does not match"]


@pytest.mark.parametrize("document", BADGES.values(), ids=BADGES)
def test_badges_under_every_version_of_their_context(ask: Ask, document: dict[str, Any]) -> None:
    made = ask(make="2020", credential=document)["credential"]
    assert faults(made) == []
    changed = copy.deepcopy(made)
    changed["credentialSubject"]["achievement"]["criteria"]["narrative"] = "Nothing"
    assert faults(changed) == ["the Ed25519 signature does not match"]


TERMS = Terms(AUTHENTICATION, "employer.example", "c-1")
ASKED = {"domain": "employer.example", "challenge": "c-1"}


def held(count: int = 2) -> list[dict[str, Any]]:
    signer = PrivateKey.generate()
    did = did_key(signer.public_key)
    method = verification_method(did, signer.public_key)
    documents = [{**NEW, "id": f"{NEW['id'][:-1]}{n}", "issuer": did} for n in range(count)]
    return [sign(one, signer, method, "2026-11-24T12:00:00Z", (RDFC,)) for one in documents]


def test_presentations_of_theirs_here(ask: Ask) -> None:
    made = ask(present=held(), **ASKED)["presentation"]
    check = Check(key_in_did_key, datetime.now(UTC))
    assert check.presentation(made, TERMS) == []
    assert check.presentation(made, Terms(AUTHENTICATION, "employer.example", "c-2")) != []
    changed = copy.deepcopy(made)
    changed["verifiableCredential"].pop()
    [fault] = check.presentation(changed, TERMS)
    assert fault.reason == "the Ed25519 signature does not match"


@pytest.mark.parametrize("kind", ["Ed25519", "P-256", "P-384"])
def test_presentations_of_ours_there(ask: Ask, kind: str) -> None:
    holder: AnySigner = (
        PrivateKey.generate() if kind == "Ed25519" else EcdsaPrivateKey.generate(kind)
    )
    document = verifiable_presentation(held(), did_key(holder.public_key))
    made = sign_presentation(document, holder, "2026-11-24T12:00:00Z", TERMS)
    assert ask(open=made, **ASKED) == {"verified": True, "error": None}
    assert ask(open=made, **{**ASKED, "challenge": "c-2"})["verified"] is False
    changed = copy.deepcopy(made)
    changed["verifiableCredential"][0]["credentialSubject"]["name"] = "李娜"
    assert ask(open=changed, **ASKED)["verified"] is False
