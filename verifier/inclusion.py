"""Is the award in the ledger, and who saw it there? From the receipt alone."""

from dataclasses import dataclass
from decimal import Decimal

from credentials import CredentialFacts, CredentialsError, StatusSlot, commitment, list_url
from keys import KeysError, b64u_encode
from ledger import (
    BadReceipt,
    Checkpoint,
    Entry,
    LedgerError,
    OpenNote,
    Receipt,
    leaf_hash,
    open_note,
    verify_inclusion,
)
from ledger.landmarks import HEADER as LANDMARK_HEADER
from ledger.landmarks import LandmarkReceipt, landmark_subtree
from ledger.lots import certified_by
from ledger.subtree import Subtree, verify_subtree_inclusion
from ledger.tree import root_from_inclusion
from verifier.evidence import Evidence
from verifier.report import Check, Outcome
from verifier.trust import Trust


def check_ledger(
    evidence: Evidence, facts: CredentialFacts, trust: Trust
) -> tuple[Check, Entry | None, OpenNote | None]:
    """The check, and where it passed the award's entry and the opened checkpoint."""
    if evidence.receipt is None:
        return (
            Check("ledger", Outcome.NOT_CHECKED, "ledger.none", caution=True),
            None,
            None,
        )
    try:
        place = locate(evidence.receipt, trust)
        if place is None:
            values = {"index": str(LandmarkReceipt.parse(evidence.receipt).index)}
            early = Check("ledger", Outcome.NOT_CHECKED, "ledger.early", values, caution=True)
            return early, None, None
        entry, opened = Entry.parse(place.entry), place.opened
        if entry.index != place.index:
            raise BadReceipt(f"the entry says it is {entry.index}, the receipt {place.index}")
        entry.signed.verify()
        _compare(entry, evidence, facts, trust)
    except (LedgerError, KeysError, CredentialsError) as error:
        values = {"reason": str(error).rstrip(".")}
        return Check("ledger", Outcome.FAILED, "ledger.bad", values), None, None
    values = {"index": str(entry.index), "origin": trust.origin}
    if opened.unknown:
        values["names"] = ", ".join(opened.unknown)
        check = Check(
            "ledger", Outcome.PASSED, "ledger.unknown-signer", values, entry.time[:10], caution=True
        )
    else:
        check = Check("ledger", Outcome.PASSED, "ledger.good", values, entry.time[:10])
    return check, entry, opened


def check_witnesses(opened: OpenNote | None, trust: Trust) -> Check:
    """Whether enough distinct operators cosigned the receipt's checkpoint."""
    if opened is None:
        return Check("witnesses", Outcome.NOT_CHECKED, "witnesses.no-receipt")
    if not trust.quorum:
        return Check("witnesses", Outcome.NOT_CHECKED, "witnesses.none")
    operators = {witness.key: witness.operator for witness in trust.witnesses}
    seen = {
        operators[signature.key] for signature in opened.signatures if signature.key in operators
    }
    values = {"count": str(len(seen)), "needed": str(trust.quorum)}
    if len(seen) < trust.quorum:
        return Check("witnesses", Outcome.NOT_CHECKED, "witnesses.few", values, caution=True)
    return Check("witnesses", Outcome.PASSED, "witnesses.good", values)


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's bytes, proved to stand at `index` in the tree of the opened checkpoint."""

    entry: bytes
    index: int
    opened: OpenNote


def locate(text: str, trust: Trust) -> Place | None:
    """Where a receipt proves its entry to be; None if the trust bundle does not reach so far."""
    # The bundle's own checkpoint, whose signature was checked when the bundle was opened.
    known = Checkpoint.parse(open_note(trust.checkpoint, ()).text)
    if not text.startswith(LANDMARK_HEADER):
        receipt = Receipt.parse(text)
        opened = _open_checkpoint(receipt.checkpoint, trust, known)
        checkpoint = Checkpoint.parse(opened.text)
        leaf = leaf_hash(receipt.entry)
        verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.path, checkpoint.root)
        _check_known(
            receipt, leaf, checkpoint.size, trust.landmarks.over(receipt.index, known.size)
        )
        return Place(receipt.entry, receipt.index, opened)
    short = LandmarkReceipt.parse(text)
    if short.origin != trust.origin:
        raise BadReceipt(f"it is of another log, {short.origin}")
    landmark = trust.landmarks.of(short.index)
    if landmark is None:
        return None
    verify_subtree_inclusion(
        leaf_hash(short.entry), short.index, landmark_subtree(short.index), short.path, landmark
    )
    return Place(short.entry, short.index, _open_checkpoint(trust.checkpoint, trust, known))


def _open_checkpoint(note: str, trust: Trust, known: Checkpoint) -> OpenNote:
    opened = open_note(note, (*trust.log_keys, *(witness.key for witness in trust.witnesses)))
    if not any(signature.key in trust.log_keys for signature in opened.signatures):
        raise BadReceipt("its checkpoint is not signed by this bank's log")
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != trust.origin:
        raise BadReceipt(f"its checkpoint is of another log, {checkpoint.origin}")
    if known.size == checkpoint.size and known.root != checkpoint.root:
        raise BadReceipt(
            f"the log shows two histories of {known.size} entries: the receipt's and the trust "
            "bundle's differ"
        )
    return opened


def _check_known(
    receipt: Receipt, leaf: bytes, size: int, known: tuple[Subtree, bytes] | None
) -> None:
    """The path goes through what the trust bundle knows of the tree, where both have it whole.

    Whoever has the log's key could else show an entry at a place that another one has.
    """
    if known is None or known[0].end > size:
        return
    subtree, node = known
    width = subtree.end - subtree.start
    path = receipt.path[: width.bit_length() - 1]
    if root_from_inclusion(leaf, receipt.index - subtree.start, width, path) != node:
        raise BadReceipt(
            f"the log shows two histories: at {receipt.index} the receipt's tree has another entry "
            "than the trust bundle's, or other entries about it"
        )


def _same(credits: str, earned: int | float) -> bool:
    return credits != "no" and Decimal(credits) == Decimal(str(earned))


def _compare(entry: Entry, evidence: Evidence, facts: CredentialFacts, trust: Trust) -> None:
    """What the ledger says in clear must be what the credential says."""
    statement = entry.signed.statement
    body = certified_by(statement)
    if body is None or statement.author != facts.issuer:
        raise BadReceipt("its entry is not an award by this institution")
    if body["commitment"] != b64u_encode(commitment(evidence.credential)):
        raise BadReceipt("its entry is about another credential than this one")
    credits = str(body.get("credits", "no"))
    if credits != "no" if facts.credits is None else not _same(credits, facts.credits):
        raise BadReceipt(f"the ledger says {credits} credits, the credential differs")
    status = body["status"]
    if isinstance(status, dict):
        number, index = int(str(status["list"])), int(str(status["index"]))
        url = list_url(trust.domain, number, "revocation")
        if facts.status != StatusSlot(url, index).entry():
            raise BadReceipt("the ledger names another status slot than the credential")
    until = "" if facts.valid_until is None else facts.valid_until.date().isoformat()
    if body.get("expires", "") != until:
        raise BadReceipt("the ledger and the credential name different days of expiry")
