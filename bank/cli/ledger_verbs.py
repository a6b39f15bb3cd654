"""`creditbank ledger`: audit, publish and monitor logs, and rebuild what is derived from one."""

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DASHED, DEFAULT_DATA, Data, bank_passphrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank.service import Bank
    from ledger import VerifierKey
    from ledger.audit import AuditReport
    from ledger.monitor import Monitor, SplitView
    from ledger.static import StaticLog

SPLIT_VIEW = 4
SPENT = 4

ledger_app = typer.Typer(
    name="ledger", help="Audit, publish and monitor logs.", no_args_is_help=True
)
Keys = Annotated[list[str] | None, typer.Option("--key", help="A key of the log, name+id+base64.")]


@ledger_app.command("audit")
def audit_command(
    source: Annotated[
        str, typer.Argument(help="A published log: URL or folder. Else the bank in --data.")
    ] = "",
    key: Keys = None,
    signatures: Annotated[
        bool, typer.Option(help="Check the signature of every entry too: most of the work.")
    ] = True,
    data: Data = DEFAULT_DATA,
) -> None:
    """Re-check every hash, chain link, signature and authority, and the tree.

    Of a log that is not a credit bank's, the tree and the checkpoint's signature by --key.
    """
    if source:
        tell(_audit_static(source, key or [], signatures), signatures)
        return
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data))
    try:
        tell(run_audit(bank, signatures), signatures)
    finally:
        bank.close()


@ledger_app.command("publish")
def publish_command(
    target: Annotated[
        str,
        typer.Argument(help="A folder, or s3://bucket/prefix. Else the setting 'published'."),
    ] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Publish the log as static files (C2SP tlog-tiles), only what is new, the checkpoint last."""
    from bank.errors import BadSetup
    from bank.opening import open_bank
    from bank.settings import read_settings
    from ledger.publishing import open_target, publish

    target = target or read_settings(data).publish_to
    if not target:
        raise BadSetup("say where to publish to, or set 'published' in bank.toml")
    chosen = open_target(target)
    bank = open_bank(data, bank_passphrase(data), witnessed=True)
    try:
        bank.checkpoints.gather()
        log = bank.log
        count = publish(
            chosen,
            log.checkpoint(),
            log.tile,
            lambda start, end: list(log.entries(start, end)),
            log.root,
        )
    finally:
        bank.close()
    typer.echo(f"{count} files written to {target}")


@ledger_app.command("monitor")
def monitor_command(
    source: Annotated[list[str], typer.Argument(help="Published logs: URLs or folders.")],
    key: Keys = None,
    state: Annotated[Path, typer.Option(help="Folder for what the monitor remembers.")] = Path(
        "monitor"
    ),
    every: Annotated[int, typer.Option(help="Look again every so many seconds; 0: once.")] = 0,
) -> None:
    """Follow logs: consistency with what was seen, and every new entry.

    Exit code 1: something is wrong. 4: a split view; both signed notes are kept as evidence.
    """
    from bank.opening import make_folder
    from ledger import VerifierKey
    from ledger.monitor import Monitor, SplitView
    from ledger.sources import open_source

    make_folder(state)
    keys = [VerifierKey.parse(text) for text in key or []]
    logs = [(place, open_source(place)) for place in source]
    monitor = Monitor(f"sqlite:///{state.resolve() / 'monitor.db'}")
    try:
        while True:
            try:
                wrong = _look(monitor, logs, keys)
            except SplitView as error:
                path = _keep_evidence(state, error)
                typer.echo(f"SPLIT VIEW: {error}; both notes are in {path}", err=True)
                raise typer.Exit(SPLIT_VIEW) from error
            if not every:
                break
            time.sleep(every)
    finally:
        monitor.close()
    if wrong:
        raise typer.Exit(1)


@ledger_app.command("recover")
def recover_command(
    copy: Annotated[
        str, typer.Option("--from", help="A published copy of the log: URL or folder.")
    ] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Explain what is wrong with the stored log, and repair what can be without forking."""
    from bank.cli.progress import progress
    from bank.opening import open_bank
    from ledger.sources import open_source

    bank = open_bank(data, bank_passphrase(data))
    try:
        with progress("Examining the log", bank.log.size()) as done:
            recovery = bank.upkeep.recover(open_source(copy) if copy else None, done)
    finally:
        bank.close()
    for sentence in recovery.found:
        typer.echo(f"found: {sentence}")
    for sentence in recovery.repaired:
        typer.echo(f"repaired: {sentence}")
    for sentence in recovery.left:
        typer.echo(f"NOT repaired: {sentence}", err=True)
    if recovery.left:
        raise typer.Exit(1)
    if not recovery.found and not recovery.repaired:
        typer.echo("the stored log is whole: there is nothing to repair")


@ledger_app.command("rebuild")
def rebuild_command(data: Data = DEFAULT_DATA) -> None:
    """Empty the derived tables, fold the ledger into them anew, and compare."""
    from bank.cli.progress import progress
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data))
    try:
        with progress("Folding the ledger", bank.log.size()) as done:
            same = bank.upkeep.rebuild(done)
    finally:
        bank.close()
    if not same:
        typer.echo("the derived tables differed from the ledger and were rebuilt", err=True)
        raise typer.Exit(1)
    typer.echo("the derived tables are what the ledger says")


