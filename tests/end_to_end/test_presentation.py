"""A presentation: chosen awards, shown by whoever holds a key, to one verifier's challenge."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credentials import JCS, BadDocument, Terms, sign
from credentials.presentation import presentation
from keys import PrivateKey
from keys.ecdsa import EcdsaPrivateKey
from verifier import (
    Collection,
    Report,
    Trust,
    open_trust,
    read_collection,
    read_evidence,
    verify_presentation,
)

KEY = PrivateKey.from_seed(b"k" * 32)
# After the story, which is played later than this is read.
NOW = datetime.now(UTC) + timedelta(minutes=30)
STRANGER = "did:key:z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj"
DOMAIN, CHALLENGE = "employer.example", "c-1"


@pytest.fixture(scope="module")
def trust(story: Any) -> Trust:
    return open_trust(story.trust.read_bytes())


@pytest.fixture(scope="module")
def held(story: Any) -> Collection:
    found = read_collection((story.out / "learner.transcript.json").read_bytes())
    assert found is not None
    return found


def awards(held: Collection) -> list[dict[str, Any]]:
    subject: Any = held.document["credentialSubject"]
    found: list[dict[str, Any]] = subject["verifiableCredential"]
    return found


def shown(held: Collection, count: int = 2) -> dict[str, Any]:
    lasts = timedelta(minutes=10)
    return presentation(awards(held)[:count], KEY, DOMAIN, CHALLENGE, NOW, lasts)


def look(
    document: dict[str, Any],
    held: Collection,
    trust: Trust,
    domain: str | None = DOMAIN,
    challenge: str | None = CHALLENGE,
    at: datetime = NOW,
) -> Report:
    return verify_presentation(document, held.receipts, trust, at, domain, challenge)


def test_it_holds_for_the_one_it_is_made_for(held: Collection, trust: Trust) -> None:
    document = shown(held)
    found = look(document, held, trust)
    assert found.exit_code == 0
    assert [check.name for check in found.checks] == ["format", "holder", "award", "award", "trust"]
    assert found.checks[1].values["did"] == f"did:key:{KEY.public_key.multikey}"
    for domain, challenge in ((DOMAIN, "c-2"), ("other.example", CHALLENGE)):
        wrong = look(document, held, trust, domain, challenge)
        assert (wrong.exit_code, wrong.checks[1].code) == (1, "holder.bad")
    unasked = look(document, held, trust, None, None)
    assert (unasked.exit_code, unasked.checks[1].code) == (3, "holder.unasked")
    late = look(document, held, trust, at=NOW + timedelta(minutes=11))
    assert (late.exit_code, late.checks[1].code) == (1, "holder.bad")
    without = verify_presentation(document, {}, trust, NOW, DOMAIN, CHALLENGE)
    assert without.exit_code == 3


DAMAGE: dict[str, Callable[[dict[str, Any]], object]] = {
    "an award more": lambda d: d["verifiableCredential"].append(d["verifiableCredential"][0]),
    "an award less": lambda d: d["verifiableCredential"].pop(),
    "another holder": lambda d: d.update(
        holder="did:key:z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj"
    ),
    "no holder": lambda d: d.pop("holder"),
    "no proof": lambda d: d.pop("proof"),
    "a later end": lambda d: d["proof"].update(expires="2099-01-01T00:00:00Z"),
    "no end": lambda d: d["proof"].pop("expires"),
    "another purpose": lambda d: d["proof"].update(proofPurpose="assertionMethod"),
    "enveloped": lambda d: d.update(type=["EnvelopedVerifiablePresentation"]),
    "more credits": lambda d: d["verifiableCredential"][0]["credentialSubject"].update(
        creditsEarned=99
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_any_damage_shows(held: Collection, trust: Trust, case: str) -> None:
    document = copy.deepcopy(shown(held))
    DAMAGE[case](document)
    assert look(document, held, trust).exit_code == 1


def test_one_without_an_end_or_with_anothers_awards(held: Collection, trust: Trust) -> None:
    """Well signed, and still not what a presentation is."""
    method = f"did:key:{KEY.public_key.multikey}#{KEY.public_key.multikey}"
    bare = {name: value for name, value in shown(held).items() if name != "proof"}
    endless = Terms("authentication", DOMAIN, CHALLENGE)
    forever = sign(bare, KEY, method, "2026-11-24T00:00:00Z", (JCS,), endless)
    assert look(forever, held, trust).checks[1].code == "holder.bad"
    empty = {**bare, "verifiableCredential": [{"id": "x"}]}
    ends = Terms("authentication", DOMAIN, CHALLENGE, "2099-01-01T00:00:00Z")
    nothing = sign(empty, KEY, method, "2026-11-24T00:00:00Z", (JCS,), ends)
    assert look(nothing, held, trust).exit_code == 1


def test_what_cannot_be_presented(held: Collection) -> None:
    lasts = timedelta(minutes=1)
    with pytest.raises(BadDocument, match="1 to 50"):
        presentation([], KEY, DOMAIN, CHALLENGE, NOW, lasts)
    with pytest.raises(BadDocument, match="challenge"):
        presentation(awards(held), KEY, DOMAIN, "", NOW, lasts)


def test_by_the_commands(story: Any, tmp_path: Path, run: Any) -> None:
    key, out = tmp_path / "holder.keystore", tmp_path / "p.json"
    secret = {"CREDITBANK_PASSPHRASE": "p"}
    assert run("keys", "new", str(key), **secret).returncode == 0
    asked = ("--domain", DOMAIN, "--challenge", CHALLENGE)
    bundle = str(story.bundle)
    done = run("present", bundle, "--key", str(key), *asked, "--out", str(out), **secret)
    assert done.returncode == 0, done.stderr
    trusted = ("--trust", str(story.trust))
    good = run("verify", str(out), *trusted, *asked)
    assert good.returncode == 0, good.stdout + good.stderr
    assert re.search("Holder .*answered your challenge", good.stdout)
    assert run("verify", str(out), *trusted, "--challenge", "other").returncode == 1
    assert run("verify", str(out), *trusted).returncode == 3
    credential = read_evidence(Path(bundle).read_bytes(), "x").credential
    assert json.loads(out.read_bytes())["presentation"]["verifiableCredential"] == [credential]


def test_an_award_shown_twice_does_not_count_twice(held: Collection, trust: Trust) -> None:
    award, another = awards(held)[:2]
    lasts = timedelta(minutes=10)
    twice = presentation([award, award], KEY, DOMAIN, CHALLENGE, NOW, lasts)
    found = look(twice, held, trust)
    assert (found.exit_code, found.checks[-1].code) == (1, "award.twice")
    once = presentation([award, another], KEY, DOMAIN, CHALLENGE, NOW, lasts)
    assert look(once, held, trust).exit_code == 0


@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_a_holder_with_a_wallets_kind_of_key(held: Collection, trust: Trust, kind: str) -> None:
    lasts = timedelta(minutes=10)
    holder = EcdsaPrivateKey.generate(kind)
    document = presentation(awards(held)[:2], holder, DOMAIN, CHALLENGE, NOW, lasts)
    assert look(document, held, trust).exit_code == 0
    document["holder"] = f"did:key:{KEY.public_key.multikey}"
    assert look(document, held, trust).exit_code == 1
