"""What the database and the log in it show: reachable, durable, at the newest step, published."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select

from bank.audits import last_audit
from bank.operations.finding import Finding, graded, ok, problem, warning
from bank.schema import NEWEST, version
from bank.settings import Settings, database_url
from bank.tables import trust_bundles
from ledger import Entry, LedgerError, Registry, parse_time
from ledger.log import Log
from ledger.note import ED25519
from ledger.publishing import open_target, published_at
from ledger.store import open_store, reading
from ledger.store_facts import store_facts
from verifier import VerifierError, open_trust

_SOON = timedelta(days=7)
_AUDIT_AGE, _AUDIT_OLD = timedelta(days=8), timedelta(days=31)
_UNPUBLISHED = timedelta(days=1)


def open_database(settings: Settings) -> tuple[Engine | None, list[Finding]]:
    """The database, if it is there, durable and at the newest step; nothing in it is changed."""
    url = database_url(settings)
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).is_file():
        remedy = (
            "restore a backup with 'creditbank bank restore', or see 'creditbank ledger recover'"
        )
        return None, [problem("database", f"{path} is missing", remedy)]
    try:
        engine = open_store(url)
    except LedgerError as error:
        remedy = "start the database, or correct its settings or the setting 'database'"
        return None, [problem("database", str(error), remedy)]
    try:
        facts = store_facts(engine)
        step = version(engine)
    except LedgerError as error:
        engine.dispose()
        return None, [problem("database", str(error), "see the database's own log")]
    shown = ", ".join(f"{name} {value}" for name, value in facts.settings)
    found = [
        ok("database", f"{facts.kind} {facts.version} answers"),
        ok("durability", f"a commit is on the disk ({shown})"),
    ]
    if step == NEWEST:
        return engine, [*found, ok("migrations", f"the database has the shape {step}")]
    engine.dispose()
    if step is not None and step > NEWEST:
        sentence = f"the database has the shape {step}, this program knows up to {NEWEST}"
        return None, [*found, problem("migrations", sentence, "use the newer program")]
    sentence = f"the database has the shape {step or 'of nothing'}, this program wants {NEWEST}"
    remedy = "make a backup, then start the server, which brings it there"
    return None, [*found, problem("migrations", sentence, remedy)]


def check_identity(settings: Settings, registry: Registry) -> Iterator[Finding]:
    """Whether the settings say what the log's first entry says."""
    identity = registry.identity
    if identity is None:
        yield problem("log", "the log was never opened", "run 'creditbank bank create'")
        return
    pairs = (
        ("domain", settings.domain, identity.domain),
        ("origin", settings.origin, identity.origin),
        ("governance", set(settings.governance), set(identity.governance)),
        ("threshold", settings.threshold, identity.threshold),
    )
    wrong = [name for name, ours, theirs in pairs if ours != theirs]
    if wrong:
        yield problem(
            "log",
            f"{', '.join(wrong)} differ from what the log's first entry says",
            "put back what bank.toml said when the bank was created",
        )
    else:
        yield ok("log", f"{identity.origin} is the log of these settings")


def check_roles(registry: Registry) -> Iterator[Finding]:
    """Whether no key serves in two roles."""
    roles = registry.roles()
    shared = roles.shared()
    if shared:
        told = "; ".join(" and ".join(holders) for holders in shared)
        remedy = (
            "give each a key of its own and retire the shared one; see the runbook 'stolen key'"
        )
        yield problem("key roles", f"the same key serves {told}", remedy)
    elif registry.identity is not None:
        yield ok("key roles", f"{len(roles.keys)} keys, none in two roles")


