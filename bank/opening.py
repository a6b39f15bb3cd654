"""Making and opening banks and members on disk: folders, keystores, settings."""

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from bank.errors import BadSetup
from bank.institution import RECORDS, Institution, Submission
from bank.keyring import key_uris, open_key
from bank.operations.backup_record import note_backups
from bank.service import Bank, BankKeys
from bank.settings import FILE, TOKEN_KEYS, Settings, read_settings, write_settings
from bank.uscc import BadUscc, check_uscc
from bank.vault import PURPOSE
from keys import (
    BadIdentifier,
    Json,
    PrivateKey,
    PublicKey,
    Signer,
    create_key,
    did_web,
    read_keystore,
    write_keystore,
)
from ledger import Entry, LedgerError, SignedStatement, Slot, Statement, StoreFault
from ledger.key_roles import check_distinct
from ledger.publishing import open_target
from ledger.sequencer import Declined, Outcome

SIGNING, APPROVER = "signing", "approver"
"""The keys of an institution's two persons."""
API_KEY = "api"
"""The key that opens a bank's API."""
MLDSA44 = "mldsa44-signing"
"""Purpose of a keystore that holds an ML-DSA-44 seed."""


@dataclass(frozen=True, slots=True)
class Admission:
    """An institution as `institutions.toml` describes it."""

    slug: str
    names: dict[str, str]
    uscc: str
    capacities: tuple[str, ...]
    fields: tuple[str, ...]
    level: str
    start: str
    until: str


class LocalBank:
    """A BankPort on a bank in this process."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def slots(self, institution: Institution, lots: Sequence[str]) -> list[Slot]:
        """A status slot for each lot, the same one whenever it is asked for."""
        return self._bank.slots.give(institution.did, lots)

    def alone(self, institution: Institution) -> int:
        """How many awards it may still hand in today on one person's signature."""
        return self._bank.intake.alone(institution.did)

    def approve_batch(self, signed: SignedStatement, awards: Sequence[bytes]) -> Outcome:
        """Let awards be handed in beyond that; `signed` is their `batch.approve` by two persons."""
        return self._bank.intake.approve_batch(signed, awards)

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append statements and deposit credentials; one outcome each, in order."""
        return self._bank.intake.submit(submissions)

    def submit_together(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `submit`, but all of them or none."""
        return self._bank.intake.submit_together(submissions)


