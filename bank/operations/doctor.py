"""Every check of a deployment, in the order in which one would put things right.

Nothing is changed, and nothing but the witnesses, the database and the published copy is asked.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import httpx

from bank.errors import BadSetup
from bank.opening import MLDSA44
from bank.operations.finding import Finding, ok, problem, warning
from bank.operations.folder_checks import (
    check_address,
    check_backup,
    check_disk,
    check_folder,
    check_keystores,
)
from bank.operations.store_checks import (
    check_audit,
    check_identity,
    check_published,
    check_roles,
    check_signing,
    check_trust,
    ed25519_log_key,
    open_database,
)
from bank.operations.witness_checks import WitnessRound
from bank.settings import Settings, read_settings
from bank.vault import PURPOSE
from keys import KeysError, open_signer, read_keystore
from ledger import LedgerError, Registry
from ledger.log import Log
from ledger.registry_view import RegistryView

_CHOOSE = "give CREDITBANK_PASSPHRASE_FILE to have them tried"


def examine(
    folder: Path, passphrase: str | None, clock: Callable[[], datetime], http: httpx.Client
) -> Iterator[Finding]:
    """The findings one by one; without a passphrase the keystores are not opened."""
    try:
        settings = read_settings(folder)
    except BadSetup as error:
        yield problem("settings", str(error), "docs/configuration.md says what each is")
        return
    yield ok("settings", f"{folder} is the bank of {settings.domain}")
    yield from check_folder(settings)
    yield from check_keystores(settings)
    yield from check_disk(settings)
    yield from check_address(settings)
    yield from check_backup(settings, clock())
    yield from check_audit(settings, clock())
    engine, findings = open_database(settings)
    yield from findings
    if engine is None:
        return
    try:
        log, registry = Log(engine), RegistryView(engine).now()
        yield from check_identity(settings, registry)
        yield from check_roles(registry)
        yield from check_signing(log)
        yield from check_opening(settings, registry, passphrase)
        yield from check_trust(engine, clock())
        yield from check_published(settings, registry, log, clock())
        witnesses = WitnessRound(settings, registry, log, clock, http)
        yield from witnesses.check()
        yield from witnesses.check_clock()
    except LedgerError as error:
        yield problem("log", str(error), "run 'creditbank ledger recover', which explains it")
    finally:
        engine.dispose()


def check_opening(
    settings: Settings, registry: Registry, passphrase: str | None
) -> Iterator[Finding]:
    """Whether the keystores open, and the log's is the one its first entry names."""
    if passphrase is None:
        yield warning("keys", "the keystores were not opened, for want of a passphrase", _CHOOSE)
        return
    remedy = "give the right passphrase, or restore the keystore; see the runbook 'lost key'"
    try:
        signer = open_signer(f"file:{settings.keystore('log')}", passphrase)
        open_signer(f"file:{settings.keystore('bank')}", passphrase)
        read_keystore(settings.keystore("log-mldsa44"), passphrase, MLDSA44)
        read_keystore(settings.keystore("vault"), passphrase, PURPOSE)
    except KeysError as error:
        yield problem("keys", str(error), remedy)
        return
    if signer.public_key.raw != ed25519_log_key(registry):
        yield problem(
            "keys", "log.keystore is not the key that the log's first entry names", remedy
        )
    else:
        yield ok("keys", "the keystores open, and the log's key is its own")
