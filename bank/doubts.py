"""What a stolen key leaves in doubt, for its member to look through and attest again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from bank.errors import BadRequest
from bank.lots import read_lots
from bank.proposals import Proposal, propose
from keys import Json, b64u_encode
from ledger import Entry, Member, Registry, SignedStatement, Statement
from ledger.log import Log
from ledger.lots import lot_names
from ledger.store import reading

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


class DoubtedUses:
    """Finds what would use a lot while it is in doubt who made it."""

    def __init__(self, engine: Engine, log: Log, registry: Callable[[], Registry]) -> None:
        self._engine = engine
        self._log = log
        self._registry = registry

    def among(self, batch: Sequence[SignedStatement]) -> dict[int, str]:
        """Of statements that would use a lot in doubt the place in the batch, and what is told."""
        named = {n: name for n, signed in enumerate(batch) if (name := used_lot(signed.statement))}
        suspects = self._suspects() if named else {}
        if not suspects:
            return {}
        with reading(self._engine) as connection:
            known = read_lots(connection, sorted(set(named.values())))
        found = {}
        for place, name in named.items():
            lot = known.get(name)
            member = None if lot is None else suspects.get(lot.facts.institution)
            if lot is None or member is None:
                continue
            entry = Entry.parse(self._log.entry(lot.award_index))
            if entry.signed.statement.author == member.did and in_doubt(entry, member):
                found[place] = (
                    f"the lot {name} was made by a key of {member.did} that is suspect since; it "
                    "is used again once the institution attests it"
                )
        return found

    def _suspects(self) -> dict[str, Member]:
        """The members of which a key is suspect."""
        return {
            did: member
            for did, member in self._registry().members.items()
            if any(period.suspect_from is not None for period in member.keys.values())
        }


def used_lot(statement: Statement) -> str:
    """The lot that a statement would use or lock, which takes one that nobody doubts; or empty."""
    return str(statement.body["lot"]) if statement.kind in _USES else ""
