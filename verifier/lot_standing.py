"""Where a lot stood at a checkpoint: the map's root is on the log, and the proof leads to it."""

from dataclasses import dataclass

from keys import b64u_decode
from ledger import BadReceipt, Entry
from ledger.lot_map import LotRecord, MapProof, check
from ledger.standing import CONSUMED, LotState
from verifier.inclusion import check_witnesses, locate
from verifier.report import Check
from verifier.trust import Trust

UNSPENT = (LotState.ACTIVE, LotState.RESERVED, LotState.SUSPENDED, LotState.PENDING_OUT)


@dataclass(frozen=True, slots=True)
class LotStanding:
    """Where a lot stood after the first `size` entries of the log, which it reached at `time`."""

    lot: str
    record: LotRecord | None
    """None where there was no such lot."""
    size: int
    time: str
    """Of the entry that bears the map's root."""
    witnesses: Check

    @property
    def unspent(self) -> bool:
        """Whether its credits were there to be used, now or after what holds them."""
        return self.record is not None and self.record.state in UNSPENT

    @property
    def sentence(self) -> str:
        """In English, with what uses it up where something does."""
        when = f"after {self.size} entries, {self.time}"
        if self.record is None:
            return f"there was no lot {self.lot} in this ledger {when}"
        state = self.record.state
        if state in CONSUMED:
            return f"{self.lot} is spent: {state} by entry {self.record.consumed}"
        if not self.unspent:
            return f"{self.lot} was {state} {when}: there are no credits in it to be used"
        until = f" until {self.record.until}" if self.record.until else ""
        expires = f"; it expires on {self.record.expires}" if self.record.expires else ""
        return f"{self.lot} was unspent {when}: {state}{until}{expires}"


def check_standing(evidence: str, trust: Trust) -> LotStanding:
    """What evidence of `ledger prove-unspent` shows under `trust`; LedgerError if it does not hold.

    The bank's own statement is the map's root; that it is the true one every audit of the log
    recomputes.
    """
    proof, separator, receipt = evidence.partition("\n\n")
    if not separator:
        raise BadReceipt("this is no evidence of a lot: it has a proof and a receipt")
    place = locate(receipt, trust)
    if place is None:
        raise BadReceipt("its root is later than the trust bundle reaches: get a newer one")
    entry = Entry.parse(place.entry)
    statement = entry.signed.statement
    entry.signed.verify()
    signers = {key for key, _ in entry.signed.signatures}
    if (
        statement.kind != "lots.root"
        or statement.author != trust.bank
        or entry.index != place.index
    ):
        raise BadReceipt("its receipt is not of a root of the map of lots by this bank")
    if not signers & set(trust.bank_keys):
        raise BadReceipt("its root is not signed by a key of this bank")
    root = b64u_decode(str(statement.body["root"]), 32)
    parsed = MapProof.parse(f"{proof}\n")
    size = int(str(statement.body["size"]))
    witnesses = check_witnesses(place.opened, trust)
    return LotStanding(parsed.lot, check(parsed, root), size, entry.time, witnesses)
