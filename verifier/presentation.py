"""A presentation: who shows the awards answered the verifier's own challenge, just now.

An award does not name its holder's key, so that no two can be linked by it: what the key shows
is that the file was not merely passed on. Whose name it is, an identity document shows.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from credentials import CredentialsError, key_in_did_key, parse_moment, verify_proofs
from credentials.data_model import check_presentation, credentials_in, party
from credentials.moment import format_moment
from credentials.spelling import shown
from credentials.verifiable import presentation_terms
from keys import Json
from verifier.collection import PRESENTATION, check_award
from verifier.report import Check, Outcome, Report, Subject
from verifier.trust import Trust
from verifier.verification import check_trust


def verify_presentation(
    document: dict[str, Json],
    receipts: Mapping[str, str],
    trust: Trust,
    at: datetime,
    domain: str | None,
    challenge: str | None,
) -> Report:
    """Check a presentation made for `domain` and `challenge`, and every award in it, as of `at`.

    Without a challenge who presents is not checked: anybody could have kept the file.
    """
    trusted = check_trust(trust, at)
    try:
        check_presentation(document)
        awards = credentials_in(document)
    except CredentialsError as error:
        bad = Check("format", Outcome.FAILED, "format.bad", {"reason": str(error).rstrip(".")})
        return _report(trust, at, Subject(), (bad, trusted))
    found = [check_award(award, receipts, trust, at) for award in awards]
    learners = {report.subject.learner for _, report in found}
    checks = [
        Check("format", Outcome.PASSED, "presentation.format", {"count": str(len(found))}),
        _holder(document, at, domain, challenge),
        *(check for check, _ in found),
        trusted,
    ]
    if len({str(award.get("id")) for award in awards}) != len(awards):
        checks.append(Check("award", Outcome.FAILED, "award.twice"))
    if len(learners) != 1:
        reason = "it shows awards of learners with different names, or none"
        checks.append(Check("holder", Outcome.FAILED, "holder.bad", {"reason": reason}))
    credits = [report.subject.credits for _, report in found if report.subject.credits]
    subject = Subject(
        shown(str(document.get("id", ""))[:200]),
        next(iter(learners)) if len(learners) == 1 else "",
        "出示的学习成果 Awards presented",
        format(sum((Decimal(c) for c in credits), Decimal(0)).normalize(), "f"),
        shown(party(document, "holder")[:200]),
    )
    return _report(trust, at, subject, tuple(checks))


def _holder(
    document: dict[str, Json], at: datetime, domain: str | None, challenge: str | None
) -> Check:
    holder = party(document, "holder")
    try:
        terms = presentation_terms(domain, challenge)
        results = verify_proofs(document, key_in_did_key, terms)
    except CredentialsError as error:
        return _bad_holder(str(error))
    for result in results:
        if result.error is not None or not result.understood:
            return _bad_holder(result.error or f"{result.suite} is not understood")
        if not holder or result.method.partition("#")[0] != holder:
            return _bad_holder("it is not signed by the holder it names")
        if not result.expires or parse_moment(result.expires, "expires") < at:
            return _bad_holder(f"it was good until {result.expires or 'no time it says'}")
    values = {"did": holder}
    date = results[0].created[:10]
    if challenge is None:
        return Check("holder", Outcome.NOT_CHECKED, "holder.unasked", values, date, caution=True)
    return Check("holder", Outcome.PASSED, "holder.good", values, date)


def _bad_holder(reason: str) -> Check:
    return Check("holder", Outcome.FAILED, "holder.bad", {"reason": reason.rstrip(".")})


def _report(trust: Trust, at: datetime, subject: Subject, checks: tuple[Check, ...]) -> Report:
    issued = format_moment(trust.issued)
    return Report(format_moment(at), PRESENTATION, subject, checks, trust.version, issued)
