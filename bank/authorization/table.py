"""Every route of a bank, and who may call it. A route that is not here is not served.

Beyond this a route looks at whose a thing is: a registrar's awards are those of their own
institution, an owner's credentials those of their own account.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bank.authorization.model import EVERYBODY, PEOPLE, Caller, Media, Pace, Rule
from bank.federation.sister import PATH

LARGEST: Final = 32 * 1024 * 1024
"""The largest body that any route takes."""
_FORM: Final = 64 * 1024
_PROPOSAL: Final = 1024 * 1024
_RECEIPT: Final = 200_000
_STAFF: Final = frozenset((Caller.REGISTRAR, Caller.APPROVER, Caller.ADMIN))
_REGISTRARS: Final = frozenset((Caller.REGISTRAR, Caller.ADMIN))
_APPROVERS: Final = frozenset((Caller.APPROVER, Caller.ADMIN))
_ADMIN: Final = frozenset((Caller.ADMIN,))
_LEARNER: Final = frozenset((Caller.LEARNER,))
_OPERATOR: Final = frozenset((Caller.OPERATOR,))
_REGULATOR: Final = frozenset((Caller.REGULATOR,))
_OWNER: Final = frozenset((Caller.OWNER,))
_KEYS: Final = frozenset((Caller.INSTITUTION, Caller.BANK))
_INSTITUTION: Final = frozenset((Caller.INSTITUTION,))
_BANK: Final = frozenset((Caller.BANK,))


def _rows(rule: Rule, routes: str) -> Iterator[tuple[tuple[str, str], Rule]]:
    for line in routes.split("\n"):
        if line.strip():
            method, path = line.split()
            yield (method, path), rule


def _form(to: Collection[Caller], largest: int = _FORM, pace: Pace = Pace.READ) -> Rule:
    return Rule(frozenset(to), Media.FORM, largest, pace)


def _json(to: Collection[Caller], largest: int = _FORM, pace: Pace = Pace.READ) -> Rule:
    return Rule(frozenset(to), Media.JSON, largest, pace)


_PUBLIC = """
    GET /openapi.json
    GET /ledger/checkpoint
    GET /ledger/entries/{index}
    GET /ledger/entries/{index}/receipt
    GET /ledger/consistency
    GET /log/checkpoint
    GET /log/tile/{rest:path}
    GET /members
    GET /units
    GET /rules
    GET /qualifications
    GET /appeals
    GET /lots/{name}
    GET /lots/{name}/proof
    GET /lots/{name}/recognition
    GET /reports
    GET /reports/{name}.csv
    GET /health
    GET /livez
    GET /readyz
    GET /trust.json
    GET /status/{number}
    GET /status/{number}/suspension
    GET /ns/credit-bank/1
    GET /.well-known/did.json
    GET /members/{slug}/did.json
    GET /federation
    GET /s/{secret}
    GET /.well-known/openid-credential-issuer
    GET /.well-known/oauth-authorization-server
    POST /openid4vci/nonce
    GET /v
    GET /v/
    GET /v/trust.json
    GET /v/{name:path}
    GET /static/{name:path}
    GET /
    GET /docs
    GET /explore
    GET /explore/lookup
    GET /explore/status
    GET /explore/status.json
    GET /explore/members
    GET /explore/members/{slug}
    GET /explore/rules
    GET /explore/frameworks
    GET /entries/{index}
    GET /erased
    GET /sign-in
    GET /sign-in/institution/{slug}
    GET /sign-in/institution/{slug}/back
    GET /demo/{given}
"""
_FORMS_OF_ANYBODY = """
    POST /sign-out
    POST /sign-in/passkey/options
    POST /join/passkey/options
    POST /demo/{given}
"""
_DOORS = """
    POST /sign-in
    POST /sign-in/passkey
    POST /join
    POST /join/passkey
"""
_ACCOUNT_FORMS = """
    POST /account/passkey/options
    POST /account/passkey
    POST /account/passkey/remove
"""
_OWNED = """
    GET /credentials
    GET /credentials/{identifier}
    GET /credentials/{identifier}/bundle
    GET /passbook
    GET /progress
    GET /transcript
    GET /shares
    DELETE /shares/{share}
"""
_RECORDS = """
    POST /learners
    POST /learners/find
    GET /learners/{learner}
    DELETE /learners/{learner}
    POST /learners/{learner}/document
    POST /learners/{learner}/name
    POST /learners/{learner}/merge
    POST /learners/{learner}/accounts
    POST /learners/{learner}/consents
    DELETE /learners/{learner}/consents/{consent}
    GET /learners/{learner}/archive
    GET /learners/{learner}/passbook
    GET /learners/{learner}/progress
"""
_STAFF_PAGES = """
    GET /registrar
    GET /registrar/template.csv
    GET /registrar/uploads/{name}
    GET /registrar/uploads/{name}/problems.csv
    GET /registrar/uploads/{name}/set-aside.csv
    GET /registrar/uploads/{name}/results
    GET /registrar/awards
    GET /registrar/awards/{name}
    GET /registrar/approvals
    GET /registrar/rules
    GET /registrar/keys
"""
_STAFF_FORMS = """
    POST /registrar/uploads/{name}/mapping
    POST /registrar/uploads/{name}/{step}
    POST /registrar/approvals/{approval}/drop
"""
_STAFF_SENDS = """
    POST /registrar/slots
    POST /registrar/uploads/{name}/signed/batch
    POST /registrar/uploads/{name}/signed/statements
    POST /registrar/uploads/{name}/signed/finish
    POST /registrar/rules/try
