"""A credential of an issuer no credit bank knows: what can be said of it, and what cannot.

Its signature may hold and its dates may be good; whether to believe the issuer, whether it was
revoked, and when it was made, nothing here can tell. So it is verified in part at best.
"""

from collections.abc import Sequence
from datetime import datetime

from credentials import parse_moment
from credentials.controller import key_in_documents
from credentials.data_model import party
from credentials.errors import BadProof, WrongChallenge, WrongDomain
from credentials.moment import format_moment
from credentials.verifiable import Check as ForeignCheck
from credentials.verifiable import Fault
from keys import Json
from verifier.report import Check, Outcome, Report, Subject
from verifier.trust import Trust
from verifier.verification import check_trust

_SIGNATURE = {BadProof.problem, WrongDomain.problem, WrongChallenge.problem}


def verify_foreign(
    document: dict[str, Json], trust: Trust, at: datetime, documents: Sequence[Json] = ()
) -> Report:
    """Check a credential of any issuer as of `at`; nothing is fetched.

    Keys are those of a did:key itself, and those in `documents`, DID documents of others.
    """
    faults = ForeignCheck(key_in_documents(documents), at).credential(document)
    issuer = party(document, "issuer")
    known = issuer in trust.members
    checks = (
        _format(faults),
        _signature(document, faults),
        Check(
            "issuer",
            Outcome.NOT_CHECKED,
            "issuer.member" if known else "issuer.foreign",
            {"did": issuer[:100]},
            caution=True,
        ),
        Check("ledger", Outcome.NOT_CHECKED, "ledger.foreign"),
        Check("status", Outcome.NOT_CHECKED, "status.foreign", caution=True),
        check_trust(trust, at),
    )
    issued = format_moment(trust.issued)
    subject = Subject(str(document.get("id", ""))[:200], issuer=issuer)
    return Report(format_moment(at), "foreign", subject, checks, trust.version, issued)


def _format(faults: list[Fault]) -> Check:
    for fault in faults:
        if fault.problem not in _SIGNATURE:
            values = {"reason": fault.reason.rstrip(".")}
            return Check("format", Outcome.FAILED, "format.bad", values)
    return Check("format", Outcome.PASSED, "format.foreign")


def _signature(document: dict[str, Json], faults: list[Fault]) -> Check:
    for fault in faults:
        if fault.problem in _SIGNATURE:
            values = {"reason": fault.reason.rstrip(".")}
            return Check("signature", Outcome.FAILED, "signature.bad", values)
    if faults:
        return Check("signature", Outcome.NOT_CHECKED, "skipped")
    proofs = document.get("proof")
    suites, date = [], ""
    for proof in proofs if isinstance(proofs, list) else [proofs]:
        if isinstance(proof, dict):
            suites.append(str(proof.get("cryptosuite", proof.get("type"))))
            created = proof.get("created")
            if isinstance(created, str):
                date = parse_moment(created, "created").date().isoformat()
    return Check("signature", Outcome.PASSED, "signature.good", {"suites": ", ".join(suites)}, date)