def run_audit(bank: "Bank", signatures: bool = True) -> "AuditReport":
    """Audit with a progress bar; the result is kept if it is a whole one."""
    from bank.audits import keep_audit
    from bank.cli.progress import progress
    from bank.operator_log import SHELL, Act
    from ledger import format_time

    began = format_time(bank.now())
    with progress("Auditing the ledger", bank.log.size()) as done:
        bank.operator_log.note(Act.AUDIT_STARTED, by=SHELL)
        report = bank.upkeep.audit(done, signatures)
    if signatures:
        keep_audit(bank.settings.folder, began, format_time(bank.now()), report)
    return report


def tell(report: "AuditReport", signatures: bool = True) -> None:
    """Say what an audit found; exit code 1 if anything is wrong."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.kinds.items()))
    typer.echo(f"log       {report.origin}")
    typer.echo(f"entries   {report.size} ({kinds})")
    typer.echo(f"root      {report.root.hex()}")
    typer.echo(f"signed    {report.checkpoints} checkpoints")
    for problem in report.problems:
        typer.echo(problem, err=True)
    if not report.passed:
        typer.echo(f"audit FAILED with {len(report.problems)} problems", err=True)
        raise typer.Exit(1)
    if signatures:
        typer.echo("audit passed: every hash, chain link, signature, authority and the tree")
    else:
        typer.echo(
            "audit passed: every hash, chain link, authority and the tree; the entries' signatures "
            "were not checked"
        )


def _audit_static(source: str, key: list[str], signatures: bool) -> "AuditReport":
    from bank.cli.progress import progress
    from ledger import Checkpoint, VerifierKey, open_note
    from ledger.audit import audit, audit_tree
    from ledger.sources import open_source

    log = open_source(source)
    keys = [VerifierKey.parse(text) for text in key]
    note = log.checkpoint()
    size = Checkpoint.parse(open_note(note, ()).text).size
    faults: list[str] = []
    with progress("Auditing the log", size) as done:
        if keys:
            report = audit_tree(log.checked_entries(size, faults), note, keys, done)
        if not keys or (report.passed and _is_credit_bank(log, size)):
            faults.clear()
            report = audit(log.checked_entries(size, faults), [note], done, signatures=signatures)
    return replace(report, problems=(*report.problems, *faults))


def _is_credit_bank(log: "StaticLog", size: int) -> bool:
    from ledger import Entry, LedgerError

    try:
        first = next(iter(log.entries(0, 1, size)))
        return Entry.parse(first).signed.statement.kind == "log.open"
    except (LedgerError, StopIteration):
        return False


def _look(
    monitor: "Monitor", logs: "Sequence[tuple[str, StaticLog]]", keys: "Sequence[VerifierKey]"
) -> int:
    """How much is wrong; a place that fails keeps nobody from looking at the others."""
    from ledger import LedgerError
    from ledger.monitor import SplitView, compare

    wrong = 0
    for place, log in logs:
        try:
            wrong += _follow(monitor, place, log, keys)
        except SplitView:
            raise
        except LedgerError as error:
            typer.echo(f"{place}: {error}", err=True)
            wrong += 1
    try:
        if len(logs) > 1:
            compare(logs, keys)
    except SplitView:
        raise
    except LedgerError as error:
        typer.echo(f"the places could not be compared: {error}", err=True)
        wrong += 1
    return wrong


def _follow(
    monitor: "Monitor", place: str, log: "StaticLog", keys: "Sequence[VerifierKey]"
) -> bool:
    from bank.cli.progress import progress

    with progress(f"Following {place}", 0) as done:
        followed = monitor.follow(log, keys, done)
    for problem in followed.problems:
        typer.echo(f"{followed.origin}: {problem}", err=True)
    if not followed.problems:
        typer.echo(f"{followed.origin}: {followed.old} entries known, {followed.new} now, all good")
    return bool(followed.problems)


def _keep_evidence(state: Path, split: "SplitView") -> Path:
    path = state / f"split-view-{int(time.time())}.txt"
    first, second = split.notes
    path.write_text(f"{split}\n\n{first}\n{second}", encoding="utf-8")
    return path


@ledger_app.command("commit-lots")
def commit_lots_command(data: Data = DEFAULT_DATA) -> None:
    """Put the root of the map of all lots on the log, for proofs of what is unspent."""
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        made = bank.lot_map.commit()
    typer.echo(f"the map of lots after {made.size} entries has the root {made.root.hex()}")


@ledger_app.command("prove-unspent", context_settings=DASHED)
def prove_unspent_command(
    lot: Annotated[str, typer.Argument(help="The lot, as 'creditbank learners' lists it.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("out/lot.proof"),
    data: Data = DEFAULT_DATA,
) -> None:
    """Write evidence of where a lot stands, that anyone can check offline."""
    from bank.opening import open_bank
    from verifier.whole_file import write_whole

    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        bank.checkpoints.gather()
        evidence = bank.lot_map.prove(lot)
    typer.echo(str(write_whole(out, evidence.encode())))


@ledger_app.command("check-unspent")
def check_unspent_command(
    file: Annotated[Path, typer.Argument(help="What prove-unspent wrote.")],
    trust: Annotated[Path, typer.Option(help="The bank's trust bundle.")],
) -> None:
    """Check such evidence offline.

    Exit code 0: unspent; 1: it does not hold; 4: spent, or absent.
    """
    from verifier import open_trust
    from verifier.files import read_limited
    from verifier.lot_standing import check_standing
    from verifier.sentences import sentence
    from verifier.trust_file import naming, read_trust

    with naming(trust):
        opened = open_trust(read_trust(trust))
    found = check_standing(read_limited(file).decode("utf-8", "replace"), opened)
    typer.echo(found.sentence)
    typer.echo(sentence(found.witnesses.code, "en", found.witnesses.values))
    if not found.unspent:
        raise typer.Exit(SPENT)