"""
_REGISTRAR_SENDS = """
    POST /registrar/signed/statements
    POST /registrar/signed/proposals
"""
_ADMIN_FORMS = """
    POST /registrar/people
    POST /registrar/people/end
    POST /registrar/api-keys
    POST /registrar/api-keys/retire
"""
_LEARNER_PAGES = """
    GET /learner
    GET /learner/claim
    GET /learner/awards
    GET /learner/awards/{name}
    GET /learner/awards/{name}/offer.png
    GET /learner/awards/{name}/{file}
    GET /learner/options
    GET /learner/shares
    GET /learner/data
    GET /learner/data/erase
"""
_LEARNER_FORMS = """
    POST /learner/claim
    POST /learner/awards/{name}/offer
    POST /learner/shares
    POST /learner/shares/end
    POST /learner/data/export
    POST /learner/data/consents
    POST /learner/data/consents/withdraw
    POST /learner/data/erase
    POST /learner/keys/challenge
    POST /learner/keys
    POST /learner/keys/remove
"""
_REGULATOR_PAGES = """
    GET /regulator
    GET /regulator/awards
    GET /regulator/conservation
    GET /regulator/recognition
    GET /regulator/figures.json
    GET /regulator/figures/{name}.csv
    GET /regulator/figures/{name}.json
    GET /regulator/progress.json
    GET /regulator/members
    GET /regulator/members/{slug}
    GET /regulator/proposals
    GET /regulator/proposals/{name}
    GET /regulator/proposals/{name}/file
    GET /regulator/log
    GET /regulator/log/checkpoint
"""
_REGULATOR_FORMS = """
    POST /regulator/members/{slug}
    POST /regulator/proposals
    POST /regulator/proposals/{name}/hand-in
    POST /regulator/proposals/{name}/put-away
    POST /regulator/log
"""
_OPERATOR_PAGES = """
    GET /operator
    GET /operator/audit
    GET /operator/audit/progress.json
    GET /operator/errors
    GET /operator/members
    GET /operator/people
    GET /operator/log
    GET /operator/log/checkpoint
"""
_OPERATOR_FORMS = """
    POST /operator/audit
    POST /operator/people
    POST /operator/people/end
    POST /operator/log
"""

TABLE: Final[Mapping[tuple[str, str], Rule]] = dict(
    (
        *_rows(Rule(EVERYBODY), _PUBLIC),
        *_rows(Rule(EVERYBODY, pace=Pace.DOOR), "GET /set-up\nGET /join"),
        *_rows(_form(EVERYBODY), _FORMS_OF_ANYBODY),
        *_rows(_form(EVERYBODY, pace=Pace.DOOR), _DOORS),
        *_rows(_json(EVERYBODY, pace=Pace.TRIAL), "POST /rules/try"),
        # Wallets and their codes are told what is wrong in OpenID4VCI's own words, by the route.
        *_rows(_form(EVERYBODY), "POST /openid4vci/token"),
        *_rows(_json((Caller.WALLET,)), "POST /openid4vci/credential"),
        *_rows(_json((Caller.SISTER,), _RECEIPT), f"POST {PATH}"),
        *_rows(_json(_KEYS, LARGEST), "POST /statements"),
        *_rows(_json(_INSTITUTION, 1024 * 1024), "POST /slots"),
        *_rows(_json(_INSTITUTION, LARGEST), "POST /batches"),
        *_rows(Rule(_INSTITUTION), "GET /awards\nGET /batches/alone"),
        *_rows(Rule(_KEYS, signed=True), "POST /sessions"),
        *_rows(Rule(_BANK, Media.JSON, _FORM, signed=True), _RECORDS),
        *_rows(Rule(_OWNER), _OWNED),
        *_rows(_json(_OWNER), "POST /shares\nPOST /appeals"),
        *_rows(Rule(PEOPLE), "GET /account"),
        *_rows(_form(PEOPLE), _ACCOUNT_FORMS),
        *_rows(Rule(_STAFF), _STAFF_PAGES),
        *_rows(_form(_STAFF), _STAFF_FORMS),
        *_rows(_form(_STAFF, LARGEST), "POST /registrar/uploads"),
        *_rows(_json(_STAFF, LARGEST), _STAFF_SENDS),
        # The second signature of two: whoever signs first is a registrar.
        *_rows(_json(_APPROVERS, LARGEST), "POST /registrar/approvals/{approval}/sign"),
        *_rows(Rule(_REGISTRARS), "GET /registrar/awards/{name}/result"),
        *_rows(_form(_REGISTRARS), "POST /registrar/awards/{name}/invite"),
        *_rows(_json(_REGISTRARS, LARGEST), _REGISTRAR_SENDS),
        *_rows(Rule(_ADMIN), "GET /registrar/people\nGET /registrar/api-keys"),
        *_rows(_form(_ADMIN), _ADMIN_FORMS),
        *_rows(Rule(_LEARNER), _LEARNER_PAGES),
        *_rows(_form(_LEARNER), _LEARNER_FORMS),
        *_rows(Rule(_REGULATOR), _REGULATOR_PAGES),
        *_rows(_form(_REGULATOR, _PROPOSAL), _REGULATOR_FORMS),
        *_rows(Rule(_OPERATOR), _OPERATOR_PAGES),
        *_rows(_form(_OPERATOR), _OPERATOR_FORMS),
    )
)