def check_signing(log: Log) -> Iterator[Finding]:
    """Whether what is committed is signed, and nothing more was signed than is there."""
    head, signed = log.head(), log.signed_size()
    size = head.size
    if log.root(size) != head.root:
        yield problem(
            "checkpoint",
            f"the stored tree of {size} entries has not the root in the head row",
            "run 'creditbank ledger recover', which explains it",
        )
    elif signed > size:
        yield problem(
            "checkpoint",
            f"{signed} entries were signed and the store holds {size}",
            "run 'creditbank ledger recover'; see the runbook 'restored backup'",
        )
    elif signed < size:
        yield warning(
            "checkpoint",
            f"{size} entries are there and {signed} are signed",
            "start the server, which signs them; if that is refused it says why",
        )
    else:
        yield ok("checkpoint", f"all {size} entries are under a signed checkpoint")


def check_trust(engine: Engine, now: datetime) -> Iterator[Finding]:
    """How long the newest trust bundle is good."""
    remedy = "have the governance sign a new one: 'creditbank trust export'"
    with reading(engine) as connection:
        query = select(trust_bundles.c.data).order_by(trust_bundles.c.version.desc()).limit(1)
        data = connection.execute(query).scalar_one_or_none()
    if data is None:
        yield problem("trust", "the governance has not signed a trust bundle yet", remedy)
        return
    try:
        trust = open_trust(bytes(data))
    except VerifierError as error:
        yield problem("trust", f"the newest trust bundle does not open: {error}", remedy)
        return
    sentence = (
        f"version {trust.version} of {trust.issued:%Y-%m-%d}, good until {trust.expires:%Y-%m-%d}"
    )
    is_late = trust.expires - now < _SOON or trust.next_update < now
    yield graded("trust", sentence, remedy, bad=trust.expires <= now, poor=is_late)


def check_audit(settings: Settings, now: datetime) -> Iterator[Finding]:
    """How the last audit ended, and when."""
    last = last_audit(settings.folder)
    remedy = "run 'creditbank ledger audit' every week"
    if last is None:
        yield warning("audit", "no audit was ever made", remedy)
        return
    age = now - parse_time(last.ended)
    sentence = f"the last one ended at {last.ended} after {last.size} entries"
    if not last.passed:
        what = last.fault or f"it found {len(last.problems)} problems"
        yield problem("audit", f"{sentence}: {what}", "run 'creditbank ledger recover'")
    elif age > _AUDIT_OLD:
        yield problem("audit", sentence, remedy)
    elif age > _AUDIT_AGE:
        yield warning("audit", sentence, remedy)
    else:
        yield ok("audit", f"{sentence}, and passed")


def check_published(
    settings: Settings, registry: Registry, log: Log, now: datetime
) -> Iterator[Finding]:
    """Whether the published copy is this log, and up to date."""
    target, remedy = settings.publish_to, "run 'creditbank ledger publish', every hour, say"
    if not target:
        remedy = "set 'published' to a folder or s3://bucket/prefix, and publish there"
        yield warning("published", "the log is published nowhere: nothing can be restored", remedy)
        return
    size, log_keys = log.size(), registry.identity.log_keys if registry.identity else ()
    try:
        seen = published_at(open_target(target), log_keys, size, log.root)
    except LedgerError as error:
        yield problem("published", str(error), "see whether the target can be reached and is whole")
        return
    recover = (
        f"run 'creditbank ledger recover --from {target}'; see the runbooks 'restored backup' and "
        "'split view found'"
    )
    if seen is None:
        yield problem("published", f"nothing is published at {target} yet", remedy)
    elif seen.contradiction:
        yield problem("published", seen.contradiction, recover)
    elif seen.size < size and now - _time(log, seen.size) > _UNPUBLISHED:
        yield warning("published", f"{size - seen.size} entries are not published yet", remedy)
    else:
        yield ok("published", f"{seen.size} of {size} entries are at {target}")


def _time(log: Log, index: int) -> datetime:
    return parse_time(Entry.parse(log.entry(index)).time)


def ed25519_log_key(registry: Registry) -> bytes | None:
    """The log's Ed25519 key by its first entry."""
    keys = registry.identity.log_keys if registry.identity else ()
    return next((key.raw for key in keys if key.kind == ED25519), None)
