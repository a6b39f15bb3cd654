"""A bank's settings: `bank.toml` in its folder, over which the environment has the last word.

bank.toml      every setting below that has no default, and whichever others are wanted
keys/          log, log-mldsa44, bank (signs status lists) and vault keystores
bank.db        the embedded database, unless `database` names another

A setting NAME is CREDITBANK_NAME in the environment (CREDITBANK_DATABASE_URL for `database`), or
CREDITBANK_NAME_FILE, which names a file that holds it. docs/configuration.md lists them all.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bank.errors import BadSetup
from bank.limits import Limit, Limits
from keys import Json, did_web

FILE = "bank.toml"
TOKEN_KEYS = ("log", "bank")
"""Keys of the bank that may lie elsewhere than in keystores."""
_PREFIX, _FROM_FILE = "CREDITBANK_", "_FILE"
_RENAMED = {"database": "CREDITBANK_DATABASE_URL"}
ELSEWHERE = {
    "CREDITBANK_PASSPHRASE": "The passphrase of the keystores.",
    "CREDITBANK_PASSPHRASE_FILE": "A file that holds that passphrase.",
    "CREDITBANK_PIN": "The PIN of a token, where a key lies in one.",
    "CREDITBANK_STATE": "Folder in which `creditbank verify` remembers trust bundles.",
}
"""Variables of the commands, which are no settings of a bank."""
_OF_TESTS = ("CREDITBANK_TEST_", "CREDITBANK_BENCH_", "CREDITBANK_SHARED")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """An institution's OpenID provider: the table `[sign_in.SLUG]` of `bank.toml`."""

    names: Mapping[str, str]
    issuer: str
    client_id: str
    client_secret_file: str
    client_secret: str = field(default="", repr=False)


