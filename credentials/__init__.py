"""What the learner holds: Open Badges 3.0 documents, proofs, status lists and QR codes."""

from credentials.achievement import (
    Achievement,
    Alignment,
    Award,
    Issuer,
    achievement_credential,
)
from credentials.document import CredentialFacts, check_context, read_credential
from credentials.errors import BadDocument, BadProof, BadStatusList, CredentialsError
from credentials.moment import format_moment, parse_moment
from credentials.proofs import (
    JCS,
    RDFC,
    SUITES,
    ProofResult,
    commitment,
    key_in_method,
    sign,
    verify_proofs,
)
from credentials.status import (
    REVOCATION,
    SUSPENSION,
    StatusList,
    StatusSlot,
    list_url,
    read_status_list,
    status_list_credential,
)

__all__ = [
    "JCS",
    "RDFC",
    "REVOCATION",
    "SUITES",
    "SUSPENSION",
    "Achievement",
    "Alignment",
    "Award",
    "BadDocument",
    "BadProof",
    "BadStatusList",
    "CredentialFacts",
    "CredentialsError",
    "Issuer",
    "ProofResult",
    "StatusList",
    "StatusSlot",
    "achievement_credential",
    "check_context",
    "commitment",
    "format_moment",
    "key_in_method",
    "list_url",
    "parse_moment",
    "read_credential",
    "read_status_list",
    "sign",
    "status_list_credential",
    "verify_proofs",
]
