"""A bank whose keys lie in a token, from its making to a stolen key, by commands alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bank.cli.main import KNOWN, app
from keys import write_keystore
from tests.token_kit import PIN, Token

Do = Callable[..., str]
DID = "did:web:cq.example:members:bayu-open"
UNIT = (
    '{"credits":"3","field":"ict","framework":"cq-lof","hours":"48","level":"5",'
    '"scheme":"standard-credit","title":{"en":"Unit","zh":"单元"},"unit":"A1","version":1}'
)


@pytest.fixture
def do(tmp_path: Path, token: Token, monkeypatch: pytest.MonkeyPatch) -> Do:
    """The command in this process, for a token's library and Python's own take a while to load."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREDITBANK_PASSPHRASE", "one for all")
    monkeypatch.setenv("CREDITBANK_PIN", PIN)
    # Keystores that open at once: some fifty commands open them again and again.
    for name, value in (("operations", 1), ("memory", 8192)):
        monkeypatch.setitem(write_keystore.__kwdefaults__, name, value)

    def call(*arguments: str, refused: bool = False) -> str:
        done = CliRunner().invoke(app, arguments)
        if refused:
            assert isinstance(done.exception, KNOWN), done
            assert "\n" not in str(done.exception)
            return str(done.exception)
        assert done.exit_code == 0, (arguments, done.exception, done.output)
        return done.output.strip()

    return call


@dataclass(frozen=True)
class Named:
    """Keys in the token that this test alone names."""

    token: Token
    test: str

    def uri(self, name: str) -> str:
        return self.token.uri(f"{self.test}-{name}")


@pytest.fixture
def named(token: Token, request: pytest.FixtureRequest) -> Named:
    return Named(token, request.node.name)


def bank_in_token(do: Do, token: Named) -> None:
    for name in ("log", "bank", "regulator"):
        do("keys", "new", token.uri(name))
    do("keys", "new", "second.keystore")
    do(
        *("bank", "create", "--domain", "cq.example", "--name-en", "CQ", "--name-zh", "重庆"),
        *("--governance", token.uri("regulator"), "--governance", "second.keystore"),
        *("--log-key", token.uri("log"), "--bank-key", token.uri("bank")),
    )


def govern(do: Do, token: Named, kind: str, *fields: str) -> None:
    file = f"{kind}-{len(list(Path().glob('*.json')))}.json"
    do("governance", "propose", kind, *(f"--set={field}" for field in fields), "--out", file)
    do("governance", "sign", file, "--key", token.uri("regulator"))
    do("governance", "sign", file, "--key", "second.keystore")
    do("governance", "submit", file)


def test_a_bank_with_its_keys_in_a_token(do: Do, named: Named) -> None:
    bank_in_token(do, named)
    assert not Path("var/keys/log.keystore").exists()
    assert not Path("var/keys/bank.keystore").exists()
    assert "audit passed" in do("ledger", "audit")
    do(*("trust", "export", "--governance", named.uri("regulator")), "--governance=second.keystore")
    assert "(version 1, until " in do("trust", "show", "out/trust.json")
    assert PIN not in Path("var/bank.toml").read_text()

    # An institution signs with a key in its token too, hands over to the next, and has it stolen.
    folder = Path("members/bayu-open")
    folder.mkdir(parents=True)
    uris = {name: named.uri(name) for name in ("signing", "next")}
    keys = {name: do("keys", "new", uri) for name, uri in uris.items()}
    (folder / "keys.toml").write_text(f"signing = {json.dumps(uris['signing'])}\n")
    assert do("member", "key", str(folder)) == keys["signing"]
    admission = Path("admission.toml")
    admission.write_text(
        f'member = "{DID}"\nuscc = "91350100M000100Y43"\n'
        'capacities = ["awarding"]\n[name]\nen = "Bayu"\nzh = "巴渝"\n'
    )
    do("governance", "propose", "member.admit", "admission.toml", "--out", "admit.json")
    for key in (named.uri("regulator"), "second.keystore"):
        do("governance", "sign", "admit.json", "--key", key)
    do("governance", "submit", "admit.json")
    digest = do("keys", "show", uris["next"], "--digest").splitlines()[1]
    adding = (f"member={DID}", f"key={keys['signing']}", "person=registrar", f"next={digest}")
    govern(do, named, "key.add", *adding)
    do(
        *("statement", "propose", "key.rotate", f"--author={DID}", "--out", "rotate.json"),
        *(f"--set=key={keys['next']}", f"--set=replaces={keys['signing']}"),
    )
    do("statement", "sign", "rotate.json", "--key", uris["signing"])
    assert "signed by the key replaced and by the new" in do(
        "statement", "submit", "rotate.json", refused=True
    )
    do("statement", "sign", "rotate.json", "--key", uris["next"])
    assert "key.rotate is in the ledger" in do("statement", "submit", "rotate.json")

    # Stolen: what the key signed since is in doubt, until a good key attests it.
    Path("unit.json").write_text(UNIT)
    author = f"--author={DID}"
    do("statement", "propose", "unit.publish", "unit.json", author, "--out", "u.json")
    do("statement", "sign", "u.json", "--key", uris["next"])
    place = do("statement", "submit", "u.json").rpartition(" ")[2]
    assert do("member", "doubts", "bayu-open") == "0 entries of bayu-open in doubt"
    report = (f"member={DID}", f"key={keys['next']}", f"from_index={place}")
    govern(do, named, "key.suspect", *report)
    listed = do("member", "doubts", "bayu-open").splitlines()
    assert [line.split("\t")[0] for line in listed] == [
        place,
        "1 entry of bayu-open in doubt",
    ]
    fresh = do("keys", "new", named.uri("third"))
    govern(do, named, "key.add", f"member={DID}", f"key={fresh}", "person=registrar")
    told = do("member", "doubts", "bayu-open", "--entry", "0", "--out", "a.json", refused=True)
    assert "entry 0 is not one of bayu-open's in doubt" in told
    do("member", "doubts", "bayu-open", "--entry", place, "--out", "a.json")
    do("statement", "sign", "a.json", "--key", named.uri("third"))
    assert "award.attest is in the ledger" in do("statement", "submit", "a.json")
    assert do("member", "doubts", "bayu-open") == "0 entries of bayu-open in doubt"
    assert "audit passed" in do("ledger", "audit")


