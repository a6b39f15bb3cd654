"""Where a credit lot stands, and what each event makes of that: pure transitions.

Each concerns one lot alone, so a log of any size is folded lot by lot. A statement that speaks
of what a lot is (its facts) is held to that here; whether they satisfy a rule, the registry
decides from the statement alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from keys import Json
from ledger.checked import as_object
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.receipt import Receipt


class LotState(StrEnum):
    """Where a lot stands. Expiry is computed from dates and is no state."""

    ACTIVE = "active"
    RESERVED = "reserved"
    SUSPENDED = "suspended"
    PENDING_OUT = "pending-out"
    REDEEMED = "redeemed"
    CONVERTED = "converted"
    TRANSFERRED = "transferred"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    CONFERRED = "conferred"
    """A qualification: it holds until it is revoked, and no credits are in it to be used."""
    REFUSED = "refused"
    """A transfer that this bank has refused: the name of a lot that will never be here."""


CONSUMED = frozenset(
    (LotState.REDEEMED, LotState.CONVERTED, LotState.TRANSFERRED, LotState.SUPERSEDED)
)
"""States that a lot enters once, by its one consuming event, and does not leave."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a lot is, and stays: all of it public. `credits` is a decimal, `expires` may be ""."""

    institution: str
    unit: str
    credits: str
    scheme: str
    level: str
    awarded: str
    expires: str
    depth: int = 0
    """How many conversions lie between it and the award it stems from."""

    def to_json(self) -> dict[str, Json]:
        """As statements carry it."""
        value: dict[str, Json] = {
            "awarded": self.awarded,
            "credits": self.credits,
            "depth": self.depth,
            "institution": self.institution,
            "level": self.level,
            "scheme": self.scheme,
            "unit": self.unit,
        }
        return {**value, "expires": self.expires} if self.expires else value

    @classmethod
    def from_json(cls, value: Json) -> "Facts":
        """Of the object in a statement, whose shape was checked."""
        item = as_object(value)
        return cls(
            str(item["institution"]),
            str(item["unit"]),
            str(item["credits"]),
            str(item["scheme"]),
            str(item["level"]),
            str(item["awarded"]),
            str(item.get("expires", "")),
            int(str(item["depth"])),
        )

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for all of it, here and nowhere on a log."""
        return digest_of(
            self.institution,
            self.unit,
            self.credits,
            self.scheme,
            self.level,
            self.awarded,
            self.expires,
            str(self.depth),
        )


def digest_of(*facts: str) -> bytes:
    """The digest of facts, in the order in which Facts has them."""
    return sha256("\0".join(facts).encode()).digest()[:16]


@dataclass(frozen=True, slots=True)
class Standing:
    """What later events of a lot depend on."""

    keeper: str
    """Whose lot it is to suspend, correct or revoke: its institution, or the bank it came to."""
    state: LotState
    digest: bytes
    """Of its facts."""
    expires: str
    holder: str = ""
    """Who reserved it, or where it is going."""
    since: str = ""
    until: str = ""
    """When that began, and when it lapses."""
    claim: str = ""
    """The application it is reserved for, or the transfer it is on."""
    consumed: int = -1
    """The index of its one consuming entry."""
    review: bool = False

    def at(self, time: str) -> LotState:
        """The state at `time`: a reservation lapses by itself."""
        if self.state is LotState.RESERVED and self.until < time:
            return LotState.ACTIVE
        return self.state

    def expired(self, day: str) -> bool:
        """Whether its last day lies before `day`."""
        return bool(self.expires) and self.expires < day


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a lot: the part of an entry that concerns it."""

    lot: str
    kind: str
    author: str
    body: Mapping[str, Json]
    index: int
    time: str

    @classmethod
    def of(cls, entry: Entry) -> "Event":
        """What an entry does to the lot it names."""
        statement = entry.signed.statement
        lot = str(statement.body["lot"])
        return cls(lot, statement.kind, statement.author, statement.body, entry.index, entry.time)


