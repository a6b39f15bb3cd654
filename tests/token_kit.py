"""A token in software (SoftHSM), initialised in a temporary folder; no other is ever touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PIN = "246810"
_LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)


@dataclass(frozen=True)
class Token:
    """A token's library, and where its objects lie."""

    library: str
    config: Path

    def uri(self, name: str, **query: str) -> str:
        """The URI of the key `name` in it."""
        more = "".join(f"&{key.replace('_', '-')}={value}" for key, value in query.items())
        return f"pkcs11:token=bank;object={name}?module-path={self.library}{more}"


def make_token(folder: Path) -> Token:
    """Skipped where SoftHSM is not on this machine."""
    library = next((path for path in _LIBRARIES if Path(path).exists()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not on this machine: scripts/system-packages installs it")
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
        "log.level = ERROR\n"
    )
    subprocess.run(
        [
            *("softhsm2-util", "--init-token", "--free", "--label", "bank"),
            *("--pin", PIN, "--so-pin", "135791113"),
        ],
        env={**os.environ, "SOFTHSM2_CONF": str(config)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return Token(library, config)
