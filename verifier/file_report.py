"""Whatever a file holds, verified: one credential, or a transcript or presentation of several."""

from datetime import datetime

from verifier.collection import PRESENTATION, read_collection
from verifier.evidence import read_evidence
from verifier.report import Report
from verifier.trust import Trust
from verifier.verification import verify


def verify_file(
    data: bytes,
    name: str,
    trust: Trust,
    at: datetime,
    domain: str | None = None,
    challenge: str | None = None,
) -> Report:
    """The report on a file's bytes as of `at`; Unreadable, naming the file, where there is none.

    `domain` and `challenge` are what a presentation should have been made for.
    """
    collection = read_collection(data)
    if collection is None:
        return verify(read_evidence(data, name), trust, at)
    if collection.kind == PRESENTATION:
        from verifier.presentation import verify_presentation

        return verify_presentation(
            collection.document, collection.receipts, trust, at, domain, challenge
        )
    from verifier.transcript import verify_transcript

    return verify_transcript(collection.document, collection.receipts, trust, at)
