"""The credit bank itself: what members, learners and anyone else can ask of it.

Routes and commands only translate to and from these calls. Time and randomness come in.
"""

import random
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import IntegrityError

from bank.access import Access
from bank.approvals import Approvals
from bank.authorization import ApiKeys
from bank.authorization.nonces import Nonces
from bank.awards import Award, AwardState, awards_of
from bank.batches import Batches, check_batch
from bank.condition import Condition, free_space, witnessed
from bank.deposits import (
    ACCOUNT_ERASED,
    account_keys,
    account_of,
    check_deposit,
    deposit_row,
    find_by_token,
    keep_credentials,
    known_account_keys,
    list_credentials,
    open_credential,
)
from bank.doubts import in_doubt, uses
from bank.errors import BadRequest, BadSetup, NoSuchThing, NotAllowed
from bank.frameworks import supplied
from bank.institution import Submission
from bank.learners import Learners, erase_account
from bank.lot_map import MapHead, make_map, prove_lot
from bank.lots import (
    LotProjection,
    clear,
    credential_of,
    digest,
    each_lot,
    lot_committed,
    lots_by,
    lots_in,
    lots_of,
    read_lots,
)
from bank.openid4vci import Wallets, holder_of_proof
from bank.operator_log import Act, OperatorLog
from bank.oversight import Oversight
from bank.passbook import Passbook, closing_entry, passbook
from bank.prospects import Option, Prospects, gained_by, options, prospects
from bank.qualifications import Evaluation, evaluate_lots, usable_holdings
from bank.recognition import Recogniser
from bank.schema import NEWEST, migrate, version
from bank.settings import Settings, database_url
from bank.shares import (
    Share,
    list_shares,
    make_share,
    open_share,
    withdraw_share,
)
from bank.slots import allocate
from bank.tables import credentials, lots, trust_bundles
from bank.transcripts import held, make_transcript
from bank.trust import PURPOSES, make_trust, status_lists
from bank.uploads import Uploads
from bank.vault import AccountKey, Vault
from credentials import format_moment, read_credential
from credentials.certificate import badge_png, certificate_facts
from credentials.elm import Issuing, elm_credential
from credentials.transcript import COUNTS
from keys import Json, Signer, b64u_encode, did_document
from ledger import (
    Entry,
    LedgerError,
    Lot,
    LotState,
    Member,
    NotFound,
    Registry,
    SignedStatement,
    Slot,
    Statement,
    StoreFault,
    VerifierKey,
    WitnessRecord,
    format_time,
)
from ledger.audit import AuditReport, audit
from ledger.authority import LogIdentity
from ledger.bulk import Row
from ledger.catalogue import Catalogue
from ledger.checkpoint import Checkpoint
from ledger.checkpointer import Checkpointer
from ledger.cosignature import MLDSA44Cosigner
from ledger.group_commit import GroupCommit
from ledger.journal import Journal
from ledger.log import Log, entry_days, read_head
from ledger.note import ED25519, open_note
from ledger.publishing import Target, published_at
from ledger.recovery import Recovery, recover
from ledger.registry_view import RegistryView
from ledger.rules import Shown
from ledger.sequencer import Declined, Outcome, Placed, Sequencer
from ledger.static import StaticLog
from ledger.store import open_store, reading, scrub, writing
from ledger.store_facts import store_facts
from ledger.witnessing import Witnessing, WitnessPort
from verifier import TRANSCRIPT, Collection, open_trust, write_bundle, write_collection

_REPLAY = 1000
_TRIES = 10
_ROOT_LASTS = timedelta(days=5 * 365)
"""How long the first governance root is good for, unless it hands over before."""


@dataclass(frozen=True, slots=True)
class BankKeys:
    """The bank's own keys: the log's two, the one for status lists, and the sealing secret."""

    log: Signer
    log_mldsa44: bytes
    bank: Signer
    vault: bytes


