"""The doctor: a sound bank is told so, and each thing that is made wrong is found and named."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bank.audits import keep_audit
from bank.cli.main import app
from bank.opening import open_bank
from bank.operations.backup_record import BackupRecord, keep_last_backup
from bank.operations.doctor import examine
from bank.operations.finding import Finding, Level, worst
from bank.operations.store_checks import check_roles
from bank.settings import read_settings, write_settings
from keys import write_keystore
from ledger import format_time
from ledger.publishing import FolderTarget, publish
from ledger.tlog_tiles import CHECKPOINT
from tests.bank_kit import small_bank
from tests.witness_kit import Port

WITNESS = "http://witness.example"


class Sister:
    """A witness behind HTTP without a network: its clock may be off, and it may be gone."""

    def __init__(self, port: Port, origin: str) -> None:
        self.port, self.origin = port, origin
        self.ahead = timedelta(0)
        self.gone = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.gone:
            raise httpx.ConnectError("refused", request=request)
        date = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        name = sha256(self.origin.encode()).hexdigest()
        assert str(request.url) == f"{WITNESS}/{name}/checkpoint"
        note = self.port.newest(self.origin)
        return httpx.Response(200 if note else 404, headers={"Date": date}, text=note or "")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sister]:
    """A sound bank with one witness, a backup, an audit, a trust bundle and a published copy."""
    folder = tmp_path_factory.mktemp("sound")
    with small_bank(folder / "bank") as small:
        bank, log = small.bank, small.bank.log
        port = Port("sister", bank.log_keys)
        keys = [str(key) for key in port.keys]
        small.govern("witness.admit", keys=keys, operator="sister", quorum=1, url=WITNESS)
        bank.checkpoints.ask_witnesses(lambda record: port)
        small.award("li-1")
        bank.trust.export([small.governance])
        assert bank.checkpoints.gather()
        target = FolderTarget(folder / "bank" / "public")
        entries = lambda start, end: list(log.entries(start, end))  # noqa: E731
        publish(target, log.checkpoint(), log.tile, entries, log.root)
        now = format_time(bank.now())
        keep_audit(folder / "bank", now, now, bank.upkeep.audit())
        keep_last_backup(folder / "bank", BackupRecord(now, 1, log.size()))
        sister = Sister(port, bank.settings.origin)
    write_settings(
        folder / "bank",
        public_url="https://cq.credit.cn",
        metrics="127.0.0.1:8401",
        published="public",
    )
    return folder / "bank", sister


@pytest.fixture
def folder(made: tuple[Path, Sister], tmp_path: Path) -> Iterator[Path]:
    """A copy of it, to spoil."""
    copy = Path(shutil.copytree(made[0], tmp_path / "bank"))
    yield copy
    made[1].ahead, made[1].gone = timedelta(0), False


@pytest.fixture
def ask(made: tuple[Path, Sister], folder: Path) -> Callable[..., dict[str, Finding]]:
    """The worst finding of each check."""

    def ask(later: timedelta = timedelta(0), passphrase: str | None = None) -> dict[str, Finding]:
        def clock() -> datetime:
            return datetime.now(UTC) + later

        found: dict[str, Finding] = {}
        with httpx.Client(transport=httpx.MockTransport(made[1].answer)) as http:
            for finding in examine(folder, passphrase, clock, http):
                before = found.get(finding.check)
                if before is None or worst([before, finding]) is not before.level:
                    found[finding.check] = finding
        return found

    return ask


Ask = Callable[..., dict[str, Finding]]


def test_a_sound_bank_is_told_so(ask: Ask) -> None:
    found = ask(passphrase="p")
    assert {name: one.sentence for name, one in found.items() if one.level is not Level.OK} == {}
    assert set(found) == {
        *("settings", "folder", "keystores", "disk", "address", "metrics", "backup", "audit"),
        *("database", "durability", "migrations", "log", "key roles", "checkpoint", "keys"),
        *("trust", "published", "witnesses", "quorum", "clock"),
    }


def _open_to_all(folder: Path) -> None:
    folder.chmod(0o755)


def _open_to_group(folder: Path) -> None:
    folder.chmod(0o750)


def _readable_keystore(folder: Path) -> None:
    (folder / "keys" / "log.keystore").chmod(0o644)


def _missing_keystore(folder: Path) -> None:
    (folder / "keys" / "vault.keystore").unlink()


def _other_log_key(folder: Path) -> None:
    (folder / "keys" / "log.keystore").unlink()
    write_keystore(folder / "keys" / "log.keystore", bytes(32), "p")


def _passphrase_beside(folder: Path) -> None:
    (folder / "passphrase").write_text("p")


def _no_backup(folder: Path) -> None:
    (folder / "last-backup.json").unlink()


def _no_audit(folder: Path) -> None:
    (folder / "last-audit.json").unlink()


def _failed_audit(folder: Path) -> None:
    values = json.loads((folder / "last-audit.json").read_text())
    (folder / "last-audit.json").write_text(json.dumps({**values, "problems": ["x"]}))


def _no_database(folder: Path) -> None:
    for file in folder.glob("bank.db*"):
        file.unlink()


def _older_shape(folder: Path) -> None:
    _sql(folder, "UPDATE alembic_version SET version_num = '0003'")


def _newer_shape(folder: Path) -> None:
    _sql(folder, "UPDATE alembic_version SET version_num = '0999'")


def _no_trust(folder: Path) -> None:
    _sql(folder, "DELETE FROM trust_bundles")


def _unsigned(folder: Path) -> None:
    _sql(folder, "DROP TRIGGER checkpoints_no_delete")
    _sql(folder, "DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)")


def _unpublished(folder: Path) -> None:
    shutil.rmtree(folder / "public")


def _anothers_checkpoint(folder: Path) -> None:
    (folder / "public" / CHECKPOINT).write_text("nothing\n")


def _sql(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "bank.db") as database:
        database.execute(statement)


def _setting(name: str, value: str | int) -> Callable[[Path], None]:
    return lambda folder: write_settings(folder, **{name: value})


@pytest.mark.parametrize(
    ("spoil", "check", "level", "sentence", "remedy"),
    [
        (_open_to_all, "folder", "problem", "everybody on this machine", "chmod 700"),
        (_open_to_group, "folder", "warning", "its group", "chmod 700"),
        (_readable_keystore, "keystores", "problem", "others may read", "chmod 600"),
        (_missing_keystore, "keystores", "problem", "vault.keystore is missing", "lost key"),
        (_other_log_key, "keys", "problem", "is not the key that", "lost key"),
        (_passphrase_beside, "keystores", "warning", "the same folder", "PASSPHRASE_FILE"),
        (_no_backup, "backup", "problem", "no backup was ever made", "bank backup"),
        (_no_audit, "audit", "warning", "no audit was ever made", "ledger audit"),
        (_failed_audit, "audit", "problem", "it found 1 problems", "ledger recover"),
        (_no_database, "database", "problem", "bank.db is missing", "bank restore"),
        (_older_shape, "migrations", "problem", "has the shape 0003", "start the server"),
        (_newer_shape, "migrations", "problem", "has the shape 0999", "newer program"),
        (_no_trust, "trust", "problem", "has not signed a trust bundle", "trust export"),
        (_unsigned, "checkpoint", "warning", "are signed", "start the server"),
        (_unpublished, "published", "problem", "nothing is published", "ledger publish"),
        (_anothers_checkpoint, "published", "problem", "", "target can be reached"),
        (_setting("published", ""), "published", "warning", "nowhere", "'published'"),
        (_setting("metrics", ""), "metrics", "warning", "nobody can watch", "8401"),
        (_setting("metrics", "0.0.0.0:84"), "metrics", "warning", "whoever", "own network"),
        (_setting("public_url", "http://cq.cn"), "address", "problem", "not HTTPS", "certificate"),
        (_setting("public_url", "http://localhost:1"), "address", "warning", "alone", "outside"),
        (_setting("public_url", "https://a.example"), "address", "warning", "nobody can", "domain"),
        (_setting("threshold", 2), "log", "problem", "threshold differ", "put back"),
        (_setting("treshold", 2), "settings", "problem", "unknown here", "configuration"),
        (
            _setting("database", "postgresql://x@/y?host=/nowhere"),
            "database",
            "problem",
            "",
            "start",
        ),
    ],
)
def test_what_is_wrong_is_found(
    folder: Path,
    ask: Ask,
    spoil: Callable[[Path], None],
    check: str,
    level: str,
    sentence: str,
    remedy: str,
) -> None:
    spoil(folder)
    found = ask(passphrase="p" if check == "keys" else None)[check]
    assert found.level == level, found
    assert sentence in found.sentence
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("days", "levels"),
    [
        (2, {"backup": "warning", "audit": "ok", "trust": "ok"}),
        (10, {"backup": "problem", "audit": "warning", "trust": "warning"}),
        (25, {"backup": "problem", "audit": "warning", "trust": "warning"}),
        (32, {"backup": "problem", "audit": "problem", "trust": "problem"}),
    ],
)
def test_what_grows_old(ask: Ask, days: int, levels: dict[str, str]) -> None:
    found = ask(timedelta(days=days))
    assert {name: found[name].level.value for name in levels} == levels


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "ok"), (20, "warning"), (-20, "warning"), (90, "problem")]
)
def test_the_clock(made: tuple[Path, Sister], ask: Ask, seconds: int, level: str) -> None:
    made[1].ahead = timedelta(seconds=seconds)
    assert ask()["clock"].level == level


def test_witnesses_out_of_reach(made: tuple[Path, Sister], ask: Ask) -> None:
    made[1].gone = True
    found = ask()
    assert "did not answer" in found["witnesses"].sentence
    assert found["witnesses"].level == "warning"
    assert found["quorum"].sentence == "0 witnesses answer and 1 must cosign"
    assert found["quorum"].level == "problem"
    assert "nothing" not in found["clock"].sentence
    assert found["clock"].level == "warning"


def test_without_a_passphrase_keystores_stay_shut(ask: Ask) -> None:
    assert ask(passphrase=None)["keys"].level == "warning"
    assert "wrong passphrase" in ask(passphrase="x")["keys"].sentence


def test_a_restored_backup_is_told_by_all_who_have_seen_more(
    made: tuple[Path, Sister], folder: Path, tmp_path: Path, ask: Ask
) -> None:
    """The witness, the published copy and the signed checkpoints of the rest all say so."""
    size = int(ask()["published"].sentence.split()[0])
    _sql(folder, "DROP TRIGGER entries_no_delete")
    _sql(folder, f"DELETE FROM entries WHERE idx >= {size - 1}")
    bank = open_bank(made[0], "p")
    root, leaf = bank.log.root(size - 1), sha256(b"\0" + bank.log.entry(size - 2)).digest()
    bank.close()
    with sqlite3.connect(folder / "bank.db") as database:
        database.execute("UPDATE head SET size = ?, root = ?, leaf = ?", (size - 1, root, leaf))
    found = ask()
    for name in ("witnesses", "published", "checkpoint"):
        assert found[name].level == "problem", found[name]
        assert "ledger recover" in found[name].remedy
    assert "has seen" in found["witnesses"].sentence
    assert "the store holds" in found["published"].sentence


def test_one_key_in_two_roles(tmp_path: Path) -> None:
    """The ledger refuses it by now; the doctor looks at ledgers that are older than that."""
    with small_bank(tmp_path / "bank") as small:
        registry, multikey = small.bank.registry().copy(), small.governance.public_key.multikey
        (sound,) = check_roles(registry)
        north = registry.members[small.north.did]
        period = next(iter(north.keys.values()))
        keys = {**north.keys, multikey: replace(period, key=multikey)}
        registry.members[small.north.did] = replace(north, keys=keys)
        (found,) = check_roles(registry)
    assert (sound.level, found.level) == ("ok", "problem")
    assert "the governance" in found.sentence
    assert "members:north" in found.sentence


def test_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDITBANK_PASSPHRASE", raising=False)
    write_settings(folder, witness_urls={"sister": "http://127.0.0.1:9"})
    done = CliRunner().invoke(app, ["doctor", "--data", str(folder)])
    assert done.exit_code == 1
    assert "problem  quorum" in done.stdout
    shown = CliRunner().invoke(app, ["doctor", "--data", str(folder), "--json"])
    assert shown.exit_code == 1
    document = json.loads(shown.stdout)
    assert document["worst"] == "problem"
    assert document["findings"][0]["check"] == "settings"
    assert read_settings(folder).witness_urls == {"sister": "http://127.0.0.1:9"}
