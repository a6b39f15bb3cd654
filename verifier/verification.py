"""Verification: evidence and a trust bundle in, a report out. Pure: no clock, file or network."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from credentials import CredentialFacts, CredentialsError, format_moment, read_credential
from credentials.spelling import hidden_characters, mixes_alphabets, shown
from ledger import format_time
from verifier.authority import check_issuer
from verifier.evidence import Evidence
from verifier.inclusion import check_ledger, check_witnesses
from verifier.report import Check, Outcome, Report, Subject
from verifier.signature import check_signature
from verifier.status import check_status
from verifier.trust import Trust

_AFTER_FORMAT = ("signature", "issuer", "ledger", "witnesses", "status", "validity", "holder")


def verify(evidence: Evidence, trust: Trust, at: datetime) -> Report:
    """Check `evidence` against `trust` as of the moment `at` (aware).

    Never raises over what the evidence says: whatever is wrong is a failed check.
    """
    trusted = check_trust(trust, at)
    try:
        facts = read_credential(evidence.credential)
    except CredentialsError as error:
        bad = Check("format", Outcome.FAILED, "format.bad", {"reason": str(error).rstrip(".")})
        skipped = [Check(name, Outcome.NOT_CHECKED, "skipped") for name in _AFTER_FORMAT]
        return _report(evidence, trust, at, Subject(), (bad, *skipped, trusted))
    signature, keys = check_signature(evidence.credential, facts.issuer, at)
    ledger, entry, opened = check_ledger(evidence, facts, trust)
    checks = (
        check_spelling([facts.learner, facts.achievement], "format.good"),
        signature,
        check_issuer(facts, evidence.credential, keys, entry, trust),
        ledger,
        check_witnesses(opened, trust),
        check_status(facts, trust, at),
        _check_validity(facts, at),
        Check("holder", Outcome.NOT_CHECKED, "holder.file"),
        trusted,
    )
    return _report(evidence, trust, at, _subject(facts, trust), checks)


def _report(
    evidence: Evidence, trust: Trust, at: datetime, subject: Subject, checks: tuple[Check, ...]
) -> Report:
    issued = format_moment(trust.issued)
    return Report(format_moment(at), evidence.form, subject, checks, trust.version, issued)


def _subject(facts: CredentialFacts, trust: Trust) -> Subject:
    member = trust.members.get(facts.issuer)
    return Subject(
        shown(facts.identifier),
        shown(facts.learner),
        shown(facts.achievement),
        "" if facts.credits is None else format(Decimal(str(facts.credits)).normalize(), "f"),
        shown(facts.issuer),
        member.names if member else {},
    )


def check_spelling(names: Sequence[str], good: str) -> Check:
    """The format is good by now; whether `names` could deceive the eye is said with it."""
    text = " ".join(names)
    hidden = hidden_characters(text)
    if hidden:
        codes = ", ".join(f"U+{ord(char):04X}" for char in hidden)
        return Check("format", Outcome.PASSED, "format.hidden", {"codes": codes}, caution=True)
    if mixes_alphabets(text):
        return Check("format", Outcome.PASSED, "format.mixed", caution=True)
    return Check("format", Outcome.PASSED, good)


def _check_validity(facts: CredentialFacts, at: datetime) -> Check:
    since = facts.valid_from.astimezone(UTC).date().isoformat()
    until = facts.valid_until.astimezone(UTC).date().isoformat() if facts.valid_until else ""
    values = {"since": since, "until": until}
    if at < facts.valid_from:
        return Check("validity", Outcome.FAILED, "validity.early", values, since)
    if facts.valid_until is not None and at > facts.valid_until:
        return Check("validity", Outcome.FAILED, "validity.over", values, until)
    code = "validity.until" if until else "validity.good"
    return Check("validity", Outcome.PASSED, code, values, since)


def check_trust(trust: Trust, at: datetime) -> Check:
    """How old the trust bundle is; see the report's table."""
    issued, until = trust.issued.date().isoformat(), trust.expires.date().isoformat()
    values = {"version": str(trust.version), "until": until}
    values |= {f"name.{language}": name for language, name in trust.names.items()}
    if at > trust.expires:
        return Check("trust", Outcome.PASSED, "trust.expired", values, issued, unknown=True)
    if at < trust.issued:
        return Check("trust", Outcome.PASSED, "trust.early", values, issued, caution=True)
    root = trust.governance
    if root.expired(format_time(at)):
        values |= {"root": str(root.version), "ended": root.expires[:10]}
        return Check("trust", Outcome.PASSED, "trust.root-expired", values, issued, caution=True)
    if at > trust.next_update:
        values["due"] = trust.next_update.date().isoformat()
        return Check("trust", Outcome.PASSED, "trust.due", values, issued, caution=True)
    return Check("trust", Outcome.PASSED, "trust.good", values, issued)
