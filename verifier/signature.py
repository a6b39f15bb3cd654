"""Is the document as it was signed? Every proof that is understood must hold."""

from datetime import datetime

from credentials import CredentialsError, key_in_method, parse_moment, verify_proofs
from keys import Json
from verifier.report import Check, Outcome


def check_signature(
    credential: dict[str, Json], issuer: str, at: datetime
) -> tuple[Check, frozenset[str]]:
    """The check, and the keys (Multikeys) whose proofs hold."""
    try:
        results = verify_proofs(credential, key_in_method)
        for result in results:
            if result.error is not None:
                return _failed(result.error)
            if result.expires and parse_moment(result.expires, "expires") < at:
                values = {"date": result.expires[:10]}
                return Check("signature", Outcome.FAILED, "signature.expired", values), frozenset()
    except CredentialsError as error:
        return _failed(str(error))
    good = [result for result in results if result.passed]
    # A proof that names no kind at all is not understood either.
    strange = ", ".join(result.suite or "?" for result in results if not result.understood)
    if not good:
        check = Check("signature", Outcome.FAILED, "signature.unknown", {"suites": strange})
        return check, frozenset()
    for result in good:
        if result.method.partition("#")[0] != issuer:
            return _failed(f"the key belongs to {result.method.partition('#')[0]}, not {issuer}")
    keys = frozenset(result.method.partition("#")[2] for result in good)
    date = good[0].created[:10]
    if strange:
        values = {"suites": strange}
        return (
            Check("signature", Outcome.PASSED, "signature.partly", values, date, caution=True),
            keys,
        )
    values = {"suites": ", ".join(result.suite for result in good)}
    return Check("signature", Outcome.PASSED, "signature.good", values, date), keys


def _failed(reason: str) -> tuple[Check, frozenset[str]]:
    values = {"reason": reason.rstrip(".")}
    return Check("signature", Outcome.FAILED, "signature.bad", values), frozenset()
