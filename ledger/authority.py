"""Who may state what, as a fold of the log: members, their keys and grants, published units.

Authority is decided by ledger index, never by a date an issuer wrote. Appending and
auditing use the same `Registry`, so that an audit repeats exactly what was decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from keys import Json, PublicKey
from ledger.body import GOVERNANCE_TYPES
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.note import ED25519, VerifierKey
from ledger.statement import SignedStatement, signers_of

_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """A member's key, good for entries `start` to `end` (exclusive) and below `suspect_from`."""

    key: str
    start: int
    end: int | None = None
    suspect_from: int | None = None

    def good_at(self, index: int) -> bool:
        """Whether an entry at `index` may be signed by this key."""
        return (
            self.start <= index
            and (self.end is None or index < self.end)
            and (self.suspect_from is None or index < self.suspect_from)
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """What a member may award: fields (`*` for all), up to a level, from a day until another."""

    index: int
    fields: tuple[str, ...]
    level: int
    start: str
    until: str

    def covers(self, field: str, level: int, day: str) -> bool:
        """Whether an award in `field` at `level` on `day` (YYYY-MM-DD) falls under it."""
        return (
            ("*" in self.fields or field in self.fields)
            and level <= self.level
            and self.start <= day <= self.until
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A member institution as the log knows it."""

    did: str
    names: Mapping[str, str]
    uscc: str
    capacities: tuple[str, ...]
    active: bool
    keys: Mapping[str, KeyPeriod]
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A published certification unit; a version never changes."""

    author: str
    code: str
    version: int
    credits: Decimal
    field: str
    framework: str
    hours: str
    level: int
    scheme: str
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """What entry 0 fixed: the log's name and keys, and who governs it."""

    bank: str
    domain: str
    names: Mapping[str, str]
    origin: str
    log_keys: tuple[VerifierKey, ...]
    governance: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class WitnessRecord:
    """A witness the governance admitted: its operator, where it is asked, and its keys."""

    operator: str
    url: str
    keys: tuple[VerifierKey, ...]


class Registry:
    """The state of authority after some number of entries."""

    def __init__(self) -> None:
        self.identity: LogIdentity | None = None
        self.members: dict[str, Member] = {}
        self.units: dict[tuple[str, str], Unit] = {}
        self.witnesses: dict[str, WitnessRecord] = {}
        self.quorum = 0
        # Awards that differ in nothing authority depends on are decided once, and again from the
        # entry on from which their key is suspect.
        self._allowed: dict[tuple[object, ...], float] = {}

    def copy(self) -> "Registry":
        """The same state, which later entries do not change."""
        other = Registry()
        other.identity = self.identity
        other.members, other.units = dict(self.members), dict(self.units)
        other.witnesses, other.quorum = dict(self.witnesses), self.quorum
        return other

    def check(self, signed: SignedStatement, index: int, time: str) -> None:
        """Refused unless `signed` may stand at `index`; its signatures were verified before."""
        statement = signed.statement
        kind = statement.kind
        if kind == "award":
            self._check_award_once(signed, index, time[:10])
            return
        if kind == "log.open":
            if index or self.identity is not None:
                raise Refused("a log is opened once, by its first entry")
            self._check_opening(signed)
            return
        if self.identity is None:
            raise Refused("the first entry of a log is its log.open statement")
        if kind in GOVERNANCE_TYPES:
            self._check_quorum(signed, self.identity)
            self._check_governance(statement.kind, statement.body)
            return
        member = self._check_member(signed, index)
        if kind == "unit.publish":
            self._check_unit(member, statement.body)

    def apply(self, entry: Entry) -> None:
        """Take an entry, checked before, into the state."""
        statement = entry.signed.statement
        if statement.kind == "award":
            return
        self._allowed.clear()
        body = statement.body
        match statement.kind:
            case "log.open":
                self.identity = _identity(statement.author, body)
            case "member.admit":
                did = _text(body, "member")
                names, uscc = _names(body["name"]), _text(body, "uscc")
                capacities = _texts(body["capacities"])
                self.members[did] = Member(did, names, uscc, capacities, True, {}, ())
            case "member.suspend":
                did = _text(body, "member")
                self.members[did] = replace(self.members[did], active=False)
            case "key.add" | "key.retire" | "key.suspect":
                self._apply_key(statement.kind, body, entry.index)
            case "grant":
                did = _text(body, "member")
                member = self.members[did]
                grant = _grant(body, entry.index)
                self.members[did] = replace(member, grants=(*member.grants, grant))
            case "witness.admit":
                keys = tuple(VerifierKey.parse(key) for key in _texts(body["keys"]))
                operator = _text(body, "operator")
                self.witnesses[operator] = WitnessRecord(operator, _text(body, "url"), keys)
                self.quorum = int(_text(body, "quorum"))
            case "witness.retire":
                del self.witnesses[_text(body, "operator")]
                self.quorum = int(_text(body, "quorum"))
            case "unit.publish":
                unit = _unit(statement.author, body)
                self.units[statement.author, f"{unit.code}@{unit.version}"] = unit
            case _:
                pass

    def _check_opening(self, signed: SignedStatement) -> None:
        identity = _identity(signed.statement.author, signed.statement.body)
        if signers_of(signed, identity.governance) < identity.threshold:
            raise Refused(
                f"opening a log takes signatures by {identity.threshold} of the governance keys "
                "it names"
            )

    def _check_quorum(self, signed: SignedStatement, identity: LogIdentity) -> None:
        kind = signed.statement.kind
        if signed.statement.author != identity.bank:
            raise Refused(f"a {kind} statement is made in the name of {identity.bank}")
        count = signers_of(signed, identity.governance)
        if count < identity.threshold or count < len(signed.signatures):
            raise Refused(
                f"a {kind} statement takes signatures by {identity.threshold} of the governance "
                f"keys and by nobody else; this one has {count} of {len(signed.signatures)}"
            )

    def _check_governance(self, kind: str, body: Mapping[str, Json]) -> None:
        if kind.startswith("witness."):
            self._check_witness(kind, body)
            return
        did = _text(body, "member")
        member = self.members.get(did)
        if kind == "member.admit":
            if member is not None:
                raise Refused(f"{did} is a member already")
            if any(other.uscc == body["uscc"] for other in self.members.values()):
                raise Refused(f"the social credit code {body['uscc']} is another member's")
            return
        if member is None:
            raise Refused(f"{did} is not a member of this credit bank")
        if kind == "grant":
            if str(body["from"]) > str(body["until"]):
                raise Refused("a grant's last day lies before its first")
            if "awarding" not in member.capacities:
                raise Refused(f"{did} was not admitted as an awarding institution")
            return
        if kind.startswith("key."):
            self._check_key(kind, _text(body, "key"), member)

    def _check_witness(self, kind: str, body: Mapping[str, Json]) -> None:
        operator = _text(body, "operator")
        count = len(self.witnesses.keys() | {operator})
        if kind == "witness.retire":
            if operator not in self.witnesses:
                raise Refused(f"{operator} is not a witness of this log")
            count -= 1
        if int(_text(body, "quorum")) > count:
            raise Refused(f"{count} witnesses cannot give a quorum of {body['quorum']}")
        taken = {
            key.raw: other
            for other, record in self.witnesses.items()
            if other != operator
            for key in record.keys
        }
        own = {key.raw for key in self.identity.log_keys} if self.identity else set()
        for text in _texts(body.get("keys", [])):
            key = VerifierKey.parse(text)
            if key.kind == ED25519:
                raise Refused("a witness's key is a cosignature key, not a log's")
            if key.raw in own:
                raise Refused("a log is no witness of itself: this key is its own")
            # One operator under two names would count twice towards the quorum.
            if key.raw in taken:
                raise Refused(f"the key {key.name} is the witness {taken[key.raw]}'s already")

    def _check_key(self, kind: str, key: str, member: Member) -> None:
        if kind == "key.add":
            if any(key in other.keys for other in self.members.values()):
                raise Refused(f"the key {key} is registered already; a key is registered once")
            return
        period = member.keys.get(key)
        if period is None:
            raise Refused(f"{member.did} has no key {key}")
        if kind == "key.retire" and period.end is not None:
            raise Refused(f"the key {key} is retired already")

    def _check_member(self, signed: SignedStatement, index: int) -> Member:
        author = signed.statement.author
        member = self.members.get(author)
        if member is None:
            raise Refused(f"{author} is not a member of this credit bank")
        if not member.active:
            raise Refused(f"{author} is suspended as a member")
        if len(signed.signatures) != 1:
            raise Refused(f"a {signed.statement.kind} statement has one signature, its author's")
        key = signed.signatures[0][0]
        period = member.keys.get(key)
        if period is None:
            raise Refused(f"the key {key} is not registered for {author}")
        if not period.good_at(index):
            what = "retired" if period.suspect_from is None else "reported as suspect"
            raise Refused(f"the key {key} of {author} was {what}")
        return member

    def _check_unit(self, member: Member, body: Mapping[str, Json]) -> None:
        name = f"{body['unit']}@{body['version']}"
        if (member.did, name) in self.units:
            raise Refused(
                f"{member.did} has published unit {name} already; a version never changes"
            )

    def _check_award_once(self, signed: SignedStatement, index: int, day: str) -> None:
        body = signed.statement.body
        keys = tuple(key for key, _ in signed.signatures)
        unit, credits, level, scheme = body["unit"], body["credits"], body["level"], body["scheme"]
        case = (signed.statement.author, day, keys, unit, credits, level, scheme)
        if index < self._allowed.get(case, 0):
            return
        if self.identity is None:
            raise Refused("the first entry of a log is its log.open statement")
        member = self._check_member(signed, index)
        self._check_award(member, body, day)
        if len(self._allowed) < _MOST_REMEMBERED:
            suspect_from = member.keys[keys[0]].suspect_from
            self._allowed[case] = float("inf") if suspect_from is None else suspect_from

    def _check_award(self, member: Member, body: Mapping[str, Json], day: str) -> None:
        unit = self.units.get((member.did, _text(body, "unit")))
        if unit is None:
            raise Refused(f"{member.did} has not published unit {body['unit']}")
        if body["scheme"] != unit.scheme or body["level"] != str(unit.level):
            raise Refused(
                f"unit {body['unit']} is of level {unit.level} in {unit.scheme}, the award says "
                f"level {body['level']} in {body['scheme']}"
            )
        if Decimal(_text(body, "credits")) > unit.credits:
            raise Refused(
                f"unit {body['unit']} gives {unit.credits} credits, the award {body['credits']}"
            )
        if not any(grant.covers(unit.field, unit.level, day) for grant in member.grants):
            raise Refused(
                f"{member.did} holds no grant in force for field {unit.field!r} at level "
                f"{unit.level}"
            )

    def _apply_key(self, kind: str, body: Mapping[str, Json], index: int) -> None:
        did, key = _text(body, "member"), _text(body, "key")
        member = self.members[did]
        if kind == "key.add":
            period = KeyPeriod(key, index + 1)
        elif kind == "key.retire":
            period = replace(member.keys[key], end=index + 1)
        else:
            start = body["from_index"]
            known = member.keys[key].suspect_from
            start = start if isinstance(start, int) else index
            period = replace(
                member.keys[key], suspect_from=start if known is None else min(start, known)
            )
        self.members[did] = replace(member, keys={**member.keys, key: period})


def _identity(author: str, body: Mapping[str, Json]) -> LogIdentity:
    governance = body["governance"]
    if not isinstance(governance, dict) or not isinstance(governance["threshold"], int):
        raise Refused("the log's governance is not keys and a threshold")
    keys = _texts(governance["keys"])
    for key in keys:
        PublicKey.from_multikey(key)
    return LogIdentity(
        author,
        _text(body, "domain"),
        _names(body["name"]),
        _text(body, "origin"),
        tuple(VerifierKey.parse(key) for key in _texts(body["log"])),
        keys,
        governance["threshold"],
    )


def _grant(body: Mapping[str, Json], index: int) -> Grant:
    return Grant(
        index,
        _texts(body["fields"]),
        int(_text(body, "level")),
        _text(body, "from"),
        _text(body, "until"),
    )


def _unit(author: str, body: Mapping[str, Json]) -> Unit:
    return Unit(
        author,
        _text(body, "unit"),
        int(str(body["version"])),
        Decimal(_text(body, "credits")),
        _text(body, "field"),
        _text(body, "framework"),
        _text(body, "hours"),
        int(_text(body, "level")),
        _text(body, "scheme"),
        _names(body["title"]),
    )


def _text(body: Mapping[str, Json], field: str) -> str:
    return str(body[field])


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _names(value: Json) -> dict[str, str]:
    return {k: str(v) for k, v in value.items()} if isinstance(value, dict) else {}
