"""How a bank is at this moment, and whether it can take anything."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from bank.checkpoints import Checkpoints
from bank.condition import Condition, free_space
from bank.schema import NEWEST, version
from ledger import LedgerError, format_time
from ledger.group_commit import GroupCommit
from ledger.log import Log
from ledger.store_facts import store_facts


class Health:
    """What its operator, and whatever balances load, ask of a bank."""

    def __init__(
        self,
        engine: Engine,
        log: Log,
        folder: Path,
        group: GroupCommit,
        checkpoints: Checkpoints,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._log = log
        self._folder = folder
        self._group = group
        self._checkpoints = checkpoints
        self._clock = clock

    def condition(self) -> Condition:
        """The store, the queue and the witnesses at this moment; BadSetup before the log is open.

        NotFound before the first checkpoint.
        """
        return Condition(
            format_time(self._clock()),
            store_facts(self._engine),
            free_space(self._folder),
            self._log.size(),
            self._group.state(),
            self._checkpoints.halted,
            self._checkpoints.witnessed(),
        )

    def refusal(self) -> str:
        """Why nothing can be appended at this moment, or empty; nothing is written to find out."""
        if self._checkpoints.halted:
            return self._checkpoints.halted
        try:
            step = version(self._engine)
            size, signed = self._log.size(), self._log.signed_size()
        except LedgerError as error:
            return str(error)
        if step is None or step < NEWEST:
            return f"the database has the shape {step or 'of nothing'}, this program wants {NEWEST}"
        if size < signed:
            return f"the store holds {size} entries, fewer than the {signed} already signed"
        return ""

    def watch_commits(self, watch: Callable[[float], None]) -> None:
        """Have `watch` told how many seconds each commit of the log takes."""
        self._group.watch = watch
