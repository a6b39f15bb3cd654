"""Is the award in the ledger, and who saw it there? From the receipt alone."""

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
        receipt = Receipt.parse(evidence.receipt)
        opened = _open_checkpoint(receipt.checkpoint, trust)
        checkpoint = Checkpoint.parse(opened.text)
        verify_inclusion(
            leaf_hash(receipt.entry), receipt.index, checkpoint.size, receipt.path, checkpoint.root
        )
        entry = Entry.parse(receipt.entry)
        if entry.index != receipt.index:
            raise BadReceipt(f"the entry says it is {entry.index}, the receipt {receipt.index}")
        entry.signed.verify()
        _compare(entry, evidence, facts, trust)
    except (LedgerError, KeysError, CredentialsError) as error:
        values = {"reason": str(error).rstrip(".")}
        return Check("ledger", Outcome.FAILED, "ledger.bad", values), None, None
    values = {"index": str(entry.index), "origin": checkpoint.origin}
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


def _open_checkpoint(note: str, trust: Trust) -> OpenNote:
    opened = open_note(note, (*trust.log_keys, *(witness.key for witness in trust.witnesses)))
    if not any(signature.key in trust.log_keys for signature in opened.signatures):
        raise BadReceipt("its checkpoint is not signed by this bank's log")
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != trust.origin:
        raise BadReceipt(f"its checkpoint is of another log, {checkpoint.origin}")
    known = Checkpoint.parse(open_note(trust.checkpoint, trust.log_keys).text)
    if known.size == checkpoint.size and known.root != checkpoint.root:
        raise BadReceipt(
            f"the log shows two histories of {known.size} entries: the receipt's and the trust "
            "bundle's differ"
        )
    return opened


def _compare(entry: Entry, evidence: Evidence, facts: CredentialFacts, trust: Trust) -> None:
    """What the ledger says in clear must be what the credential says."""
    statement = entry.signed.statement
    body = statement.body
    if statement.kind != "award" or statement.author != facts.issuer:
        raise BadReceipt("its entry is not an award by this institution")
    if body["commitment"] != b64u_encode(commitment(evidence.credential)):
        raise BadReceipt("its entry is about another credential than this one")
    if Decimal(str(body["credits"])) != Decimal(str(facts.credits)):
        raise BadReceipt(f"the ledger says {body['credits']} credits, the credential differs")
    status = body["status"]
    if isinstance(status, dict):
        number, index = int(str(status["list"])), int(str(status["index"]))
        url = list_url(trust.domain, number, "revocation")
        if facts.status != StatusSlot(url, index).entry():
            raise BadReceipt("the ledger names another status slot than the credential")
    until = "" if facts.valid_until is None else facts.valid_until.date().isoformat()
    if body.get("expires", "") != until:
        raise BadReceipt("the ledger and the credential name different days of expiry")
