"""Making and opening banks and members on disk: folders, keystores, settings."""

import os
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bank.errors import BadSetup
from bank.institution import RECORDS, Institution, Submission
from bank.service import Bank, BankKeys
from bank.settings import FILE, Settings, read_settings, write_settings
from bank.uscc import BadUscc, check_uscc
from bank.vault import PURPOSE
from keys import (
    Json,
    PrivateKey,
    PublicKey,
    Signer,
    did_web,
    open_signer,
    read_keystore,
    write_keystore,
)
from ledger import Entry, LedgerError, Slot, Statement, StoreFault
from ledger.publishing import open_target
from ledger.sequencer import Declined, Outcome

APPROVER = "approver.keystore"
"""The key of an institution's second person."""
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
        return self._bank.slots(institution.did, lots)

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append statements and deposit credentials; one outcome each, in order."""
        return self._bank.submit(submissions)

    def submit_together(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `submit`, but all of them or none."""
        return self._bank.submit_together(submissions)


def create_bank(
    folder: Path,
    domain: str,
    names: dict[str, str],
    governance: Sequence[str],
    threshold: int,
    passphrase: str,
) -> Settings:
    """Make a bank's folder, keys and settings; BadSetup if one is there already.

    The origin names the log's own key, so a log made anew never passes for an older one.
    """
    if (folder / FILE).exists():
        raise BadSetup(f"there is a bank in {folder} already")
    if (folder / "bank.db").exists():
        # Its keys go with it: without them nobody would read or continue it again.
        raise BadSetup(f"{folder} holds a bank whose {FILE} is missing; restore that file")
    did_web(domain)
    if len(set(governance)) < len(governance):
        raise BadSetup("the same governance key is given twice")
    if not 0 < threshold <= len(governance):
        raise BadSetup(f"{len(governance)} governance keys cannot give {threshold} signatures")
    make_folder(folder)
    make_folder(folder / "keys")
    log, bank = PrivateKey.generate(), PrivateKey.generate()
    later = os.urandom(32)
    origin = f"{domain}/{log.public_key.raw.hex()[:8]}"
    values: dict[str, str | int | list[str]] = {
        "domain": domain,
        "origin": origin,
        "name_en": names["en"],
        "name_zh": names["zh"],
        "governance": list(governance),
        "threshold": threshold,
        "database": "sqlite:///bank.db",
    }
    settings = Settings.model_validate({"folder": folder, **values})
    for name in ("log", "log-mldsa44", "bank", "vault"):
        settings.keystore(name).unlink(missing_ok=True)
    write_keystore(settings.keystore("log"), log.seed, passphrase)
    write_keystore(settings.keystore("log-mldsa44"), later, passphrase, MLDSA44)
    write_keystore(settings.keystore("bank"), bank.seed, passphrase)
    write_keystore(settings.keystore("vault"), os.urandom(32), passphrase, PURPOSE)
    write_settings(folder, **values)
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
    keys = BankKeys(
        open_signer(f"file:{settings.keystore('log')}", passphrase),
        read_keystore(settings.keystore("log-mldsa44"), passphrase, MLDSA44),
        open_signer(f"file:{settings.keystore('bank')}", passphrase),
        read_keystore(settings.keystore("vault"), passphrase, PURPOSE),
    )
    bank = Bank(settings, keys, clock)
    try:
        _check_log_keys(bank)
    except BadSetup:
        bank.close()
        raise
    if witnessed:
        from bank.witnesses import HttpWitness

        if settings.publish_to and bank.log.size():
            # One that cannot be read now holds up nothing, as with a witness out of reach.
            with suppress(StoreFault):
                bank.heed(open_target(settings.publish_to), settings.publish_to)

        urls = settings.witness_urls
        bank.ask_witnesses(
            lambda record: HttpWitness(record, urls.get(record.operator, record.url))
        )
    return bank


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
    signing = folder / "signing.keystore"
    if not signing.exists():
        (folder / "records.keystore").unlink(missing_ok=True)
        write_keystore(folder / "records.keystore", os.urandom(32), passphrase, RECORDS)
        write_keystore(signing, PrivateKey.generate().seed, passphrase)
    return open_signer(f"file:{signing}", passphrase)


def create_approver(folder: Path, passphrase: str) -> Signer:
    """Make the key of an institution's second person in `folder`, best on another machine."""
    make_folder(folder)
    path = folder / APPROVER
    if not path.exists():
        write_keystore(path, PrivateKey.generate().seed, passphrase)
    return open_signer(f"file:{path}", passphrase)


def open_member(folder: Path, domain: str, admission: Admission, passphrase: str) -> Institution:
    """The institution whose keys lie in `folder`."""
    second = folder / APPROVER
    return Institution(
        domain,
        admission.slug,
        admission.names,
        open_signer(f"file:{folder / 'signing.keystore'}", passphrase),
        read_keystore(folder / "records.keystore", passphrase, RECORDS),
        open_signer(f"file:{second}", passphrase) if second.exists() else None,
    )


def read_admissions(path: Path) -> list[Admission]:
    """The institutions in a TOML file; BadSetup names what is wrong and where."""
    try:
        items = tomllib.loads(path.read_text(encoding="utf-8"))["institution"]
    except KeyError:
        raise BadSetup(f"{path} lists no [[institution]]") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetup(f"{path} cannot be read: {error}") from error
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
    for (kind, _), outcome in zip(facts, bank.append(statements), strict=True):
        if isinstance(outcome, Declined):
            raise BadSetup(f"{kind} was declined: {outcome.reason}")


def make_folder(path: Path) -> None:
    """Make a folder for keys, readable by its owner only; BadSetup if it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadSetup(f"the folder {path} cannot be made: {error.strerror}") from error
