"""What the regulator's and the operator's pages call statements, states and reasons."""

from collections.abc import Mapping

from bank.pages.language import N_, Words
from bank.reports import Act, Alert
from keys import Json, encode

KINDS: Mapping[str, str] = {
    "agreement": N_("Agreement with a sister bank"),
    "framework.publish": N_("Framework published"),
    "governance.rotate": N_("Governance handed over"),
    "grant": N_("Authority granted"),
    "grant.end": N_("Grant ended"),
    "key.add": N_("Key added"),
    "key.retire": N_("Key retired"),
    "key.suspect": N_("Key in doubt"),
    "log.open": N_("Ledger opened"),
    "member.admit": N_("Member admitted"),
    "member.reinstate": N_("Member reinstated"),
    "member.suspend": N_("Member suspended"),
    "policy.publish": N_("Policy published"),
    "scheme.publish": N_("Credit scheme published"),
    "witness.admit": N_("Witness admitted"),
    "witness.retire": N_("Witness retired"),
}
_PROPOSALS: Mapping[str, str] = {
    "agreement": N_("Agree with a sister bank"),
    "framework.publish": N_("Publish a framework"),
    "governance.rotate": N_("Hand over the governance"),
    "grant": N_("Grant authority"),
    "grant.end": N_("End a grant"),
    "key.add": N_("Add a key"),
    "key.retire": N_("Retire a key"),
    "key.suspect": N_("Put a key in doubt"),
    "log.open": N_("Open a ledger"),
    "member.admit": N_("Admit a member"),
    "member.reinstate": N_("Reinstate a member"),
    "member.suspend": N_("Suspend a member"),
    "policy.publish": N_("Publish a policy"),
    "scheme.publish": N_("Publish a credit scheme"),
    "witness.admit": N_("Admit a witness"),
    "witness.retire": N_("Retire a witness"),
}
_WAYS: Mapping[str, str] = {
    "awarded": N_("awarded"),
    "converted in": N_("converted in"),
    "transferred in": N_("transferred in"),
    "active": N_("active"),
    "reserved": N_("reserved"),
    "suspended": N_("suspended"),
    "pending-out": N_("on their way"),
    "expired": N_("expired"),
    "redeemed": N_("redeemed"),
    "converted": N_("converted"),
    "transferred": N_("transferred out"),
    "revoked": N_("revoked"),
    "superseded": N_("replaced by a correction"),
}
_EVENTS: Mapping[str, str] = {
    "revoke": N_("Revocation"),
    "supersede": N_("Correction"),
    "suspend": N_("Suspension"),
}
_OUTCOMES: Mapping[str, str] = {
    "dismissed": N_("dismissed"),
    "open": N_("not decided yet"),
    "overdue": N_("of these, overdue"),
    "upheld": N_("upheld"),
}
_SPANS: Mapping[str, str] = {
    "appeal to decision": N_("from an appeal to its decision"),
    "award to conversion": N_("from an award to its conversion"),
}
_CAPACITIES: Mapping[str, str] = {
    "accreditation": N_("accreditation site"),
    "awarding": N_("awards credits"),
    "evaluation": N_("evaluates"),
    "receiving": N_("recognises credits"),
    "sub-centre": N_("sub-centre"),
}
REASONS: Mapping[str, str] = {
    "irregular-awards": N_("irregular awards"),
    "accreditation-lapsed": N_("accreditation has lapsed"),
    "at-own-request": N_("at its own request"),
    "review-closed": N_("a review was closed"),
}
"""Reasons that the pages offer; a proposal made elsewhere may give others."""
_FIELDS: Mapping[str, str] = {
    "capacities": N_("Capacities"),
    "fields": N_("Fields"),
    "from": N_("From"),
    "from_index": N_("From entry"),
    "index": N_("Grant by entry"),
    "key": N_("Key"),
    "level": N_("Up to level"),
    "member": N_("Member"),
    "name": N_("Name"),
    "person": N_("In the hand of"),
    "reason": N_("Reason"),
    "until": N_("Until"),
    "uscc": N_("Social credit code"),
}


def way(words: Words, name: str) -> str:
    """How credits came, or where they stand."""
    return words.say(_WAYS.get(name, name))


def event(words: Words, kind: str) -> str:
    """A decision against a learner."""
    return words.say(_EVENTS.get(kind, kind))


def outcome(words: Words, name: str) -> str:
    """Where appeals stand."""
    return words.say(_OUTCOMES.get(name, name))


def span(words: Words, name: str) -> str:
    """From what to what days are counted."""
    return words.say(_SPANS.get(name, name))


def capacity(words: Words, name: str) -> str:
    """What a member was admitted for."""
    return words.say(_CAPACITIES.get(name, name))


def reason(words: Words, code: str) -> str:
    """A reason's code in words where it is one that the pages offer."""
    base, _, number = code.rpartition("-")
    if number.isdecimal() and base in REASONS:
        return f"{words.say(REASONS[base])} ({number})"
    return words.say(REASONS[code]) if code in REASONS else code


def kind(words: Words, name: str) -> str:
    """A statement of the governance."""
    return words.say(KINDS.get(name, name))


def proposed(words: Words, name: str) -> str:
    """What a statement of the governance is to do."""
    return words.say(_PROPOSALS.get(name, name))


def act(words: Words, made: Act) -> str:
    """What the governance did about a member, in one line."""
    said = kind(words, made.kind)
    body = made.body
    if "reason" in body:
        said += f" · {reason(words, str(body['reason']))}"
    if made.kind == "grant":
        said += f" · {words.day(str(body['from']))} – {words.day(str(body['until']))}"
    if "person" in body:
        said += f" · {body['person']}"
    return said


def fields(words: Words, body: Mapping[str, Json]) -> list[tuple[str, str]]:
    """A statement's fields, for somebody who is to sign it: nothing is left out."""
    told = {name: _value(words, value) for name, value in body.items()}
    code = told.get("reason", "")
    if reason(words, code) != code:
        told["reason"] = f"{reason(words, code)} ({code})"
    return [(words.say(_FIELDS.get(name, name)), value) for name, value in told.items()]


def alert(words: Words, found: Alert, subject: str) -> str:
    """What stands out, in one sentence."""
    says = (
        N_("%(subject)s: %(value)s credits awarded in %(month)s; usual before: %(usual)s a month")
        if found.kind == "credits"
        else N_("%(subject)s: applied %(value)s times in %(month)s; usual before: %(usual)s")
    )
    return words.say(says) % {
        "subject": subject,
        "value": words.amount(f"{found.value:g}"),
        "month": words.month(found.month),
        "usual": words.amount(f"{found.usual:g}"),
    }


def _value(words: Words, value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict) and set(value) <= {"en", "zh"}:
        return words.pick(value)
    return encode(value).decode()
