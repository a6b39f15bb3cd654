"""What the witnesses say: whether they answer, how far they have seen, what time it is there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from bank.condition import Witnessed, witnessed
from bank.operations.finding import Finding, ok, problem, warning
from bank.settings import Settings
from bank.witnesses import HttpWitness
from ledger import (
    Checkpoint,
    Entry,
    LedgerError,
    NotFound,
    Registry,
    VerifierKey,
    open_note,
    parse_time,
)
from ledger.log import Log

_PATIENCE = timedelta(hours=1)
_SKEW, _WRONG = timedelta(seconds=5), timedelta(minutes=1)


class WitnessRound:
    """Every witness asked once for the newest note it cosigned of this log."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        log: Log,
        clock: Callable[[], datetime],
        http: httpx.Client,
    ) -> None:
        """Ask them, one after the other."""
        self._registry, self._log, self._clock = registry, log, clock
        self.skews: dict[str, timedelta] = {}
        """How far each witness's clock is ahead of ours."""
        self.reached: dict[str, int] = {}
        self.troubles: dict[str, str] = {}
        self.contradictions: list[str] = []
        log_keys = registry.identity.log_keys if registry.identity else ()
        for name, record in sorted(registry.witnesses.items()):
            heard: list[datetime] = []
            http.event_hooks = {"response": [lambda answer, to=heard: self._hear(answer, to)]}
            witness = HttpWitness(record, settings.witness_urls.get(name, record.url), http)
            try:
                self._take(name, witness.newest(settings.origin), log_keys)
            except LedgerError as error:
                self.troubles[name] = str(error)
            if heard:
                self.skews[name] = heard[0] - clock()

    def _hear(self, answer: httpx.Response, heard: list[datetime]) -> None:
        date = answer.headers.get("date", "")
        try:
            heard.append(parsedate_to_datetime(date).astimezone(UTC))
        except ValueError:
            return

    def _take(self, name: str, note: str | None, log_keys: tuple[VerifierKey, ...]) -> None:
        self.reached[name] = 0
        if note is None:
            return
        opened = open_note(note, log_keys)
        if not opened.signatures:
            self.troubles[name] = "what it cosigned last is not signed by this log's key"
            return
        seen = Checkpoint.parse(opened.text)
        self.reached[name] = seen.size
        if seen.size > self._log.size():
            self.contradictions.append(
                f"{name} has seen {seen.size} entries, the store holds fewer"
            )
        elif self._log.root(seen.size) != seen.root:
            self.contradictions.append(f"{name} has seen another history of {seen.size} entries")

    def standing(self) -> Witnessed | None:
        """How far each is, as the operator's page shows it; None before the first checkpoint."""
        log_keys = self._registry.identity.log_keys if self._registry.identity else ()
        try:
            signed, shown = self._log.signed(), self._log.checkpoint()
        except NotFound:
            return None
        return witnessed(self._registry, signed, shown, log_keys, self.reached, self.troubles)

    def check(self) -> Iterator[Finding]:
        """Reachable, consistent, not behind, and enough of them."""
        quorum, now = self._registry.quorum, self._clock()
        standing = self.standing()
        if not self._registry.witnesses or standing is None:
            remedy = "have a sister bank run a witness and admit it: 'creditbank witness admit'"
            yield warning("witnesses", "nobody witnesses this log", remedy)
            return
        for sentence in self.contradictions:
            remedy = (
                "stop appending; run 'creditbank ledger recover', and see the runbooks "
                "'restored backup' and 'split view found'"
            )
            yield problem("witnesses", sentence, remedy)
        late = False
        for item in standing.witnesses:
            if item.trouble:
                late = True
                remedy = f"ask {item.operator} whether it runs; see the runbook 'sister bank gone'"
                yield warning("witnesses", item.trouble, remedy)
            elif item.behind and now - self._since(item.reached) > _PATIENCE:
                late = True
                remedy = "see that the server runs, and what it logs about this witness"
                yield warning(
                    "witnesses", f"{item.operator} is {item.behind} entries behind", remedy
                )
        if not late and not self.contradictions:
            yield ok("witnesses", f"all {len(standing.witnesses)} answer and have seen this log")
        answering = len(standing.witnesses) - sum(bool(item.trouble) for item in standing.witnesses)
        if answering < quorum:
            remedy = "bring witnesses back, or admit others; see the runbook 'sister bank gone'"
            sentence = f"{answering} witnesses answer and {quorum} must cosign"
            yield problem("quorum", sentence, remedy)
        elif answering == quorum and len(standing.witnesses) > quorum:
            remedy = "bring the others back before one more is lost"
            yield warning("quorum", f"just the {quorum} that must cosign answer", remedy)
        else:
            yield ok("quorum", f"{answering} witnesses answer, {quorum} must cosign")

    def check_clock(self) -> Iterator[Finding]:
        """Whether our clock goes with the nearest of theirs, since theirs may be off."""
        if not self.skews:
            remedy = "see that this machine keeps time by NTP"
            yield warning("clock", "there is no witness to compare the clock with", remedy)
            return
        name, skew = min(self.skews.items(), key=lambda item: abs(item[1]))
        sentence = f"{abs(skew.total_seconds()):.0f} s from the clock of {name}"
        remedy = "set the clock by NTP: times on the ledger and signed requests depend on it"
        if abs(skew) > _WRONG:
            yield problem("clock", sentence, remedy)
        elif abs(skew) > _SKEW:
            yield warning("clock", sentence, remedy)
        else:
            yield ok("clock", sentence)

    def _since(self, reached: int) -> datetime:
        return parse_time(Entry.parse(self._log.entry(reached)).time)
