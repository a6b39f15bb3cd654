"""What a bank's folder shows without its database: permissions, keystores, room, address."""

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bank.condition import free_space
from bank.operations.backup_record import read_last_backup
from bank.operations.finding import Finding, graded, ok, problem, warning
from bank.settings import Settings
from ledger import parse_time

KEYSTORES = ("log", "log-mldsa44", "bank", "vault")
_LITTLE, _NONE = 2 * 1024**3, 256 * 1024**2
_BACKUP_AGE, _BACKUP_OLD = timedelta(days=1, hours=6), timedelta(days=7)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_folder(settings: Settings) -> Iterator[Finding]:
    """Who may read the folder."""
    mode = stat.S_IMODE(settings.folder.stat().st_mode)
    remedy = f"chmod 700 {settings.folder}"
    if mode & 0o007:
        yield problem("folder", f"everybody on this machine may enter {settings.folder}", remedy)
    elif mode & 0o070:
        yield warning("folder", f"its group may enter {settings.folder}", remedy)
    else:
        yield ok("folder", f"only its owner may enter {settings.folder}")


def check_keystores(settings: Settings) -> Iterator[Finding]:
    """Whether the bank's keystores are there, and readable by their owner alone."""
    wrong = False
    for path in (settings.keystore(name) for name in KEYSTORES):
        if not path.is_file():
            wrong = True
            yield problem(
                "keystores",
                f"{path} is missing",
                "restore it from where it was kept apart; see the runbook 'lost key'",
            )
        elif stat.S_IMODE(path.stat().st_mode) & 0o077:
            wrong = True
            yield problem("keystores", f"others may read {path}", f"chmod 600 {path}")
    if (settings.folder / "passphrase").exists():
        wrong = True
        yield warning(
            "keystores",
            "their passphrase lies in the same folder",
            "keep it elsewhere and name that file in CREDITBANK_PASSPHRASE_FILE",
        )
    if not wrong:
        yield ok("keystores", f"all {len(KEYSTORES)} are there, readable by their owner alone")


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Whether there is room where the folder is."""
    free = free_space(settings.folder)
    sentence = f"{free / 1024**3:.1f} GiB are free where {settings.folder} is"
    remedy = "make room or move the folder; see the runbook 'disk full'"
    yield graded("disk", sentence, remedy, bad=free < _NONE, poor=free < _LITTLE)


def check_backup(settings: Settings, now: datetime) -> Iterator[Finding]:
    """How old the last backup is."""
    last = read_last_backup(settings.folder)
    remedy = "run 'creditbank bank backup ARCHIVE' every day, and keep what it makes elsewhere"
    if last is None:
        yield problem("backup", "no backup was ever made", remedy)
        return
    age = now - parse_time(last.time)
    sentence = f"the last one was made at {last.time} and has {last.entries} entries"
    yield graded("backup", sentence, remedy, bad=age > _BACKUP_OLD, poor=age > _BACKUP_AGE)


def check_address(settings: Settings) -> Iterator[Finding]:
    """Whether people and wallets can be sent to the bank's address."""
    url = urlsplit(settings.public_url)
    host = url.hostname or ""
    if host in _LOOPBACK:
        yield warning(
            "address",
            f"{settings.public_url} is this machine alone",
            "set public_url to where the bank is reached from outside",
        )
    elif url.scheme != "https":
        yield problem(
            "address",
            f"{settings.public_url} is not HTTPS: credentials and sign-ins would travel in clear",
            "put a server with a certificate before the bank and set public_url to its address",
        )
    elif host.endswith((".example", ".test", ".invalid")):
        yield warning(
            "address",
            f"{host} is a name for examples, which nobody can reach",
            "set public_url; the domain itself is fixed by the first entry of the log",
        )
    else:
        yield ok("address", settings.public_url)
    host = settings.metrics.rpartition(":")[0]
    if host and host.strip("[]") not in _LOOPBACK:
        yield warning(
            "metrics",
            f"the figures are shown to whoever reaches {settings.metrics}",
            "keep that port inside your own network, or set metrics to a loopback address",
        )
    elif not host:
        yield warning(
            "metrics", "nobody can watch this server", "set metrics to 127.0.0.1:8401, say"
        )
    else:
        yield ok("metrics", f"they are at http://{settings.metrics}/metrics")
