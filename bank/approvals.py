"""Statements that take two persons of an institution: signed by one, waiting for the other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select

from bank.errors import BadRequest, NoSuchThing
from bank.tables import approvals
from ledger import BadStatement, SignedStatement, format_time
from ledger.store import reading, writing

_MOST_WAITING = 500


@dataclass(frozen=True, slots=True)
class Approval:
    """A statement that waits. `made_by` is the person who signed first."""

    approval: str
    made: str
    made_by: str
    signed: SignedStatement


class Approvals:
    """What waits for second signatures, each institution's its own."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], identifier: Callable[[], str]
    ) -> None:
        """`identifier` gives 128 new random bits in base64url."""
        self._engine = engine
        self._clock = clock
        self._identifier = identifier

    def propose(self, author: str, signed: SignedStatement, person: str) -> Approval:
        """Keep what `author` states and one person signed; BadRequest where it does not hold."""
        _check(author, signed)
        waiting = self.waiting(author)
        for known in waiting:
            if known.signed.statement.data == signed.statement.data:
                return known
        if len(waiting) >= _MOST_WAITING:
            raise BadRequest(f"{len(waiting)} statements wait already; have them signed first")
        made = Approval(self._identifier(), format_time(self._clock()), person, signed)
        with writing(self._engine) as connection:
            connection.execute(
                approvals.insert().values(
                    approval=made.approval,
                    institution=author,
                    made=made.made,
                    made_by=person,
                    signed=signed.data,
                )
            )
        return made

    def waiting(self, author: str) -> list[Approval]:
        """What waits for a second signature of `author`'s, oldest first."""
        query = select(approvals).where(approvals.c.institution == author)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(approvals.c.made, approvals.c.approval)).all()
        return [
            Approval(row.approval, row.made, row.made_by, SignedStatement.parse(row.signed))
            for row in rows
        ]

    def joined(
        self, author: str, approval: str, signed: SignedStatement, person: str
    ) -> SignedStatement:
        """The statement with the second signature; BadRequest where that does not fit."""
        waiting = self._find(author, approval)
        if person == waiting.made_by:
            raise BadRequest("whoever signed first cannot also be the second person")
        _check(author, signed)
        if signed.statement.data != waiting.signed.statement.data:
            raise BadRequest("that is another statement than the one that waits; open it again")
        both = {**dict(waiting.signed.signatures), **dict(signed.signatures)}
        if len(both) <= len(waiting.signed.signatures):
            raise BadRequest("that key has signed already; the second person signs with their own")
        return SignedStatement(signed.statement, tuple(sorted(both.items())))

    def drop(self, author: str, approval: str) -> Approval:
        """Let a statement wait no longer; what it was."""
        found = self._find(author, approval)
        with writing(self._engine) as connection:
            connection.execute(delete(approvals).where(approvals.c.approval == approval))
        return found

    def _find(self, author: str, approval: str) -> Approval:
        found = [item for item in self.waiting(author) if item.approval == approval]
        if not found:
            raise NoSuchThing("nothing of this name waits; another has dealt with it")
        return found[0]


def _check(author: str, signed: SignedStatement) -> None:
    if signed.statement.author != author:
        raise BadRequest("that statement is another institution's than the one you serve")
    try:
        signed.verify()
    except BadStatement as error:
        raise BadRequest(str(error)) from error
