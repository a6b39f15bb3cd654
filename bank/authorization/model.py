"""Callers, and what a route asks of them."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from bank.sign_in import Role


class Caller(StrEnum):
    """As whom somebody calls, and so by which evidence."""

    ANONYMOUS = "anonymous"
    """Without any."""
    INSTITUTION = "institution"
    """A member's API key."""
    BANK = "bank"
    """An API key of the bank's own staff."""
    OWNER = "owner"
    """The token of an account, which its learner was given."""
    WALLET = "wallet"
    """An access token of OpenID4VCI."""
    SISTER = "sister"
    """A request signed by a bank that there is an agreement with."""
    WITNESS = "witness"
    """A witness on the ledger. It reads what everybody reads: the bank asks it, not it the bank."""
    REGISTRAR = Role.REGISTRAR.value
    APPROVER = Role.APPROVER.value
    ADMIN = Role.ADMIN.value
    OPERATOR = Role.OPERATOR.value
    REGULATOR = Role.REGULATOR.value
    LEARNER = Role.LEARNER.value


EVERYBODY: Final = frozenset(Caller)
PEOPLE: Final = frozenset(Caller(role.value) for role in Role)
"""Those who sign in to the pages."""
KEYS: Final = frozenset((Caller.INSTITUTION, Caller.BANK))


class Media(Enum):
    """What a body may be; one that says nothing of itself is read as what is expected."""

    NOTHING = ()
    JSON = ("application/json",)
    FORM = ("application/x-www-form-urlencoded", "multipart/form-data")


class Pace(Enum):
    """By what a route's requests are counted."""

    READ = auto()
    """Whatever one address asks."""
    DOOR = auto()
    """Attempts of one address to get in."""
    TRIAL = auto()
    """What costs seconds of a processor."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a route, what its body may be, its most bytes, and how often."""

    to: frozenset[Caller]
    takes: Media = Media.NOTHING
    largest: int = 1024
    pace: Pace = Pace.READ
    signed: bool = False
    """Whether a request by an API key is to be signed itself, where else a session's token does."""
