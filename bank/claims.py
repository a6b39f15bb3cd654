"""Claiming an account: whoever takes up an invitation to it gets its awards into their record.

An invitation to be a learner names an account, whose institution answers for handing it to the
right person. Taken up by a newcomer it opens a record and a way to sign in; taken up by somebody
who has a record it adds the account to that. A record that somebody signs in to gets no second way
in by an invitation: it may hold awards of institutions that had no say in it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bank.errors import BadRequest, NoSuchThing, NotAllowed
from bank.learners import Conflict
from bank.service import Bank
from bank.sign_in import Role

LASTING = timedelta(days=14)
"""How long an invitation can be taken up."""


class Holder(StrEnum):
    """Whose an account is, seen from a record."""

    NOBODY = "nobody"
    MINE = "mine"
    ANOTHER = "another"


@dataclass(frozen=True, slots=True)
class Claim:
    """What an invitation is to: an account, its institution's DID, and what it holds."""

    account: str
    institution: str
    learner: str = field(repr=False)
    """The name in its newest credential."""
    awards: int
    record: str
    """The record it is linked to, or empty."""
    taken: bool
    """Whether somebody signs in to that record already."""

    def holder(self, record: str) -> Holder:
        """Whose the account is, for whoever has `record`."""
        if not self.record:
            return Holder.NOBODY
        return Holder.MINE if self.record == record else Holder.ANOTHER


def invite(bank: Bank, account: str) -> str:
    """The code of an invitation to claim an account, told this once; NoSuchThing if it is empty."""
    try:
        owned = bank.accounts.credentials(bank.vault.token(account))
    except NotAllowed:
        owned = []
    if not owned:
        raise NoSuchThing(f"there is no account {account[:80]} with a credential")
    return bank.sign_in.invite(Role.LEARNER, account, LASTING)


def claim_of(bank: Bank, code: str) -> Claim:
    """What an invitation is to; NoLonger where it has ended, BadRequest where it is no claim."""
    invitation = bank.sign_in.invitation(code)
    if invitation.role is not Role.LEARNER:
        raise BadRequest("this invitation is not to a learner's awards; sign out to take it up")
    account = invitation.scope
    awards = len(bank.accounts.credentials(bank.vault.token(account)))
    record = bank.learners.record_of(account) or ""
    taken = bool(record) and bank.sign_in.anybody_of(bank.learners.names(record))
    institution, name = account.partition("|")[0], bank.accounts.learner_name(account)
    return Claim(account, institution, name, awards, record, taken)


def record_to_join(bank: Bank, claim: Claim) -> str:
    """The record that a newcomer's sign-in is to; opened if there is none yet.

    Conflict where somebody signs in to it already.
    """
    if claim.taken:
        raise Conflict(
            "somebody signs in to these awards already; if that is you, sign in and open this "
            "link again; if you cannot sign in any more, ask the bank to end the old sign-in"
        )
    return claim.record or _opened(bank, claim)


def add(bank: Bank, code: str, record: str) -> Holder:
    """Add the account that an invitation is to to `record`; whose it was before.

    The invitation is used up, except where there is a Conflict.
    """
    claim = claim_of(bank, code)
    (own, *_) = bank.learners.names(record)
    holder = claim.holder(own)
    if holder is Holder.ANOTHER:
        raise Conflict(
            "these awards are in another record already; if that is yours too, ask the bank to "
            "make one of both: it needs to see who you are"
        )
    bank.learners.link(own, claim.account)
    bank.sign_in.spend(code)
    return holder


def _opened(bank: Bank, claim: Claim) -> str:
    record = bank.learners.open(claim.learner)
    try:
        bank.learners.link(record, claim.account)
    except Conflict:
        # Somebody took up another invitation to the same account at the same time.
        bank.learners.erase(record)
        return bank.learners.record_of(claim.account) or record
    return record
