"""Making trust bundles: the registry, the log's checkpoint and fresh status lists in one file."""

from collections.abc import Iterable
from datetime import datetime, timedelta

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
from ledger import LogIdentity, LotState, Member, Registry, Slot
from ledger.landmarks import Landmarks
from verifier import Trust, TrustedMember, Witness

PURPOSES = {
    LotState.REVOKED: REVOCATION,
    LotState.SUPERSEDED: REVOCATION,
    LotState.SUSPENDED: SUSPENSION,
}
"""The lists in which a lot's credential stands; one that was used still proves what was learnt."""
_STATUS_DAYS = 7
_TRUST_DAYS = 30


def status_lists(
    identity: LogIdentity,
    inactive: Iterable[tuple[Slot, LotState]],
    count: int,
    signer: Signer,
    now: datetime,
) -> dict[str, dict[str, Json]]:
    """Both lists of every number up to `count`, signed by the bank; `inactive` are the
    slots of lots whose credentials no longer hold, or not for now."""
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


def make_trust(
    version: int,
    identity: LogIdentity,
    registry: Registry,
    checkpoint: str,
    lists: dict[str, dict[str, Json]],
    bank_key: Signer,
    now: datetime,
    landmarks: Landmarks,
) -> Trust:
    """What the bank says of itself as of `now`; the governance has yet to sign it."""
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
