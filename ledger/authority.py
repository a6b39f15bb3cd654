"""Who may state what, as a fold of the log: members, their keys and grants, published units.

Authority is decided by ledger index, never by a date an issuer wrote. Appending and
auditing use the same `Registry`, so that an audit repeats exactly what was decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from keys import Json, PublicKey, b64u_decode
from ledger import appeals, catalogue
from ledger.appeals import Appeals
from ledger.body import GOVERNANCE_TYPES, OPERATOR_TYPES, TWO_PERSONS
from ledger.catalogue import Catalogue, Unit
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.note import ED25519, VerifierKey
from ledger.rules import add_months
from ledger.statement import SignedStatement, Statement, signers_of
from ledger.transfers import Agreement, agreement_of, check_transfer, parties

_MOST_REMEMBERED = 10_000
_CAPACITIES = {
    "appeal.decide": "evaluation",
    "convert": "receiving",
    "exempt": "receiving",
    "redeem": "receiving",
    "reserve": "receiving",
    "rule.publish": "receiving",
}
"""What an institution must have been admitted for, to state such a thing."""

REGISTERED = GOVERNANCE_TYPES | catalogue.KINDS | appeals.KINDS | {"lots.root"}
"""Types that authority depends on later; all others leave the registry as it was."""


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """A member's key, good for entries `start` to `end` (exclusive) and below `suspect_from`.

    `person` tells whose hand it is in; keys that do not say count as one and the same hand.
    """

    key: str
    start: int
    end: int | None = None
    suspect_from: int | None = None
    person: str = ""

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
    ended: bool = False

    def covers(self, field: str, level: int, day: str) -> bool:
        """Whether an award in `field` at `level` on `day` (YYYY-MM-DD) falls under it."""
        return (
            not self.ended
            and ("*" in self.fields or field in self.fields)
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


@dataclass(frozen=True, slots=True)
class LotsRoot:
    """The latest root of the map of lots: its entry, and the number of entries it covers."""

    index: int
    size: int
    root: bytes


class Registry:
    """The state of authority after some number of entries."""

    def __init__(self) -> None:
        self.identity: LogIdentity | None = None
        self.operator: Member | None = None
        """The bank itself, as the author of what it states with its own registered keys."""
        self.members: dict[str, Member] = {}
        self.catalogue = Catalogue()
        self.appeals = Appeals()
        self.agreements: dict[str, Agreement] = {}
        self.witnesses: dict[str, WitnessRecord] = {}
        self.quorum = 0
        self.lots_root: LotsRoot | None = None
        # Awards that differ in nothing authority depends on are decided once, and again from the
        # entry on from which their key is suspect.
        self._allowed: dict[tuple[object, ...], float] = {}

    @property
    def units(self) -> dict[tuple[str, str], Unit]:
        """The published units, by author and `code@version`."""
        return self.catalogue.units

    def copy(self) -> "Registry":
        """The same state, which later entries do not change."""
        other = Registry()
        other.identity, other.operator = self.identity, self.operator
        other.members, other.agreements = dict(self.members), dict(self.agreements)
        other.catalogue, other.appeals = self.catalogue.copy(), self.appeals.copy()
        other.witnesses, other.quorum = dict(self.witnesses), self.quorum
        other.lots_root = self.lots_root
        return other

    def check(self, signed: SignedStatement, index: int, time: str) -> None:
        """Refused unless `signed` may stand at `index`; its signatures were verified before."""
        statement = signed.statement
        kind, body, author = statement.kind, statement.body, statement.author
        if kind == "award" and "rpl" not in body:
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
            self._check_governance(kind, body)
            self.catalogue.check(kind, author, body)
            return
        member = self._check_author(signed, index, self.identity)
        if kind in OPERATOR_TYPES:
            check_transfer(kind, body, self.identity.bank, self.agreements, time)
        if kind in catalogue.KINDS:
            self.catalogue.check(kind, author, body)
        if kind in appeals.KINDS:
            self.appeals.check(kind, author, body, time[:10])
        if kind == "lots.root":
            _check_lots_root(body, index, self.lots_root)
        self._check_lot_event(member, statement, time)

    def apply(self, entry: Entry) -> None:
        """Take an entry, checked before, into the state."""
        statement = entry.signed.statement
        kind, body, author = statement.kind, statement.body, statement.author
        if kind not in REGISTERED:
            return
        if kind in appeals.KINDS:
            self.appeals.apply(kind, author, body, entry.index, entry.time[:10])
            return
        self._allowed.clear()
        if kind in catalogue.KINDS:
            self.catalogue.apply(kind, author, body, entry.time)
            return
        match kind:
            case "log.open":
                self.identity = _identity(author, body)
                self.operator = Member(author, self.identity.names, "", (), True, {}, ())
            case "member.admit":
                did = _text(body, "member")
                names, uscc = _names(body["name"]), _text(body, "uscc")
                capacities = _texts(body["capacities"])
                self.members[did] = Member(did, names, uscc, capacities, True, {}, ())
            case "member.suspend" | "member.reinstate":
                did = _text(body, "member")
                active = kind == "member.reinstate"
                self.members[did] = replace(self.members[did], active=active)
            case "key.add" | "key.retire" | "key.suspect":
                self._apply_key(kind, body, entry.index)
            case "grant":
                did = _text(body, "member")
                member = self.members[did]
                grant = _grant(body, entry.index)
                self.members[did] = replace(member, grants=(*member.grants, grant))
            case "grant.end":
                member = self.members[_text(body, "member")]
                grants = tuple(
                    replace(grant, ended=grant.ended or grant.index == body["index"])
                    for grant in member.grants
                )
                self.members[member.did] = replace(member, grants=grants)
            case "agreement" if self.identity is not None:
                agreement = agreement_of(self.identity.bank, body)
                self.agreements[agreement.bank] = agreement
            case "witness.admit":
                keys = tuple(VerifierKey.parse(key) for key in _texts(body["keys"]))
                operator = _text(body, "operator")
                self.witnesses[operator] = WitnessRecord(operator, _text(body, "url"), keys)
                self.quorum = int(_text(body, "quorum"))
            case "witness.retire":
                del self.witnesses[_text(body, "operator")]
                self.quorum = int(_text(body, "quorum"))
            case "lots.root":
                size = int(_text(body, "size"))
                self.lots_root = LotsRoot(entry.index, size, b64u_decode(_text(body, "root"), 32))
            case _:
                pass

    def party(self, did: str) -> Member | None:
        """The member, or the bank itself, under this identifier."""
        bank = self.operator
        return bank if bank is not None and bank.did == did else self.members.get(did)

    def _check_opening(self, signed: SignedStatement) -> None:
        identity = _identity(signed.statement.author, signed.statement.body)
        if signers_of(signed, identity.governance) < identity.threshold:
            raise Refused(
                f"opening a log takes signatures by {identity.threshold} of the governance keys "
                "it names"
            )

    def _check_quorum(self, signed: SignedStatement, identity: LogIdentity) -> None:
        kind = signed.statement.kind
        if kind == "agreement":
            _check_agreement(signed, identity)
            return
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
        if "member" not in body:
            return
        did = _text(body, "member")
        member = self.party(did) if kind.startswith("key.") else self.members.get(did)
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
        if kind == "grant.end":
            _check_grant_end(member, body)
        if kind in ("member.suspend", "member.reinstate"):
            active = kind == "member.suspend"
            if member.active is not active:
                raise Refused(f"{did} is {'suspended already' if active else 'not suspended'}")
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
            bank = [] if self.operator is None else [self.operator]
            if any(key in other.keys for other in [*self.members.values(), *bank]):
                raise Refused(f"the key {key} is registered already; a key is registered once")
            return
        period = member.keys.get(key)
        if period is None:
            raise Refused(f"{member.did} has no key {key}")
        if kind == "key.retire" and period.end is not None:
            raise Refused(f"the key {key} is retired already")

    def _check_author(self, signed: SignedStatement, index: int, identity: LogIdentity) -> Member:
        """The author, with the signatures that such a statement takes."""
        kind, body, author = (signed.statement.kind, signed.statement.body, signed.statement.author)
        if (kind in OPERATOR_TYPES) is not (author == identity.bank):
            own = kind in ("reinstate", "revoke", "suspend") and author == identity.bank
            if not own:
                who = identity.bank if kind in OPERATOR_TYPES else "a member institution"
                raise Refused(f"a {kind} statement is made by {who}, not by {author}")
        member = self._member(author)
        partner = str(body.get("partner", "")) if kind == "rule.publish" else ""
        if partner:
            self._check_joint(signed, index, member, self._member(partner))
            return member
        two = _takes_two(kind, body)
        if not two and len(signed.signatures) != 1:
            raise Refused(f"a {kind} statement has one signature, its author's")
        people = {_signer(member, key, index).person for key, _ in signed.signatures}
        if two and len(people) < 2:
            raise Refused(
                f"a {kind} statement takes the signatures of two persons of {author}; a person "
                "with two keys is one"
            )
        return member

    def _check_joint(
        self, signed: SignedStatement, index: int, author: Member, partner: Member
    ) -> None:
        for member in (author, partner):
            own = [key for key, _ in signed.signatures if key in member.keys]
            if len(own) != 1:
                raise Refused(f"a joint rule has one signature of {member.did}")
            _signer(member, own[0], index)
        if len(signed.signatures) != 2:
            raise Refused("a joint rule is signed by its two institutions and nobody else")

    def _member(self, did: str) -> Member:
        member = self.party(did)
        if member is None:
            raise Refused(f"{did} is not a member of this credit bank")
        if not member.active:
            raise Refused(f"{did} is suspended as a member")
        return member

    def _check_lot_event(self, member: Member, statement: Statement, time: str) -> None:
        """What a statement about lots needs besides its signatures and the lot's own standing."""
        kind, body, day = statement.kind, statement.body, time[:10]
        needed = _CAPACITIES.get(kind)
        if needed is not None and needed not in member.capacities:
            raise Refused(f"{member.did} was not admitted for {needed}; it cannot {kind}")
        match kind:
            case "award":
                self._check_rpl(member)
                self._check_award(member, body, day)
            case "supersede":
                successor = _object(body["successor"])
                if successor["lot"] == body["lot"]:
                    raise Refused("a lot is not its own successor")
                self._check_award(member, successor, day)
            case "convert":
                derived = _object(body["derived"])
                unit = self.catalogue.check_conversion(member.did, body, time, derived)
                self._check_award(member, {**derived, "unit": f"{unit.code}@{unit.version}"}, day)
            case "exempt":
                rule = self.catalogue.rules.get((member.did, _text(body, "rule")))
                if rule is None or not rule.in_force(time):
                    raise Refused(f"{member.did} has no rule {body['rule']} in force")
            case "confer":
                self._check_confer(member, body, time)
            case _:
                pass

    def _check_rpl(self, member: Member) -> None:
        if "evaluation" not in member.capacities:
            raise Refused(f"{member.did} was not admitted for evaluation of prior learning")

    def _check_confer(self, member: Member, body: Mapping[str, Json], time: str) -> None:
        name = _text(body, "qualification")
        known = self.catalogue.qualifications.get((member.did, name))
        if known is None:
            raise Refused(f"{member.did} has not published the qualification {name}")
        when = str(body.get("as_of", time))
        if not known.in_force(when):
            raise Refused(f"the qualification {name} is not in force on {when[:10]}")
        if body["level"] != str(known.level):
            raise Refused(f"the qualification {name} is of level {known.level}")
        if not any(grant.covers("*", known.level, time[:10]) for grant in member.grants):
            raise Refused(
                f"{member.did} holds no grant in force for all fields at level {known.level}"
            )

    def _check_award_once(self, signed: SignedStatement, index: int, day: str) -> None:
        body, signatures = signed.statement.body, signed.signatures
        key = signatures[0][0] if len(signatures) == 1 else ""
        unit, credits, level, scheme = body["unit"], body["credits"], body["level"], body["scheme"]
        expires = body.get("expires")
        case = (signed.statement.author, day, key, unit, credits, level, scheme, expires)
        if index < self._allowed.get(case, 0):
            return
        if self.identity is None:
            raise Refused("the first entry of a log is its log.open statement")
        member = self._check_author(signed, index, self.identity)
        self._check_award(member, body, day)
        if len(self._allowed) < _MOST_REMEMBERED:
            suspect_from = member.keys[key].suspect_from
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
        self._check_ceiling(str(body.get("expires", "")), day)
        if not any(grant.covers(unit.field, unit.level, day) for grant in member.grants):
            raise Refused(
                f"{member.did} holds no grant in force for field {unit.field!r} at level "
                f"{unit.level}"
            )

    def _check_ceiling(self, expires: str, day: str) -> None:
        if self.catalogue.ceiling:
            last = add_months(day, self.catalogue.ceiling)
            if not expires or expires > last:
                raise Refused(
                    f"credits of this bank are valid for {self.catalogue.ceiling} months at most, "
                    f"until {last}; the award says {expires or 'nothing'}"
                )

    def _apply_key(self, kind: str, body: Mapping[str, Json], index: int) -> None:
        key = _text(body, "key")
        member = self._member_of_key(_text(body, "member"))
        if kind == "key.add":
            period = KeyPeriod(key, index + 1, person=str(body.get("person", "")))
        elif kind == "key.retire":
            period = replace(member.keys[key], end=index + 1)
        else:
            start = body["from_index"]
            known = member.keys[key].suspect_from
            start = start if isinstance(start, int) else index
            period = replace(
                member.keys[key], suspect_from=start if known is None else min(start, known)
            )
        changed = replace(member, keys={**member.keys, key: period})
        if self.operator is not None and self.operator.did == member.did:
            self.operator = changed
        else:
            self.members[member.did] = changed

    def _member_of_key(self, did: str) -> Member:
        member = self.party(did)
        if member is None:
            raise Refused(f"{did} is not a member of this credit bank")
        return member


