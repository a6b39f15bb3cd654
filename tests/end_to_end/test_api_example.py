"""The client in docs/api.md, run as it stands there; and the verbs that make and end API keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bank.api.app import make_app
from bank.cli.background import served
from bank.opening import open_bank
from bank.proposals import propose
from tests.api_kit import new_key
from tests.bank_kit import SmallBank, small_bank


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallBank]:
    with small_bank(tmp_path / "var") as made:
        yield made


def test_the_example_is_one(small: SmallBank, repo: Path) -> None:
    text = (repo / "docs" / "api.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    small.award("li-1")
    key = new_key(small.bank, small.north.did)
    with served(make_app(small.bank)) as url:
        for written, real in (
            ("http://localhost:8400", url),
            ("z6Mk…", key.public_key.multikey),
            ('bytes.fromhex("…")', f'bytes.fromhex("{key.seed.hex()}")'),
        ):
            assert code.count(written) == 1
            code = code.replace(written, real)
        found: dict[str, Any] = {}
        exec(code, found)
    assert [award["lot"] for award in found["awards"]] == [small.north.lot("li-1")]
    assert len(found["slots"]) == 1


def test_keys_are_made_registered_and_retired_on_the_command_line(
    small: SmallBank, tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def do(*arguments: str, code: int = 0) -> str:
        done = run(*arguments, CREDITBANK_PASSPHRASE="p")
        assert done.returncode == code, done.stdout + done.stderr
        return str(done.stdout + done.stderr)

    api_key = ("member", "api-key")
    key = do(*api_key, "new", "commission").strip()
    assert do(*api_key, "new", "commission").strip() == key
    proposal = propose(
        small.bank.settings.did, "member.suspend", {"member": small.south.did, "reason": "audit"}
    )
    Path("suspend.json").write_bytes(proposal.sign(small.governance).encode())
    with served(make_app(small.bank)) as url:
        hand_in = ("governance", "submit", "suspend.json", "--bank", url)
        assert "give the folder of an API key" in do(*hand_in, code=1)
        assert "has no API key" in do(*hand_in, "--api-key", "elsewhere", code=1)
        assert "refused /sessions" in do(*hand_in, "--api-key", "commission", code=1)
        added = do(*api_key, "add", "--key", key, "--name", "commission", "--data", "var")
        assert f"opens the API for {small.bank.settings.did}" in added
        assert "is in the ledger" in do(*hand_in, "--api-key", "commission")
        assert f"{key}  did:web:cq.example  commission  since" in do(
            *api_key, "list", "--data", "var"
        )
        do(*api_key, "retire", "--key", key, "--data", "var")
        assert "  retired " in do(*api_key, "list", "--data", "var")
        assert "refused /sessions" in do(*hand_in, "--api-key", "commission", code=1)
    award = small.north.signer.public_key.multikey
    mistaken = (*api_key, "add", "--slug", "north", "--key", award, "--name", "x", "--data", "var")
    assert "stands on the ledger" in do(*mistaken, code=1)
    reopened = open_bank(tmp_path / "var", "p")
    assert len(reopened.api_keys.all_of()) == 1
    reopened.close()
