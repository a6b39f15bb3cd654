"""Files of several awards: a transcript or a presentation, with the awards' receipts beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keys import Json, KeysError, encode, parse
from verifier.evidence import Evidence
from verifier.report import Check, Outcome, Report, Verdict
from verifier.trust import Trust
from verifier.verification import verify

TRANSCRIPT = "transcript"
PRESENTATION = "presentation"
_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Collection:
    """A transcript or presentation, and the receipts of its awards by their identifiers."""

    kind: str
    document: dict[str, Json]
    receipts: Mapping[str, str]


def read_collection(data: bytes) -> Collection | None:
    """What a file's bytes hold; None if that is neither a transcript nor a presentation."""
    if data.lstrip()[:1] != b"{" or len(data) > _LIMIT:
        return None
    try:
        value = parse(data, limit=_LIMIT)
    except KeysError:
        return None
    if isinstance(value, dict) and "credential" in value:
        return None
    from credentials.presentation import is_presentation
    from credentials.transcript import is_transcript

    receipts: Json = {}
    if isinstance(value, dict) and "receipts" in value and len(value) == 2:
        receipts = value["receipts"]
        value = value.get(TRANSCRIPT, value.get(PRESENTATION))
    if not isinstance(value, dict) or not isinstance(receipts, dict):
        return None
    known = {name: text for name, text in receipts.items() if isinstance(text, str)}
    if is_transcript(value):
        return Collection(TRANSCRIPT, value, known)
    return Collection(PRESENTATION, value, known) if is_presentation(value) else None


def write_collection(collection: Collection) -> bytes:
    """The exact bytes of a collection's file."""
    receipts: dict[str, Json] = dict(collection.receipts)
    return encode({"receipts": receipts, collection.kind: collection.document})


def check_award(
    award: dict[str, Json], receipts: Mapping[str, str], trust: Trust, at: datetime
) -> tuple[Check, Report]:
    """One award of a collection as a line of its report, and its own report."""
    receipt = receipts.get(str(award.get("id")))
    report = verify(Evidence(award, receipt, "bundle" if receipt else "credential"), trust, at)
    subject = report.subject
    open_points = [
        c for c in report.checks if c.outcome is Outcome.FAILED or c.caution or c.unknown
    ]
    values = {
        "achievement": subject.achievement or str(award.get("id"))[:60],
        "credits": subject.credits or "?",
        "reason.en": " ".join(check.sentence("en") for check in open_points).rstrip("."),
        "reason.zh": "".join(check.sentence("zh") for check in open_points).rstrip("。"),
    }
    if report.verdict is Verdict.NOT_VERIFIED:
        return Check("award", Outcome.FAILED, "award.bad", values), report
    if report.verdict is Verdict.CANNOT_TELL:
        return Check("award", Outcome.NOT_CHECKED, "award.open", values, unknown=True), report
    if report.verdict is Verdict.CAUTION:
        return Check("award", Outcome.PASSED, "award.partly", values, caution=True), report
    return Check("award", Outcome.PASSED, "award.good", values), report
