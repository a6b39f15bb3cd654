"""Had the institution authority? Decided by the award's place in the ledger, never by a date."""

from credentials import CredentialFacts
from keys import Json, b64u_encode
from ledger import Entry
from ledger.lots import certified_by
from verifier.report import Check, Outcome
from verifier.trust import Trust, TrustedMember


def check_issuer(
    facts: CredentialFacts,
    credential: dict[str, Json],
    keys: frozenset[str],
    entry: Entry | None,
    trust: Trust,
) -> Check:
    """Check issuer, keys and grant; `entry` is the award's, where the receipt proved one."""
    member = trust.members.get(facts.issuer)
    if member is None:
        return Check("issuer", Outcome.FAILED, "issuer.stranger", {"did": facts.issuer})
    values = {"name.en": member.names["en"], "name.zh": member.names["zh"]}
    if not keys and entry is None:
        return Check("issuer", Outcome.NOT_CHECKED, "issuer.unproved", values)
    attested = entry is not None and _statement_of(entry) in member.attested
    fault = _key_fault(member, keys, entry, attested)
    if fault is not None:
        return Check("issuer", Outcome.FAILED, fault, values)
    if entry is None:
        if not member.active:
            return Check("issuer", Outcome.FAILED, "issuer.suspended", values)
        issued = trust.issued.date().isoformat()
        return Check("issuer", Outcome.PASSED, "issuer.registered", values, issued)
    if not _granted(member, credential, entry):
        return Check("issuer", Outcome.FAILED, "issuer.no-grant", values, entry.time[:10])
    good = "issuer.attested" if _in_doubt(member, keys, entry) else "issuer.good"
    return Check("issuer", Outcome.PASSED, good, values, entry.time[:10])


def _statement_of(entry: Entry) -> str:
    return b64u_encode(entry.signed.statement.hash)


def _in_doubt(member: TrustedMember, keys: frozenset[str], entry: Entry) -> bool:
    """Whether a key that signed was reported as suspect over this entry."""
    used = keys | {key for key, _ in entry.signed.signatures}
    return any(period.key in used and period.doubtful_at(entry.index) for period in member.keys)


def _key_fault(
    member: TrustedMember, keys: frozenset[str], entry: Entry | None, attested: bool
) -> str | None:
    periods = {period.key: period for period in member.keys}
    used = keys if entry is None else keys | {key for key, _ in entry.signed.signatures}
    for key in used:
        period = periods.get(key)
        if period is None:
            return "issuer.foreign-key"
        if entry is None:
            good = period.end is None and period.suspect_from is None
        else:
            good = period.good_at(entry.index, attested)
        if not good and entry is not None and period.doubtful_at(entry.index):
            return "issuer.doubtful-key"
        if not good:
            return "issuer.dead-key"
    return None


def _granted(member: TrustedMember, credential: dict[str, Json], entry: Entry) -> bool:
    statement = entry.signed.statement
    level = int(str((certified_by(statement) or {})["level"]))
    subject = credential["credentialSubject"]
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    field = achievement.get("fieldOfStudy") if isinstance(achievement, dict) else None
    if statement.kind == "confer":
        field = "*"  # a qualification is of every field that its credits are of
    return any(
        grant.index < entry.index and grant.covers(str(field), level, entry.time[:10])
        for grant in member.grants
    )
