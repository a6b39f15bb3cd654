"""The bank's sealed private records about learners: who they are, and what they agreed to.

A learner is a person with a random identifier, to whom accounts at the bank are linked. Name and
identity document exist only under seal; a document is found by a keyed hash. Nothing of this is
ever on the ledger.
"""

from bank.learners.desk import Learners
from bank.learners.erasure import erase_account
from bank.learners.errors import (
    BadConsent,
    BadIdentity,
    Conflict,
    Erased,
    LearnersError,
    NoSuchRecord,
)
from bank.learners.identity import CITIZEN, Document, read_document, read_name
from bank.learners.records import Consent, Event, Identity, Terms, read_terms

__all__ = [
    "CITIZEN",
    "BadConsent",
    "BadIdentity",
    "Conflict",
    "Consent",
    "Document",
    "Erased",
    "Event",
    "Identity",
    "Learners",
    "LearnersError",
    "NoSuchRecord",
    "Terms",
    "erase_account",
    "read_document",
    "read_name",
    "read_terms",
]
