"""Was the award revoked or suspended, as far as the trust bundle's lists tell?"""

from datetime import UTC, date, datetime

from credentials import (
    REVOCATION,
    SUSPENSION,
    BadStatusList,
    CredentialFacts,
    CredentialsError,
    StatusList,
    StatusSlot,
    key_in_method,
    parse_moment,
    read_status_list,
    verify_proofs,
)
from keys import Json
from verifier.report import Check, Outcome
from verifier.trust import Trust


def check_status(facts: CredentialFacts, trust: Trust, at: datetime) -> Check:
    """Look the credential's slot up in the lists of the trust bundle."""
    if facts.status is None:
        return Check("status", Outcome.NOT_CHECKED, "status.none", unknown=True)
    try:
        slot = StatusSlot.of(facts.status)
        revocation = trust.status_lists.get(slot.url)
        suspension = trust.status_lists.get(f"{slot.url}/{SUSPENSION}")
        if revocation is None or suspension is None:
            return Check("status", Outcome.NOT_CHECKED, "status.absent", unknown=True)
        lists = (revocation, suspension)
        day = min(str(document.get("validFrom")) for document in lists)[:10]
        if _open(revocation, REVOCATION, trust)[slot.index]:
            return Check("status", Outcome.FAILED, "status.revoked", {}, day)
        if _open(suspension, SUSPENSION, trust)[slot.index]:
            return Check("status", Outcome.FAILED, "status.suspended", {}, day)
        until = min(
            parse_moment(str(document.get("validUntil")), "the status list's validUntil")
            for document in lists
        )
    except CredentialsError as error:
        values = {"reason": str(error).rstrip(".")}
        return Check("status", Outcome.FAILED, "status.bad", values)
    if at > trust.expires:
        return Check("status", Outcome.NOT_CHECKED, "status.expired", {}, day, unknown=True)
    values = {"date": day, **age(day, at)}
    if at > until:
        return Check("status", Outcome.PASSED, "status.stale", values, day, caution=True)
    return Check("status", Outcome.PASSED, "status.good", values, day)


def age(day: str, at: datetime) -> dict[str, str]:
    """How long before `at` a day (YYYY-MM-DD) was, in words."""
    try:
        days = (at.astimezone(UTC).date() - date.fromisoformat(day)).days
    except ValueError:
        return {"age.en": "at a time it does not say", "age.zh": "日期不明"}
    if days <= 0:
        return {"age.en": "today", "age.zh": "今天"}
    return {"age.en": "yesterday" if days == 1 else f"{days} days ago", "age.zh": f"{days} 天前"}


def _open(document: dict[str, Json], purpose: str, trust: Trust) -> StatusList:
    results = verify_proofs(document, key_in_method)
    good = [result for result in results if result.passed]
    if not good or any(result.error is not None for result in results):
        raise BadStatusList("its signature does not hold")
    for result in good:
        did, _, key = result.method.partition("#")
        if did != trust.bank or key not in trust.bank_keys or document.get("issuer") != did:
            raise BadStatusList("it is not signed by the credit bank")
    return read_status_list(document, purpose)
