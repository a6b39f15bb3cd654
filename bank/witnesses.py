"""Witnesses over HTTP: asking a sister bank's, and what a witness of one's own keeps on disk.

witness.toml        its name, and each log it watches with the keys trusted for it
keys/               its Ed25519 and ML-DSA-44 keystores
seen.db             the newest checkpoint seen of each log
"""

import os
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic

import httpx
import tomli_w

from bank.errors import BadSetup
from bank.keyring import key_uris, open_key
from bank.opening import MLDSA44, make_folder
from keys import create_key, read_keystore, write_keystore
from ledger import LedgerError, VerifierKey, WitnessRecord
from ledger.cosignature import Cosigner, Ed25519Cosigner, MLDSA44Cosigner
from ledger.key_roles import check_distinct, multikeys
from ledger.witness import AddCheckpoint, Turned, Witness
from ledger.witness_store import DatabaseWitnessStore
from ledger.witnessing import WitnessUnreachable

_FILE = "witness.toml"
_ED25519 = "ed25519"
_TIMEOUT = httpx.Timeout(5.0)
# What a whole answer may take, in seconds and in bytes: a note has at most 1 MiB.
_LONGEST, _LARGEST = 10.0, 1024 * 1024


class HttpWitness:
    """A WitnessPort on a C2SP tlog-witness server."""

    def __init__(self, record: WitnessRecord, url: str, http: httpx.Client | None = None) -> None:
        """`url` is where it is reached from here, which need not be its public address."""
        self.operator = record.operator
        self.keys: Sequence[VerifierKey] = record.keys
        self._url = url.rstrip("/")
        self._http = http or httpx.Client(timeout=_TIMEOUT)

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        """Its cosignature lines; Turned where it refuses, WitnessUnreachable where it fails."""
        status, text = self._send("POST", "/add-checkpoint", request.encode())
        if status == 200:
            return text
        size = text.strip()
        known = status == 409 and size.isascii() and size.isdecimal()
        raise Turned(
            status,
            f"the witness {self.operator} answered {status}: {text[:200]}",
            int(size) if known and len(size) < 17 else None,
        )

    def newest(self, origin: str) -> str | None:
        """The newest note it cosigned for a log, or None; WitnessUnreachable where it fails."""
        name = sha256(origin.encode()).hexdigest()
        status, text = self._send("GET", f"/{name}/checkpoint", None)
        if status == 404:
            return None
        if status != 200:
            raise WitnessUnreachable(
                f"the witness {self.operator} answered {status} for its newest note"
            )
        return text

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, str]:
        """The status and text it answers; no answer may be endless, in length or in time."""
        data, deadline = b"", monotonic() + _LONGEST
        headers = {"Accept-Encoding": "identity"}
        try:
            url = self._url + path
            with self._http.stream(method, url, content=body, headers=headers) as response:
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > _LARGEST or monotonic() > deadline:
                        raise WitnessUnreachable(
                            f"the witness {self.operator} at {self._url} does not stop answering"
                        )
        except httpx.HTTPError as error:
            raise WitnessUnreachable(
                f"the witness {self.operator} at {self._url} did not answer ({error})"
            ) from error
        return response.status_code, data.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class OwnWitness:
    """A witness run here: its public keys and the part that decides."""

    name: str
    keys: tuple[VerifierKey, ...]
    witness: Witness
    store: DatabaseWitnessStore


def create_witness(folder: Path, name: str, passphrase: str) -> None:
    """Make a witness's folder and both its keys; nothing if it is there already."""
    if (folder / _FILE).exists():
        return
    make_folder(folder / "keys")
    for file in (_ED25519, "mldsa44"):
        _keystore(folder, file).unlink(missing_ok=True)
    if _ED25519 not in key_uris(folder):
        create_key(_uri(folder), passphrase)
    write_keystore(_keystore(folder, "mldsa44"), os.urandom(32), passphrase, MLDSA44)
    _save(folder, name, {})


def watch(folder: Path, origin: str, keys: Sequence[VerifierKey]) -> None:
    """Have the witness in `folder` cosign the log `origin`, signed by `keys`."""
    name, logs = _read(folder)
    for key in keys:
        if key.name != origin:
            raise BadSetup(f"the key {key.name} is not a key of the log {origin}")
    _save(folder, name, {**logs, origin: tuple(keys)})


def open_witness(folder: Path, passphrase: str, clock: Callable[[], datetime]) -> OwnWitness:
    """The witness in `folder`, its keys unlocked."""
    name, logs = _read(folder)
    signer = open_key(_uri(folder), passphrase)
    for origin, keys in logs.items():
        roles = {f"a key of the log {origin}": key for key in multikeys(keys)}
        check_distinct({**roles, "the witness's key": signer.public_key.multikey})
    cosigners: list[Cosigner] = [
        Ed25519Cosigner(name, signer),
        MLDSA44Cosigner(name, read_keystore(_keystore(folder, "mldsa44"), passphrase, MLDSA44)),
    ]
    store = DatabaseWitnessStore(f"sqlite:///{folder.resolve() / 'seen.db'}")
    witness = Witness(logs, cosigners, store, clock)
    return OwnWitness(name, tuple(cosigner.key for cosigner in cosigners), witness, store)


def _uri(folder: Path) -> str:
    return key_uris(folder).get(_ED25519) or f"file:{_keystore(folder, _ED25519)}"


def _keystore(folder: Path, name: str) -> Path:
    return folder / "keys" / f"{name}.keystore"


def _read(folder: Path) -> tuple[str, dict[str, tuple[VerifierKey, ...]]]:
    path = folder / _FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        logs = {
            str(log["origin"]): tuple(VerifierKey.parse(str(key)) for key in log["keys"])
            for log in values.get("log", [])
        }
        return str(values["name"]), logs
    except FileNotFoundError:
        raise BadSetup(
            f"there is no witness in {folder}; make one with 'creditbank witness new'"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, LedgerError) as error:
        raise BadSetup(f"{path} cannot be read: {error}") from error
    except (KeyError, TypeError) as error:
        raise BadSetup(f"{path} lacks {error}") from error


def _save(folder: Path, name: str, logs: dict[str, tuple[VerifierKey, ...]]) -> None:
    watched = [
        {"origin": origin, "keys": [str(key) for key in keys]} for origin, keys in logs.items()
    ]
    partial = folder / f"{_FILE}.partial"
    partial.write_text(tomli_w.dumps({"name": name, "log": watched}), encoding="utf-8")
    partial.replace(folder / _FILE)
