"""A credential of an issuer no credit bank knows: what can be said of it, and what cannot.

Its signature may hold and its dates may be good; whether to believe the issuer nothing here can
tell. So the verdict is at best that nobody can tell. Whether it was revoked is told by its status
list, where that was given. Nothing is fetched.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from credentials import key_in_did_key, key_in_method, parse_moment, resolve_among
from credentials.data_model import party
from credentials.moment import format_moment
from credentials.spelling import shown
from credentials.verifiable import Check as DocumentCheck
from credentials.verifiable import Fault
from keys import Json
from verifier.foreign_status import check_foreign_status
from verifier.report import Check, Outcome, Report, Subject
from verifier.trust import Trust
from verifier.verification import check_spelling, check_trust

_MOST_SHOWN = 100


def verify_foreign(
    document: dict[str, Json],
    trust: Trust | None,
    at: datetime,
    documents: Sequence[Json] = (),
    status_lists: Sequence[dict[str, Json]] = (),
) -> Report:
    """Check a credential of any issuer as of `at` (aware).

    Keys are those of did:key, of the members of `trust`, and those in `documents`, DID documents
    of others.
    `status_lists` are credentials of status lists, as their issuers publish them.
    """
    issuer = party(document, "issuer")
    member = issuer if trust is not None and issuer in trust.members else ""
    check = DocumentCheck(
        key_in_method if member else key_in_did_key,
        at,
        resolve=resolve_among(documents) if documents and not member else None,
    )
    trusted = check_trust(trust, at) if trust else _no_trust()
    wrong = check.form(document)
    if wrong:
        skipped = [
            Check(name, Outcome.NOT_CHECKED, "skipped")
            for name in ("signature", "issuer", "status", "validity", "holder")
        ]
        checks = (_failed("format", "format.bad", wrong), *skipped, trusted)
        return _report(Subject(), checks, trust, at)
    learner, achievement = _names(document)
    checks = (
        check_spelling([learner, achievement], "format.foreign"),
        _signature(document, check),
        _issuer(document, issuer, trust),
        Check("ledger", Outcome.NOT_CHECKED, "ledger.foreign"),
        check_foreign_status(document, status_lists, check),
        _validity(document, check),
        Check("holder", Outcome.NOT_CHECKED, "holder.file"),
        trusted,
    )
    return _report(_subject(document, issuer, trust), checks, trust, at)


def _shown(value: Json) -> str:
    """A text of a stranger's as it can be shown: short, and nothing in it that moves the rest."""
    return shown(_text(value)[:_MOST_SHOWN])


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _no_trust() -> Check:
    """The check of a trust bundle where there is none."""
    return Check("trust", Outcome.NOT_CHECKED, "trust.none", caution=True)


def _failed(name: str, code: str, faults: list[Fault]) -> Check:
    return Check(name, Outcome.FAILED, code, {"reason": faults[0].reason.rstrip(".")})


def _signature(document: dict[str, Json], check: DocumentCheck) -> Check:
    wrong = check.proofs(document)
    if wrong:
        return _failed("signature", "signature.bad", wrong)
    proofs = _proofs(document)
    names = [_shown(proof.get("cryptosuite", proof.get("type"))) for proof in proofs]
    values = {"suites": ", ".join(names)}
    date = next((str(proof["created"])[:10] for proof in proofs if "created" in proof), "")
    return Check("signature", Outcome.PASSED, "signature.good", values, date)


def _proofs(document: dict[str, Json]) -> list[dict[str, Json]]:
    proof = document.get("proof")
    items = proof if isinstance(proof, list) else [proof]
    return [item for item in items if isinstance(item, dict)]


def _issuer(document: dict[str, Json], issuer: str, trust: Trust | None) -> Check:
    values = {"did": _shown(issuer)}
    member = trust.members.get(issuer) if trust is not None else None
    if member is None:
        return Check("issuer", Outcome.NOT_CHECKED, "issuer.foreign", values, unknown=True)
    names = {f"name.{language}": name for language, name in member.names.items()}
    if not member.active:
        return Check("issuer", Outcome.FAILED, "issuer.suspended", names)
    for proof in _proofs(document):
        key = str(proof.get("verificationMethod")).partition("#")[2]
        period = next((period for period in member.keys if period.key == key), None)
        if period is None:
            return Check("issuer", Outcome.FAILED, "issuer.foreign-key", names)
        if period.end is not None or period.suspect_from is not None:
            return Check("issuer", Outcome.FAILED, "issuer.dead-key", names)
    return Check("issuer", Outcome.NOT_CHECKED, "issuer.member", values, caution=True)


def _validity(document: dict[str, Json], check: DocumentCheck) -> Check:
    since = _moment(document, "validFrom", "issuanceDate")
    until = _moment(document, "validUntil", "expirationDate")
    values = {"since": _day(since), "until": _day(until)}
    if since is not None and since > check.at:
        return Check("validity", Outcome.FAILED, "validity.early", values, _day(since))
    if check.dates(document):
        return Check("validity", Outcome.FAILED, "validity.past", values, _day(until))
    if since is None:
        code = "validity.undated" if until is None else "validity.undated-until"
    else:
        code = "validity.good" if until is None else "validity.until"
    return Check("validity", Outcome.PASSED, code, values, _day(since))


def _moment(document: dict[str, Json], *names: str) -> datetime | None:
    """When, by whichever field of the data model's versions there is."""
    for name in names:
        if name in document:
            return parse_moment(str(document[name]), name)
    return None


def _day(moment: datetime | None) -> str:
    return moment.astimezone(UTC).date().isoformat() if moment else ""


def _names(document: dict[str, Json]) -> tuple[str, str]:
    """Of whom it is, and of what."""
    about = document.get("credentialSubject")
    first = about[0] if isinstance(about, list) and about else about
    subject = first if isinstance(first, dict) else {}
    achievement = subject.get("achievement")
    what = achievement.get("name") if isinstance(achievement, dict) else document.get("name")
    return _text(subject.get("name", subject.get("id"))), _text(what)


def _subject(document: dict[str, Json], issuer: str, trust: Trust | None) -> Subject:
    learner, achievement = _names(document)
    member = trust.members.get(issuer) if trust is not None else None
    return Subject(
        _shown(document.get("id")),
        _shown(learner),
        _shown(achievement),
        issuer=_shown(issuer),
        issuer_names=member.names if member else {},
    )


def _report(
    subject: Subject, checks: tuple[Check, ...], trust: Trust | None, at: datetime
) -> Report:
    version, issued = (trust.version, format_moment(trust.issued)) if trust else (0, "")
    return Report(format_moment(at), "foreign", subject, checks, version, issued)
