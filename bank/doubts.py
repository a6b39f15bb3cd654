"""What a stolen key leaves in doubt, for its member to look through and attest again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bank.errors import BadRequest
from bank.proposals import Proposal, propose
from keys import Json, b64u_encode
from ledger import Entry, Member, Statement
from ledger.lots import lot_names

_MOST = 1000
_USES = frozenset(("convert", "redeem", "reserve", "transfer.out"))


@dataclass(frozen=True, slots=True)
class Doubt:
    """An entry in doubt that its member has not attested: where, what, and the statement's hash."""

    index: int
    time: str
    kind: str
    lot: str
    """The lot it makes or moves, or empty."""
    statement: str


def in_doubt(entry: Entry, member: Member) -> bool:
    """Whether a suspect key signed this entry in the time in doubt, and nobody attested it since.

    The entry is the member's own.
    """
    used = [member.keys[key] for key, _ in entry.signed.signatures if key in member.keys]
    return (
        any(period.doubtful_at(entry.index) for period in used)
        and b64u_encode(entry.signed.statement.hash) not in member.attested
    )


def uses(statement: Statement) -> str:
    """The lot that a statement would use or lock, which takes one that nobody doubts; or empty."""
    return str(statement.body["lot"]) if statement.kind in _USES else ""


def doubts(entries: Iterable[Entry], member: Member) -> Iterator[Doubt]:
    """The entries by `member` that a suspect key signed in the time in doubt, in order."""
    for entry in entries:
        statement = entry.signed.statement
        if statement.author == member.did and in_doubt(entry, member):
            lots, name = lot_names(statement), b64u_encode(statement.hash)
            yield Doubt(entry.index, entry.time, statement.kind, lots[-1] if lots else "", name)


def attestation(member: Member, chosen: Sequence[Doubt]) -> Proposal:
    """The statement that attests what was chosen, for a good key of the member to sign."""
    if not chosen:
        raise BadRequest(f"nothing of {member.did} was chosen to be attested")
    if len(chosen) > _MOST:
        raise BadRequest(
            f"{len(chosen)} statements are too many for one attestation: choose {_MOST} at most"
        )
    names: list[Json] = [doubt.statement for doubt in chosen]
    return propose(member.did, "award.attest", {"statements": names})
