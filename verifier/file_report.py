"""Whatever a file holds, read and verified: one credential, or a transcript or presentation."""

from datetime import datetime

from credentials.spelling import shown
from verifier.collection import PRESENTATION, Collection, read_collection
from verifier.evidence import Evidence, read_evidence
from verifier.report import Report
from verifier.trust import Trust
from verifier.verification import verify

Shown = Evidence | Collection


def read_any(data: bytes, name: str) -> Shown:
    """What a file's bytes show; Unreadable, naming the file, where that is nothing."""
    return read_collection(data) or read_evidence(data, name)


def verify_any(
    what: Shown,
    trust: Trust,
    at: datetime,
    domain: str | None = None,
    challenge: str | None = None,
) -> Report:
    """Check it against `trust` as of `at`; domain and challenge are a presentation's."""
    if isinstance(what, Evidence):
        return verify(what, trust, at)
    if what.kind == PRESENTATION:
        from verifier.presentation import verify_presentation

        return verify_presentation(what.document, what.receipts, trust, at, domain, challenge)
    from verifier.transcript import verify_transcript

    return verify_transcript(what.document, what.receipts, trust, at)


def verify_file(
    data: bytes,
    name: str,
    trust: Trust,
    at: datetime,
    domain: str | None = None,
    challenge: str | None = None,
) -> Report:
    """The report on a file's bytes as of `at`; Unreadable, naming the file, where there is none."""
    return verify_any(read_any(data, name), trust, at, domain, challenge)


def awards_shown(what: Shown) -> frozenset[str]:
    """The identifiers of the awards in it, spelt as reports spell them; true or not."""
    if isinstance(what, Evidence):
        items = [what.credential]
    else:
        parent = what.document
        if what.kind != PRESENTATION:
            subject = parent.get("credentialSubject")
            parent = subject if isinstance(subject, dict) else {}
        held = parent.get("verifiableCredential")
        listed = held if isinstance(held, list) else [held]
        items = [item for item in listed if isinstance(item, dict)]
    names = (item.get("id") for item in items)
    return frozenset(shown(name) for name in names if isinstance(name, str) and name)
