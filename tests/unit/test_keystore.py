"""Keystores: a secret in a file that only its passphrase opens, and that cannot be weakened."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keys import (
    Json,
    KeystoreError,
    PrivateKey,
    encode,
    open_signer,
    parse,
    read_keystore,
    write_keystore,
)

SECRET = bytes(range(32))
CHEAP = {"operations": 1, "memory": 8192}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "k.keystore"
    write_keystore(path, SECRET, "open sesame", **CHEAP)
    return path


def changed(path: Path, **header: Json) -> None:
    document = parse(path.read_bytes())
    assert isinstance(document, dict)
    assert isinstance(document["header"], dict)
    document["header"].update(header)
    path.write_bytes(encode(document))


def test_round_trip_and_mode(path: Path) -> None:
    assert read_keystore(path, "open sesame") == SECRET
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET.hex() not in path.read_bytes().hex()


def test_default_cost_is_argon2id_interactive(tmp_path: Path) -> None:
    """In processes of their own, as users have them: in this one whatever is made is cheap."""
    path = tmp_path / "default.keystore"
    made = "from bank.sign_in.passwords import hash_password; print(hash_password('p' * 12))"
    for arguments in (("-m", "bank.cli", "keys", "new", str(path)), ("-c", made)):
        environment = {**os.environ, "CREDITBANK_PASSPHRASE": "p"}
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("$argon2id$v=19$m=65536,t=2,p=1$")
    document = parse(path.read_bytes())
    assert isinstance(document, dict)
    assert isinstance(document["header"], dict)
    assert document["header"]["kdf"] == "argon2id"
    assert document["header"]["memory"] == 64 * 1024 * 1024
    assert document["header"]["operations"] == 2


def test_wrong_passphrase(path: Path) -> None:
    with pytest.raises(KeystoreError, match=r"k\.keystore does not open: wrong passphrase"):
        read_keystore(path, "open barley")


def test_never_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeystoreError, match="exists already"):
        write_keystore(path, SECRET, "other", **CHEAP)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "header",
    [
        {"operations": 2},
        {"memory": 16384},
        {"nonce": "A" * 32},
        {"salt": "A" * 22},
    ],
)
def test_a_changed_parameter_is_noticed(path: Path, header: dict[str, Json]) -> None:
    changed(path, **header)
    with pytest.raises(KeystoreError, match="does not open"):
        read_keystore(path, "open sesame")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"version": 2}, "version 2"),
        ({"kdf": "md5"}, "md5"),
        ({"purpose": "other"}, "'other'"),
        ({"memory": 2**40}, "at most"),
        ({"operations": 1000}, "at most"),
        ({"operations": 0}, "at most"),
        ({"operations": True}, "at most"),
        ({"memory": "much"}, "at most"),
        ({"extra": 1}, "fields"),
        ({"salt": "AA"}, "16 bytes"),
    ],
)
def test_a_header_that_cannot_be_used_is_named(
    path: Path, header: dict[str, Json], says: str
) -> None:
    changed(path, **header)
    with pytest.raises(KeystoreError, match=says):
        read_keystore(path, "open sesame")


def test_cost_is_capped_before_it_is_paid(path: Path) -> None:
    # Were it paid, a terabyte would be asked for: the refusal above comes from the cap alone.
    changed(path, memory=2**40, operations=10)
    with pytest.raises(KeystoreError, match="at most 10 passes over 1073741824 bytes"):
        read_keystore(path, "open sesame")


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff\xfe", b'{"ciphertext":1}'])
def test_a_file_that_is_no_keystore_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(KeystoreError, match=r"other\.json is not a keystore"):
        read_keystore(path, "p")


def test_cut_short_or_missing(path: Path, tmp_path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(KeystoreError, match="damaged"):
        read_keystore(path, "open sesame")
    with pytest.raises(KeystoreError, match="No such file"):
        read_keystore(tmp_path / "none", "p")


def test_every_flipped_byte_is_noticed(path: Path) -> None:
    good = path.read_bytes()
    for place in range(0, len(good), 7):
        data = bytearray(good)
        data[place] ^= 1
        path.write_bytes(bytes(data))
        with pytest.raises(KeystoreError):
            read_keystore(path, "open sesame")


def test_signer_from_its_address(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    path = tmp_path / "s.keystore"
    write_keystore(path, key.seed, "p", **CHEAP)
    signer = open_signer(f"file:{path}", "p")
    assert signer.public_key == key.public_key
    assert signer.sign(b"m") == key.sign(b"m")
    assert key.seed.hex() not in repr(signer)
    assert repr(key.seed) not in repr(signer)
    with pytest.raises(KeystoreError, match="names no kind of signer"):
        open_signer("cloud:x", "p")


@pytest.mark.parametrize("ciphertext", ["", "AAAA", "A" * 20])
def test_a_ciphertext_shorter_than_its_tag_is_named(path: Path, ciphertext: str) -> None:
    document = parse(path.read_bytes())
    assert isinstance(document, dict)
    path.write_bytes(encode(document | {"ciphertext": ciphertext}))
    with pytest.raises(KeystoreError, match="cut short"):
        read_keystore(path, "open sesame")


def test_a_passphrase_that_is_no_text_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="passphrase"):
        read_keystore(path, "\udc80")
    with pytest.raises(KeystoreError, match="passphrase"):
        write_keystore(tmp_path / "new", SECRET, "\udc80", **CHEAP)
    assert not (tmp_path / "new").exists()
