"""What a third party runs: evidence and a trust bundle in, a report out, with no network."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.governance import Governance
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
    from verifier.trust import Trust, TrustedMember, Witness, open_trust
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

_HOMES = {
    "collection": (
        "PRESENTATION",
        "TRANSCRIPT",
        "Collection",
        "read_collection",
        "write_collection",
    ),
    "errors": ("BadTrust", "Unreadable", "VerifierError"),
    "evidence": ("Evidence", "read_evidence", "read_qr_url", "write_bundle"),
    "foreign": ("verify_foreign",),
    "presentation": ("verify_presentation",),
    "report": ("Check", "Outcome", "Report", "Subject", "Verdict"),
    "transcript": ("verify_transcript",),
    "trust": ("Governance", "Trust", "TrustedMember", "Witness", "open_trust"),
    "verification": ("verify",),
}
_HOME = {name: f"verifier.{home}" for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for: a command waits for no more."""
    if name not in _HOME:
        raise AttributeError(f"module 'verifier' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