def create_bank(
    folder: Path,
    domain: str,
    names: dict[str, str],
    governance: Sequence[str],
    threshold: int,
    passphrase: str,
    uris: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Make a bank's folder, keys and settings; BadSetup if one is there already.

    The origin names the log's own key, so a log made anew never passes for an older one.
    `uris` name the keys `log` and `bank` that are there already, in a token.
    """
    if (folder / FILE).exists():
        raise BadSetup(f"there is a bank in {folder} already")
    if (folder / "bank.db").exists():
        # Its keys go with it: without them nobody would read or continue it again.
        raise BadSetup(f"{folder} holds a bank whose {FILE} is missing; restore that file")
    try:
        did_web(domain)
    except BadIdentifier:
        raise BadSetup(
            f"{domain[:100]!r} is no domain name, such as chongqing.creditbank.example"
        ) from None
    if len(set(governance)) < len(governance):
        raise BadSetup("the same governance key is given twice")
    if not 0 < threshold <= len(governance):
        raise BadSetup(f"{len(governance)} governance keys cannot give {threshold} signatures")
    make_folder(folder)
    make_folder(folder / "keys")
    values: dict[str, str | int | list[str] | dict[str, str]] = {
        "domain": domain,
        "origin": "",
        "name_en": names["en"],
        "name_zh": names["zh"],
        "governance": list(governance),
        "threshold": threshold,
        "database": "sqlite:///bank.db",
        **({"keys": dict(uris)} if uris else {}),
    }
    settings = Settings.model_validate({"folder": folder, **values})
    for name in ("log", "log-mldsa44", "bank", "vault"):
        settings.keystore(name).unlink(missing_ok=True)
    public = {name: _own_key(settings, name, passphrase) for name in TOKEN_KEYS}
    _check_roles(settings, public)
    origin = f"{domain}/{PublicKey.from_multikey(public['log']).raw.hex()[:8]}"
    settings = settings.model_copy(update={"origin": origin})
    write_keystore(settings.keystore("log-mldsa44"), os.urandom(32), passphrase, MLDSA44)
    write_keystore(settings.keystore("vault"), os.urandom(32), passphrase, PURPOSE)
    write_settings(folder, **{**values, "origin": origin})
    return settings


def open_bank(
    folder: Path,
    passphrase: str,
    *,
    witnessed: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Bank:
    """The bank in `folder`, its keys unlocked; with `witnessed` it asks its witnesses.

    A verb that appends or shows checkpoints wants witnesses, one that only reads does not.
    """
    settings = read_settings(folder)
    keys = _open_keys(settings, passphrase)
    public = {"log": keys.log.public_key.multikey, "bank": keys.bank.public_key.multikey}
    _check_roles(settings, public)
    bank = Bank(settings, keys, clock)
    if settings.ended:
        bank.end(
            f"the log {settings.origin} has ended: its key was set aside, and nothing is appended "
            "to it any more"
        )
    try:
        _check_log_keys(bank)
    except BadSetup:
        bank.close()
        raise
    note_backups(folder, bank.operator_log)
    if witnessed:
        from bank.witnesses import HttpWitness

        if settings.publish_to and bank.log.size():
            # One that cannot be read now holds up nothing, as with a witness out of reach.
            with suppress(StoreFault):
                bank.checkpoints.heed(open_target(settings.publish_to), settings.publish_to)

        urls = settings.witness_urls
        bank.checkpoints.ask_witnesses(
            lambda record: HttpWitness(record, urls.get(record.operator, record.url))
        )
    return bank


def _open_keys(settings: Settings, passphrase: str) -> BankKeys:
    # Each passphrase is slow to try on purpose: two at a time, on two processors. What may lie in
    # a token, which need not bear two callers at once, is asked for by this thread alone.
    with ThreadPoolExecutor(1, thread_name_prefix="keystores") as beside:
        log_mldsa44 = beside.submit(
            read_keystore, settings.keystore("log-mldsa44"), passphrase, MLDSA44
        )
        vault = beside.submit(read_keystore, settings.keystore("vault"), passphrase, PURPOSE)
        return BankKeys(
            open_key(settings.key_uri("log"), passphrase),
            log_mldsa44.result(),
            open_key(settings.key_uri("bank"), passphrase),
            vault.result(),
        )


def _check_roles(settings: Settings, public: Mapping[str, str]) -> None:
    """Refused where one of the bank's keys (Multikeys) has two roles, or is the governance's."""
    roles = {f"the {name} key": key for name, key in public.items()}
    roles |= {f"governance key {n}": key for n, key in enumerate(settings.governance, start=1)}
    check_distinct(roles)


def _own_key(settings: Settings, name: str, passphrase: str) -> str:
    """The Multikey of a key of the bank's, made in a keystore unless it is elsewhere."""
    uri = settings.key_uri(name)
    if name in settings.keys:
        return open_key(uri, passphrase).public_key.multikey
    return create_key(uri, passphrase).multikey


def _check_log_keys(bank: Bank) -> None:
    """BadSetup unless the log's keys here are those its first entry names: no other may sign it."""
    try:
        body = Entry.parse(bank.log.entry(0)).signed.statement.body
    except LedgerError:
        return  # an empty log, or one that is damaged, which an audit will tell
    if body["log"] != [str(key) for key in bank.log_keys]:
        raise BadSetup(
            f"the log's keys in {bank.settings.folder / 'keys'} are not those that the first entry "
            f"of {bank.settings.origin} names; restore log.keystore and log-mldsa44.keystore"
        )


def create_member(folder: Path, passphrase: str) -> Signer:
    """Make an institution's own key and record secret in `folder`, on its own side."""
    make_folder(folder)
    uri = key_uris(folder).get(SIGNING)
    signing = folder / f"{SIGNING}.keystore"
    records = folder / "records.keystore"
    if uri is None and not signing.exists():
        records.unlink(missing_ok=True)
        write_keystore(signing, PrivateKey.generate().seed, passphrase)
    if not records.exists():
        write_keystore(records, os.urandom(32), passphrase, RECORDS)
    return _member_key(folder, SIGNING, passphrase)


def create_approver(folder: Path, passphrase: str) -> Signer:
    """Make the key of an institution's second person in `folder`, best on another machine."""
    return _create_key(folder, APPROVER, passphrase)


def create_api_key(folder: Path, passphrase: str) -> Signer:
    """Make the key in `folder` that opens a bank's API to whoever calls it from there."""
    return _create_key(folder, API_KEY, passphrase)


def _create_key(folder: Path, name: str, passphrase: str) -> Signer:
    make_folder(folder)
    path = folder / f"{name}.keystore"
    if name not in key_uris(folder) and not path.exists():
        write_keystore(path, PrivateKey.generate().seed, passphrase)
    return _member_key(folder, name, passphrase)


def open_member(folder: Path, domain: str, admission: Admission, passphrase: str) -> Institution:
    """The institution whose keys lie in `folder`."""
    signing = _member_key(folder, SIGNING, passphrase)
    second = find_member_key(folder, APPROVER, passphrase)
    if second is not None:
        check_distinct(
            {
                f"{admission.slug}'s signing key": signing.public_key.multikey,
                f"{admission.slug}'s approver key": second.public_key.multikey,
            }
        )
    return Institution(
        domain,
        admission.slug,
        admission.names,
        signing,
        read_keystore(folder / "records.keystore", passphrase, RECORDS),
        second,
    )


def find_member_key(folder: Path, name: str, passphrase: str) -> Signer | None:
    """The key of this name in an institution's folder, or None if there is none."""
    is_there = name in key_uris(folder) or (folder / f"{name}.keystore").exists()
    return _member_key(folder, name, passphrase) if is_there else None


def _member_key(folder: Path, name: str, passphrase: str) -> Signer:
    uri = key_uris(folder).get(name) or f"file:{folder / name}.keystore"
    return open_key(uri, passphrase)


def read_admissions(path: Path) -> list[Admission]:
    """The institutions in a TOML file; BadSetup names what is wrong and where."""
    try:
        items = tomllib.loads(path.read_text(encoding="utf-8"))["institution"]
    except KeyError:
        raise BadSetup(f"{path} lists no [[institution]]") from None
    except UnicodeDecodeError as error:
        raise BadSetup(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise BadSetup(f"{path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSetup(f"{path} is not a TOML file: {error}") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadSetup(f"{path}: institutions are tables, each under the heading [[institution]]")
    admissions = []
    for number, item in enumerate(items, start=1):
        for name in ("grant", "name"):
            if not isinstance(item.get(name, {}), dict):
                raise BadSetup(f"{path}: institution {number}: {name} is not a table")
        try:
            grant = item["grant"]
            admissions.append(
                Admission(
                    str(item["slug"]),
                    {"en": str(item["name"]["en"]), "zh": str(item["name"]["zh"])},
                    check_uscc(str(item["uscc"])),
                    tuple(str(capacity) for capacity in item["capacities"]),
                    tuple(str(field) for field in grant["fields"]),
                    str(grant["level"]),
                    str(grant["from"]),
                    str(grant["until"]),
                )
            )
        except KeyError as error:
            raise BadSetup(f"{path}: institution {number} lacks {error}") from error
        except (TypeError, BadUscc) as error:
            raise BadSetup(f"{path}: institution {number}: {error}") from error
    return admissions


def admit(
    bank: Bank,
    admission: Admission,
    key: PublicKey,
    governance: Sequence[Signer],
    approver: PublicKey | None = None,
) -> None:
    """Admit an institution, grant it authority and register its keys; nothing is done twice.

    `approver` is the key of a second person, without whom it cannot revoke.
    """
    did = did_web(bank.settings.domain, "members", admission.slug)
    fields: list[Json] = list(admission.fields)
    capacities: list[Json] = list(admission.capacities)
    member: dict[str, Json] = {
        "capacities": capacities,
        "member": did,
        "name": dict(admission.names),
        "uscc": admission.uscc,
    }
    grant: dict[str, Json] = {
        "fields": fields,
        "from": admission.start,
        "level": admission.level,
        "member": did,
        "until": admission.until,
    }
    add: dict[str, Json] = {"key": key.multikey, "member": did, "person": "registrar"}
    facts = [("member.admit", member), ("grant", grant), ("key.add", add)]
    if approver is not None:
        facts.append(("key.add", {**add, "key": approver.multikey, "person": "approver"}))
    govern(bank, facts, governance)


def govern(
    bank: Bank, facts: Sequence[tuple[str, dict[str, Json]]], governance: Sequence[Signer]
) -> None:
    """Append statements of the governance; BadSetup says which was declined and why."""
    statements = [
        Statement.make(bank.settings.did, kind, body).sign(*governance) for kind, body in facts
    ]
    for (kind, _), outcome in zip(facts, bank.intake.append(statements), strict=True):
        if isinstance(outcome, Declined):
            raise BadSetup(f"{kind} was declined: {outcome.reason}")


def make_folder(path: Path) -> None:
    """Make a folder for keys, readable by its owner only; BadSetup if it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadSetup(f"the folder {path} cannot be made: {error.strerror}") from error