class SignIn(BaseModel):
    """The table `[sign_in.SLUG]` as it is written; its secret lies in a file of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name_en: str
    name_zh: str
    issuer: str
    client_id: str
    client_secret_file: str


class Settings(BaseSettings):
    """Every setting. Whoever made one wrong is told which and where, by `read_settings`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(exclude=True)
    domain: str = Field(description="The bank's domain name.")
    origin: str = Field(description="The origin of its log.")
    name_en: str = Field(description="The bank's name in English.")
    name_zh: str = Field(description="The bank's name in Chinese.")
    governance: tuple[str, ...] = Field(
        description="The governance's public keys, as Multikeys; in the environment a JSON list."
    )
    threshold: int = Field(ge=1, description="How many governance keys sign together.")
    database: str = Field(
        description="SQLAlchemy's address of the database; a relative SQLite file lies in the "
        "bank's folder. `postgresql://…` for PostgreSQL."
    )
    public_url: str = Field(
        default="",
        validate_default=True,
        description="Where wallets and people reach the bank; empty: its domain over HTTPS.",
    )
    published: str = Field(
        default="",
        description="Where `creditbank ledger publish` puts the log: a folder, or "
        "`s3://bucket/prefix`. The server compares with it before it signs.",
    )
    metrics: str = Field(
        default="",
        description="Address, such as `127.0.0.1:8401`, of a port of its own for `/metrics`; "
        "empty: none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least of what is logged; `warning` leaves requests out."
    )
    tracing: bool = Field(
        default=False,
        description="Whether spans go to OpenTelemetry, which OTEL_… variables direct; takes the "
        "extra `creditbank[otel]`.",
    )
    limits: Limits = Field(
        default_factory=Limits,
        description="Tables `[limits.NAME]` with burst and per_second: how often one may ask; the "
        "names are address, key, signed, door and trial.",
    )
    keys: dict[str, str] = Field(
        default_factory=dict,
        description="Table: the signers' URIs of the keys log and bank, where they do not lie in "
        "keystores, such as `pkcs11:…`.",
    )
    witness_urls: dict[str, str] = Field(
        default_factory=dict,
        description="Table: where witnesses are reached from here, by operator, if not at their "
        "public address.",
    )
    sign_in: dict[str, SignIn] = Field(
        default_factory=dict,
        description="Tables `[sign_in.SLUG]`: the OpenID provider of an institution, with name_en, "
        "name_zh, issuer, client_id and client_secret_file.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then the environment, then the file in the folder that is given."""
        folder = Path(init_settings()["folder"])
        file = TomlConfigSettingsSource(settings_cls, folder / FILE)
        return init_settings, _Environment(settings_cls), file

    @field_validator("public_url", mode="after")
    @classmethod
    def _public(cls, url: str, info: ValidationInfo) -> str:
        if url and not url.startswith(("https://", "http://")):
            raise ValueError("it does not begin with https:// or http://")
        return url.rstrip("/") or f"https://{info.data.get('domain', '')}"

    @field_validator("keys", mode="after")
    @classmethod
    def _uris(cls, uris: dict[str, str]) -> dict[str, str]:
        for name, uri in uris.items():
            if name not in TOKEN_KEYS:
                raise ValueError(f"it names {' and '.join(TOKEN_KEYS)}, not {name!r:.40}")
            if ":" not in uri:
                raise ValueError(f"the key {name} is not a signer's URI, such as pkcs11:...")
        return uris

    @field_validator("metrics", mode="after")
    @classmethod
    def _address(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if address and not (host and port.isascii() and port.isdecimal() and int(port) < 65536):
            raise ValueError("it is not HOST:PORT")
        return address

    @property
    def names(self) -> dict[str, str]:
        """The bank's name by language, `en` and `zh`."""
        return {"en": self.name_en, "zh": self.name_zh}

    @property
    def providers(self) -> dict[str, ProviderSettings]:
        """OpenID providers by the institution's short name; BadSetup if a secret is not there."""
        return {slug: _provider(self.folder, slug, table) for slug, table in self.sign_in.items()}

    @property
    def did(self) -> str:
        """The bank's identifier."""
        return did_web(self.domain)

    @property
    def publish_to(self) -> str:
        """Where the log is published, a folder as seen from here; empty for nowhere."""
        where = self.published
        return str(self.folder / where) if where and "://" not in where else where

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

    @property
    def public(self) -> dict[str, Json]:
        """What stands in `bank.toml` but for secrets, and for where database and keys are."""
        secret = {"database", "folder", "keys", "limits", "sign_in"}
        return {
            **self.model_dump(mode="json", exclude=secret),
            "limits": self.limits.model_dump_json(),
            "sign_in": {slug: table.issuer for slug, table in self.sign_in.items()},
        }


class _Environment(PydanticBaseSettingsSource):
    """Settings from variables, and from files that variables name."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The text of a setting, if the environment has it."""
        return _from_environment(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All that it has; lists and tables are JSON."""
        found: dict[str, Any] = {}
        for name, info in self.settings_cls.model_fields.items():
            text = None if name == "folder" else self.get_field_value(info, name)[0]
            if text is not None:
                found[name] = _decoded(name, text) if name in _JSON else text
        return found


_JSON = ("governance", "keys", "limits", "witness_urls", "sign_in")


def variable(name: str) -> str:
    """The variable of a setting."""
    return _RENAMED.get(name, _PREFIX + name.upper())


def read_settings(folder: Path) -> Settings:
    """The settings of the bank in `folder`; BadSetup says what is missing or wrong, and where."""
    path = folder / FILE
    if not path.is_file():
        raise BadSetup(
            f"there is no bank in {folder}, for {FILE} is missing; make one with "
            "'creditbank bank create'"
        )
    _refuse_unknown_variables()
    try:
        settings = Settings(folder=folder)  # type: ignore[call-arg]  # the rest is read
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetup(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        raise BadSetup(_sentence(path, error)) from None
    for slug, table in settings.sign_in.items():
        _provider(folder, slug, table)
    return settings


def database_url(settings: Settings) -> str:
    """The SQLAlchemy URL; a relative SQLite file lies in the bank's folder."""
    prefix = "sqlite:///"
    if settings.database.startswith(prefix) and not settings.database.startswith(prefix + "/"):
        return prefix + str(settings.folder.resolve() / settings.database.removeprefix(prefix))
    return settings.database


def write_settings(
    folder: Path,
    **values: str | int | list[str] | Mapping[str, str] | Mapping[str, Mapping[str, str]],
) -> None:
    """Put values into `bank.toml`, whole or not at all; what it says besides is kept."""
    path = folder / FILE
    before = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    partial = folder / f"{FILE}.partial"
    partial.write_text(tomli_w.dumps({**before, **values}), encoding="utf-8")
    partial.replace(path)


def _from_environment(name: str) -> str | None:
    """The text of a setting; BadSetup if it is given twice or its file cannot be read."""
    direct, named = variable(name), variable(name) + _FROM_FILE
    text, file = os.environ.get(direct) or None, os.environ.get(named) or None
    if file is None:
        return text
    if text is not None:
        raise BadSetup(f"{direct} and {named} are both set; leave one of them out")
    return read_secret(Path(file), named)


def read_secret(path: Path, what: str) -> str:
    """The one line in a file, without its end; BadSetup if it cannot be read. `what` names it."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadSetup(f"{what} names {path}, which cannot be read: {reason}") from error


def _decoded(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadSetup(f"{variable(name)} is not JSON: {error}") from error


def _known_variables() -> set[str]:
    names = [variable(name) for name in Settings.model_fields if name != "folder"]
    return {*names, *(name + _FROM_FILE for name in names), *ELSEWHERE}


def _refuse_unknown_variables() -> None:
    known = _known_variables()
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and not name.startswith(_OF_TESTS) and name not in known:
            raise BadSetup(
                f"the environment sets {name}, which is unknown here{_nearest(name, known)}"
            )


def _nearest(name: str, known: set[str]) -> str:
    found = get_close_matches(name, sorted(known), 1)
    return f"; did you mean {found[0]}?" if found else "; docs/configuration.md lists all there are"


def _sentence(path: Path, error: ValidationError) -> str:
    """The first thing that is wrong, without the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0])
    inner = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{path} lacks {inner!r}"
    if first["type"] == "extra_forbidden":
        last = inner.rpartition(".")[2]
        return (
            f"{path} has {inner!r}, which is unknown here{_nearest(last, _names_in(name, inner))}"
        )
    set_by = [
        each for each in (variable(name), variable(name) + _FROM_FILE) if os.environ.get(each)
    ]
    where = f"{set_by[0]} has" if set_by else f"{path}: {inner!r} has"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where} a value of the wrong kind: {message[:1].lower()}{message[1:]}"


def _names_in(name: str, inner: str) -> set[str]:
    """What may stand where a name does that is unknown."""
    if name == inner:
        return set(Settings.model_fields) - {"folder"}
    models = {"limits": (Limits, Limit)}.get(name, (SignIn,))
    return {field for model in models for field in model.model_fields}


def _provider(folder: Path, slug: str, table: SignIn) -> ProviderSettings:
    what = f"client_secret_file of sign_in.{slug}"
    return ProviderSettings(
        {"en": table.name_en, "zh": table.name_zh},
        table.issuer,
        table.client_id,
        table.client_secret_file,
        read_secret(folder / table.client_secret_file, what),
    )
