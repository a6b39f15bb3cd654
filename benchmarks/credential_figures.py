"""Credentials: issuing and verifying with each suite, warm and cold, and the whole award path."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from bank.lot_projection import LotProjection
from bank.tables import derived, private
from benchmarks import node
from benchmarks.measure import Figure, compare, count, rate
from benchmarks.samples import (
    INSTITUTION,
    LOG_KEY,
    NOW,
    ORIGIN,
    award,
    folder,
    opening,
    small_bank,
)
from credentials import JCS, RDFC, key_in_method, sign, verify_proofs
from keys import Json, encode, verification_method
from ledger.checkpointer import Checkpointer
from ledger.sequencer import Placed, Sequencer
from ledger.store import create_tables, open_store

_METHOD = verification_method(INSTITUTION.did, INSTITUTION.signer.public_key)


def issue_rdfc() -> Figure:
    return _issue(RDFC)


def issue_jcs() -> Figure:
    return _issue(JCS)


def verify_rdfc() -> Figure:
    return _verify(RDFC)


def verify_jcs() -> Figure:
    return _verify(JCS)


def _credentials(number: int) -> list[dict[str, Json]]:
    return [dict(award(n).credential or {}) for n in range(number)]


def _issue(suite: str) -> Figure:
    number = count(1000)
    documents = _credentials(number)
    _sign(documents[:20], suite)
    return compare(
        lambda: rate(number, lambda: _sign(documents, suite)),
        lambda: node.ask("issue", suite, count(300), count(50), documents[0]),
        node.NAME,
        "credentials/s",
    )


def _sign(documents: list[dict[str, Json]], suite: str) -> None:
    for document in documents:
        sign(document, INSTITUTION.signer, _METHOD, "2026-11-23T12:00:00Z", (suite,))


def _verify(suite: str) -> Figure:
    number = count(1000)
    documents = [
        sign(document, INSTITUTION.signer, _METHOD, "2026-11-23T12:00:00Z", (suite,))
        for document in _credentials(number)
    ]

    def ours() -> None:
        for document in documents:
            (found,) = verify_proofs(document, key_in_method)
            assert found.passed

    ours()
    return compare(
        lambda: rate(number, ours),
        lambda: node.ask("verify", suite, count(300), count(50), documents[0]),
        node.NAME,
        "credentials/s",
    )


def cold_verify() -> Figure:
    """A fresh process each time: what a person at a command line waits for."""
    with small_bank() as (bank, awards), folder() as out:
        credential = awards[0].credential or {}
        token = bank.vault.token(bank.accounts.of_credential(str(credential["id"])))
        (out / "bundle.json").write_bytes(bank.accounts.bundle(token, str(credential["id"])))
        from benchmarks.samples import GOVERNANCE

        (out / "trust.json").write_bytes(bank.trust.export([GOVERNANCE]))
        command = [
            *(sys.executable, "-m", "bank.cli", "verify", str(out / "bundle.json")),
            *("--trust", str(out / "trust.json"), "--json"),
        ]
        environment = {**os.environ, "CREDITBANK_STATE": str(out / "state")}

        def ours() -> float:
            start = time.perf_counter()
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
            return time.perf_counter() - start

        def peer() -> float:
            start = time.perf_counter()
            node.ask("verify", "both", 1, 0, dict(credential))
            return time.perf_counter() - start

        ours()
        note = "ours also checks the ledger receipt, authority, status and the trust bundle"
        return compare(ours, peer, f"{node.NAME}, the two proofs alone", "s", note)


_COLD_JCS = """
import json, sys
from credentials import key_in_method, verify_proofs
with open(sys.argv[1], "rb") as file:
    document = json.load(file)
(result,) = verify_proofs(document, key_in_method)
assert result.passed, result
"""


def cold_verify_jcs() -> Figure:
    """A fresh process verifies one JCS proof, as a program that embeds the library does."""
    with folder() as out:
        credential = dict(award(0).credential or {})
        proofs = credential["proof"]
        assert isinstance(proofs, list)
        (credential["proof"],) = (
            proof for proof in proofs if isinstance(proof, dict) and proof["cryptosuite"] == JCS
        )
        path = out / "credential.json"
        path.write_bytes(encode(credential))

        def ours() -> float:
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", _COLD_JCS, str(path)], check=False)
            assert done.returncode == 0
            return time.perf_counter() - start

        def peer() -> float:
            start = time.perf_counter()
            node.ask("verify", JCS, 1, 0, credential)
            return time.perf_counter() - start

        ours()
        return compare(ours, peer, f"{node.NAME}, the {JCS} proof alone", "s")


def award_path() -> Figure:
    """Sign credential (both proofs) and statement, append durably with the lots, sign the head."""
    number = count(3000)
    credential = dict(award(0).credential or {})

    def ours() -> float:
        with folder() as path:
            engine = open_store(f"sqlite:///{path / 'bank.db'}")
            create_tables(engine, derived, private)
            sequencer = Sequencer(engine, LotProjection(), lambda: datetime.now(UTC))
            checkpointer = Checkpointer(engine, ORIGIN, LOG_KEY, clock=lambda: NOW)
            sequencer.append(opening())

            def work() -> None:
                for start in range(0, number, 1000):
                    batch = [award(n) for n in range(start, min(number, start + 1000))]
                    for outcome in sequencer.append([item.signed for item in batch]):
                        assert isinstance(outcome, Placed)
                    checkpointer.sign()

            found = rate(number, work)
            engine.dispose()
            return found

    return compare(
        ours,
        lambda: node.ask("issue", RDFC, count(300), count(50), credential),
        f"{node.NAME}, signing one {RDFC} proof and storing nothing",
        "awards/s",
    )
