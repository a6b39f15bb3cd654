"""People who sign in, and what each role is for."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class Role(StrEnum):
    """What somebody signs in as: one role a person, who is one person whatever they sign in by."""

    REGISTRAR = "registrar"
    APPROVER = "approver"
    ADMIN = "admin"
    OPERATOR = "operator"
    REGULATOR = "regulator"
    LEARNER = "learner"

    @property
    def home(self) -> str:
        """The path of the pages for this role."""
        return f"/{'registrar' if self.is_institution else self.value}"

    @property
    def is_institution(self) -> bool:
        """Whether the role is one of an institution's own people."""
        return self in (Role.REGISTRAR, Role.APPROVER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in; times as the ledger spells them, `ended` empty while they may.

    `scope` is the institution's short name, the learner's record, or empty for the whole bank's.
    """

    person: str
    login: str
    name: str
    role: Role
    scope: str
    made: str
    ended: str
    passkeys: int = 0
    """How many passkeys they have."""
    has_password: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person, and the token that forms of this session carry against forgery."""

    person: Person
    csrf: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an invitation lets its holder become, until when."""

    role: Role
    scope: str
    expires: str


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are, as browsers name it: `https://bank.example`."""

    origin: str

    @property
    def host(self) -> str:
        """The relying party's identifier of passkeys (WebAuthn, section 5.1.2)."""
        return urlsplit(self.origin).hostname or ""
