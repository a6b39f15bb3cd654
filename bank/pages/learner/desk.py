"""What every page of a learner has: whose record it is, the tabs, and what was just done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from bank.awards import Award
from bank.errors import NoSuchThing
from bank.pages.language import N_
from bank.pages.learner.names import Names
from bank.pages.notices import Notice, Notices
from bank.pages.page import Pages
from bank.sign_in import Person
from ledger import format_time

_TABS: Final = (
    ("/learner", N_("Credits")),
    ("/learner/awards", N_("My awards")),
    ("/learner/options", N_("What I could do")),
    ("/learner/shares", N_("Sharing")),
    ("/learner/data", N_("My data")),
)
_KEPT: Final = ("offered", "shared")
"""Notices that stay when the page is loaded again: they hold what is told only this once."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One page of a long list."""

    items: Sequence[T]
    number: int
    count: int


class Desk:
    """The bank's counter, for one learner."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.bank = pages.bank
        self._notices = Notices(pages.bank.vault)

    def show(
        self, request: Request, person: Person, template: str, code: int = 200, /, **context: object
    ) -> HTMLResponse:
        """A page of the learner's."""
        words = self.pages.words(request)
        notice = self._notices.take(request, person)
        response = self.pages.show(
            request,
            f"learner/{template}",
            code,
            tabs=[(address, words.say(name)) for address, name in _TABS],
            tab="/".join(request.url.path.split("/")[:3]),
            learner=self.bank.learners.identity(person.scope).name,
            notice=notice,
            **context,
        )
        if notice is not None and notice.kind not in _KEPT:
            self._notices.drop(response)
        return response

    def onward(
        self, request: Request, person: Person, target: str, kind: str, *values: str
    ) -> Response:
        """On to another of the learner's pages, which tells what was done."""
        return self._notices.onward(request, person, target, Notice(kind, values))

    def notice(self, request: Request, person: Person, kind: str) -> tuple[str, ...]:
        """What a notice of this kind holds; empty where there is none."""
        found = self._notices.take(request, person)
        return found.values if found is not None and found.kind == kind else ()

    def names(self, request: Request) -> Names:
        """What things are called, in the visitor's language."""
        return Names(self.pages.words(request), self.bank.registry(), self.bank.settings)

    def accounts(self, person: Person) -> list[str]:
        """The learner's accounts."""
        return self.bank.learners.accounts(person.scope)

    def awards(self, person: Person) -> list[Award]:
        """All that the learner holds, the newest first."""
        return self.bank.reckoning.awards(self.accounts(person))[::-1]

    def award(self, person: Person, name: str) -> Award:
        """One of the learner's awards; NoSuchThing where there is none of this name."""
        found = next((item for item in self.awards(person) if item.name == name), None)
        if found is None:
            raise NoSuchThing("there is no such award in your record")
        return found

    @property
    def time(self) -> str:
        """Now, as the ledger spells it."""
        return format_time(self.bank.now())


def part(items: Sequence[T], number: int, size: int) -> Part[T]:
    """Page `number` of a list, or the nearest there is."""
    count = max(1, -(-len(items) // size))
    number = min(max(number, 1), count)
    return Part(items[(number - 1) * size : number * size], number, count)