def _signer(member: Member, key: str, index: int) -> KeyPeriod:
    """The member's key, good at `index`."""
    period = member.keys.get(key)
    if period is None:
        raise Refused(f"the key {key} is not registered for {member.did}")
    if not period.good_at(index):
        what = "retired" if period.suspect_from is None else "reported as suspect"
        raise Refused(f"the key {key} of {member.did} was {what}")
    return period


def _check_lots_root(body: Mapping[str, Json], index: int, last: LotsRoot | None) -> None:
    size = int(_text(body, "size"))
    if size > index:
        raise Refused(f"a root of the map of lots after {size} entries cannot stand at {index}")
    if last is not None and size <= last.size:
        raise Refused(f"a root of the map of lots after {last.size} entries is on the log already")


def _takes_two(kind: str, body: Mapping[str, Json]) -> bool:
    award = _object(body["successor"]) if kind == "supersede" else body
    return kind in TWO_PERSONS or "rpl" in award


def _check_grant_end(member: Member, body: Mapping[str, Json]) -> None:
    known = [grant for grant in member.grants if grant.index == body["index"]]
    if not known or known[0].ended:
        raise Refused(f"{member.did} holds no grant by entry {body['index']}, or it was ended")


def _check_agreement(signed: SignedStatement, identity: LogIdentity) -> None:
    """An agreement is the same statement on both logs, with a quorum of either governance."""
    banks = parties(signed.statement.body)
    names = [str(item["bank"]) for item in banks]
    if len(set(names)) != 2 or identity.bank not in names or signed.statement.author not in names:
        raise Refused("an agreement is between this bank and one other, by one of the two")
    for item in banks:
        quorum = _object(item["governance"])
        keys, threshold = _texts(quorum["keys"]), int(str(quorum["threshold"]))
        if item["bank"] == identity.bank:
            if (item["origin"], set(_texts(item["log"]))) != (
                identity.origin,
                {str(key) for key in identity.log_keys},
            ):
                raise Refused("the agreement names another log of this bank than this one")
            keys, threshold = identity.governance, identity.threshold
        if signers_of(signed, keys) < threshold:
            raise Refused(f"an agreement takes {threshold} signatures of {item['bank']}")


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


def _text(body: Mapping[str, Json], field: str) -> str:
    return str(body[field])


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _names(value: Json) -> dict[str, str]:
    return {k: str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
