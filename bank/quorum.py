"""Who of the governance has signed a proposal, who has not, and what the log would say to it."""

from dataclasses import dataclass

from bank.proposals import Proposal
from ledger import LedgerError, Registry
from ledger.authority import LogIdentity
from ledger.governance import ROTATE, governance_of


@dataclass(frozen=True, slots=True)
class GovernanceKey:
    """One of the keys of the governance, by its place in the root in force."""

    number: int
    key: str
    signed: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """Where a proposal stands. `entry` is where its statement is in the log already, or None."""

    keys: tuple[GovernanceKey, ...]
    others: tuple[str, ...]
    """Keys that signed and are not of this bank's governance."""
    threshold: int
    entry: int | None
    refusal: str
    """Why the log would not take it as it is, or empty where that is not known before."""

    @property
    def missing(self) -> int:
        """How many signatures it still takes."""
        return max(0, self.threshold - sum(key.signed for key in self.keys))

    @property
    def ready(self) -> bool:
        """Whether it can be handed in."""
        return self.entry is None and not self.missing and not self.refusal


def _next_root(proposal: Proposal) -> tuple[str, ...]:
    """The keys of the root that a proposal hands over to, who sign it too; or none."""
    if proposal.statement.kind != ROTATE:
        return ()
    return governance_of(proposal.statement.body["governance"]).keys


def approval(
    proposal: Proposal, registry: Registry, identity: LogIdentity, entry: int | None, next_time: str
) -> Approval:
    """How it stands; the log is asked only once there are enough signatures."""
    signed = {key for key, _ in proposal.signatures}
    keys = tuple(
        GovernanceKey(number, key, key in signed)
        for number, key in enumerate(identity.governance, start=1)
    )
    others = tuple(sorted(signed - {*identity.governance, *_next_root(proposal)}))
    found = Approval(keys, others, identity.threshold, entry, "")
    if entry is not None or found.missing:
        return found
    try:
        # No proposal speaks of its own place, so any place after all others will do.
        registry.check(proposal.signed(), 2**53, next_time)
    except LedgerError as error:
        return Approval(keys, others, identity.threshold, entry, str(error))
    return found