def move(standing: Standing, event: Event) -> Standing:
    """The standing after an event; Refused where its author or the lot's state forbids it."""
    return _EVENTS[event.kind](standing, event)


def _need(standing: Standing, event: Event, *allowed: LotState) -> None:
    state = standing.at(event.time)
    if state not in allowed:
        raise Refused(
            f"the lot {event.lot} is {_described(standing, event.time)}; {_cannot(event)}"
        )


def _described(standing: Standing, time: str) -> str:
    if standing.state is LotState.RESERVED and standing.until < time:
        return f"reserved no longer, since {standing.until}"
    match standing.state:
        case LotState.RESERVED:
            return f"reserved by {standing.holder} until {standing.until}"
        case LotState.CONFERRED:
            return "a qualification, with no credits in it"
        case LotState.PENDING_OUT:
            return f"on its way to {standing.holder} since {standing.since}"
        case state if state in CONSUMED:
            return f"{state} by entry {standing.consumed}"
        case state:
            return str(state)


def _cannot(event: Event) -> str:
    return f"it cannot {event.kind}"


def _need_keeper(standing: Standing, event: Event) -> None:
    if standing.keeper != event.author:
        raise Refused(f"only {standing.keeper} may {event.kind} its lot {event.lot}")


def _need_holder(standing: Standing, event: Event) -> None:
    if standing.state is LotState.RESERVED and standing.holder == event.author:
        return
    _need(standing, event, LotState.RESERVED)
    raise Refused(f"the lot {event.lot} is {_described(standing, event.time)}; {_cannot(event)}")


def _need_valid(standing: Standing, event: Event, day: str) -> None:
    if standing.expired(day):
        raise Refused(f"the lot {event.lot} expired on {standing.expires}; {_cannot(event)}")


def _need_facts(standing: Standing, event: Event) -> None:
    if Facts.from_json(event.body["facts"]).digest != standing.digest:
        raise Refused(f"the {event.kind} says of the lot {event.lot} what it is not")


def _suspend(standing: Standing, event: Event) -> Standing:
    _need_keeper(standing, event)
    _need(standing, event, LotState.ACTIVE)
    return _cleared(standing, LotState.SUSPENDED)


def _reinstate(standing: Standing, event: Event) -> Standing:
    _need_keeper(standing, event)
    _need(standing, event, LotState.SUSPENDED)
    return replace(standing, state=LotState.ACTIVE)


def _revoke(standing: Standing, event: Event) -> Standing:
    _need_keeper(standing, event)
    allowed = (LotState.ACTIVE, LotState.RESERVED, LotState.SUSPENDED, LotState.CONFERRED)
    _need(standing, event, *allowed)
    return _cleared(standing, LotState.REVOKED)


def _supersede(standing: Standing, event: Event) -> Standing:
    _need_keeper(standing, event)
    allowed = (LotState.ACTIVE, LotState.RESERVED, LotState.SUSPENDED)
    _need(standing, event, *allowed, *((LotState.REVOKED,) if "upheld" in event.body else ()))
    return _consumed(standing, LotState.SUPERSEDED, event)


def _reserve(standing: Standing, event: Event) -> Standing:
    _need(standing, event, LotState.ACTIVE)
    _need_valid(standing, event, event.time[:10])
    until = str(event.body["until"])
    if until <= event.time:
        raise Refused(f"the reservation of the lot {event.lot} ends before it begins, at {until}")
    return replace(
        standing,
        state=LotState.RESERVED,
        holder=event.author,
        since=event.time,
        until=until,
        claim=str(event.body["application"]),
    )


def _release(standing: Standing, event: Event) -> Standing:
    _need_holder(standing, event)
    return _cleared(standing, LotState.ACTIVE)


def _redeem(standing: Standing, event: Event) -> Standing:
    _need(standing, event, LotState.RESERVED)
    _need_holder(standing, event)
    return _consumed(standing, LotState.REDEEMED, event)


