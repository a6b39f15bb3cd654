"""A bank's folder: its settings in `bank.toml`, its keystores, and by default its database.

bank.toml      name, domain, origin, database, governance
keys/          log, bank (signs status lists) and vault keystores
bank.db        the embedded database, unless bank.toml or CREDITBANK_DATABASE_URL names another
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bank.errors import BadSetup
from bank.keyring import read_uris
from keys import did_web

FILE = "bank.toml"
TOKEN_KEYS = ("log", "bank")
"""Keys of the bank that may lie elsewhere than in keystores."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """An institution's OpenID provider: the table `[sign_in.SLUG]` of `bank.toml`."""

    names: Mapping[str, str]
    issuer: str
    client_id: str
    client_secret_file: str
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `bank.toml` says. `governance` are Multikeys, of which `threshold` sign together."""

    folder: Path
    domain: str
    origin: str
    names: Mapping[str, str]
    governance: tuple[str, ...]
    threshold: int
    database: str
    witness_urls: Mapping[str, str] = field(default_factory=dict)
    """Where witnesses are reached from here, by operator, if not at their public address."""
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    """OpenID providers by the institution's short name."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """URIs of the keys `log` and `bank` where they do not lie in keystores."""

    @property
    def did(self) -> str:
        """The bank's identifier."""
        return did_web(self.domain)

    @property
    def public_url(self) -> str:
        """Where wallets reach the bank: CREDITBANK_PUBLIC_URL, or its domain over HTTPS."""
        return os.environ.get("CREDITBANK_PUBLIC_URL", "").rstrip("/") or f"https://{self.domain}"

    def keystore(self, name: str) -> Path:
        """Where the bank's keystore `log`, `bank` or `vault` lies."""
        return self.folder / "keys" / f"{name}.keystore"

    def key_uri(self, name: str) -> str:
        """Where the bank's key `log` or `bank` is opened."""
        return self.keys.get(name) or f"file:{self.keystore(name)}"

    @property
    def ended(self) -> bool:
        """Whether the log's key was set aside, so that nothing is appended to it any more."""
        return self.key_uri("log").startswith("public:")

    @property
    def opened(self) -> Path:
        """A file that is there once the log has been opened, whatever becomes of the database."""
        return self.folder / "keys" / "opened"

    def save(self) -> None:
        """Write `bank.toml`, whole or not at all."""
        text = "\n".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}"
            for name, value in (
                ("domain", self.domain),
                ("origin", self.origin),
                ("name_en", self.names["en"]),
                ("name_zh", self.names["zh"]),
                ("governance", list(self.governance)),
                ("threshold", self.threshold),
                ("database", self.database),
            )
        )
        if self.keys:
            text += "\n\n[keys]\n" + "\n".join(
                f"{name} = {json.dumps(uri)}" for name, uri in self.keys.items()
            )
        if self.witness_urls:
            text += "\n\n[witness_urls]\n" + "\n".join(
                f"{json.dumps(name)} = {json.dumps(url)}" for name, url in self.witness_urls.items()
            )
        for slug, provider in self.providers.items():
            text += f"\n\n[sign_in.{json.dumps(slug)}]\n" + "\n".join(
                f"{name} = {json.dumps(value, ensure_ascii=False)}"
                for name, value in (
                    ("name_en", provider.names["en"]),
                    ("name_zh", provider.names["zh"]),
                    ("issuer", provider.issuer),
                    ("client_id", provider.client_id),
                    ("client_secret_file", provider.client_secret_file),
                )
            )
        partial = self.folder / f"{FILE}.partial"
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(self.folder / FILE)


def read_settings(folder: Path) -> Settings:
    """The settings of the bank in `folder`; BadSetup says what is missing or wrong."""
    path = folder / FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadSetup(
            f"there is no bank in {folder}, for {FILE} is missing; make one with "
            "'creditbank bank create'"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetup(f"{path} cannot be read: {error}") from error
    try:
        governance = tuple(_text(key) for key in values["governance"])
        settings = Settings(
            folder,
            _text(values["domain"]),
            _text(values["origin"]),
            {"en": _text(values["name_en"]), "zh": _text(values["name_zh"])},
            governance,
            int(values["threshold"]),
            os.environ.get("CREDITBANK_DATABASE_URL") or _text(values["database"]),
            {str(name): _text(url) for name, url in values.get("witness_urls", {}).items()},
            {
                str(slug): _provider(folder, table)
                for slug, table in values.get("sign_in", {}).items()
            },
            _keys(path, values.get("keys", {})),
        )
    except KeyError as error:
        raise BadSetup(f"{path} lacks {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise BadSetup(f"{path} has a value of the wrong kind: {error}") from error
    return settings


def database_url(settings: Settings) -> str:
    """The SQLAlchemy URL; a relative SQLite file lies in the bank's folder."""
    prefix = "sqlite:///"
    if settings.database.startswith(prefix) and not settings.database.startswith(prefix + "/"):
        return prefix + str(settings.folder.resolve() / settings.database.removeprefix(prefix))
    return settings.database


def _keys(path: Path, table: Mapping[str, object]) -> dict[str, str]:
    found = read_uris(table, path)
    for name in found.keys() - set(TOKEN_KEYS):
        raise BadSetup(f"{path}: [keys] names {' and '.join(TOKEN_KEYS)}, not {name!r:.40}")
    return found


def _provider(folder: Path, table: Mapping[str, object]) -> ProviderSettings:
    secret = folder / _text(table["client_secret_file"])
    try:
        text = secret.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetup(f"{secret}, the secret of an OpenID client, cannot be read") from error
    return ProviderSettings(
        {"en": _text(table["name_en"]), "zh": _text(table["name_zh"])},
        _text(table["issuer"]),
        _text(table["client_id"]),
        _text(table["client_secret_file"]),
        text,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(repr(value)[:40])
    return value
