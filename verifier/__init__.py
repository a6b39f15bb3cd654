"""What a third party runs: evidence and a trust bundle in, a report out, with no network."""

from verifier.collection import (
    PRESENTATION,
    TRANSCRIPT,
    Collection,
    read_collection,
    write_collection,
)
from verifier.errors import BadTrust, Unreadable, VerifierError
from verifier.evidence import Evidence, read_evidence, read_qr_url, write_bundle
from verifier.foreign import verify_foreign
from verifier.presentation import verify_presentation
from verifier.report import Check, Outcome, Report, Subject, Verdict
from verifier.transcript import verify_transcript
from verifier.trust import Governance, Trust, TrustedMember, Witness, open_trust
from verifier.verification import verify

__all__ = [
    "PRESENTATION",
    "TRANSCRIPT",
    "BadTrust",
    "Check",
    "Collection",
    "Evidence",
    "Governance",
    "Outcome",
    "Report",
    "Subject",
    "Trust",
    "TrustedMember",
    "Unreadable",
    "Verdict",
    "VerifierError",
    "Witness",
    "open_trust",
    "read_collection",
    "read_evidence",
    "read_qr_url",
    "verify",
    "verify_foreign",
    "verify_presentation",
    "verify_transcript",
    "write_bundle",
    "write_collection",
]
