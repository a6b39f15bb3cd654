"""A program that signs: the way to a cloud's key service, or to anything that has a command line.

`command:PROGRAM` is one executable file, run without a shell and without arguments of ours other
than the verb:

    PROGRAM public-key     prints the key as a Multikey, `z6Mk...`
    PROGRAM sign           reads the exact message from standard input, writes 64 bytes

An exit code other than 0 is a refusal; the last line of standard error says why.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from keys.ed25519 import PublicKey
from keys.errors import KeysError, KeystoreError

_PATIENCE = 60
"""Seconds for one answer."""


@dataclass(frozen=True, slots=True)
class CommandSigner:
    """A Signer that asks a program each time."""

    public_key: PublicKey
    program: Path

    def sign(self, message: bytes) -> bytes:
        """What the program returns; KeystoreError where it fails."""
        return _run(self.program, "sign", message)


def open_command(rest: str, secret: str) -> CommandSigner:
    """The signer behind `command:` and `rest`; it brings its own credentials, not `secret`."""
    del secret
    program = Path(rest)
    if not program.is_absolute():
        raise KeystoreError(f"command: names a program by its whole path, not {rest[:60]!r}")
    answer = _run(program, "public-key", b"").decode("ascii", "replace").strip()
    try:
        return CommandSigner(PublicKey.from_multikey(answer), program)
    except KeysError as error:
        raise KeystoreError(f"{program} names no usable public key: {error}") from error


def create_by_command(rest: str, secret: str) -> PublicKey:
    """Refused: such a key is made with its service's own tools."""
    raise KeystoreError(f"a key behind {rest[:60]!r} is made with its own service's tools")


def _run(program: Path, verb: str, message: bytes) -> bytes:
    try:
        done = subprocess.run(
            [program, verb], input=message, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise KeystoreError(f"{program} gave no answer to {verb} in {_PATIENCE} s") from None
    except OSError as error:
        raise KeystoreError(f"{program} cannot be run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1][:200] if said else f"exit code {done.returncode}"
        raise KeystoreError(f"{program} refused to {verb}: {why}")
    return done.stdout
