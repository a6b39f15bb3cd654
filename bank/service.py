"""The credit bank itself: its parts, each of which answers what one kind of caller asks.

Routes and commands only translate to and from their calls. Time and randomness come in.
"""

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bank.accounts import Accounts
from bank.approvals import Approvals
from bank.authorization import ApiKeys
from bank.authorization.nonces import Nonces
from bank.batches import Batches
from bank.chance import Chance
from bank.checkpoints import Checkpoints
from bank.errors import BadSetup
from bank.founding import first_statements
from bank.health import Health
from bank.intake import Intake
from bank.learners import Learners
from bank.lot_map import LotMap
from bank.lot_projection import LotProjection
from bank.lots import Lots
from bank.openid4vci import Wallets
from bank.operator_log import Act, OperatorLog
from bank.oversight import Oversight
from bank.reckoning import Reckoning
from bank.recognition import CurrentRules
from bank.schema import migrate
from bank.settings import Settings, database_url
from bank.shares import Shares
from bank.sign_in import SignIn
from bank.slots import Slots
from bank.transcripts import Transcripts
from bank.trust import TrustBundles
from bank.upkeep import Upkeep
from bank.uploads import Uploads
from bank.vault import Vault
from keys import Json, Signer, did_document
from ledger import Registry, Statement, VerifierKey
from ledger.authority import LogIdentity
from ledger.checkpointer import Checkpointer
from ledger.cosignature import MLDSA44Cosigner
from ledger.group_commit import GroupCommit
from ledger.journal import Journal
from ledger.log import Log
from ledger.note import ED25519
from ledger.registry_view import RegistryView
from ledger.sequencer import Declined, Outcome, Sequencer
from ledger.store import open_store


@dataclass(frozen=True, slots=True)
class BankKeys:
    """The bank's own keys: the log's two, the one for status lists, and the sealing secret."""

    log: Signer
    log_mldsa44: bytes
    bank: Signer
    vault: bytes


class Bank:
    """An open credit bank; close it to let the sequencer finish.

    For those who hand something in: `intake`, `batches`, `slots`. For learners: `accounts`,
    `reckoning`, `transcripts`, `shares`, `wallets`, `learners`. For anyone: `log`, `lots`,
    `lot_map`, `rules`, `trust`. For those who watch over it and keep it: `oversight`, `health`,
    `upkeep`, `checkpoints`, `operator_log`. Who may sign in or call: `sign_in`, `api_keys`.
    """

    def __init__(
        self,
        settings: Settings,
        keys: BankKeys,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        dice: random.Random | None = None,
    ) -> None:
        self.settings = settings
        self.signer = keys.bank
        """The bank's own key."""
        self.vault = vault = Vault(keys.vault)
        dice = dice or secrets.SystemRandom()
        self.chance = chance = Chance(dice)
        self._clock = clock
        now = self.now

        self._engine = engine = open_store(database_url(settings))
        stale = migrate(engine)
        self.log = log = Log(engine)
        later = MLDSA44Cosigner(settings.origin, keys.log_mldsa44)
        log_key = VerifierKey(settings.origin, ED25519, keys.log.public_key.raw)
        self.log_keys = (log_key, later.key)
        beside = f"{settings.origin}/operator"
        self.operator_log = operator_log = OperatorLog(
            engine,
            Journal(beside, keys.log, (MLDSA44Cosigner(beside, keys.log_mldsa44),)),
            now,
            ended=settings.ended,
        )

        projection = LotProjection()
        self._sequencer = Sequencer(engine, projection, clock)
        self._registry = view = RegistryView(engine)
        registry = view.now
        checkpointer = Checkpointer(engine, settings.origin, keys.log, (later,), clock)
        self.checkpoints = Checkpoints(checkpointer, log, self.log_keys, registry, operator_log)
        self._group = GroupCommit(self._sequencer, checkpointer, self.checkpoints.nudge)

        private = (engine, vault, now, chance.name, operator_log)
        self.sign_in, self.uploads = SignIn(*private), Uploads(*private)
        self.api_keys = ApiKeys(engine, now, registry, settings.did, chance.secret, operator_log)
        self.nonces = Nonces(engine, now)
        self.batches = Batches(engine, now)
        self.approvals = Approvals(engine, now, chance.name)
        self.intake = Intake(
            engine,
            vault,
            log,
            registry,
            self._sequencer,
            projection,
            self._group,
            self.checkpoints,
            self.batches,
            self.api_keys,
        )
        self.slots = Slots(engine, dice)

        self.lots = Lots(engine)
        author = (settings.did, keys.bank.public_key.multikey)
        self.lot_map = LotMap(engine, log, registry, self.state, author)
        self.rules = CurrentRules(registry)
        self.trust = TrustBundles(
            engine, log, registry, self.identity, self.checkpoints, keys.bank, operator_log, now
        )

        self.accounts = Accounts(engine, vault, log, operator_log)
        self.reckoning = Reckoning(engine, vault, log, registry, self.rules, now)
        named = (settings.did, " ".join(settings.names.values()))
        self.transcripts = Transcripts(engine, vault, log, named, keys.bank, now, chance.identifier)
        self.shares = Shares(engine, vault, log, now, chance.secret)
        self.wallets = Wallets(engine, vault, now, chance.secret, chance.digits)
        self.learners = Learners(engine, vault, now, chance.name, log.receipts, operator_log)

        self.health = Health(engine, log, settings.folder, self._group, self.checkpoints, now)
        self.upkeep = Upkeep(
            engine, log, self.log_keys, self._sequencer, view, projection, operator_log
        )
        self.oversight = Oversight(engine, log, settings.folder, self.upkeep.audit, clock)
        if stale:
            self.upkeep.rebuild()
        operator_log.note_change(Act.SETTINGS, settings.public)

    def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        self.oversight.close()
        self.intake.close()
        self._group.close()
        self.checkpoints.close()
        self._engine.dispose()

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
        own = self.signer.public_key.multikey
        first = first_statements(settings, self.log_keys, own, self.now(), predecessor)
        for outcome in self.intake.append([statement.sign(*governance) for statement in first]):
            if isinstance(outcome, Declined):
                raise BadSetup(f"the log could not be opened: {outcome.reason}")
        settings.opened.touch()

    def end(self, reason: str) -> None:
        """Append nothing from now on: the log's key signs no more."""
        self._sequencer.ended = reason

    def state(self, kind: str, body: dict[str, Json]) -> Outcome:
        """Append what the bank states with its own key: transfers, appeals, the map's root."""
        statement = Statement.make(self.settings.did, kind, body)
        (outcome,) = self.intake.append([statement.sign(self.signer)])
        return outcome

    def now(self) -> datetime:
        """The time by the bank's clock."""
        return self._clock()

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
        return did_document(self.settings.did, [self.signer.public_key])
