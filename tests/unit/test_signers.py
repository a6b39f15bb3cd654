"""Signers by URI: keystores, tokens and programs; what comes back is verified, PINs never shown."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from keys import (
    BadSignature,
    KeystoreError,
    PrivateKey,
    PublicKey,
    create_key,
    open_signer,
    signer_uri,
)
from keys.signers import Verified, key_file
from tests.token_kit import PIN, Token


def test_a_path_is_a_keystore_and_a_uri_itself() -> None:
    assert signer_uri("keys/log.keystore") == "file:keys/log.keystore"
    assert signer_uri("odd:name") == "file:odd:name"
    for uri in ("file:a", "pkcs11:token=a;object=b", "command:/bin/x"):
        assert signer_uri(uri) == uri
    assert key_file("file:a/b") == Path("a/b")
    assert key_file("pkcs11:token=a") is None
    with pytest.raises(KeystoreError, match="use one of file:, pkcs11:, command:, public:"):
        open_signer("awskms:alias/log", "")


def test_a_key_in_a_token_signs_under_the_one_rule(token: Token) -> None:
    uri = token.uri("signs")
    public = create_key(uri, PIN)
    signer = open_signer(uri, PIN)
    assert signer.public_key == public
    for message in (b"", b"award", bytes(100_000)):
        public.verify(message, signer.sign(message))
    with pytest.raises(BadSignature):
        public.verify(b"other", signer.sign(b"award"))
    # A second opening is the same key; another name is another key.
    assert open_signer(token.uri("signs"), PIN).public_key == public
    assert create_key(token.uri("second"), PIN) != public


def test_a_key_in_a_token_never_leaves_it_and_is_never_overwritten(token: Token) -> None:
    import pkcs11

    uri = token.uri("kept")
    create_key(uri, PIN)
    with pytest.raises(KeystoreError, match="is there already; a key is never overwritten"):
        create_key(uri, PIN)
    session = pkcs11.lib(token.library).get_token(token_label="bank").open()
    (private,) = session.get_objects(
        {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.Attribute.LABEL: "kept"}
    )
    assert private[pkcs11.Attribute.SENSITIVE]
    assert not private[pkcs11.Attribute.EXTRACTABLE]


def test_a_key_is_found_by_its_id_alone(token: Token) -> None:
    public = create_key(token.uri("by-id") + "", PIN)
    named = f"pkcs11:token=bank;id=%62y-id;type=private?module-path={token.library}"
    assert open_signer(named, PIN).public_key == public


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("pkcs11:token=bank;object=a", "names the token's library here"),
        ("pkcs11:object=a?module-path={lib}", "names its token here"),
        ("pkcs11:token=bank?module-path={lib}", "names its key here"),
        ("pkcs11:token=bank;object=a?module-path={lib}&pin-value=1234", "does not belong in a URI"),
        ("pkcs11:token=bank;slot-id=1;object=a?module-path={lib}", "is not understood here"),
        ("pkcs11:token=bank;token=b;object=a?module-path={lib}", "twice"),
        ("pkcs11:token=bank;object=a;type=public?module-path={lib}", "that of a private key"),
        ("pkcs11:token=none;object=a?module-path={lib}", "no such token in that library"),
        ("pkcs11:token=bank;object=none?module-path={lib}", "there are 0 private keys"),
        ("pkcs11:token=bank;object=a?module-path=/none.so", "none.so"),
        ("pkcs11:token=bank;object=a?module-path={lib}&pin-source=/p", "pin-source is file:/PATH"),
        ("pkcs11:token=bank;object=a?module-path={lib}&pin-source=file:/none", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_uri_is_told(token: Token, uri: str, says: str) -> None:
    with pytest.raises(KeystoreError, match=says) as told:
        open_signer(uri.replace("{lib}", token.library), PIN)
    assert "\n" not in str(told.value)
    assert PIN not in str(told.value)


def test_a_pin_comes_from_a_file_or_the_environment_and_a_wrong_one_is_told(
    token: Token, tmp_path: Path
) -> None:
    """In processes of their own: one login holds for a whole process."""
    public = create_key(token.uri("pin"), PIN)
    (tmp_path / "right").write_text(PIN + "\n")

    def show(uri: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bank.cli", "keys", "show", uri],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    done = show(token.uri("pin", pin_source=f"file:{tmp_path / 'right'}"))
    assert (done.stdout.strip(), done.returncode) == (public.multikey, 0), done.stderr
    for done, says in (
        (show(token.uri("pin"), CREDITBANK_PIN="000000"), "wrong PIN"),
        (show(token.uri("pin")), "needs a PIN: set CREDITBANK_PIN"),
    ):
        assert done.returncode != 0
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


def test_nobody_loads_a_tokens_library_for_a_keystore() -> None:
    code = (
        "import sys, keys, verifier, bank.keyring\n"
        "try: keys.open_signer('file:/none', '')\n"
        "except keys.KeystoreError: pass\n"
        "print(sorted({'pkcs11', 'keys.pkcs11', 'subprocess'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pkcs11" not in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


@dataclass(frozen=True)
class Liar:
    """A token that answers with something else than was asked for."""

    key: PrivateKey
    answer: bytes | None = None

    @property
    def public_key(self) -> PublicKey:
        return self.key.public_key

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message + b"!") if self.answer is None else self.answer


def test_a_signature_that_does_not_verify_is_never_used() -> None:
    key, other = PrivateKey.generate(), PrivateKey.generate()
    good = key.sign(b"award")
    flipped = bytes([good[0] ^ 1]) + good[1:]
    for answer in (None, other.sign(b"award"), b"", good[:63], good + b"\0", flipped):
        with pytest.raises(KeystoreError, match="nothing was signed"):
            Verified(Liar(key, answer)).sign(b"award")
    assert Verified(Liar(key, good)).sign(b"award") == good
    assert Verified(key).sign(b"award") == good


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that signs with OpenSSL, which knows nothing of us."""
    if shutil.which("openssl") is None:
        pytest.skip("OpenSSL is not on this machine: scripts/system-packages installs it")
    pem = tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(pem)],
        check=True,
        capture_output=True,
    )
    script = tmp_path / "sign"
    script.write_text(
        f"""#!{sys.executable}
import subprocess, sys
sys.path.insert(0, {str(Path.cwd())!r})
if sys.argv[1:] == ["public-key"]:
    out = subprocess.run(["openssl", "pkey", "-in", {str(pem)!r}, "-pubout", "-outform", "DER"],
                         check=True, capture_output=True).stdout
    from keys import PublicKey
    print(PublicKey(out[-32:]).multikey)
elif sys.argv[1:] == ["sign"]:
    with open({str(tmp_path / "message")!r}, "wb") as file:
        file.write(sys.stdin.buffer.read())
    sys.stdout.buffer.write(subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", {str(pem)!r},
         "-in", {str(tmp_path / "message")!r}],
        check=True, capture_output=True).stdout)
"""
    )
    script.chmod(stat.S_IRWXU)
    return script


def test_a_program_signs_with_openssl(program: Path) -> None:
    signer = open_signer(f"command:{program}", "")
    for message in (b"award", bytes(70_000)):
        signer.public_key.verify(message, signer.sign(message))
    with pytest.raises(KeystoreError, match="made with its own service's tools"):
        create_key(f"command:{program}", "")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo no such key >&2; exit 3", "refused to public-key: no such key"),
        ("exit 4", "exit code 4"),
        ("echo z6Mkwrong", "names no usable public key"),
        ("printf '\\377\\376'", "names no usable public key"),
    ],
)
def test_what_is_wrong_with_a_program_is_told(tmp_path: Path, script: str, says: str) -> None:
    path = tmp_path / "sign"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)
    with pytest.raises(KeystoreError, match=says):
        open_signer(f"command:{path}", "")


def test_a_program_is_named_by_its_whole_path_and_must_run(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="by its whole path"):
        open_signer("command:sign", "")
    with pytest.raises(KeystoreError, match="cannot be run"):
        open_signer(f"command:{tmp_path / 'none'}", "")
