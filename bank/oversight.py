"""What those who watch over a bank look at, kept while the server runs: reports, audits, errors."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, func, select

from bank.audits import Audits, Run
from bank.per_size import PerSize, Progress
from bank.proposal_tray import ProposalTray
from bank.recent_errors import RecentErrors
from bank.reports import Report, make_report
from bank.tables import lots
from ledger.log import Log
from ledger.store import reading


class Oversight:
    """The regulator's report, audits, the last errors, and proposals that wait for signatures."""

    def __init__(
        self, engine: Engine, log: Log, folder: Path, audit: Run, clock: Callable[[], datetime]
    ) -> None:
        def report(size: int, progress: Progress) -> Report:
            return make_report(log.entries(0, size), progress=progress)

        def count(size: int, progress: Progress) -> int:
            with reading(engine) as connection:
                query = select(func.count()).select_from(lots)
                return int(connection.execute(query).scalar_one())

        self.report = PerSize(log.size, report, clock)
        self.lots = PerSize(log.size, count, clock)
        """How many lots there are."""
        self.audits = Audits(audit, log.size, clock, folder)
        self.errors = RecentErrors(clock)
        self.proposals = ProposalTray(folder / "proposals")

    def close(self) -> None:
        """Break off what is being computed."""
        self.report.close()
        self.lots.close()
        self.audits.close()
