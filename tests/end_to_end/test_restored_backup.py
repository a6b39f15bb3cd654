"""Yesterday's backup, restored by the commands: it refuses to append, says why, and is brought on.

Whoever has seen more stops it: a witness, or the published copy. The control has neither, appends,
and is another history, which recovery finds and leaves alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bank.api.witness import make_witness_app
from bank.cli.background import served
from bank.cli.main import app
from bank.institution import RECORDS
from bank.opening import admit, create_bank, govern, open_bank, read_admissions
from bank.settings import write_settings
from bank.witnesses import create_witness, open_witness, watch
from keys import Json, PrivateKey, write_keystore

ROWS = 12


@dataclass
class Town:
    """A bank in `var`, its institutions' keys, three small files of results, and the command."""

    folder: Path
    samples: Path

    def do(self, *arguments: str) -> str:
        code, output, errors = self.call(*arguments)
        assert code == 0, errors
        return output

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors; in this process, which saves a second each time."""
        done = CliRunner().invoke(app, arguments, env={"CREDITBANK_PASSPHRASE": "p"})
        told = "" if isinstance(done.exception, SystemExit | None) else str(done.exception)
        return done.exit_code, done.stdout, done.stderr + told

    def results(self, number: int, data: str) -> tuple[str, ...]:
        """The arguments that import one of the files."""
        return (
            *("import", str(self.folder / f"{number}.csv"), "--data", data),
            *("--mapping", str(self.samples / "results.mapping.toml")),
            *("--institutions", str(self.samples / "institutions.toml"), "--members", "members"),
        )


@pytest.fixture(params=["witness", "published", "control"])
def town(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    repo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[str, Town]]:
    monkeypatch.chdir(tmp_path)
    made = Town(tmp_path, repo / "docs" / "samples")
    lines = (made.samples / "results.csv").read_bytes().splitlines(keepends=True)
    for number in range(3):
        rows = lines[1 + number * ROWS : 1 + (number + 1) * ROWS]
        (tmp_path / f"{number}.csv").write_bytes(b"".join([lines[0], *rows]))
    data, governance = tmp_path / "var", PrivateKey.generate()
    multikey = governance.public_key.multikey
    create_bank(data, "cq.example", {"en": "CQ", "zh": "重庆"}, [multikey], 1, "p")
    with ExitStack() as stack:
        bank = open_bank(data, "p")
        bank.found([governance])
        cost = {"operations": 1, "memory": 8 * 1024 * 1024}
        for admission in read_admissions(made.samples / "institutions.toml"):
            key, folder = PrivateKey.generate(), tmp_path / "members" / admission.slug
            folder.mkdir(parents=True)
            write_keystore(folder / "signing.keystore", key.seed, "p", **cost)
            write_keystore(folder / "records.keystore", bytes(32), "p", RECORDS, **cost)
            admit(bank, admission, key.public_key, [governance])
        if request.param == "witness":
            create_witness(tmp_path / "witness", "sister.example/w", "p")
            watch(tmp_path / "witness", bank.settings.origin, bank.log_keys)
            own = open_witness(tmp_path / "witness", "p", lambda: datetime.now(UTC))
            stack.callback(own.store.close)
            url = stack.enter_context(served(make_witness_app(own.witness)))
            keys: list[Json] = [str(key) for key in own.keys]
            body: dict[str, Json] = {"keys": keys, "operator": "s", "quorum": 1, "url": url}
            govern(bank, [("witness.admit", body)], [governance])
        bank.close()
        if request.param == "published":
            write_settings(data, published=str(tmp_path / "public"))
        yield request.param, made


def test_yesterdays_backup(town: tuple[str, Town]) -> None:
    who, at = town
    at.do(*at.results(0, "var"))
    at.do("ledger", "publish", "public", "--data", "var")
    assert "4 keystores" in at.do("bank", "backup", "kept.tar", "--data", "var")
    at.do(*at.results(1, "var"))
    at.do("ledger", "publish", "public", "--data", "var")

    assert "next: creditbank ledger recover" in at.do(
        "bank", "restore", "kept.tar", "--data", "again"
    )
    code, _, errors = at.call(*at.results(2, "again"))
    if who == "control":
        assert code == 0
        code, _, errors = at.call("ledger", "recover", "--data", "again", "--from", "public")
        assert code == 1
        assert "two histories exist" in errors
        return
    assert code == 1
    assert "restored from an old backup" in errors
    assert "ledger recover" in errors
    said = "the witness s has seen" if who == "witness" else "are published, the store holds"
    assert said in errors

    # Nothing of the refused file was appended: else this could not be repaired.
    recovered = at.do("ledger", "recover", "--data", "again", "--from", "public")
    assert "repaired: put back" in recovered
    assert " awarded, 0 already" in at.do(*at.results(2, "again"))
    # The learners' credentials of after the backup are not on the ledger: they are sent again.
    assert "0 awarded, " in at.do(*at.results(1, "again"))
    assert "audit passed" in at.do("ledger", "audit", "--data", "again")
    at.do("ledger", "publish", "public", "--data", "again")
    bank = open_bank(Path("again"), "p")
    owned = [
        bank.accounts.credentials(bank.vault.token(account)) for account in bank.accounts.names()
    ]
    lots = bank.upkeep.audit().lots
    bank.close()
    assert lots == sum(len(each) for each in owned) > 2 * ROWS
