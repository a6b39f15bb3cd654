"""The story verb by verb, each party for itself, as docs/commands.md tells it."""

import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def do(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a verb in the folder of the test; it must succeed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = run(*arguments, CREDITBANK_PASSPHRASE="one for all")
        assert done.returncode == 0, done.stderr
        return done

    return call


def test_every_verb(do: Run, run: Run, repo: Path, tmp_path: Path) -> None:
    samples = repo / "docs" / "samples"
    for number in (1, 2, 3):
        assert do("keys", "new", f"regulator-{number}.keystore").stdout.startswith("z6Mk")
    shown = do("keys", "show", "regulator-1.keystore").stdout
    assert shown.startswith("z6Mk")
    quorum = ("--governance", "regulator-1.keystore", "--governance", "regulator-3.keystore")
    do(
        *("bank", "create", "--data", "var", "--domain", "cq.example", "--name-en", "CQ"),
        *("--name-zh", "重庆", "--governance", "regulator-2.keystore", *quorum),
    )
    institutions = ("--institutions", str(samples / "institutions.toml"))
    for slug in ("bayu-open", "jialing-tech", "shancheng-skills"):
        key = do("member", "key", f"members/{slug}").stdout.strip()
        # Twice: what is there already stays as it is.
        assert do("member", "key", f"members/{slug}").stdout.strip() == key
        for _ in range(2):
            do("member", "admit", "--slug", slug, "--key", key, *institutions, *quorum)
    table = str(samples / "results.csv")
    reading = ("--mapping", str(samples / "results.mapping.toml"), *institutions)
    assert "300 results" in do("import", table, *reading, "--members", "m", "--check").stdout
    done = do("import", table, *reading, "--members", "members", "--data", "var")
    assert done.stdout.strip() == "300 awarded, 0 already in the ledger"
    learners = do("learners", "--data", "var", "--limit", "1").stdout
    identifier = re.findall(r"urn:uuid:[0-9a-f-]{36}", learners)[0]
    do("export", identifier, "--data", "var", "--out", "out")
    do("trust", "export", "--data", "var", "--out", "out/trust.json", *quorum)
    root = re.findall(r"root +([0-9a-f]{64})", do("trust", "show", "out/trust.json").stdout)[0]
    do("verify", "out/learner.qr.png", "--trust", "out/trust.json", "--root", root)
    other = run("verify", "out/learner.qr.png", "--trust", "out/trust.json", "--root", "0" * 64)
    assert other.returncode == 2
    assert "signed by another root than the pinned one" in other.stderr
    do("ledger", "publish", "log", "--data", "var")
    do("ledger", "audit", "log")
    do("ledger", "monitor", "log", "--state", "monitor")
    assert "audit passed" in do("ledger", "audit", "--data", "var").stdout


def test_import_through_the_api(do: Run, run: Run, story: object, repo: Path) -> None:
    from bank.api.app import make_app
    from bank.cli.background import served
    from bank.opening import (
        admit,
        create_api_key,
        create_bank,
        create_member,
        open_bank,
        read_admissions,
    )
    from keys import PrivateKey

    samples = repo / "docs" / "samples"
    governance = PrivateKey.generate()
    create_bank(
        Path("var"),
        "cq.example",
        {"en": "CQ", "zh": "重庆"},
        [governance.public_key.multikey],
        1,
        "one for all",
    )
    bank = open_bank(Path("var"), "one for all")
    bank.found([governance])
    for admission in read_admissions(samples / "institutions.toml"):
        signer = create_member(Path("members") / admission.slug, "one for all")
        admit(bank, admission, signer.public_key, [governance])
        opener = create_api_key(Path("members") / admission.slug, "one for all").public_key
        did = f"{bank.settings.did}:members:{admission.slug}"
        bank.api_keys.add(did, opener.multikey, "imports")
    before = threading.active_count()
    with served(make_app(bank)) as url:
        arguments = (
            *("import", str(samples / "results.csv")),
            *("--mapping", str(samples / "results.mapping.toml")),
            *("--institutions", str(samples / "institutions.toml"), "--members", "members"),
            *("--bank", url, "--domain", "cq.example"),
        )
        assert do(*arguments).stdout.strip() == "300 awarded, 0 already in the ledger"
        assert do(*arguments).stdout.strip() == "0 awarded, 300 already in the ledger"
    assert bank.upkeep.audit().passed
    assert bank.upkeep.audit().lots == 300
    bank.close()
    assert threading.active_count() <= before
    done = run(*arguments, CREDITBANK_PASSPHRASE="one for all")
    assert done.returncode == 1
    assert "did not answer" in done.stderr
    assert "trying again is safe" in done.stderr
