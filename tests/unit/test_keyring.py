"""Where the keys of a folder lie, as its settings say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bank.errors import BadSetup
from bank.keyring import key_uris, open_key
from bank.opening import create_approver, create_bank, create_member
from bank.settings import read_settings, write_settings
from bank.witnesses import create_witness, open_witness
from keys import PrivateKey, write_keystore
from tests.bank_kit import NAMES


@pytest.fixture
def elsewhere(tmp_path: Path) -> tuple[str, PrivateKey]:
    """A key that lies in another folder."""
    key = PrivateKey.generate()
    write_keystore(tmp_path / "elsewhere", key.seed, "p", operations=1, memory=8192)
    return f"file:{tmp_path / 'elsewhere'}", key


def test_a_members_key_may_lie_elsewhere(tmp_path: Path, elsewhere: tuple[str, PrivateKey]) -> None:
    uri, key = elsewhere
    folder = tmp_path / "north"
    folder.mkdir()
    (folder / "keys.toml").write_text(f'signing = "{uri}"\n')
    assert create_member(folder, "p").public_key == key.public_key
    assert sorted(path.name for path in folder.iterdir()) == ["keys.toml", "records.keystore"]
    records = (folder / "records.keystore").read_bytes()
    # The other person's is where it always was; asked for again, nothing is made anew.
    assert create_approver(folder, "p").public_key != key.public_key
    assert (folder / "approver.keystore").exists()
    create_member(folder, "p")
    assert (folder / "records.keystore").read_bytes() == records


def test_a_witnesss_key_may_lie_elsewhere(
    tmp_path: Path, elsewhere: tuple[str, PrivateKey]
) -> None:
    uri, key = elsewhere
    folder = tmp_path / "witness"
    folder.mkdir()
    (folder / "keys.toml").write_text(f'ed25519 = "{uri}"\n')
    create_witness(folder, "w.example", "p")
    own = open_witness(folder, "p", lambda: datetime.now(UTC))
    own.store.close()
    assert key.public_key.raw in [one.raw for one in own.keys]
    assert not (folder / "keys" / "ed25519.keystore").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("signing = ", "cannot be read"),
        ("signing = 7", "the key signing is not a signer's URI"),
        ('signing = "just-a-path"', "the key signing is not a signer's URI"),
        ("[signing]\na = 1", "the key signing is not a signer's URI"),
    ],
)
def test_what_is_wrong_with_a_list_of_keys_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "keys.toml").write_text(text)
    with pytest.raises(BadSetup, match=says):
        key_uris(tmp_path)


def test_a_banks_settings_name_its_keys_and_no_others(tmp_path: Path) -> None:
    create_bank(tmp_path, "cq.example", NAMES, [PrivateKey.generate().public_key.multikey], 1, "p")
    assert read_settings(tmp_path).key_uri("log") == f"file:{tmp_path}/keys/log.keystore"
    file = tmp_path / "bank.toml"
    before = file.read_text()
    file.write_text(before + '\n[keys]\nlog = "command:/usr/bin/sign"\n')
    settings = read_settings(tmp_path)
    assert settings.key_uri("log") == "command:/usr/bin/sign"
    write_settings(tmp_path, threshold=1)
    assert read_settings(tmp_path) == settings
    file.write_text(before + '\n[keys]\nvault = "command:/usr/bin/sign"\n')
    with pytest.raises(BadSetup, match="names log and bank, not 'vault'"):
        read_settings(tmp_path)


def test_a_keystore_takes_the_passphrase_and_others_their_own_secret(
    elsewhere: tuple[str, PrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, key = elsewhere
    monkeypatch.setenv("CREDITBANK_PASSPHRASE", "not this one")
    assert open_key(uri, "p").public_key == key.public_key
    assert open_key(f"public:{key.public_key.multikey}", "p").public_key == key.public_key
