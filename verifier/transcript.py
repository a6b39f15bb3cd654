"""A transcript: the bank's own proof over it, every award in it, and its totals.

One report for all of it: each award is one of its checks, and any award that does not verify
makes the transcript not verified.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from credentials import CredentialsError, key_in_method, read_credential, verify_proofs
from credentials.certificate.facts import certificate_facts
from credentials.moment import format_moment
from credentials.spelling import shown
from credentials.transcript import COUNTS, LotLine, Transcript, read_transcript, totals
from keys import Json
from verifier.collection import check_award
from verifier.report import Check, Outcome, Report, Subject
from verifier.trust import Trust
from verifier.verification import check_trust


def verify_transcript(
    document: dict[str, Json], receipts: Mapping[str, str], trust: Trust, at: datetime
) -> Report:
    """Check a transcript against `trust` as of `at`; `receipts` by the awards' identifiers."""
    trusted = check_trust(trust, at)
    try:
        transcript = read_transcript(document)
    except CredentialsError as error:
        bad = Check("format", Outcome.FAILED, "format.bad", {"reason": str(error).rstrip(".")})
        skipped = Check("signature", Outcome.NOT_CHECKED, "skipped")
        return _report(trust, at, Subject(), (bad, skipped, trusted))
    awards = [check_award(award, receipts, trust, at)[0] for award in transcript.awards]
    checks = (
        Check("format", Outcome.PASSED, "transcript.format"),
        _signature(document, transcript, trust),
        _totals(transcript),
        *awards,
        trusted,
    )
    return _report(trust, at, _subject(transcript, trust), checks)


def _signature(document: dict[str, Json], transcript: Transcript, trust: Trust) -> Check:
    try:
        results = verify_proofs(document, key_in_method)
    except CredentialsError as error:
        return _bad_signature(str(error))
    for result in results:
        did, _, key = result.method.partition("#")
        if result.error is not None or not result.understood:
            return _bad_signature(result.error or f"{result.suite} is not understood")
        if did != trust.bank or transcript.issuer != did or key not in trust.bank_keys:
            return _bad_signature("it is not signed by the credit bank")
    values = {"size": str(transcript.size)}
    date = results[0].created[:10]
    return Check("signature", Outcome.PASSED, "transcript.signature", values, date)


def _bad_signature(reason: str) -> Check:
    return Check("signature", Outcome.FAILED, "signature.bad", {"reason": reason.rstrip(".")})


def _totals(transcript: Transcript) -> Check:
    """The totals are the sums of the lots that count, and each such lot has its award enclosed."""
    try:
        facts = [certificate_facts(award) for award in transcript.awards]
    except CredentialsError as error:
        return _bad_totals(str(error))
    lots = sorted(_line(line.scheme, line.level, line.credits) for line in _counted(transcript))
    enclosed = sorted(_line(fact.scheme, fact.level, fact.credits) for fact in facts)
    if list(transcript.totals) != totals(transcript.lots):
        return _bad_totals("they are not the sums of the lots listed")
    if lots != enclosed:
        return _bad_totals("the awards enclosed are not those of the lots that count")
    if len({fact.identifier for fact in facts}) != len(facts):
        return _bad_totals("an award is enclosed twice")
    if len({fact.learner for fact in facts}) > 1:
        return _bad_totals("the awards are of learners with different names")
    return Check("totals", Outcome.PASSED, "totals.good", _sum(transcript))


def _bad_totals(reason: str) -> Check:
    return Check("totals", Outcome.FAILED, "totals.bad", {"reason": reason.rstrip(".")})


def _counted(transcript: Transcript) -> list[LotLine]:
    return [line for line in transcript.lots if line.state == COUNTS]


def _line(scheme: str, level: str, credits: str) -> tuple[str, str, Decimal]:
    return scheme, level, Decimal(credits)


def _sum(transcript: Transcript) -> dict[str, str]:
    parts = [f"{credits} ({scheme}, {level})" for scheme, level, credits, _ in transcript.totals]
    others = len(transcript.lots) - len(transcript.awards)
    return {"sums": "; ".join(parts) or "0", "others": str(others)}


def _subject(transcript: Transcript, trust: Trust) -> Subject:
    try:
        learner = read_credential(transcript.awards[-1]).learner if transcript.awards else ""
    except CredentialsError:
        learner = ""
    credits = sum((Decimal(line.credits) for line in _counted(transcript)), Decimal(0))
    return Subject(
        shown(transcript.identifier),
        shown(learner),
        "学习成果总表 Transcript",
        format(credits.normalize(), "f"),
        shown(transcript.issuer),
        trust.names,
    )


def _report(trust: Trust, at: datetime, subject: Subject, checks: tuple[Check, ...]) -> Report:
    issued = format_moment(trust.issued)
    return Report(format_moment(at), "transcript", subject, checks, trust.version, issued)
