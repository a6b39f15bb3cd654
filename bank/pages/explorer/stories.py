"""What a statement says, in one plain sentence of the visitor's language."""

from collections.abc import Callable, Mapping
from typing import Final

from bank.pages.language import N_, Words
from keys import Json
from ledger import Statement

_SENTENCES: Final = {
    "log.open": N_("%(who)s opened this ledger."),
    "member.admit": N_("The governance admitted %(member)s as a member."),
    "member.suspend": N_("The governance suspended %(member)s: %(reason)s."),
    "member.reinstate": N_("The governance let %(member)s work again: %(reason)s."),
    "key.add": N_(
        "A key of %(member)s was registered: entries after this one may be signed by it."
    ),
    "key.retire": N_("A key of %(member)s was retired; what it signed before stays good."),
    "key.rotate": N_("%(who)s replaced a key by the next one, which it had announced."),
    "award.attest": N_("%(who)s attested statements again that a suspect key had signed."),
    "governance.rotate": N_(
        "The governance handed over to its root of version %(version)s, until %(expires)s."
    ),
    "key.suspect": N_("A key of %(member)s is suspect from entry %(from_index)s on."),
    "grant": N_("%(member)s may award up to level %(level)s from %(from)s until %(until)s."),
    "grant.end": N_("The grant of entry %(index)s to %(member)s was ended: %(reason)s."),
    "framework.publish": N_("The qualifications framework %(framework)s was published."),
    "scheme.publish": N_("The credit scheme %(scheme)s was published: %(hours)s hours a credit."),
    "policy.publish": N_("A policy of this bank was published."),
    "witness.admit": N_("%(operator)s was admitted as a witness; %(quorum)s must cosign."),
    "witness.retire": N_("%(operator)s is a witness no more; %(quorum)s must cosign."),
    "agreement": N_("Banks agreed to recognise each other's awards from %(from)s until %(until)s."),
    "unit.publish": N_(
        "%(who)s published the unit %(unit)s, %(credits)s credits of level %(level)s."
    ),
    "rule.publish": N_("%(who)s published what it takes for credits of %(target)s."),
    "rule.withdraw": N_("%(who)s withdrew the rule %(code)s."),
    "qualification.publish": N_("%(who)s published the qualification %(code)s of level %(level)s."),
    "qualification.withdraw": N_("%(who)s withdrew the qualification %(code)s."),
    "award": N_("%(who)s awarded %(credits)s credits of %(unit)s to a learner."),
    "confer": N_("%(who)s conferred the qualification %(qualification)s on a learner."),
    "reserve": N_("%(who)s reserved a lot of credits for an application until %(until)s."),
    "release": N_("%(who)s released a reserved lot of credits."),
    "redeem": N_("%(who)s used up a lot of credits for a qualification."),
    "convert": N_("%(who)s converted a lot of credits under the rule %(rule)s."),
    "supersede": N_("%(who)s corrected an award: %(reason)s. Another lot takes its place."),
    "revoke": N_("%(who)s revoked an award: %(reason)s. Two persons signed."),
    "suspend": N_("%(who)s suspended an award: %(reason)s."),
    "reinstate": N_("%(who)s reinstated an award: %(reason)s."),
    "review.open": N_("A review was opened of a lot that was used already: %(reason)s."),
    "review.close": N_("A review of a used lot was closed: %(outcome)s."),
    "transfer.out": N_("A lot of credits leaves for %(to)s."),
    "transfer.in": N_("A lot of credits came from a sister bank."),
    "transfer.refuse": N_("A lot of credits from a sister bank was refused: %(reason)s."),
    "transfer.final": N_("A sister bank holds the lot now; it is spent here."),
    "transfer.return": N_("A lot of credits came back: the sister bank did not take it."),
    "exempt": N_("%(who)s exempted a learner under the rule %(rule)s."),
    "appeal": N_("A learner appealed; it is decided by %(due)s."),
    "appeal.decide": N_("An appeal was decided: %(outcome)s."),
    "batch.approve": N_("Two persons of %(who)s approved a batch of %(awards)s awards."),
    "lots.root": N_(
        "The bank put the root of the map of all lots on the ledger, over %(size)s entries."
    ),
}
KINDS: Final = tuple(_SENTENCES)
"""Every type of statement that has a sentence."""


def story(statement: Statement, words: Words, name_of: Callable[[str], str]) -> str:
    """The sentence of a statement; `name_of` gives the name of a DID."""
    text = _SENTENCES.get(statement.kind)
    if text is None:
        return statement.kind
    values = {name: _shown(value, words, name_of) for name, value in statement.body.items()}
    return words.say(text) % {**values, "who": name_of(statement.author)}


def _shown(value: Json, words: Words, name_of: Callable[[str], str]) -> str:
    if isinstance(value, str):
        return name_of(value) if value.startswith("did:") else value
    if isinstance(value, Mapping):
        return words.pick(value)
    return str(value)
