"""What the operator has done to the log and its tables: audits, recovery, folding them anew."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine

from bank.lot_projection import LotProjection, clear, digest
from bank.operator_log import Act, OperatorLog
from ledger import Entry, VerifierKey
from ledger.audit import AuditReport, audit
from ledger.log import Log
from ledger.recovery import Recovery, recover
from ledger.registry_view import RegistryView
from ledger.sequencer import Sequencer
from ledger.static import StaticLog
from ledger.store import writing

_REPLAY = 1000


class Upkeep:
    """Looks through the stored log, and mends what follows from it."""

    def __init__(
        self,
        engine: Engine,
        log: Log,
        log_keys: Sequence[VerifierKey],
        sequencer: Sequencer,
        registry: RegistryView,
        projection: LotProjection,
        operator_log: OperatorLog,
    ) -> None:
        self._engine = engine
        self._log = log
        self._log_keys = log_keys
        self._sequencer = sequencer
        self._registry = registry
        self._projection = projection
        self._operator_log = operator_log

    def audit(
        self, progress: Callable[[int], None] = lambda done: None, signatures: bool = True
    ) -> AuditReport:
        """Recheck the whole log as an outsider would; the entries' signatures can be left out."""
        entries, notes = self._log.entries(), self._log.checkpoints()
        return audit(entries, notes, progress, signatures=signatures)

    def recover(
        self, copy: StaticLog | None, progress: Callable[[int], None] = lambda done: None
    ) -> Recovery:
        """Examine the stored log, repair it from a published copy, and fold it anew."""
        recovery = recover(self._engine, self._log_keys, copy, progress)
        repaired, left = len(recovery.repaired), len(recovery.left)
        self._operator_log.note(Act.LOG_RECOVERED, repaired=repaired, left=left)
        if recovery.repaired:
            self._sequencer.forget()
            self._registry.forget()
            self.rebuild()
        return recovery

    def rebuild(self, progress: Callable[[int], None] = lambda done: None) -> bool:
        """Fold the log into the derived tables anew; whether they were the same before."""
        with writing(self._engine) as connection:
            before = digest(connection)
            clear(connection)
            batch: list[Entry] = []
            done = 0
            for data in self._log.entries():
                batch.append(Entry.parse(data))
                if len(batch) == _REPLAY:
                    _replay(self._projection, connection, batch)
                    done += len(batch)
                    progress(done)
                    batch = []
            _replay(self._projection, connection, batch)
            progress(done + len(batch))
            same = digest(connection) == before
            self._operator_log.record(connection, Act.LOG_REBUILT, same=int(same))
            return same


def _replay(projection: LotProjection, connection: Connection, batch: Sequence[Entry]) -> None:
    fold = projection.replay(connection, [entry.signed for entry in batch])
    for entry in batch:
        fold.take(entry)
    fold.flush()
