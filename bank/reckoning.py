"""What the lots in accounts come to: a statement of account, qualifications, what takes them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import Engine

from bank.awards import Award, AwardState, awards_of
from bank.deposits import open_credential
from bank.errors import NoSuchThing
from bank.lots import lots_of
from bank.passbook import Passbook, closing_entry, passbook
from bank.prospects import Option, Prospects, gained_by, options, prospects
from bank.qualifications import Evaluation, evaluate_lots, usable_holdings
from bank.recognition import CurrentRules
from bank.vault import Vault
from credentials.certificate import certificate_facts
from ledger import Entry, Lot, LotState, Registry, format_time
from ledger.log import Log, entry_days
from ledger.rules import Shown
from ledger.store import reading


class Reckoning:
    """Reckons with the accounts of one learner together, as of now."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        log: Log,
        registry: Callable[[], Registry],
        rules: CurrentRules,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._log = log
        self._registry = registry
        self._rules = rules
        self._clock = clock

    def awards(self, accounts: Sequence[str]) -> list[Award]:
        """What these accounts hold, in the order of the entries; no credential is opened."""
        with reading(self._engine) as connection:
            return awards_of(connection, accounts)

    def passbook(self, accounts: Sequence[str]) -> Passbook:
        """The statement of account of these accounts together, as of now."""
        time = self._time()
        with reading(self._engine) as connection:
            found = [lot for account in accounts for lot in lots_of(connection, account)]
            # Of lots that were transferred in the day here differs from that of the award.
            wanted = [lot.award_index for lot in found if lot.kind == "transfer.in"]
            closed = (closing_entry(lot) for lot in found)
            wanted += [index for index in closed if index is not None]
            days = entry_days(connection, wanted)
        return passbook(found, days, time)

    def progress(
        self, accounts: Sequence[str], author: str, qualification: str, day: date | None = None
    ) -> Evaluation:
        """What the lots of these accounts come to under a qualification, as of a day.

        Those that can be used count: in this bank's custody, active. NoSuchThing if there is no
        such qualification.
        """
        catalogue = self._registry().catalogue
        known = catalogue.qualifications.get((author, qualification))
        if known is None:
            raise NoSuchThing(f"{author} has not published the qualification {qualification[:40]}")
        return evaluate_lots(self._lots(accounts), catalogue, known, self._clock(), day)

    def prospects(self, accounts: Sequence[str], most: int) -> Prospects:
        """How far the lots of these accounts reach under the qualifications in force, near first.

        At most `most` of them, without those they hold already; what counts is as in `progress`.
        """
        catalogue, found = self._registry().catalogue, self._lots(accounts)
        conferred = {
            (lot.facts.institution, lot.facts.unit)
            for lot in found
            if lot.state is LotState.CONFERRED
        }
        usable = usable_holdings(found, catalogue, self._time())
        return prospects(usable, catalogue, self._time(), most, conferred)

    def options(self, awards: Sequence[Award]) -> list[Option]:
        """What institutions take each usable award for, line by line, the most credits first."""
        usable = [award for award in awards if award.state(self._time()) is AwardState.USABLE]
        converted = [award.lot for award in awards if award.lot.kind == "convert"]
        entries = (Entry.parse(self._log.entry(lot.award_index)) for lot in converted)
        gained = gained_by(zip(converted, entries, strict=True))
        return options(usable, self._rules.recogniser(), self._time(), self._shown, gained)

    def _shown(self, award: Award) -> Shown:
        with reading(self._engine) as connection:
            document, _ = open_credential(connection, self._vault, award.account, award.identifier)
        facts = certificate_facts(document)
        return Shown(facts.grade, facts.awarded)

    def _lots(self, accounts: Sequence[str]) -> list[Lot]:
        with reading(self._engine) as connection:
            return [lot for account in accounts for lot in lots_of(connection, account)]

    def _time(self) -> str:
        return format_time(self._clock())