class Bank:
    """An open credit bank; close it to let the sequencer finish."""

    def __init__(
        self,
        settings: Settings,
        keys: BankKeys,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        dice: random.Random | None = None,
    ) -> None:
        self.settings = settings
        self._keys = keys
        self._clock = clock
        self._dice = dice or secrets.SystemRandom()
        self._vault = Vault(keys.vault)
        self._engine: Engine = open_store(database_url(settings))
        stale = migrate(self._engine)
        self._projection = LotProjection()
        self._sequencer = Sequencer(self._engine, self._projection, clock)
        self._registry = RegistryView(self._engine)
        later = MLDSA44Cosigner(settings.origin, keys.log_mldsa44)
        log_key = VerifierKey(settings.origin, ED25519, keys.log.public_key.raw)
        self.log_keys = (log_key, later.key)
        self._checkpointer = Checkpointer(self._engine, settings.origin, keys.log, (later,), clock)
        self.log = Log(self._engine)
        self.wallets = Wallets(self._engine, lambda: self._clock(), self._secret, self._digits)
        beside = f"{settings.origin}/operator"
        self.operator_log = OperatorLog(
            self._engine,
            Journal(beside, keys.log, (MLDSA44Cosigner(beside, keys.log_mldsa44),)),
            lambda: self._clock(),
            ended=settings.ended,
        )
        self.learners = Learners(
            self._engine,
            self._vault,
            lambda: self._clock(),
            self._name,
            self.log.receipts,
            self.operator_log,
        )
        rest = (self._engine, self._vault, lambda: self._clock(), self._name, self.operator_log)
        self.access, self.uploads = Access(*rest), Uploads(*rest)
        self.approvals = Approvals(self._engine, lambda: self._clock(), self._name)
        self.api_keys = ApiKeys(
            self._engine,
            lambda: self._clock(),
            self.registry,
            settings.did,
            self._secret,
            self.operator_log,
        )
        self.nonces = Nonces(self._engine, lambda: self._clock())
        self.batches = Batches(self._engine, lambda: self._clock())
        self._witnessing: Witnessing | None = None
        self._lists: tuple[tuple[int, date], dict[str, dict[str, Json]]] | None = None
        self._recogniser: tuple[int, Recogniser] | None = None
        self._group = GroupCommit(self._sequencer, self._checkpointer, self._nudge)
        self.oversight = Oversight(self._engine, self.log, settings.folder, self.audit, clock)
        if stale:
            self.rebuild()
        self.operator_log.note_change(Act.SETTINGS, settings.public)

    @property
    def vault(self) -> Vault:
        """What seals; for the sign-in of pages."""
        return self._vault

    def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        self.oversight.close()
        self._group.close()
        if self._witnessing is not None:
            self._witnessing.close()
        self._engine.dispose()

    def end(self, reason: str) -> None:
        """Append nothing from now on: the log's key signs no more."""
        self._sequencer.ended = reason

    def found(self, governance: Sequence[Signer], predecessor: str = "") -> None:
        """Open the log, register the bank's own key and publish the frameworks supplied.

        All is signed by the governance. `predecessor` is the last checkpoint of the log that this
        one goes on from.
        Nothing if it is open.
        BadSetup where the log was opened before and its database is empty now: a second first
        entry would be another history under the same origin.
        """
        settings = self.settings
        if self.log.size():
            settings.opened.touch()
            return
        if settings.opened.exists():
            raise BadSetup(
                f"the log {settings.origin} was opened before, and its database is empty now: "
                "restore the database, or run 'creditbank ledger recover' with --from a public copy"
            )
        keys: list[Json] = list(settings.governance)
        body: dict[str, Json] = {
            "domain": settings.domain,
            "expires": format_time(self._clock() + _ROOT_LASTS),
            "governance": {"keys": keys, "threshold": settings.threshold},
            "log": [str(key) for key in self.log_keys],
            "name": dict(settings.names),
            "origin": settings.origin,
        }
        if predecessor:
            body["predecessor"] = predecessor
        own: dict[str, Json] = {
            "key": self._keys.bank.public_key.multikey,
            "member": settings.did,
            "person": "operator",
        }
        facts = [("log.open", body), ("key.add", own), *supplied()]
        statements = [Statement.make(settings.did, kind, fact) for kind, fact in facts]
        for outcome in self.append([statement.sign(*governance) for statement in statements]):
            if isinstance(outcome, Declined):
                raise BadSetup(f"the log could not be opened: {outcome.reason}")
        settings.opened.touch()

    def ask_witnesses(self, reach: Callable[[WitnessRecord], WitnessPort]) -> None:
        """Have every checkpoint cosigned by the witnesses on the ledger, from now on.

        StoreFault, and nothing is signed, where one of them has seen another history.
        """
        registry = self.registry()
        if not registry.witnesses:
            return
        operators: list[Json] = [*sorted(registry.witnesses)]
        asked: dict[str, Json] = {"quorum": registry.quorum, "witnesses": operators}
        self.operator_log.note_change(Act.WITNESSES, asked, quorum=registry.quorum)
        ports = [reach(record) for _, record in sorted(registry.witnesses.items())]
        if self._witnessing is not None:
            self._witnessing.close()
        self._witnessing = Witnessing(
            self.log, self._checkpointer, self.log_keys, ports, registry.quorum
        )
        self._witnessing.start()

    def heed(self, target: Target, where: str) -> None:
        """Sign nothing from now on if what is published at `target` is more than is stored here.

        StoreFault where it cannot be read.
        """
        seen = published_at(target, self.log_keys, self.log.size(), self.log.root)
        if seen is not None and seen.contradiction:
            self._checkpointer.halt(
                f"{seen.contradiction} at {where}: the store was restored from an old backup, or "
                "another signer holds this log's key; nothing is signed any more, see 'creditbank "
                "ledger recover'"
            )

    def gather(self) -> bool:
        """Wait for the witnesses to cosign the newest checkpoint; whether a quorum did."""
        return self._witnessing is None or self._witnessing.gather()

    def _nudge(self) -> None:
        if self._witnessing is not None:
            self._witnessing.nudge()

    def append(self, batch: Sequence[SignedStatement]) -> list[Outcome]:
        """Append statements that carry no credential; durable and checkpointed on return."""
        return self.submit([Submission(signed) for signed in batch])

    def alone(self, institution: str) -> int:
        """How many awards an institution may still hand in today on one person's signature."""
        return self.batches.left(institution, self.catalogue().alone)

    def approve_batch(self, signed: SignedStatement, awards: Sequence[bytes]) -> Outcome:
        """Let awards, given by their statements' hashes, be handed in beyond what one person may.

        `signed` is their `batch.approve`; BadRequest where it speaks of others.
        """
        statement = signed.statement
        check_batch(statement, awards)
        is_new = self.log.index_of(statement) is None and self.batches.keep(statement, awards)
        (outcome,) = self.append([signed])
        if isinstance(outcome, Placed):
            self.batches.approve(statement)
        elif is_new:
            self.batches.drop(statement)
        return outcome

    def _doubts(self, batch: Sequence[SignedStatement]) -> dict[int, str]:
        """Of statements that would use a lot in doubt the place in the batch, and what is told."""
        named = {n: name for n, signed in enumerate(batch) if (name := uses(signed.statement))}
        suspects = self._suspects() if named else {}
        if not suspects:
            return {}
        with reading(self._engine) as connection:
            known = read_lots(connection, sorted(set(named.values())))
        found = {}
        for place, name in named.items():
            lot = known.get(name)
            member = None if lot is None else suspects.get(lot.facts.institution)
            if lot is None or member is None:
                continue
            entry = Entry.parse(self.log.entry(lot.award_index))
            if entry.signed.statement.author == member.did and in_doubt(entry, member):
                found[place] = (
                    f"the lot {name} was made by a key of {member.did} that is suspect since; it "
                    "is used again once the institution attests it"
                )
        return found

    def _suspects(self) -> dict[str, Member]:
        """The members of which a key is suspect."""
        return {
            did: member
            for did, member in self.registry().members.items()
            if any(period.suspect_from is not None for period in member.keys.values())
        }

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
        for doubt in self._doubts([s.signed for s in submissions]).values():
            raise BadRequest(doubt)
        deposits = [s for s in submissions if s.credential is not None]
        keys = self._account_keys([account_of(s) for s in deposits])
        if any(account_of(s) not in keys for s in deposits):
            raise BadRequest(ACCOUNT_ERASED)
        pending = {s.signed.statement.hash: deposit_row(s, keys[account_of(s)]) for s in deposits}
        self._checkpointer.check()
        self._projection.expect(pending)
        try:
            outcomes = self._sequencer.append_together([s.signed for s in submissions])
        finally:
            self._projection.forget(list(pending))
        self._keep_late(submissions, outcomes, pending)
        self._checkpointer.sign()
        self._nudge()
        return outcomes

    def enqueue(self, submissions: Sequence[Submission]) -> "Future[list[Outcome]]":
        """As `submit`; the future is done when everything is durable and checkpointed."""
        doubts = self._doubts([s.signed for s in submissions])
        faults: dict[int, Outcome] = {n: Declined(doubt) for n, doubt in doubts.items()}
        for position, submission in enumerate(submissions):
            try:
                self._check(submission)
            except BadRequest as error:
                faults[position] = Declined(str(error))
        deposits = {
            position: s
            for position, s in enumerate(submissions)
            if position not in faults and s.credential is not None
        }
        names = [account_of(s) for s in deposits.values()]
        keys = self._account_keys(names) if deposits else {}
        for position, s in deposits.items():
            if account_of(s) not in keys:
                faults[position] = Declined(ACCOUNT_ERASED)
        good = [s for position, s in enumerate(submissions) if position not in faults]
        pending = {
            s.signed.statement.hash: deposit_row(s, keys[account_of(s)])
            for s in good
            if s.credential is not None
        }
        self._projection.expect(pending)
        answer: Future[list[Outcome]] = Future()
        # Whoever asked may go away, but what was enqueued is appended all the same.
        answer.set_running_or_notify_cancel()

        def finish(done: "Future[list[Outcome]]") -> None:
            self._projection.forget(list(pending))
            try:
                outcomes = done.result()
                self._keep_late(good, outcomes, pending)
            except Exception as error:
                # Whatever it is: who waits for an answer that never comes waits for ever.
                answer.set_exception(error)
                return
            placed = iter(outcomes)
            answer.set_result([faults.get(n) or next(placed) for n in range(len(submissions))])

        self._group.enqueue([s.signed for s in good]).add_done_callback(finish)
        return answer

    def _check(self, submission: Submission) -> None:
        """BadRequest where it is not to go to the ledger, whatever the ledger would say."""
        check_deposit(submission)
        statement = submission.signed.statement
        if statement.kind == "key.add" and self.api_keys.is_known(str(statement.body["key"])):
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
        identifiers = [str(row[0]) for row in rows]
        with reading(self._engine) as connection:
            known: set[str] = set()
            for start in range(0, len(identifiers), 400):
                query = select(credentials.c.identifier).where(
                    credentials.c.identifier.in_(identifiers[start : start + 400])
                )
                known |= set(connection.execute(query).scalars())
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

    def slots(self, institution: str, names: Sequence[str]) -> list[Slot]:
        """A status slot for each lot, the same one whenever it is asked for."""
        for _ in range(_TRIES):
            # Another server may have given the same places at the same time: then theirs stand.
            with suppress(IntegrityError), writing(self._engine) as connection:
                return allocate(connection, institution, names, self._dice)
        raise StoreFault("too many servers give out status slots at once; try again")

    def catalogue(self) -> Catalogue:
        """Frameworks, units, rules and qualifications as of now."""
        return self.registry().catalogue

    def recogniser(self) -> Recogniser:
        """All rules in the registry of now; they are indexed anew only where one has changed."""
        registry = self.registry()
        state = sum(1 + bool(rule.withdrawn) for rule in registry.catalogue.rules.values())
        known = self._recogniser
        if known is None or known[0] != state:
            known = self._recogniser = (state, Recogniser(registry))
        return known[1].under(registry)

    def progress(
        self, accounts: Sequence[str], author: str, qualification: str, day: date | None = None
    ) -> Evaluation:
        """What the lots of these accounts come to under a qualification, as of a day.

        Those that can be used count: in this bank's custody, active. NoSuchThing if there is no
        such qualification.
        """
        catalogue = self.catalogue()
        known = catalogue.qualifications.get((author, qualification))
        if known is None:
            raise NoSuchThing(f"{author} has not published the qualification {qualification[:40]}")
        return evaluate_lots(self._lots(accounts), catalogue, known, self._clock(), day)

    def prospects(self, accounts: Sequence[str], most: int) -> Prospects:
        """How far the lots of these accounts reach under the qualifications in force, near first.

        At most `most` of them, without those they hold already; what counts is as in `progress`.
        """
        catalogue, found = self.catalogue(), self._lots(accounts)
        conferred = {
            (lot.facts.institution, lot.facts.unit)
            for lot in found
            if lot.state is LotState.CONFERRED
        }
        usable = usable_holdings(found, catalogue, self._time())
        return prospects(usable, catalogue, self._time(), most, conferred)

    def _lots(self, accounts: Sequence[str]) -> list[Lot]:
        with reading(self._engine) as connection:
            return [lot for account in accounts for lot in lots_of(connection, account)]

    def awards(self, accounts: Sequence[str]) -> list[Award]:
        """What these accounts hold, in the order of the entries; no credential is opened."""
        with reading(self._engine) as connection:
            return awards_of(connection, accounts)

    def options(self, awards: Sequence[Award]) -> list[Option]:
        """What institutions take each usable award for, line by line, the most credits first."""
        usable = [award for award in awards if award.state(self._time()) is AwardState.USABLE]
        converted = [award.lot for award in awards if award.lot.kind == "convert"]
        entries = (Entry.parse(self.log.entry(lot.award_index)) for lot in converted)
        gained = gained_by(zip(converted, entries, strict=True))
        return options(usable, self.recogniser(), self._time(), self._shown, gained)

    def _shown(self, award: Award) -> Shown:
        with reading(self._engine) as connection:
            document, _ = open_credential(connection, self._vault, award.account, award.identifier)
        facts = certificate_facts(document)
        return Shown(facts.grade, facts.awarded)

    def _time(self) -> str:
        return format_time(self._clock())

    def passbook(self, accounts: Sequence[str]) -> Passbook:
        """The statement of account of these accounts together, as of now."""
        time = format_time(self._clock())
        with reading(self._engine) as connection:
            found = [lot for account in accounts for lot in lots_of(connection, account)]
            # Of lots that were transferred in the day here differs from that of the award.
            wanted = [lot.award_index for lot in found if lot.kind == "transfer.in"]
            closed = (closing_entry(lot) for lot in found)
            wanted += [index for index in closed if index is not None]
            days = entry_days(connection, wanted)
        return passbook(found, days, time)

    def condition(self) -> Condition:
        """The store, the queue and the witnesses at this moment; BadSetup before the log is open.

        NotFound before the first checkpoint.
        """
        asked = self._witnessing
        return Condition(
            format_time(self._clock()),
            store_facts(self._engine),
            free_space(self.settings.folder),
            self.log.size(),
            self._group.state(),
            self._checkpointer.halted,
            witnessed(
                self.registry(),
                self.log.signed(),
                self.log.checkpoint(),
                self.log_keys,
                asked.reached() if asked else None,
                asked.health() if asked else {},
            ),
        )

    def refusal(self) -> str:
        """Why nothing can be appended at this moment, or empty; nothing is written to find out."""
        if self._checkpointer.halted:
            return self._checkpointer.halted
        try:
            step = version(self._engine)
            size, signed = self.log.size(), self.log.signed_size()
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

    def registry(self) -> Registry:
        """Members, keys, grants and units as of now; nobody changes it."""
        return self._registry.now()

    def identity(self) -> LogIdentity:
        """What the log's first entry says; BadSetup before there is one."""
        identity = self.registry().identity
        if identity is None:
            raise BadSetup("the bank's log is not opened yet")
        return identity

    def did_document(self) -> dict[str, Json]:
        """The bank's DID document."""
        return did_document(self.settings.did, [self._keys.bank.public_key])

    def checkpoint(self) -> str:
        """A signed checkpoint of everything committed."""
        return self._checkpointer.sign()

    def now(self) -> datetime:
        """The time by the bank's clock."""
        return self._clock()

    def token(self, account: str) -> str:
        """The owner's token of an account, to be handed to the learner."""
        return self._vault.token(account)

    def account_of_credential(self, identifier: str) -> str:
        """Whose credential this is; for the bank's own staff only."""
        with reading(self._engine) as connection:
            query = select(credentials.c.account).where(credentials.c.identifier == identifier)
            account = connection.execute(query).scalar_one_or_none()
        if account is None:
            raise NotFound(f"this bank holds no credential {identifier[:60]}")
        return str(account)

    def account(self, token: str) -> str:
        """The account whose owner's token this is; NotAllowed if there is none."""
        with reading(self._engine) as connection:
            return find_by_token(connection, token)

    def credential_of_lot(self, lot: str) -> tuple[str, str] | None:
        """Identifier and account of a lot's credential, if it is here; for its issuer's staff."""
        with reading(self._engine) as connection:
            return credential_of(connection, lot)

    def learner_name(self, account: str) -> str:
        """The name in the newest credential of an account; for the bank's own staff only."""
        owned = self.owned(self.token(account))
        if not owned:
            raise NoSuchThing(f"there is no account {account[:80]} with a credential")
        return read_credential(self.credential(self.token(account), owned[-1][0])).learner

    def accounts(self) -> list[str]:
        """Every account that holds a credential, those with the most first."""
        count = func.count()
        query = (
            select(credentials.c.account)
            .group_by(credentials.c.account)
            .order_by(count.desc(), credentials.c.account)
        )
        with reading(self._engine) as connection:
            return [str(name) for name in connection.execute(query).scalars()]

    def lots(self) -> Iterator[Lot]:
        """Every lot with credits in it, spent ones too, in the order of their entries."""
        return each_lot(self._engine)

    def lot(self, name: str) -> Lot:
        """One lot; NoSuchThing if there is none of this name."""
        found = self.find_lot(name)
        if found is None:
            raise NoSuchThing(f"there is no lot {name[:60]} in this bank")
        return found

    def find_lot(self, name: str) -> Lot | None:
        """One lot, or None."""
        with reading(self._engine) as connection:
            return read_lots(connection, [name]).get(name)

    def find_commitment(self, commitment: str) -> Lot | None:
        """The lot whose credential has this commitment, or None."""
        with reading(self._engine) as connection:
            return lot_committed(connection, commitment)

    def awards_of(
        self, institution: str, before: int, count: int, unit: str = "", state: str = ""
    ) -> list[Lot]:
        """An institution's lots made by entries before one, newest first; of a unit, in a state."""
        with reading(self._engine) as connection:
            return lots_by(connection, institution, before, count, unit, state)

    def lots_in(self, state: LotState) -> list[Lot]:
        """Every lot in a state, in the order of their entries."""
        with reading(self._engine) as connection:
            return lots_in(connection, state)

    def state(self, kind: str, body: dict[str, Json]) -> Outcome:
        """Append what the bank states with its own key: transfers, appeals, the map's root."""
        statement = Statement.make(self.settings.did, kind, body)
        (outcome,) = self.append([statement.sign(self._keys.bank)])
        return outcome

    @property
    def signer(self) -> Signer:
        """The bank's own key, for requests to sister banks."""
        return self._keys.bank

    def new_name(self) -> str:
        """A random name: 16 bytes as base64url."""
        return self._name()

    def commit_lots(self) -> MapHead:
        """Make the map of lots and put its root on the log; BadSetup where that is declined.

        Nothing if nothing was appended since the last time.
        """
        last = self.registry().lots_root
        if last is not None and last.index == self.log.size() - 1:
            return MapHead(last.size, last.root)
        made = make_map(self._engine)
        body: dict[str, Json] = {"root": b64u_encode(made.root), "size": made.size}
        outcome = self.state("lots.root", body)
        if isinstance(outcome, Declined):
            raise BadSetup(
                f"the root of the map of lots was declined: {outcome.reason} (the governance "
                f"registers the bank's own key {self._keys.bank.public_key.multikey} with a "
                f"key.add for {self.settings.did})"
            )
        return made

    def prove_lot(self, name: str) -> str:
        """Evidence of where a lot stood when the map of lots was last committed, for anyone.

        NoSuchThing where it never was, and where the lot has changed since.
        """
        root = self.registry().lots_root
        if root is None:
            raise NoSuchThing(
                "no root of the map of lots is on the log: 'creditbank ledger commit-lots' puts it "
                "there"
            )
        with reading(self._engine) as connection:
            lot = read_lots(connection, [name]).get(name)
            proof = prove_lot(connection, name, lot, MapHead(root.size, root.root))
        return f"{proof.encode()}\n{self.log.receipt(root.index).encode()}"

    def lot_at(self, index: int) -> str:
        """The lot that the award entry at `index` made; empty if that entry is no award."""
        with reading(self._engine) as connection:
            query = select(lots.c.lot).where(lots.c.award_index == index)
            return str(connection.execute(query).scalar_one_or_none() or "")

    def owned(self, token: str) -> list[tuple[str, int]]:
        """Identifier and ledger index of each credential that a token's owner holds."""
        with reading(self._engine) as connection:
            return list_credentials(connection, find_by_token(connection, token))

    def credential(self, token: str, identifier: str) -> dict[str, Json]:
        """One credential of a token's owner."""
        with reading(self._engine) as connection:
            account = find_by_token(connection, token)
            return open_credential(connection, self._vault, account, identifier)[0]

    def bundle(self, token: str, identifier: str) -> bytes:
        """One credential of a token's owner with its receipt, as the learner shares it."""
        with reading(self._engine) as connection:
            account = find_by_token(connection, token)
            document, index = open_credential(connection, self._vault, account, identifier)
        return write_bundle(document, self.log.receipt(index).encode())

    def share(self, token: str, identifiers: Sequence[str], days: int) -> tuple[Share, str]:
        """A link to chosen credentials of a token's owner, and its secret, shown this once."""
        secret = self._secret()
        with writing(self._engine) as connection:
            account = find_by_token(connection, token, hold=True)
            made = make_share(connection, account, identifiers, days, secret, self._clock())
        return made, secret

    def shares(self, token: str) -> list[Share]:
        """The links of a token's owner, newest first, with when each was opened."""
        with reading(self._engine) as connection:
            return list_shares(connection, find_by_token(connection, token))

    def unshare(self, token: str, share: str) -> None:
        """End a link of a token's owner now."""
        with writing(self._engine) as connection:
            account = find_by_token(connection, token)
            withdraw_share(connection, account, share, self._clock())

    def shared(self, secret: str) -> list[bytes]:
        """The bundles under a link; NoLonger where it has ended."""
        with writing(self._engine) as connection:
            account, identifiers = open_share(connection, secret, self._clock())
            found = [
                open_credential(connection, self._vault, account, identifier)
                for identifier in identifiers
            ]
        return [write_bundle(doc, self.log.receipt(index).encode()) for doc, index in found]

    def transcript(self, token: str) -> bytes:
        """All that a token's owner holds as one signed transcript, with the awards' receipts."""
        with reading(self._engine) as connection:
            lots_held = held(connection, self._vault, find_by_token(connection, token))
            size = read_head(connection).size
        name = " ".join(self.settings.names.values())
        identifiers = (self._identifier(), self._identifier())
        bank = (self.settings.did, name)
        signed = make_transcript(lots_held, identifiers, bank, size, self._keys.bank, self._clock())
        receipts = {
            str(document["id"]): self.log.receipt(line.entry).encode()
            for line, document in lots_held
        }
        return write_collection(Collection(TRANSCRIPT, signed, receipts))

    def elm(self, token: str) -> dict[str, Json]:
        """What a token's owner holds and counts, as an unsigned European Digital Credential."""
        with reading(self._engine) as connection:
            lots_held = held(connection, self._vault, find_by_token(connection, token))
        awards = [document for line, document in lots_held if line.state == COUNTS]
        if not awards:
            raise NoSuchThing("this account holds no award that counts")
        name = " ".join(self.settings.names.values())
        made = format_moment(self._clock())
        picture = badge_png(certificate_facts(awards[-1]))
        issuing = Issuing(self._identifier(), self.settings.did, name, made, picture)
        return elm_credential(issuing, awards)

    def deliver(self, access: str, identifier: str | None, proof: str) -> dict[str, Json]:
        """The credential an access token is for, to a wallet that proves its key, which is bound.

        A WalletError says what is wrong with the request.
        """
        account, name = self.wallets.claim(access, identifier)
        did, nonce = holder_of_proof(proof, self.settings.public_url, self._clock())
        self.wallets.bind(account, did, nonce)
        with reading(self._engine) as connection:
            return open_credential(connection, self._vault, account, name)[0]

    def _secret(self) -> str:
        return b64u_encode(self._dice.getrandbits(192).to_bytes(24, "big"))

    def _name(self) -> str:
        # None that begins with a dash: on a command line that looks like an option.
        while (name := b64u_encode(self._dice.getrandbits(128).to_bytes(16, "big")))[0] == "-":
            pass
        return name

    def _digits(self, number: int) -> str:
        return f"{self._dice.randrange(10**number):0{number}d}"

    def _identifier(self) -> UUID:
        return UUID(int=self._dice.getrandbits(128), version=4)

    def erase(self, account: str) -> None:
        """Erase one account for good: its key, its credentials, and all that hangs on it.

        Nothing where that was done before; NotAllowed where there never was such an account.
        """
        with writing(self._engine) as connection:
            if not erase_account(connection, self._vault, account):
                raise NotAllowed("there is no such account")
            self.operator_log.record(connection, Act.ERASED)
        scrub(self._engine)

    def status_lists(self) -> dict[str, dict[str, Json]]:
        """Every status list by its URL, signed, derived from the ledger's lots.

        Made once for each state of the ledger and each day.
        """
        now = self._clock()
        with reading(self._engine) as connection:
            state = (read_head(connection).size, now.date())
            if self._lists is not None and self._lists[0] == state:
                return self._lists[1]
            count = connection.execute(select(func.max(lots.c.list))).scalar_one() or 1
            states = [state.value for state in PURPOSES]
            query = select(lots.c.list, lots.c.slot, lots.c.state).where(
                lots.c.state.in_(states), lots.c.slot.is_not(None)
            )
            inactive = [
                (Slot(row.list, row.slot), LotState(row.state)) for row in connection.execute(query)
            ]
        made = status_lists(self.identity(), inactive, count, self._keys.bank, now)
        self._lists = (state, made)
        return made

    def export_trust(self, governance: Sequence[Signer]) -> bytes:
        """A new trust bundle, signed by the governance, one version above the last."""
        self.checkpoint()
        self.gather()
        checkpoint = self.log.checkpoint()
        registry, lists = self.registry(), self.status_lists()
        landmarks = self.log.landmarks(Checkpoint.parse(open_note(checkpoint, ()).text).size)
        with writing(self._engine) as connection:
            last = connection.execute(select(func.max(trust_bundles.c.version))).scalar_one()
            version = (last or 0) + 1
            now = self._clock().replace(microsecond=0)
            trust = make_trust(
                version,
                self.identity(),
                registry,
                checkpoint,
                lists,
                self._keys.bank,
                now,
                landmarks,
            )
            data = trust.sign(governance)
            open_trust(data)  # what no verifier would open is not kept
            connection.execute(trust_bundles.insert().values(version=version, data=data))
            self.operator_log.record(connection, Act.TRUST_EXPORTED, version=version)
        return data

    def trust(self) -> bytes:
        """The newest trust bundle; NotFound before the first."""
        with reading(self._engine) as connection:
            query = select(trust_bundles.c.data).order_by(trust_bundles.c.version.desc()).limit(1)
            data = connection.execute(query).scalar_one_or_none()
        if data is None:
            raise NotFound("the governance has not signed a trust bundle yet")
        return bytes(data)

    def audit(
        self, progress: Callable[[int], None] = lambda done: None, signatures: bool = True
    ) -> AuditReport:
        """Recheck the whole log as an outsider would; the entries' signatures can be left out."""
        entries, notes = self.log.entries(), self.log.checkpoints()
        return audit(entries, notes, progress, signatures=signatures)

    def recover(
        self, copy: StaticLog | None, progress: Callable[[int], None] = lambda done: None
    ) -> Recovery:
        """Examine the stored log, repair it from a published copy, and fold it anew."""
        recovery = recover(self._engine, self.log_keys, copy, progress)
        repaired, left = len(recovery.repaired), len(recovery.left)
        self.operator_log.note(Act.LOG_RECOVERED, repaired=repaired, left=left)
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
            for data in self.log.entries():
                batch.append(Entry.parse(data))
                if len(batch) == _REPLAY:
                    _replay(self._projection, connection, batch)
                    done += len(batch)
                    progress(done)
                    batch = []
            _replay(self._projection, connection, batch)
            progress(done + len(batch))
            same = digest(connection) == before
            self.operator_log.record(connection, Act.LOG_REBUILT, same=int(same))
            return same


def _replay(projection: LotProjection, connection: Connection, batch: Sequence[Entry]) -> None:
    fold = projection.replay(connection, [entry.signed for entry in batch])
    for entry in batch:
        fold.take(entry)
    fold.flush()
