"""What a bank shows to Prometheus. No label is an address, a name or anything of a learner's."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bank.condition import Condition, Witnessed
from bank.errors import BankError
from ledger import LedgerError, parse_time

# When a counter began is of no use here, and doubles what is sent.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Figures:
    """Counts what happens in this process, and reads the rest from the bank when it is asked."""

    def __init__(
        self,
        condition: Callable[[], Condition],
        refusal: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        """`refusal` says why nothing can be appended, or is empty."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "creditbank_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "creditbank_request_seconds",
            "What answering took.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._appends = Histogram(
            "creditbank_append_seconds",
            "What a commit of the log took, its checkpoint included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._errors = Counter(
            "creditbank_errors",
            "Answers of status 500 and above, by the error's class.",
            ("error",),
            registry=self.registry,
        )
        self.registry.register(_Standing(condition, refusal, clock))
        # Looking one up by its labels takes longer than to count.
        self._count = cache(lambda *labels: self._requests.labels(*labels))
        self._time = cache(lambda *labels: self._seconds.labels(*labels))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._count(method, route, str(status)).inc()
        self._time(method, route).observe(seconds)

    def append(self, seconds: float) -> None:
        """A commit was made."""
        self._appends.observe(seconds)

    def error(self, error: Exception) -> None:
        """A request failed by the server's fault."""
        self._errors.labels(type(error).__name__).inc()


class _Standing:
    """How the bank stands at the moment of asking; just that it does not, where it cannot tell."""

    def __init__(
        self,
        condition: Callable[[], Condition],
        refusal: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._condition, self._refusal, self._clock = condition, refusal, clock

    def describe(self) -> list[Metric]:
        """Nothing: else it would be asked before the bank is open."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures of now."""
        yield GaugeMetricFamily(
            "creditbank_ready", "1 if statements can be appended.", float(not self._refusal())
        )
        try:
            now = self._condition()
        except (BankError, LedgerError):
            return
        for name, what, value in self._plain(now):
            yield GaugeMetricFamily(f"creditbank_{name}", what, value)
        for name, what, value in (
            ("commits", "Commits of the log by this server.", now.queue.commits),
            ("commits_failed", "Commits of the log that failed.", now.queue.failed),
            ("statements", "Statements in those commits.", now.queue.statements),
        ):
            yield CounterMetricFamily(f"creditbank_{name}", what, value)
        yield from _witnesses(now.witnessed)

    def _plain(self, now: Condition) -> Iterator[tuple[str, str, float]]:
        yield "log_entries", "Entries of the log.", now.entries
        yield "signed_entries", "Entries under a signed checkpoint.", now.witnessed.signed
        yield "shown_entries", "Entries under the checkpoint shown.", now.witnessed.shown
        age = (
            self._clock() - parse_time(now.witnessed.signed_at) if now.witnessed.signed_at else None
        )
        if age is not None:
            yield "checkpoint_age_seconds", "Since the last checkpoint.", age.total_seconds()
        yield "queue_batches", "Batches that wait for a commit.", now.queue.waiting
        yield "queue_in_hand", "Statements that are being committed.", now.queue.in_hand
        yield "signing_halted", "1 if nothing is signed any more.", float(bool(now.halted))
        held = "1 if somebody holds the lock of the log's one writer at this moment."
        yield "writer_lock_held", held, float(bool(now.store.holder))
        yield "database_bytes", "Size of the database.", now.store.bytes
        yield "disk_free_bytes", "Room left where the bank's folder is.", now.free
        yield "witness_quorum", "Witnesses that must cosign.", now.witnessed.quorum


def _witnesses(witnessed: Witnessed) -> Iterator[Metric]:
    behind = GaugeMetricFamily(
        "creditbank_witness_behind_entries", "Entries a witness has not seen.", labels=("witness",)
    )
    answers = GaugeMetricFamily(
        "creditbank_witness_answers", "1 if a witness answered last.", labels=("witness",)
    )
    for item in witnessed.witnesses:
        behind.add_metric((item.operator,), item.behind)
        answers.add_metric((item.operator,), float(not item.trouble))
    yield behind
    yield answers
