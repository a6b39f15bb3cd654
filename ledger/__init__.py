"""What happened: signed statements in a chained, Merkle-treed, append-only log, and its proofs.

These are the pure parts. The audit, the store and what writes to it are imported by module:
`ledger.audit`, `ledger.store`, `ledger.log`, `ledger.sequencer`, `ledger.checkpointer`,
`ledger.group_commit`.
"""

from ledger.authority import (
    Grant,
    KeyPeriod,
    LogIdentity,
    Member,
    Registry,
    WitnessRecord,
)
from ledger.body import STATUS_LIST_LENGTH
from ledger.catalogue import Unit
from ledger.checkpoint import Checkpoint
from ledger.clock import format_time, parse_date, parse_time
from ledger.entry import Entry
from ledger.errors import (
    BadEntry,
    BadNote,
    BadProofPath,
    BadReceipt,
    BadStatement,
    LedgerError,
    NotFound,
    Refused,
    StoreFault,
)
from ledger.lots import Lot, LotBook, Slot
from ledger.note import OpenNote, Signature, VerifierKey, open_note, sign_note
from ledger.receipt import Receipt
from ledger.standing import Facts, LotState, Standing
from ledger.statement import SignedStatement, Statement
from ledger.tree import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

__all__ = [
    "STATUS_LIST_LENGTH",
    "BadEntry",
    "BadNote",
    "BadProofPath",
    "BadReceipt",
    "BadStatement",
    "Checkpoint",
    "Entry",
    "Facts",
    "Grant",
    "KeyPeriod",
    "LedgerError",
    "LogIdentity",
    "Lot",
    "LotBook",
    "LotState",
    "Member",
    "NotFound",
    "OpenNote",
    "Receipt",
    "Refused",
    "Registry",
    "Signature",
    "SignedStatement",
    "Slot",
    "Standing",
    "Statement",
    "StoreFault",
    "Unit",
    "VerifierKey",
    "WitnessRecord",
    "consistency_proof",
    "format_time",
    "inclusion_proof",
    "leaf_hash",
    "open_note",
    "parse_date",
    "parse_time",
    "root_hash",
    "sign_note",
    "verify_consistency",
    "verify_inclusion",
]