def test_the_governance_hands_over_by_files(do: Do, named: Named) -> None:
    """Verifiers who pinned the first root follow; the old keystores are worth nothing after."""
    bank_in_token(do, named)
    old = ("--governance", named.uri("regulator"), "--governance", "second.keystore")
    do("trust", "export", *old, "--out", "v1.json")
    pin = do("trust", "show", "v1.json").splitlines()[-1].split()[1]
    new = [do("keys", "new", f"new-{number}.keystore") for number in (1, 2)]
    body = {
        "expires": "2031-01-01T00:00:00Z",
        "governance": {"keys": new, "threshold": 2},
        "version": 2,
    }
    Path("root.json").write_text(json.dumps(body))
    do("governance", "propose", "governance.rotate", "root.json", "--out", "r.json")
    for key in (named.uri("regulator"), "second.keystore"):
        do("governance", "sign", "r.json", "--key", key)
    assert "lacks 2 of the 2 signatures of the new root" in do("governance", "show", "r.json")
    assert "2 of the new root's keys; this one has 0" in do(
        "governance", "submit", "r.json", refused=True
    )
    for number in (1, 2):
        do("governance", "sign", "r.json", "--key", f"new-{number}.keystore")
    do("governance", "submit", "r.json")
    assert "does not govern" in do("trust", "export", *old, "--out", "no.json", refused=True)
    do(
        *("trust", "export", "--governance=new-1.keystore", "--governance=new-2.keystore"),
        *("--out", "v2.json"),
    )
    assert "(version 2, until 2031-01-01)" in do("trust", "show", "v2.json")
    assert "audit passed" in do("ledger", "audit")
    from verifier import BadTrust, open_trust
    from verifier.memory import open_remembered

    seen = Path("seen")
    assert open_trust(Path("v1.json").read_bytes()).governance.fingerprint == pin
    assert open_remembered(Path("v2.json").read_bytes(), seen, pin).governance.version == 2
    with pytest.raises(BadTrust, match="older than version 2"):
        open_remembered(Path("v1.json").read_bytes(), seen, pin)

    # The log's key goes astray: another log goes on, under the root in force.
    assert "was set aside" in do("bank", "end", "--yes")
    told = do("governance", "submit", "r.json", refused=True)
    assert "has ended: its key was set aside" in told
    new_root = ("--governance=new-1.keystore", "--governance=new-2.keystore")
    assert "with 0 members" in do("bank", "succeed", "--from=var", "--data=var2", *new_root)
    do("trust", "export", *new_root, "--data=var2", "--out", "after.json")
    shown = do("trust", "show", "after.json")
    assert re.search(r"^after     cq\.example/[0-9a-f]{8}, of 9 entries$", shown, re.MULTILINE)
    assert "(version 1, until " in shown
    do("trust", "export", *new_root, "--out", "v3.json")
    assert "audit passed" in do("ledger", "audit", "--data=var2")
