"""What is handed in: statements for the ledger, and the credentials that come with them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Engine

from bank.authorization import ApiKeys
from bank.batches import Batches, check_batch
from bank.checkpoints import Checkpoints
from bank.deposits import (
    ACCOUNT_ERASED,
    account_keys,
    account_of,
    check_deposit,
    deposit_row,
    keep_credentials,
    known_account_keys,
)
from bank.doubts import DoubtedUses, used_lot
from bank.errors import BadRequest
from bank.institution import Submission
from bank.lot_projection import LotProjection
from bank.tables import credentials
from bank.vault import AccountKey, Vault
from ledger import Registry, SignedStatement
from ledger.bulk import Row, select_rows
from ledger.gathering import Gathering
from ledger.group_commit import GroupCommit
from ledger.log import Log
from ledger.sequencer import Declined, Outcome, Placed, Sequencer
from ledger.store import reading, writing

_MOST = 200
"""Requests readied together."""


@dataclass(slots=True)
class _Request:
    """What was handed in at once, what of it is declined by place, and where the answer goes."""

    submissions: Sequence[Submission]
    faults: dict[int, Outcome]
    answer: "Future[list[Outcome]]"

    def good(self) -> list[Submission]:
        """What is not declined."""
        return [s for n, s in enumerate(self.submissions) if n not in self.faults]

    def deposits(self) -> list[Submission]:
        """What of that comes with a credential."""
        return [s for s in self.good() if s.credential is not None]


class Intake:
    """Checks what comes in, seals credentials, and has all appended."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        log: Log,
        registry: Callable[[], Registry],
        sequencer: Sequencer,
        projection: LotProjection,
        group: GroupCommit,
        checkpoints: Checkpoints,
        batches: Batches,
        api_keys: ApiKeys,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._log = log
        self._registry = registry
        self._sequencer = sequencer
        self._projection = projection
        self._group = group
        self._checkpoints = checkpoints
        self._batches = batches
        self._api_keys = api_keys
        self._doubted = DoubtedUses(engine, log, registry)
        self._gathering = Gathering("intake", self._ready, _MOST)

    def append(self, batch: Sequence[SignedStatement]) -> list[Outcome]:
        """Append statements that carry no credential; durable and checkpointed on return."""
        return self.submit([Submission(signed) for signed in batch])

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append statements and keep the credentials that come with them, sealed.

        One outcome for each, in order. A credential is stored in the transaction that appends
        its award, or not at all.
        """
        return self.enqueue(submissions).result()

    def submit_together(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `submit`, but all of them or none, in one transaction."""
        for submission in submissions:
            self._check(submission)
        for doubt in self._doubted.among([s.signed for s in submissions]).values():
            raise BadRequest(doubt)
        deposits = [s for s in submissions if s.credential is not None]
        keys = self._account_keys([account_of(s) for s in deposits])
        if any(account_of(s) not in keys for s in deposits):
            raise BadRequest(ACCOUNT_ERASED)
        self._checkpoints.check()
        pending = self._expect(submissions, keys)
        signed = [s.signed for s in submissions]
        outcomes = self._settle(
            submissions, pending, lambda: self._sequencer.append_together(signed)
        )
        self._checkpoints.sign()
        self._checkpoints.nudge()
        return outcomes

    def enqueue(self, submissions: Sequence[Submission]) -> "Future[list[Outcome]]":
        """As `submit`; the future is done when everything is durable and checkpointed."""
        faults: dict[int, Outcome] = {}
        for position, submission in enumerate(submissions):
            try:
                self._check(submission)
            except BadRequest as error:
                faults[position] = Declined(str(error))
        request = _Request(submissions, faults, Future())
        # Whoever asked may go away, but what was enqueued is appended all the same.
        request.answer.set_running_or_notify_cancel()
        if any(s.credential is not None or used_lot(s.signed.statement) for s in submissions):
            self._gathering.put(request)
        else:
            self._hand_on(request, {})
        return request.answer

    def close(self) -> None:
        """Take no more in, hand on what was taken, end the thread."""
        self._gathering.close()

    def _ready(self, group: Sequence["_Request"]) -> None:
        """Ask for the accounts of all deposits at once, and hand on each request."""
        try:
            for request in group:
                doubts = self._doubted.among([s.signed for s in request.submissions])
                request.faults |= {n: Declined(doubt) for n, doubt in doubts.items()}
            names = [account_of(s) for request in group for s in request.deposits()]
            keys = self._account_keys(names) if names else {}
        except Exception as error:
            # Whatever it is: who waits for an answer that never comes waits for ever.
            for request in group:
                request.answer.set_exception(error)
            return
        for request in group:
            try:
                self._hand_on(request, keys)
            except Exception as error:
                request.answer.set_exception(error)

    def _hand_on(self, request: "_Request", keys: Mapping[str, AccountKey]) -> None:
        """Have what is good of a request appended, its credentials sealed."""
        for position, submission in enumerate(request.submissions):
            is_deposit = submission.credential is not None and position not in request.faults
            if is_deposit and account_of(submission) not in keys:
                request.faults[position] = Declined(ACCOUNT_ERASED)
        good = request.good()
        pending = self._expect(good, keys)

        def finish(done: "Future[list[Outcome]]") -> None:
            try:
                outcomes = self._settle(good, pending, done.result)
            except Exception as error:
                request.answer.set_exception(error)
                return
            placed, faults = iter(outcomes), request.faults
            everything = range(len(request.submissions))
            request.answer.set_result([faults.get(n) or next(placed) for n in everything])

        try:
            appended = self._group.enqueue([s.signed for s in good])
        except Exception:
            # Refused, as where the bank is closing: nobody will call `finish`.
            self._projection.forget(list(pending))
            raise
        appended.add_done_callback(finish)

    def _expect(
        self, submissions: Sequence[Submission], keys: Mapping[str, AccountKey]
    ) -> dict[bytes, Row]:
        """Seal the credentials, and have each stored in the transaction that appends its award.

        Their rows, each under the hash of that statement.
        """
        pending = {
            s.signed.statement.hash: deposit_row(s, keys[account_of(s)])
            for s in submissions
            if s.credential is not None
        }
        self._projection.expect(pending)
        return pending

    def _settle(
        self,
        submissions: Sequence[Submission],
        pending: Mapping[bytes, Row],
        append: Callable[[], list[Outcome]],
    ) -> list[Outcome]:
        """Have submissions appended whose credentials are expected, and expect those no more."""
        try:
            outcomes = append()
        finally:
            self._projection.forget(list(pending))
        self._keep_late(submissions, outcomes, pending)
        return outcomes

    def alone(self, institution: str) -> int:
        """How many awards an institution may still hand in today on one person's signature."""
        return self._batches.left(institution, self._registry().catalogue.alone)

    def approve_batch(self, signed: SignedStatement, awards: Sequence[bytes]) -> Outcome:
        """Let awards, given by their statements' hashes, be handed in beyond what one person may.

        `signed` is their `batch.approve`; BadRequest where it speaks of others.
        """
        statement = signed.statement
        check_batch(statement, awards)
        is_new = self._log.index_of(statement) is None and self._batches.keep(statement, awards)
        (outcome,) = self.append([signed])
        if isinstance(outcome, Placed):
            self._batches.approve(statement)
        elif is_new:
            self._batches.drop(statement)
        return outcome

    def _check(self, submission: Submission) -> None:
        """BadRequest where it is not to go to the ledger, whatever the ledger would say."""
        check_deposit(submission)
        statement = submission.signed.statement
        if statement.kind == "key.add" and self._api_keys.is_known(str(statement.body["key"])):
            raise BadRequest(
                f"the key {statement.body['key']} is an API key, which signs nothing on the ledger"
            )

    def _keep_late(
        self,
        submissions: Sequence[Submission],
        outcomes: Sequence[Outcome],
        pending: Mapping[bytes, Row],
    ) -> None:
        """Keep credentials of awards that stand in the ledger without them, after a loss."""
        rows = [
            pending[s.signed.statement.hash]
            for s, outcome in zip(submissions, outcomes, strict=True)
            if isinstance(outcome, Placed)
            and outcome.repeated
            and s.signed.statement.hash in pending
        ]
        if not rows:
            return
        wanted = [(str(row[0]),) for row in rows]
        with reading(self._engine) as connection:
            found = select_rows(connection, credentials, ("identifier",), ("identifier",), wanted)
            known = {row.identifier for row in found}
        missing = [row for row in rows if row[0] not in known]
        if missing:
            with writing(self._engine) as connection:
                keep_credentials(connection, missing)

    def _account_keys(self, names: Sequence[str]) -> dict[str, AccountKey]:
        with reading(self._engine) as connection:
            known = known_account_keys(connection, self._vault, names)
        if len(known) == len(set(names)):
            return known
        with writing(self._engine) as connection:
            return account_keys(connection, self._vault, names)
