"""Recognition and qualifications from the command line and over HTTP, on the sample bank."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

Do = Callable[..., str]
MEMBERS = "did:web:chongqing.creditbank.example:members:"
TECH, BAYU = f"{MEMBERS}jialing-tech", f"{MEMBERS}bayu-open"


@pytest.fixture
def do(tmp_path: Path, story: Any, run: Any, monkeypatch: pytest.MonkeyPatch, repo: Path) -> Do:
    """Run a verb on a copy of the story's bank."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(story.data, tmp_path / "var")
    shutil.copytree(repo / "docs" / "samples", tmp_path / "samples")

    def call(*arguments: str, code: int = 0) -> str:
        done: subprocess.CompletedProcess[str] = run(*arguments)
        assert done.returncode == code, done.stdout + done.stderr
        assert code == 0 or len(done.stderr.splitlines()) == 1, done.stderr
        return done.stdout if code == 0 else done.stderr

    return call


def lots(do: Do) -> dict[str, list[str]]:
    """The lots of each account."""
    found: dict[str, list[str]] = {}
    for line in do("learners", "--limit", "400").splitlines():
        if line.startswith("did:"):
            account = line.split()[0]
            found[account] = []
        else:
            found[account].append(line.split()[-1])
    return found


def test_rules_are_listed_explained_and_tried(do: Do, story: Any, tmp_path: Path) -> None:
    listed = do("rules", "list")
    assert f"{TECH} ICT-FROM-BAYU@1 → CS.150@1  until 2035-12-31" in listed
    bank = lots(do)
    own = [lot for account, held in bank.items() if account.startswith(BAYU) for lot in held]
    every = {lot: do("rules", "explain", lot, "--rule", "ICT-FROM-BAYU@1") for lot in own[:8]}
    said = "".join(every.values())
    assert "NOT MET     the field" in said
    assert "is not one the rule takes: ict" in said

    draft = tmp_path / "draft.toml"
    text = (tmp_path / "samples" / "rule.toml").read_text()
    draft.write_text(text.replace("version = 1", "version = 2"))
    same = do("rules", "try", "draft.toml", "--author", TECH, "--save", "said.json")
    assert "ICT-FROM-BAYU@2 → CS.150@1 in place of ICT-FROM-BAYU@1, on 312 lots" in same
    assert re.search(r"new +0 .*\n  more +0 .*\n  fewer +0 .*\n  lost +0 .*\n  same +15 ", same)
    assert do("rules", "try", "draft.toml", "--author", TECH, "--expect", "said.json")
    draft.write_text(draft.read_text().replace('ratio = "0.8"', 'ratio = "0.5"'))
    told = do("rules", "try", "draft.toml", "--author", TECH, "--expect", "said.json", code=1)
    assert told.startswith("the trial differs from said.json in after, outcomes")
    again = do("rules", "try", "samples/rule.toml", "--author", TECH, code=1)
    assert "published rule ICT-FROM-BAYU@1 already" in again
    # A stranger with nothing but the published log comes to the same.
    do("ledger", "publish", "log")
    counts = json.loads(Path("said.json").read_text())
    draft.write_text(text.replace("version = 1", "version = 2"))
    do("rules", "try", "draft.toml", "--author", TECH, "--log", "log", "--expect", "said.json")
    assert counts["lots"] == 312
    assert "no rule takes this lot" in do("rules", "explain", own[0], "--author", BAYU)
    assert "no lot nonsense" in do("rules", "explain", "nonsense", code=1)
    assert "no rule R9@9" in do("rules", "explain", own[0], "--rule", "R9@9", code=1)


def test_a_learner_shows_a_credential_and_another_institution_takes_it(do: Do, run: Any) -> None:
    held = lots(do)
    member = ("--slug", "jialing-tech", "--institutions", "samples/institutions.toml")
    keys = ("--members", "var/members")
    account, lot = next(
        (account, lot)
        for account, mine in held.items()
        if account.startswith(BAYU)
        for lot in mine
        if "takes it" in do("rules", "explain", lot)
        and "active" in do("rules", "explain", lot).splitlines()[0]
    )
    listed = do("learners", "--limit", "400")
    (identifier,) = re.findall(rf"(urn:uuid:\S+) .* lot {re.escape(lot)}", listed)
    do("export", identifier, "--out", "mine")
    shown = do("member", "convert", "mine/learner.bundle.json", *member, *keys, "--dry-run")
    assert "3.5 credits of CS.150@1" in shown
    done = do("member", "convert", "mine/learner.bundle.json", *member, *keys)
    assert "the conversion is in the ledger" in done
    (derived,) = re.findall(r"urn:uuid:\S+", done)
    do("export", derived, "--out", "derived")
    do("trust", "export", "--out", "trust.json", *_quorum())
    assert verdict(run, "derived/learner.bundle.json") == "verified with a caution"
    again = do("member", "convert", "mine/learner.bundle.json", *member, *keys, "--dry-run")
    assert "takes it" in again  # by its facts; that it is used, the ledger says
    bad = Path("mine/learner.bundle.json").read_text().replace("creditsEarned", "creditsEarne")
    Path("bad.json").write_text(bad)
    told = do("member", "convert", "bad.json", *member, *keys, code=1)
    assert "does not verify with its receipt" in told
    assert account.startswith(BAYU)


