"""What the bank keeps about a learner under seal, and how it is written as JSON. Pure.

Times are as the ledger spells them (UTC, to the second), days as YYYY-MM-DD.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bank.learners.errors import BadConsent
from bank.learners.identity import Document
from keys import Json
from ledger import format_time

MOST_CREDENTIALS = 1000
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name a learner bore, and the time it was changed."""

    name: str = field(repr=False)
    until: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a learner is: the name, those borne before (oldest first), and the document."""

    name: str = field(repr=False)
    opened: str
    former: tuple[FormerName, ...] = ()
    document: Document | None = None

    def as_json(self) -> dict[str, Json]:
        """The identity as JSON."""
        document: Json = None
        if self.document is not None:
            document = {"kind": self.document.kind, "number": self.document.number}
        former: list[Json] = [{"name": old.name, "until": old.until} for old in self.former]
        return {"document": document, "former": former, "name": self.name, "opened": self.opened}

    @classmethod
    def of_json(cls, value: Any) -> "Identity":
        """The identity that `as_json` wrote."""
        document = value["document"] and Document(**value["document"])
        former = tuple(FormerName(**old) for old in value["former"])
        return cls(value["name"], value["opened"], former, document)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a learner's journal: when, what, and what belongs to it.

    `number` is its place in the journals of all learners, 0 before it is written.
    """

    time: str
    kind: str
    detail: dict[str, Json] = field(default_factory=dict, repr=False, hash=False)
    number: int = field(default=0, compare=False)

    def as_json(self) -> dict[str, Json]:
        """The event as JSON, without its number."""
        return {"detail": self.detail, "kind": self.kind, "time": self.time}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a learner agrees to: for what, to whom, which credentials (None: all), which days."""

    purpose: str = field(repr=False)
    recipient: str = field(repr=False)
    credentials: tuple[str, ...] | None
    start: str
    until: str

    def as_json(self) -> dict[str, Json]:
        """The terms as JSON; `all` stands for every credential."""
        scope: Json = "all" if self.credentials is None else list(self.credentials)
        return {
            "credentials": scope,
            "from": self.start,
            "purpose": self.purpose,
            "recipient": self.recipient,
            "until": self.until,
        }


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent: its identifier, its terms, when it was given and withdrawn (empty: it is not)."""

    consent: str
    terms: Terms
    given: str
    withdrawn: str = ""

    def in_force(self, now: datetime) -> bool:
        """Whether it holds at `now`; both of its days count in full, in UTC."""
        today = format_time(now)[:10]
        return not self.withdrawn and self.terms.start <= today <= self.terms.until

    def as_json(self) -> dict[str, Json]:
        """The consent as JSON."""
        return {
            **self.terms.as_json(),
            "consent": self.consent,
            "given": self.given,
            "withdrawn": self.withdrawn,
        }

    @classmethod
    def of_json(cls, value: Any) -> "Consent":
        """The consent that `as_json` wrote."""
        scope = value["credentials"]
        terms = Terms(
            value["purpose"],
            value["recipient"],
            None if scope == "all" else tuple(scope),
            value["from"],
            value["until"],
        )
        return cls(value["consent"], terms, value["given"], value["withdrawn"])


def read_terms(value: Json, today: date) -> Terms:
    """The terms in JSON as people write them; BadConsent names the field that is wrong.

    `{"purpose", "recipient", "credentials": [..] or "all", "from", "until"}`; without `from` it
    is from today.
    """
    if not isinstance(value, dict):
        raise BadConsent("a consent is an object with purpose, recipient, credentials and until")
    if not set(value) <= {"purpose", "recipient", "credentials", "from", "until"}:
        raise BadConsent(
            "a consent has the fields purpose, recipient, credentials, from and until, no others"
        )
    start = _day(value.get("from", today.isoformat()), "from")
    until = _day(value.get("until"), "until")
    if until < start:
        raise BadConsent(f"the consent would end on {until}, before it begins on {start}")
    scope = _scope(value.get("credentials"))
    return Terms(_text(value, "purpose"), _text(value, "recipient"), scope, start, until)


def _scope(value: Json) -> tuple[str, ...] | None:
    if value == "all":
        return None
    names = value if isinstance(value, list) else []
    texts = [name for name in names if isinstance(name, str)]
    if not 1 <= len(texts) == len(names) <= MOST_CREDENTIALS:
        raise BadConsent(
            "the consent's credentials are 'all', or a list of up to "
            f"{MOST_CREDENTIALS} identifiers such as urn:uuid:…"
        )
    return tuple(sorted(set(texts)))


def _text(value: dict[str, Json], name: str) -> str:
    text = value.get(name)
    text = " ".join(text.split()) if isinstance(text, str) else ""
    if not 1 <= len(text) <= _LONGEST:
        raise BadConsent(f"the consent's {name} is text of 1 to {_LONGEST} characters")
    return text


def _day(value: Json, name: str) -> str:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:
        raise BadConsent(f"the consent's {name} is a day such as 2027-06-30")
    return day.isoformat()
