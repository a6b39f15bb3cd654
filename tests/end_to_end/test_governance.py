"""Governance as files: proposed at the bank, signed offline by each, handed in by anyone."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Do = Callable[..., str]
Told = Callable[..., str]
DID = "did:web:cq.example:members:"


@pytest.fixture
def do(tmp_path: Path, run: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> Do:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, code: int = 0) -> str:
        done = run(*arguments, CREDITBANK_PASSPHRASE="one for all")
        assert isinstance(done, subprocess.CompletedProcess)
        assert done.returncode == code, done.stderr
        assert code == 0 or len(done.stderr.splitlines()) == 1, done.stderr
        return str(done.stdout if code == 0 else done.stderr)

    return call


def sign(do: Do, file: str, *numbers: int) -> None:
    for number in numbers:
        do("governance", "sign", file, "--key", f"regulator-{number}.keystore")


def test_governance_by_files(do: Do) -> None:
    keys = [do("keys", "new", f"regulator-{number}.keystore").strip() for number in (1, 2, 3)]
    quorum = [f"--governance=regulator-{number}.keystore" for number in (1, 2, 3)]
    names = ("--domain", "cq.example", "--name-en", "CQ", "--name-zh", "重庆")
    do("bank", "create", *names, *quorum)
    key = do("member", "key", "members/bayu-open").strip()
    second = do("member", "approver-key", "members/bayu-open").strip()

    admission = Path("admission.toml")
    admission.write_text(
        f'member = "{DID}bayu-open"\nuscc = "91350100M000100Y43"\n'
        'capacities = ["awarding", "receiving"]\n[name]\nen = "Bayu"\nzh = "巴渝"\n'
    )
    do("governance", "propose", "member.admit", "admission.toml", "--out", "p.json")

    # One of two is not enough; copies signed apart are put together; a third does no harm.
    shutil.copy("p.json", "copy.json")
    sign(do, "p.json", 1)
    assert "lacks 1 of the 2 signatures" in do("governance", "show", "p.json")
    told = do("governance", "submit", "p.json", code=1)
    assert "takes signatures by 2 of the governance keys" in told
    assert keys[0] in do("governance", "sign", "p.json", "--key", "regulator-1.keystore", code=1)
    sign(do, "copy.json", 3)
    done = do("governance", "submit", "p.json", "copy.json")
    assert done == "member.admit is in the ledger, entry 8\n"
    assert "stood in the ledger already" in do("governance", "submit", "p.json", "copy.json")

    for name, value in (("registrar", key), ("approver", second)):
        fields = [f"--set={field}" for field in (f"member={DID}bayu-open", f"key={value}")]
        do("governance", "propose", "key.add", *fields, "--set", f"person={name}", "--out", name)
        sign(do, name, 1, 2)
        do("governance", "submit", name)
    fields = [
        f"--set={field}"
        for field in (f"member={DID}bayu-open", 'fields=["*"]', "level=8", "from=2026-01-01")
    ]
    do("governance", "propose", "grant", *fields, "--set=until=2036-01-01", "--out", "grant.json")
    sign(do, "grant.json", 1, 2)
    do("governance", "submit", "grant.json")

    # An institution's own statements go the same way; two people sign where two are wanted.
    unit = Path("unit.json")
    unit.write_text(
        '{"credits":"3","field":"ict","framework":"cq-lof","hours":"48","level":"5",'
        '"scheme":"standard-credit","title":{"en":"Unit","zh":"单元"},"unit":"A1","version":1}'
    )
    author = ("--author", f"{DID}bayu-open")
    do("statement", "propose", "unit.publish", "unit.json", *author, "--out", "u.json")
    do("statement", "sign", "u.json", "--key", "members/bayu-open/signing.keystore")
    assert "entry" in do("statement", "submit", "u.json")
    rule = Path("rule.toml")
    rule.write_text(
        'code = "R1"\nversion = 1\ntarget = "A1@1"\nfrom = 2026-01-01\nuntil = 2030-01-01\n'
        'rounding = {mode = "down", step = "0.5"}\ntitle = {en = "R", zh = "规"}\n'
        '[[sources]]\nfields = ["ict"]\nratio = "0.8"\n'
    )
    do("statement", "propose", "rule.publish", "rule.toml", *author, "--out", "r.json")
    do("statement", "sign", "r.json", "--key", "members/bayu-open/signing.keystore")
    assert "entry" in do("statement", "submit", "r.json")

    # Suspended, it states nothing any more.
    suspend = ("--set", f"member={DID}bayu-open", "--set", "reason=audit", "--out", "s.json")
    do("governance", "propose", "member.suspend", *suspend)
    sign(do, "s.json", 2, 3)
    do("governance", "submit", "s.json")
    withdraw = ("--set", "code=R1", "--set", "version=1", "--out", "w.json")
    do("statement", "propose", "rule.withdraw", *withdraw, *author)
    do("statement", "sign", "w.json", "--key", "members/bayu-open/signing.keystore")
    told = do("statement", "submit", "w.json", code=1)
    assert told.strip() == f"rule.withdraw was declined: {DID}bayu-open is suspended as a member"
    assert "audit passed" in do("ledger", "audit", "--data", "var")


def test_slips_are_told(do: Do) -> None:
    do("keys", "new", "k.keystore")
    do(
        *("bank", "create", "--domain", "cq.example", "--name-en", "CQ", "--name-zh", "重庆"),
        *("--governance", "k.keystore", "--threshold", "1"),
    )
    told = do("governance", "propose", "revoke", "--set", "lot=x", code=1)
    assert "revoke is not for the governance to state" in told
    told = do("governance", "propose", "grant", "--set", "level", code=1)
    assert "--set takes name=value" in told
    Path("bad.toml").write_text("level = = 3")
    assert "bad.toml cannot be read" in do("governance", "propose", "grant", "bad.toml", code=1)
    ok = ("--set", f"member={DID}a", "--set", "reason=a")
    do("governance", "propose", "member.suspend", *ok)
    told = do("governance", "propose", "member.suspend", *ok, code=1)
    assert "proposal.json is there already" in told
    assert "no such" in do("governance", "sign", "none.json", "--key", "k.keystore", code=1).lower()
    assert "nobody has signed" in do("governance", "submit", "proposal.json", code=1)
