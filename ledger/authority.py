"""Who may state what, as a fold of the log: members, their keys and grants, published units.

Authority is decided by ledger index, never by a date an issuer wrote. Appending and
auditing use the same `Registry`, so that an audit repeats exactly what was decided.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from keys import Json, b64u_decode
from ledger import appeals, catalogue, key_periods
from ledger.appeals import Appeals
from ledger.body import GOVERNANCE_TYPES, OPERATOR_TYPES, OWN_TYPES, TWO_PERSONS
from ledger.catalogue import Catalogue, Unit
from ledger.checked import as_names, as_object, as_texts
from ledger.entry import Entry
from ledger.errors import Refused
from ledger.governance import (
    ROTATE,
    Governance,
    check_agreement,
    check_in_force,
    check_opening,
    check_quorum,
    governance_of,
    rotated,
)
from ledger.identity import LogIdentity, check_predecessor, identity_of
from ledger.key_periods import KeyPeriod
from ledger.key_roles import Roles, multikeys
from ledger.lot_authority import check_award, check_lot_event
from ledger.members import (
    Grant,
    Member,
    check_attestation,
    check_grant,
    check_grant_end,
    check_standing,
    grant_of,
)
from ledger.statement import SignedStatement
from ledger.transfers import Agreement, agreement_of, check_transfer
from ledger.witness_roll import WitnessRecord, check_witness, witness_keys, witness_of

__all__ = [
    "REGISTERED",
    "Governance",
    "Grant",
    "KeyPeriod",
    "LogIdentity",
    "LotsRoot",
    "Member",
    "Registry",
    "WitnessRecord",
]

_MOST_REMEMBERED = 10_000
ATTEST = "award.attest"

REGISTERED = (
    GOVERNANCE_TYPES | catalogue.KINDS | appeals.KINDS | {"lots.root", key_periods.ROTATE, ATTEST}
)
"""Types that authority depends on later; all others leave the registry as it was."""


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
            check_opening(signed)
            opened = identity_of(author, body)
            check_predecessor(opened)
            Roles(opened.log_keys, (), (), ()).check("governance", opened.governance)
            return
        if self.identity is None:
            raise Refused("the first entry of a log is its log.open statement")
        if kind in GOVERNANCE_TYPES:
            self._check_governed(signed, self.identity, time)
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
        if kind == key_periods.ROTATE:
            self._check_new_key(_text(body, "key"))
        if kind == ATTEST:
            check_attestation(member, body, index)
        check_lot_event(self.catalogue, member, statement, time)

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
                self.identity = identity_of(author, body)
                self.operator = Member(author, self.identity.names, "", (), True, {}, ())
            case "member.admit":
                did = _text(body, "member")
                names, uscc = as_names(body["name"]), _text(body, "uscc")
                capacities = as_texts(body["capacities"])
                self.members[did] = Member(did, names, uscc, capacities, True, {}, ())
            case "member.suspend" | "member.reinstate":
                did = _text(body, "member")
                active = kind == "member.reinstate"
                self.members[did] = replace(self.members[did], active=active)
            case "governance.rotate" if self.identity is not None:
                roots = self.identity.roots
                self.identity = replace(
                    self.identity, roots=(*roots, rotated(roots[-1], entry.signed))
                )
            case "award.attest":
                party = self._member(author)
                stated = frozenset(as_texts(body["statements"]))
                self._put(replace(party, attested=party.attested | stated))
            case "key.rotate":
                party = self._member(author)
                self._put(
                    replace(party, keys=key_periods.after(kind, body, party.keys, entry.index))
                )
            case "key.add" | "key.retire" | "key.suspect":
                party = self._known(_text(body, "member"))
                self._put(
                    replace(party, keys=key_periods.after(kind, body, party.keys, entry.index))
                )
            case "grant":
                did = _text(body, "member")
                member = self.members[did]
                grant = grant_of(body, entry.index)
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
                witness = witness_of(body)
                self.witnesses[witness.operator] = witness
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

    def roles(self) -> Roles:
        """Which role each key on the log has, or ever had."""
        identity = self.identity
        log_keys, roots = ((), ()) if identity is None else (identity.log_keys, identity.roots)
        return Roles(log_keys, roots, self._parties(), self.witnesses.values())

    def _check_governed(self, signed: SignedStatement, identity: LogIdentity, time: str) -> None:
        if signed.statement.kind == "agreement":
            check_in_force(identity.root, time)
            log = (identity.origin, frozenset(str(key) for key in identity.log_keys))
            check_agreement(signed, identity.bank, log, identity.root)
        else:
            check_quorum(signed, identity.bank, identity.root, time)
        self._check_governance(signed.statement.kind, signed.statement.body, identity)

    def _check_governance(self, kind: str, body: Mapping[str, Json], identity: LogIdentity) -> None:
        if kind == ROTATE:
            self.roles().check("governance", governance_of(body["governance"]).keys)
        if kind.startswith("witness."):
            check_witness(kind, body, self.witnesses, identity.log_keys)
            self.roles().check("witness", multikeys(witness_keys(body)))
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
        match kind:
            case "grant":
                check_grant(member, body)
            case "grant.end":
                check_grant_end(member, body)
            case "member.suspend" | "member.reinstate":
                check_standing(kind, member)
            case "key.add":
                self._check_new_key(_text(body, "key"))
            case _:
                key_periods.check_known(kind, body, member.keys, did)

    def _check_new_key(self, key: str) -> None:
        if any(key in party.keys for party in self._parties()):
            raise Refused(f"the key {key} is registered already; a key is registered once")
        self.roles().check("party", [key])

    def _parties(self) -> Iterable[Member]:
        bank = [] if self.operator is None else [self.operator]
        return [*self.members.values(), *bank]

    def _check_author(self, signed: SignedStatement, index: int, identity: LogIdentity) -> Member:
        """The author, with the signatures that such a statement takes."""
        kind, body, author = (signed.statement.kind, signed.statement.body, signed.statement.author)
        by_bank = author == identity.bank
        if (kind in OPERATOR_TYPES) is not by_bank and not (kind in OWN_TYPES and by_bank):
            who = identity.bank if kind in OPERATOR_TYPES else "a member institution"
            raise Refused(f"a {kind} statement is made by {who}, not by {author}")
        member = self._member(author)
        if kind == key_periods.ROTATE:
            key_periods.check_rotation(signed, member.keys, author, index)
            return member
        partner = str(body.get("partner", "")) if kind == "rule.publish" else ""
        if partner:
            self._check_joint(signed, index, member, self._member(partner))
            return member
        two = _takes_two(kind, body)
        if not two and len(signed.signatures) != 1:
            raise Refused(f"a {kind} statement has one signature, its author's")
        people = {
            key_periods.signer(member.keys, key, author, index).person
            for key, _ in signed.signatures
        }
        # A key that does not say whose it is may be in anybody's hand, a named person's too.
        if two and len(people - {""}) < 2:
            raise Refused(
                f"a {kind} statement takes the signatures of two persons of {author}; a person "
                "with two keys is one, and a key registered without a person is nobody's"
            )
        return member

    def _check_joint(
        self, signed: SignedStatement, index: int, author: Member, partner: Member
    ) -> None:
        for member in (author, partner):
            own = [key for key, _ in signed.signatures if key in member.keys]
            if len(own) != 1:
                raise Refused(f"a joint rule has one signature of {member.did}")
            key_periods.signer(member.keys, own[0], member.did, index)
        if len(signed.signatures) != 2:
            raise Refused("a joint rule is signed by its two institutions and nobody else")

    def _known(self, did: str) -> Member:
        member = self.party(did)
        if member is None:
            raise Refused(f"{did} is not a member of this credit bank")
        return member

    def _member(self, did: str) -> Member:
        member = self._known(did)
        if not member.active:
            raise Refused(f"{did} is suspended as a member")
        return member

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
        check_award(self.catalogue, member, body, day)
        if len(self._allowed) < _MOST_REMEMBERED:
            suspect_from = member.keys[key].suspect_from
            self._allowed[case] = float("inf") if suspect_from is None else suspect_from

    def _put(self, party: Member) -> None:
        if self.operator is not None and self.operator.did == party.did:
            self.operator = party
        else:
            self.members[party.did] = party


def _check_lots_root(body: Mapping[str, Json], index: int, last: LotsRoot | None) -> None:
    size = int(_text(body, "size"))
    if size > index:
        raise Refused(f"a root of the map of lots after {size} entries cannot stand at {index}")
    if last is not None and size <= last.size:
        raise Refused(f"a root of the map of lots after {last.size} entries is on the log already")


def _takes_two(kind: str, body: Mapping[str, Json]) -> bool:
    award = as_object(body["successor"]) if kind == "supersede" else body
    return kind in TWO_PERSONS or "rpl" in award


def _text(body: Mapping[str, Json], field: str) -> str:
    return str(body[field])
