"""What a third party runs: evidence and a trust bundle in, a report out, with no network."""

from verifier.errors import BadTrust, Unreadable, VerifierError
from verifier.evidence import (
    Evidence,
    read_evidence,
    read_qr_url,
    read_transcript_file,
    write_bundle,
    write_transcript,
)
from verifier.foreign import verify_foreign
from verifier.report import Check, Outcome, Report, Subject, Verdict
from verifier.transcript import verify_transcript
from verifier.trust import Governance, Trust, TrustedMember, Witness, open_trust
from verifier.verification import verify

__all__ = [
    "BadTrust",
    "Check",
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
    "read_evidence",
    "read_qr_url",
    "read_transcript_file",
    "verify",
    "verify_foreign",
    "verify_transcript",
    "write_bundle",
    "write_transcript",
]
