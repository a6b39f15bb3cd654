"""A transcript: all that a learner holds, signed by the bank, each award by its institution."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from credentials.transcript import LotLine, totals
from keys import PrivateKey
from verifier import Report, Trust, open_trust, read_collection, verify_transcript

Document = dict[str, Any]


@pytest.fixture(scope="module")
def trust(story: Any) -> Trust:
    return open_trust(story.trust.read_bytes())


@pytest.fixture(scope="module")
def held(story: Any) -> tuple[Document, dict[str, str]]:
    found = read_collection((story.out / "learner.transcript.json").read_bytes())
    assert found is not None
    return found.document, dict(found.receipts)


def report(held: tuple[Document, dict[str, str]], trust: Trust) -> Report:
    return verify_transcript(*held, trust, datetime.now(UTC))


def test_it_says_what_the_ledger_says(held: tuple[Document, dict[str, str]], trust: Trust) -> None:
    document, receipts = held
    subject = document["credentialSubject"]
    awards = subject["verifiableCredential"]
    assert document["type"] == ["VerifiableCredential", "ClrCredential"]
    assert set(receipts) == {award["id"] for award in awards}
    assert len(awards) == len(subject["creditLot"]) > 1
    earned = [Decimal(str(award["credentialSubject"]["creditsEarned"])) for award in awards]
    assert sum(earned) == sum(Decimal(total["credits"]) for total in subject["creditTotal"])
    found = report(held, trust)
    assert found.exit_code == 0
    assert found.subject.credits == format(sum(earned).normalize(), "f")
    names = [check.name for check in found.checks]
    assert names == ["format", "signature", "totals", *["award"] * len(awards), "trust"]


def test_without_receipts_it_holds_in_part(
    held: tuple[Document, dict[str, str]], trust: Trust
) -> None:
    document, receipts = held
    assert report((document, {}), trust).exit_code == 3
    one = dict(list(receipts.items())[1:])
    assert report((document, one), trust).exit_code == 3
    names, texts = list(receipts), list(receipts.values())
    swapped = dict(zip(names, [*texts[1:], texts[0]], strict=True))
    assert report((document, swapped), trust).exit_code == 1


def award(document: Document, number: int = 0) -> Document:
    found: Document = document["credentialSubject"]["verifiableCredential"][number]
    return found


DAMAGE: dict[str, tuple[str, Callable[[Document], object]]] = {
    "an award left out": (
        "signature",
        lambda d: d["credentialSubject"]["verifiableCredential"].pop(),
    ),
    "an award twice": (
        "totals",
        lambda d: d["credentialSubject"]["verifiableCredential"].append(award(d)),
    ),
    "more credits": ("award", lambda d: award(d)["credentialSubject"].update(creditsEarned=99)),
    "another total": (
        "totals",
        lambda d: d["credentialSubject"]["creditTotal"][0].update(credits="99"),
    ),
    "a lot revoked by hand": (
        "totals",
        lambda d: d["credentialSubject"]["creditLot"][0].update(state="revoked"),
    ),
    "another learner": (
        "award",
        lambda d: award(d)["credentialSubject"]["identifier"][0].update(identityHash="x"),
    ),
    "another day": ("signature", lambda d: d.update(validFrom="2020-01-01T00:00:00Z")),
    "another context": ("format", lambda d: d["@context"].append(d["@context"][0])),
    "a field nobody knows": ("format", lambda d: d.update(grade="A")),
    "no proof": ("signature", lambda d: d.pop("proof")),
    "an award that is none": (
        "award",
        lambda d: d["credentialSubject"]["verifiableCredential"].__setitem__(0, {"id": "x"}),
    ),
    "no lots": ("format", lambda d: d["credentialSubject"].pop("creditLot")),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_any_damage_shows(held: tuple[Document, dict[str, str]], trust: Trust, case: str) -> None:
    where, damage = DAMAGE[case]
    document = copy.deepcopy(held[0])
    damage(document)
    found = report((document, held[1]), trust)
    assert found.exit_code == 1
    assert where in {check.name for check in found.checks if check.outcome == "failed"}


def test_nobody_but_the_bank_makes_one(held: tuple[Document, dict[str, str]], trust: Trust) -> None:
    from credentials import JCS, sign

    stranger = PrivateKey.generate()
    for did in (trust.bank, f"did:key:{stranger.public_key.multikey}"):
        document = copy.deepcopy(held[0])
        document["issuer"]["id"] = did
        method = f"{did}#{stranger.public_key.multikey}"
        forged = sign(document, stranger, method, "2026-11-24T00:00:00Z", (JCS,))
        found = report((forged, held[1]), trust)
        assert found.exit_code == 1
        assert found.checks[1].code == "signature.bad"
        assert "not signed by the credit bank" in found.checks[1].values["reason"]


def test_only_what_counts_is_summed() -> None:
    def line(credits: str, state: str, level: str = "4") -> LotLine:
        return LotLine("l", "u@1", "standard-credit", level, credits, state, 7)

    counted = [line("2.5", "active"), line("1.5", "active"), line("1", "active", "5")]
    lines = [*counted, line("9", "revoked")]
    assert totals(lines) == [
        ("standard-credit", "4", "4", 2),
        ("standard-credit", "5", "1", 1),
    ]
    assert totals([line("1", "suspended")]) == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"{}", b'{"receipts":{},"transcript":{}}'])
def test_what_is_no_transcript(data: bytes) -> None:
    assert read_collection(data) is None


def test_what_was_revoked_counts_no_more(story: Any, tmp_path: Path, run: Any, repo: Path) -> None:
    """The institution revokes one award: the ledger says so, and all that is derived from it."""
    data = tmp_path / "var"
    shutil.copytree(story.data, data)
    listed = run("learners", "--data", str(data), "--limit", "1").stdout.splitlines()
    account = listed[0].partition("  token")[0]
    identifier, lot = re.match(r"  (\S+)  entry \d+  lot (\S+)", listed[1]).groups()  # type: ignore[union-attr]
    slug = account.partition("|")[0].rpartition(":")[2]
    own = ("--slug", slug, "--members", str(data / "members"), "--data", str(data))
    samples = ("--institutions", str(repo / "docs" / "samples" / "institutions.toml"))

    def move(kind: str) -> Any:
        return run("member", kind, lot, "--reason", "misconduct", *own, *samples)

    def written() -> Document:
        path = tmp_path / "t.json"
        done = run("transcript", account, "--data", str(data), "--out", str(path))
        assert done.returncode == 0, done.stderr
        read = read_collection(path.read_bytes())
        assert read is not None
        found = (read.document, dict(read.receipts))
        assert report(found, open_trust(story.trust.read_bytes())).exit_code == 0
        document: Document = found[0]
        return document

    before = written()
    assert move("reinstate").stderr.strip() == f"the lot {lot} is active; it cannot reinstate"
    assert move("suspend").returncode == 0
    again = move("revoke")
    assert again.returncode == 0, again.stderr
    assert "is in the ledger, entry" in again.stdout
    assert "stood in the ledger already" in move("revoke").stdout
    after = written()
    states = {line["lot"]: line["state"] for line in after["credentialSubject"]["creditLot"]}
    assert states.pop(lot) == "revoked"
    assert set(states.values()) == {"active"}
    enclosed = {award["id"] for award in after["credentialSubject"]["verifiableCredential"]}
    earlier = {award["id"] for award in before["credentialSubject"]["verifiableCredential"]}
    assert earlier - enclosed == {identifier}
    done = run("ledger", "rebuild", "--data", str(data))
    assert done.returncode == 0, done.stderr
    assert run("member", "revoke", "A" * 22, "--reason", "x", *own, *samples).returncode == 1
