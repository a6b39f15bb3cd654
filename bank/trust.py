"""Making trust bundles: the registry, the log's checkpoint and fresh status lists in one file."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, func, select

from bank.checkpoints import Checkpoints
from bank.operator_log import Act, OperatorLog
from bank.tables import lots, trust_bundles
from credentials import (
    JCS,
    REVOCATION,
    SUSPENSION,
    StatusList,
    format_moment,
    list_url,
    only_suite,
    sign,
    status_list_credential,
)
from keys import Json, Signer, verification_method
from ledger import LogIdentity, LotState, Member, NotFound, Registry, Slot
from ledger.checkpoint import Checkpoint
from ledger.landmarks import Landmarks
from ledger.log import Log, read_head
from ledger.note import open_note
from ledger.store import reading, writing
from verifier import Trust, TrustedMember, Witness, open_trust

PURPOSES = {
    LotState.REVOKED: REVOCATION,
    LotState.SUPERSEDED: REVOCATION,
    LotState.SUSPENDED: SUSPENSION,
}
"""The lists in which a lot's credential stands; one that was used still proves what was learnt."""
_STATUS_DAYS = 7
_TRUST_DAYS = 30


class TrustBundles:
    """Status lists, and the trust bundles that carry them."""

    def __init__(
        self,
        engine: Engine,
        log: Log,
        registry: Callable[[], Registry],
        identity: Callable[[], LogIdentity],
        checkpoints: Checkpoints,
        signer: Signer,
        operator_log: OperatorLog,
        clock: Callable[[], datetime],
    ) -> None:
        """`signer` is the bank's own key."""
        self._engine = engine
        self._log = log
        self._registry = registry
        self._identity = identity
        self._checkpoints = checkpoints
        self._signer = signer
        self._operator_log = operator_log
        self._clock = clock
        self._lists: tuple[tuple[int, date], dict[str, dict[str, Json]]] | None = None

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
        made = _sign_lists(self._identity(), inactive, count, self._signer, now)
        self._lists = (state, made)
        return made

    def export(self, governance: Sequence[Signer]) -> bytes:
        """A new trust bundle, signed by the governance, one version above the last."""
        self._checkpoints.sign()
        self._checkpoints.gather()
        checkpoint = self._log.checkpoint()
        registry, lists = self._registry(), self.status_lists()
        landmarks = self._log.landmarks(Checkpoint.parse(open_note(checkpoint, ()).text).size)
        with writing(self._engine) as connection:
            last = connection.execute(select(func.max(trust_bundles.c.version))).scalar_one()
            version = (last or 0) + 1
            now = self._clock().replace(microsecond=0)
            trust = _make_trust(
                version,
                self._identity(),
                registry,
                checkpoint,
                lists,
                self._signer,
                now,
                landmarks,
            )
            data = trust.sign(governance)
            open_trust(data)  # what no verifier would open is not kept
            connection.execute(trust_bundles.insert().values(version=version, data=data))
            self._operator_log.record(connection, Act.TRUST_EXPORTED, version=version)
        return data

    def newest(self) -> bytes:
        """The newest trust bundle; NotFound before the first."""
        with reading(self._engine) as connection:
            query = select(trust_bundles.c.data).order_by(trust_bundles.c.version.desc()).limit(1)
            data = connection.execute(query).scalar_one_or_none()
        if data is None:
            raise NotFound("the governance has not signed a trust bundle yet")
        return bytes(data)


def _sign_lists(
    identity: LogIdentity,
    inactive: Iterable[tuple[Slot, LotState]],
    count: int,
    signer: Signer,
    now: datetime,
) -> dict[str, dict[str, Json]]:
    # `inactive` are the slots of lots whose credentials no longer hold, or not for now.
    places: dict[tuple[int, str], list[int]] = {
        (number, purpose): []
        for number in range(1, count + 1)
        for purpose in (REVOCATION, SUSPENSION)
    }
    for slot, state in inactive:
        places[slot.list, PURPOSES[state]].append(slot.index)
    method = verification_method(identity.bank, signer.public_key)
    start, end = format_moment(now), format_moment(now + timedelta(days=_STATUS_DAYS))
    lists = {}
    for (number, purpose), indices in places.items():
        url = list_url(identity.domain, number, purpose)
        bits = StatusList.of(indices)
        document = status_list_credential(url, identity.bank, purpose, bits, start, end)
        lists[url] = sign(document, signer, method, start)
    return lists


def _make_trust(
    version: int,
    identity: LogIdentity,
    registry: Registry,
    checkpoint: str,
    lists: dict[str, dict[str, Json]],
    bank_key: Signer,
    now: datetime,
    landmarks: Landmarks,
) -> Trust:
    # The governance has yet to sign it.
    return Trust(
        version,
        now,
        now + timedelta(days=_STATUS_DAYS),
        now + timedelta(days=_TRUST_DAYS),
        identity.bank,
        identity.domain,
        identity.origin,
        identity.names,
        (bank_key.public_key.multikey,),
        identity.roots,
        identity.log_keys,
        checkpoint,
        {did: _member(member) for did, member in sorted(registry.members.items())},
        tuple(
            Witness(record.operator, key)
            for _, record in sorted(registry.witnesses.items())
            for key in record.keys
        ),
        registry.quorum,
        # What verifiers carry about is small, and asks no RDF of them.
        {url: only_suite(document, JCS) for url, document in lists.items()},
        landmarks,
        identity.predecessor,
    )


def _member(member: Member) -> TrustedMember:
    keys = tuple(period for _, period in sorted(member.keys.items()))
    return TrustedMember(
        member.did, member.names, member.active, keys, member.grants, member.attested
    )
