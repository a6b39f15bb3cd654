"""Where the keys of a folder lie: in keystores within it, or where its settings say.

A bank's settings name them under `[keys]` in `bank.toml`; an institution's and a witness's stand
in `keys.toml`, a line each: `signing = "pkcs11:token=..."`.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from bank.errors import BadSetup
from keys import Signer, open_signer
from keys.signers import scheme_of

FILE = "keys.toml"


def open_key(uri: str, passphrase: str) -> Signer:
    """The signer behind `uri`: keystores take the passphrase, other kinds bring their own secret.

    A token's PIN is CREDITBANK_PIN, or the file that its URI names.
    """
    scheme, _ = scheme_of(uri)
    if uri.startswith("file:"):
        return open_signer(uri, passphrase)
    return open_signer(uri, os.environ.get(scheme.secret, "") if scheme.secret else "")


def key_uris(folder: Path) -> Mapping[str, str]:
    """What `keys.toml` in `folder` says, by the key's name; empty where there is none."""
    path = folder / FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetup(f"{path} cannot be read: {error}") from error
    found: dict[str, str] = {}
    for name, uri in values.items():
        if not isinstance(uri, str) or ":" not in uri:
            raise BadSetup(f"{path}: the key {name} is not a signer's URI, such as pkcs11:...")
        found[name] = uri
    return found
