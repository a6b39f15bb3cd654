"""Credentials pass between the bank and @digitalbazaar/vc, both ways, under both cryptosuites."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from credentials import (
    JCS,
    RDFC,
    SUITES,
    key_in_method,
    read_credential,
    sign,
    verify_proofs,
)
from credentials.rdf import context, known_contexts
from credentials.transcript import Heading, LotLine, transcript_credential

if TYPE_CHECKING:
    from conftest import Issued

# What the peer takes for the present, so that these tests do not age.
NOW = "2024-08-01T00:00:00Z"
CONTEXTS = {url: context(url) for url in known_contexts()}
BOTH = list(SUITES)
SETS = [[RDFC], [JCS], BOTH]

Question = dict[str, Any]
Peer = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def peer(repo: Path) -> Peer:
    """Put questions to the peer; a test that needs it skips where Node is missing."""
    folder = repo / "tests" / "peers"
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not on this machine: @digitalbazaar/vc cannot run")
    if not (folder / "node_modules" / "@digitalbazaar" / "vc").exists():
        pytest.skip("scripts/peers has not installed @digitalbazaar/vc")

    def ask(*questions: Question) -> list[dict[str, Any]]:
        done = subprocess.run(
            [node, "verify_vc.mjs"],
            cwd=folder,
            input="".join(json.dumps(question) + "\n" for question in questions).encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(questions)
        return answers

    return ask


def question(issued: Issued, credential: Any, suites: list[str]) -> Question:
    return {
        "credential": credential,
        "suites": suites,
        "contexts": CONTEXTS,
        "controller": issued.controller,
        "now": NOW,
    }


def order(issued: Issued, suites: list[str]) -> Question:
    return {
        "credential": issued.unsecured,
        "suites": suites,
        "contexts": CONTEXTS,
        "method": issued.method,
        "seed": issued.signer.seed.hex(),
        "created": issued.created,
    }


def fails_here(credential: Any) -> list[bool]:
    """Which of a credential's proofs are seen to fail here."""
    return [result.error is not None for result in verify_proofs(credential, key_in_method)]


def test_the_peer_verifies_what_the_bank_issues(peer: Peer, issued: Issued) -> None:
    answers = peer(*(question(issued, issued.credential, suites) for suites in SETS))
    assert answers == [{"verified": True, "error": None}] * 3


def test_the_bank_verifies_what_the_peer_issues(peer: Peer, issued: Issued) -> None:
    answers = peer(*(order(issued, suites) for suites in SETS))
    for answer, suites in zip(answers, SETS, strict=True):
        assert answer["error"] is None
        results = verify_proofs(answer["credential"], key_in_method)
        assert [(result.suite, result.passed) for result in results] == [
            (suite, True) for suite in suites
        ]
        assert read_credential(answer["credential"]) == read_credential(issued.credential)


def test_both_make_the_same_proofs(peer: Peer, issued: Issued) -> None:
    """Ed25519 has one signature for a key and a message, so equal bytes were signed."""
    [answer] = peer(order(issued, BOTH))
    assert answer["credential"] == issued.credential


def changed(path: list[str | int], value: Any) -> Callable[[dict[str, Any]], None]:
    def change(credential: dict[str, Any]) -> None:
        parent: Any = credential
        for step in path[:-1]:
            parent = parent[step]
        assert parent[path[-1]] != value
        parent[path[-1]] = value

    return change


