"""Proposals: statements on their way round the people who are to sign them, as files.

A proposal is `{"signatures", "statement"}` as the log takes it, with as many signatures as there
are so far. Everyone signs where their key is, on the same file or on copies, and whoever has
enough of them hands it in. Nothing in it is secret, and nothing can be changed once one has
signed it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bank.errors import BadRequest
from keys import Json, KeysError, Signer, encode, parse
from ledger import LedgerError, SignedStatement, Statement
from ledger.authority import Registry
from ledger.body import GOVERNANCE_TYPES, SHAPES
from ledger.checked import as_object
from ledger.governance import ROTATE, governance_of

_MAX_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """A statement and the signatures it has, (Multikey, 64 bytes) each, sorted by key."""

    statement: Statement
    signatures: tuple[tuple[str, bytes], ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> "Proposal":
        """The proposal in a file; BadRequest if it is none or one of its signatures is wrong."""
        try:
            value = parse(data, limit=_MAX_BYTES)
        except KeysError as error:
            raise BadRequest(f"this is no proposal: {error}") from error
        if not isinstance(value, dict) or set(value) != {"signatures", "statement"}:
            raise BadRequest("this is no proposal: those have the fields signatures and statement")
        try:
            if value["signatures"] == []:
                return cls(Statement.from_json(value["statement"]))
            signed = SignedStatement.from_json(value)
            signed.verify()
        except LedgerError as error:
            raise BadRequest(f"this proposal does not hold: {error}") from error
        return cls(signed.statement, signed.signatures)

    def encode(self) -> bytes:
        """The file, one field a line, so that people can read what they sign."""
        signatures = parse(SignedStatement(self.statement, self.signatures).signatures_data)
        value = {"signatures": signatures, "statement": parse(self.statement.data)}
        return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"

    def sign(self, signer: Signer) -> "Proposal":
        """With one signature more; BadRequest if that key has signed it already."""
        (made,) = self.statement.sign(signer).signatures
        if any(key == made[0] for key, _ in self.signatures):
            raise BadRequest(f"the key {made[0]} has signed this proposal already")
        return replace(self, signatures=tuple(sorted((*self.signatures, made))))

    def signed(self) -> SignedStatement:
        """As the log takes it; BadRequest if nobody has signed."""
        if not self.signatures:
            raise BadRequest("nobody has signed this proposal yet")
        return SignedStatement(self.statement, self.signatures)


def propose(author: str, kind: str, body: Mapping[str, Json]) -> Proposal:
    """A proposal without signatures; BadRequest says what is wrong with its body."""
    if kind not in SHAPES:
        near = sorted(name for name in SHAPES if name.split(".")[0] == kind.split(".")[0])
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise BadRequest(f"there is no statement type {kind[:60]!r}{hint}")
    try:
        # Through the exact bytes, so that what is not JSON is found here.
        canonical = parse(encode(dict(body)))
        return Proposal(Statement.make(author, kind, as_object(canonical)))
    except (LedgerError, KeysError) as error:
        raise BadRequest(f"the proposal cannot be made: {error}") from error


def read_value(kind: str, field: str, text: str) -> Json:
    """The value that `text` stands for in such a field: JSON for lists, objects and numbers."""
    shape = SHAPES.get(kind)
    fields = {} if shape is None else {**shape.fields, **shape.optional}
    check = fields.get(field)
    if check is None or check(text):
        return text
    try:
        return parse(text)
    except KeysError:
        return text  # what is wrong with it is said when the statement is made


def merge(proposals: Sequence[Proposal]) -> Proposal:
    """One proposal with the signatures of all; BadRequest unless all propose the same."""
    first = proposals[0]
    for other in proposals[1:]:
        if other.statement.data != first.statement.data:
            raise BadRequest(
                "these files propose different statements, so their signatures cannot be put "
                "together; hand them in one by one"
            )
    found = {key: value for proposal in proposals for key, value in proposal.signatures}
    return replace(first, signatures=tuple(sorted(found.items())))


def describe(proposal: Proposal, registry: Registry | None) -> list[str]:
    """What a proposal says and who signed, a line each; with a registry also what it lacks."""
    statement = proposal.statement
    lines = [f"{statement.kind} by {statement.author}"]
    for name, value in sorted(statement.body.items()):
        lines.append(f"  {name}: {value if isinstance(value, str) else encode(value).decode()}")
    for key, _ in proposal.signatures:
        lines.append(f"signed by {_who(key, statement, registry)}")
    if not proposal.signatures:
        lines.append("signed by nobody yet")
    if registry is not None and registry.identity is not None:
        lines.append(_lacking(proposal, registry))
    return lines


def _who(key: str, statement: Statement, registry: Registry | None) -> str:
    if registry is None or registry.identity is None:
        return key
    if key in registry.identity.governance:
        return f"{key}, of the governance"
    if statement.kind == ROTATE and key in governance_of(statement.body["governance"]).keys:
        return f"{key}, of the root that is to come"
    for member in (registry.party(statement.author), *registry.members.values()):
        if member is not None and key in member.keys:
            person = member.keys[key].person
            return f"{key}, {person + ' of ' if person else ''}{member.did}"
    return f"{key}, which this bank does not know"


def _lacking(proposal: Proposal, registry: Registry) -> str:
    identity = registry.identity
    if identity is None or proposal.statement.kind not in GOVERNANCE_TYPES:
        return "the bank says when it is handed in whether these signatures are enough"
    count = len({key for key, _ in proposal.signatures} & set(identity.governance))
    missing = identity.threshold - count
    if missing > 0:
        return f"lacks {missing} of the {identity.threshold} signatures it takes"
    if proposal.statement.kind == ROTATE:
        new = governance_of(proposal.statement.body["governance"])
        missing = new.threshold - len({key for key, _ in proposal.signatures} & set(new.keys))
        if missing > 0:
            return f"lacks {missing} of the {new.threshold} signatures of the new root"
    return "has the signatures it takes: hand it in"
