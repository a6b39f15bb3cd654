"""Was a foreign credential revoked? As far as the status lists say that were given with it."""

from collections.abc import Sequence

from credentials import BadStatusList, CredentialsError
from credentials.data_model import party
from credentials.status_entry import ENTRY, StatusEntry, value_in
from credentials.verifiable import Check as DocumentCheck
from keys import Json
from verifier.report import Check, Outcome
from verifier.status import age

_FAILS = {"revocation": "status.revoked", "suspension": "status.suspended"}
_MOST_ENTRIES = 8


def check_foreign_status(
    document: dict[str, Json], lists: Sequence[dict[str, Json]], check: DocumentCheck
) -> Check:
    """Look the credential's entries up in `lists`, which its own issuer must have signed.

    Every entry that can revoke or suspend must be found for the check to pass.
    """
    entries = document.get("credentialStatus", [])
    items = entries if isinstance(entries, list) else [entries]
    if not items:
        return Check("status", Outcome.NOT_CHECKED, "status.none", unknown=True)
    if len(items) > _MOST_ENTRIES:
        return _bad(f"the credential has more than {_MOST_ENTRIES} of them")
    found = [_entry(item, party(document, "issuer"), lists, check) for item in items]
    for outcome in (Outcome.FAILED, Outcome.NOT_CHECKED):
        for one in found:
            if one.outcome is outcome:
                return one
    return found[0]


def _entry(
    item: Json, issuer: str, lists: Sequence[dict[str, Json]], check: DocumentCheck
) -> Check:
    if not isinstance(item, dict) or item.get("type") != ENTRY:
        return Check("status", Outcome.NOT_CHECKED, "status.unknown", unknown=True)
    try:
        entry = StatusEntry.of(item)
        document = next((one for one in lists if one.get("id") == entry.url), None)
        if document is None:
            return Check("status", Outcome.NOT_CHECKED, "status.foreign", unknown=True)
        faults = check.credential(document)
        if faults:
            raise BadStatusList(f"it does not verify: {faults[0].reason}")
        if party(document, "issuer") != issuer:
            return Check("status", Outcome.NOT_CHECKED, "status.other", unknown=True)
        date = str(document.get("validFrom", ""))[:10]
        code = _FAILS.get(entry.purpose) if value_in(entry, document, check.at) else None
        if code is None:
            values = {"date": date, **age(date, check.at)}
            return Check("status", Outcome.PASSED, "status.good", values, date)
        return Check("status", Outcome.FAILED, code, {}, date)
    except CredentialsError as error:
        return _bad(str(error))


def _bad(reason: str) -> Check:
    return Check("status", Outcome.FAILED, "status.bad", {"reason": reason.rstrip(".")})