CHANGES = {
    "credits": changed(["credentialSubject", "creditsEarned"], 12.3457),
    "learner": changed(["credentialSubject", "identifier", 0, "identityHash"], "Someone else"),
    "grade": changed(["credentialSubject", "result", 0, "value"], "95.5"),
    "title": changed(["name"], "养老护理 Care of the Elderly"),
    "level": changed(["credentialSubject", "achievement", "alignment", 0, "targetCode"], "5"),
    "expiry": changed(["validUntil"], "2099-01-02T23:59:59Z"),
    "status": changed(["credentialStatus", "statusListIndex"], "78"),
    "id": changed(["id"], "urn:uuid:00000000-0000-4000-8000-000000000000"),
    "created": changed(["proof", "created"], "2024-07-01T08:30:01Z"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_changed_value_fails_in_both(
    peer: Peer, one: Issued, change: Callable[[dict[str, Any]], None]
) -> None:
    questions = []
    for proof in one.credential["proof"]:
        altered = copy.deepcopy({**one.credential, "proof": proof})
        change(altered)
        questions.append(question(one, altered, [proof["cryptosuite"]]))
        assert fails_here(altered) == [True]
    for answer in peer(*questions):
        assert answer["verified"] is False
        assert "Invalid signature" in answer["error"]


def test_a_change_fails_both_proofs_of_a_set(peer: Peer, one: Issued) -> None:
    altered = {**one.credential, "name": "Something else"}
    [answer] = peer(question(one, altered, BOTH))
    assert answer["verified"] is False
    assert fails_here(altered) == [True, True]


def test_a_key_that_is_not_the_issuers_fails(peer: Peer, one: Issued) -> None:
    other = copy.deepcopy(one.controller)
    other["assertionMethod"] = []
    [answer] = peer({**question(one, one.credential, [JCS]), "controller": other})
    assert answer["verified"] is False
    assert "not authorized by controller" in answer["error"]


def test_one_broken_proof_of_two_is_refused_here_though_not_by_the_peer(
    peer: Peer, one: Issued
) -> None:
    """The peer is content with any one proof that holds; here every one must (decision 8)."""
    broken = copy.deepcopy(one.credential)
    broken["proof"][0]["created"] = "2024-07-01T08:30:01Z"
    [answer] = peer(question(one, broken, BOTH))
    assert answer["verified"] is True
    assert fails_here(broken) == [True, False]


def test_a_context_added_after_signing_is_refused_here_though_not_by_the_peer(
    peer: Peer, one: Issued
) -> None:
    """Section 3.3.2 lets a secured document name contexts after those its proof names; JCS signs

    only the latter, so the document's terms may come to mean something else.
    """
    jcs = next(proof for proof in one.credential["proof"] if proof["cryptosuite"] == JCS)
    added = copy.deepcopy({**one.credential, "proof": jcs})
    added["@context"].append("https://w3id.org/security/data-integrity/v2")
    [answer] = peer(question(one, added, [JCS]))
    assert answer["verified"] is True
    assert fails_here(added) == [True]


def test_the_peer_reads_no_context_but_those_it_was_given(peer: Peer, one: Issued) -> None:
    unknown = copy.deepcopy(one.credential)
    unknown["@context"].append("https://example.org/context")
    [answer] = peer(question(one, unknown, [RDFC]))
    assert answer["verified"] is False
    assert "there is no document https://example.org/context" in answer["error"]
    assert fails_here(unknown) == [True, True]


def test_the_peer_verifies_a_transcript(peer: Peer, one: Issued) -> None:
    """A Comprehensive Learner Record that holds an award with its own proofs."""
    line = LotLine("lot", "CS-101@2", "standard-credit", "4", "12.3456", "active", 7)
    did = str(one.controller["id"])
    heading = Heading(UUID(int=1), UUID(int=2), did, "A bank", one.created, 8)
    document = transcript_credential(heading, [one.credential], [line])
    signed = sign(document, one.signer, one.method, one.created)
    assert [r.passed for r in verify_proofs(signed, key_in_method)] == [True, True]
    assert peer(question(one, signed, BOTH)) == [{"verified": True, "error": None}]
    for path, value in (
        (["credentialSubject", "creditTotal", 0, "credits"], "13"),
        (["credentialSubject", "creditLot", 0, "state"], "revoked"),
        (["credentialSubject", "verifiableCredential", 0, "name"], "Another"),
    ):
        altered = copy.deepcopy(signed)
        changed(path, value)(altered)
        [answer] = peer(question(one, altered, BOTH))
        assert answer["verified"] is False
        assert fails_here(altered) == [True, True]