def verdict(run: Any, file: str) -> str:
    """Of a file by trust.json; the caution is that no witness runs beside this copy of the bank."""
    done = run("verify", file, "--trust", "trust.json", "--json")
    report = json.loads(done.stdout)
    wrong = [one["code"] for one in report["checks"] if one["outcome"] == "failed"]
    few = [one["code"] for one in report["checks"] if one["outcome"] == "not checked"]
    assert (wrong, few) == ([], ["witnesses.few", "holder.file"]), report
    return str(report["verdict"])


def _quorum() -> list[str]:
    return [f"--governance=var/governance/regulator-{number}.keystore" for number in (1, 2)]


def test_progress_application_and_certificate(do: Do, run: Any) -> None:
    member = ("--slug", "bayu-open", "--institutions", "samples/institutions.toml")
    keys = ("--members", "var/members")
    wanted = ("--author", BAYU, "--qualification", "CERT-COMMUNITY@1")
    said: dict[str, str] = {}
    met: list[str] = []
    for account in (name for name in lots(do) if name.startswith(BAYU)):
        said[account] = do("learner", "progress", account, *wanted)
        if " is met as of " in said[account]:
            met.append(account)
        if len(met) == 2 and len(said) > 2:
            break
    missing = next(account for account, text in said.items() if " is not met as of " in text)
    assert "are missing" in said[missing]
    apply = ("--qualification", "CERT-COMMUNITY@1", *member, *keys)
    told = do("member", "apply", missing, *apply, code=1)
    assert told.startswith("CERT-COMMUNITY@1 is not reached: Only ")
    for account in met:
        assert "uses" in do("member", "apply", account, *apply)
    assert "already, new" in do("member", "apply", met[0], *apply, code=1)
    assert "lots are reserved" in do("member", "reserve", *member, *keys)
    assert "no application waits" in do("member", "reserve", *member, *keys, code=1)
    done = do("member", "redeem", *member, *keys)
    identifiers = re.findall(r"CERT-COMMUNITY@1 is conferred: (urn:uuid:\S+)", done)
    assert len(identifiers) == 2
    do("export", identifiers[0], "--out", "mine")
    do("trust", "export", "--out", "trust.json", *_quorum())
    for name in ("bundle.json", "certificate.pdf", "badge.png", "badge.svg"):
        assert verdict(run, f"mine/learner.{name}") == "verified with a caution"
    assert " is not met as of " in do("learner", "progress", met[0], *wanted)
    assert "audit passed" in do("ledger", "audit")


def test_over_http(story: Any, tmp_path: Path) -> None:
    from bank.api.app import make_app
    from bank.opening import open_bank

    shutil.copytree(story.data, tmp_path / "var")
    secret = (tmp_path / "var" / "passphrase").read_text().strip()
    bank = open_bank(tmp_path / "var", secret)
    try:
        lot = next(
            lot
            for lot in bank.lots.each()
            if lot.facts.unit == "BY307@1" and lot.state.value == "active"
        )
        http = TestClient(make_app(bank))
        public = http.get(f"/lots/{lot.lot}").json()
        assert (public["state"], public["unit"], public["credits"]) == ("active", "BY307@1", "4.5")
        found = http.get(f"/lots/{lot.lot}/recognition").json()["decisions"]
        assert [(d["credits"], d["target"]) for d in found] == [("3.5", "CS.150@1")]
        assert all(line["passed"] for line in found[0]["lines"])
        one = http.get(f"/lots/{lot.lot}/recognition", params={"rule": "ICT-FROM-BAYU@1"}).json()
        assert one["decisions"][0]["recognised"]
        missing = http.get("/lots/AAAAAAAAAAAAAAAAAAAAAA")
        assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")
        assert "there is no lot" in missing.json()["detail"]
        account = next(name for name in bank.accounts.names() if name.startswith(BAYU))
        asked = {"author": BAYU, "qualification": "CERT-COMMUNITY@1"}
        header = {"Authorization": f"Bearer {bank.vault.token(account)}"}
        progress = http.get("/progress", params=asked, headers=header).json()
        assert {line["code"] for line in progress["lines"]} >= {"total", "residency", "minimum-1"}
        assert http.get("/progress", params=asked).status_code == 401
    finally:
        bank.close()
