"""Signing checkpoints of the log, and having witnesses cosign them."""

from collections.abc import Callable, Sequence

from bank.condition import Witnessed, witnessed
from bank.operator_log import Act, OperatorLog
from keys import Json
from ledger import Registry, VerifierKey, WitnessRecord
from ledger.checkpointer import Checkpointer
from ledger.log import Log
from ledger.publishing import Target, published_at
from ledger.witnessing import Witnessing, WitnessPort


class Checkpoints:
    """Signs what was committed, unless another history of this log was seen."""

    def __init__(
        self,
        checkpointer: Checkpointer,
        log: Log,
        log_keys: Sequence[VerifierKey],
        registry: Callable[[], Registry],
        operator_log: OperatorLog,
    ) -> None:
        self._checkpointer = checkpointer
        self._log = log
        self._log_keys = log_keys
        self._registry = registry
        self._operator_log = operator_log
        self._witnessing: Witnessing | None = None

    def close(self) -> None:
        """Ask the witnesses no more."""
        if self._witnessing is not None:
            self._witnessing.close()

    def sign(self) -> str:
        """A signed checkpoint of everything committed."""
        return self._checkpointer.sign()

    def check(self) -> None:
        """StoreFault where nothing is to be signed."""
        self._checkpointer.check()

    @property
    def halted(self) -> str:
        """Why checkpoints are signed no more, or empty."""
        return self._checkpointer.halted

    def heed(self, target: Target, where: str) -> None:
        """Sign nothing from now on if what is published at `target` is more than is stored here.

        StoreFault where it cannot be read.
        """
        seen = published_at(target, self._log_keys, self._log.size(), self._log.root)
        if seen is not None and seen.contradiction:
            self._checkpointer.halt(
                f"{seen.contradiction} at {where}: the store was restored from an old backup, or "
                "another signer holds this log's key; nothing is signed any more, see 'creditbank "
                "ledger recover'"
            )

    def ask_witnesses(self, reach: Callable[[WitnessRecord], WitnessPort]) -> None:
        """Have every checkpoint cosigned by the witnesses on the ledger, from now on.

        StoreFault, and nothing is signed, where one of them has seen another history.
        """
        registry = self._registry()
        if not registry.witnesses:
            return
        operators: list[Json] = [*sorted(registry.witnesses)]
        asked: dict[str, Json] = {"quorum": registry.quorum, "witnesses": operators}
        self._operator_log.note_change(Act.WITNESSES, asked, quorum=registry.quorum)
        ports = [reach(record) for _, record in sorted(registry.witnesses.items())]
        if self._witnessing is not None:
            self._witnessing.close()
        self._witnessing = Witnessing(
            self._log, self._checkpointer, self._log_keys, ports, registry.quorum
        )
        self._witnessing.start()

    def gather(self) -> bool:
        """Wait for the witnesses to cosign the newest checkpoint; whether a quorum did."""
        return self._witnessing is None or self._witnessing.gather()

    def nudge(self) -> None:
        """Have the witnesses asked at once."""
        if self._witnessing is not None:
            self._witnessing.nudge()

    def witnessed(self) -> Witnessed:
        """How far each witness is; NotFound before the first checkpoint."""
        asked = self._witnessing
        return witnessed(
            self._registry(),
            self._log.signed(),
            self._log.checkpoint(),
            self._log_keys,
            asked.reached() if asked else None,
            asked.health() if asked else {},
        )