def _convert(standing: Standing, event: Event) -> Standing:
    _need(standing, event, LotState.ACTIVE, LotState.RESERVED)
    _need_facts(standing, event)
    if standing.at(event.time) is LotState.RESERVED:
        _need_holder(standing, event)
    elif "as_of" not in event.body:
        _need_valid(standing, event, event.time[:10])
    if "as_of" in event.body and (
        standing.at(event.time) is not LotState.RESERVED or standing.since != event.body["as_of"]
    ):
        raise Refused(f"the lot {event.lot} was not reserved at {event.body['as_of']}")
    return _consumed(standing, LotState.CONVERTED, event)


def _transfer_out(standing: Standing, event: Event) -> Standing:
    _need(standing, event, LotState.ACTIVE)
    _need_facts(standing, event)
    _need_valid(standing, event, event.time[:10])
    to, until = str(event.body["to"]), str(event.body["until"])
    if until <= event.time:
        raise Refused(f"the transfer of the lot {event.lot} ends before it begins, at {until}")
    return replace(
        standing,
        state=LotState.PENDING_OUT,
        holder=to,
        since=event.time,
        until=until,
        claim=str(event.body["transfer"]),
    )


def _transfer_final(standing: Standing, event: Event) -> Standing:
    _need(standing, event, LotState.PENDING_OUT)
    _need_answer(standing, event)
    return _consumed(standing, LotState.TRANSFERRED, event)


def _transfer_return(standing: Standing, event: Event) -> Standing:
    _need(standing, event, LotState.PENDING_OUT)
    _need_answer(standing, event)
    return _cleared(standing, LotState.ACTIVE)


def _need_answer(standing: Standing, event: Event) -> None:
    """The receipt in it, checked before, must answer this very transfer."""
    answer = Entry.parse(Receipt.parse(str(event.body["sister"])).entry).signed.statement
    if (answer.author, answer.body["lot"]) != (standing.holder, standing.claim):
        raise Refused(f"the lot {event.lot} is on another transfer than the receipt speaks of")


def _review_open(standing: Standing, event: Event) -> Standing:
    _need_keeper(standing, event)
    if standing.state not in CONSUMED:
        raise Refused(
            f"the lot {event.lot} is {standing.at(event.time)}; a review is for lots that were "
            "used: correct this one by superseding it"
        )
    if standing.review:
        raise Refused(f"a review of the lot {event.lot} is open already")
    return replace(standing, review=True)


def _review_close(standing: Standing, event: Event) -> Standing:
    if not standing.review:
        raise Refused(f"no review of the lot {event.lot} is open")
    # A sister bank is no author here: for a lot that went there, whoever opened the review ends it.
    closer = standing.keeper if standing.state is LotState.TRANSFERRED else standing.holder
    if event.author != closer:
        raise Refused(f"only {closer} closes the review of the lot {event.lot}")
    return replace(standing, review=False)


def _cleared(standing: Standing, state: LotState) -> Standing:
    return replace(standing, state=state, holder="", since="", until="", claim="")


def _consumed(standing: Standing, state: LotState, event: Event) -> Standing:
    # The one who used it stays on record: a later review is theirs to close.
    holder = standing.holder if state is LotState.TRANSFERRED else event.author
    return replace(
        standing,
        state=state,
        holder=holder,
        since="",
        until="",
        claim="",
        consumed=event.index,
    )


_EVENTS: Mapping[str, Callable[[Standing, Event], Standing]] = {
    "suspend": _suspend,
    "reinstate": _reinstate,
    "revoke": _revoke,
    "supersede": _supersede,
    "reserve": _reserve,
    "release": _release,
    "redeem": _redeem,
    "convert": _convert,
    "transfer.out": _transfer_out,
    "transfer.final": _transfer_final,
    "transfer.return": _transfer_return,
    "review.open": _review_open,
    "review.close": _review_close,
}

MOVES = frozenset(_EVENTS)
"""Statement types that move a lot which is there."""
