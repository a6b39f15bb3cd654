"""What every page of an institution has: who it is, the tabs, and answers to scripts."""

from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from bank.answers import NO_STORE, json_answer
from bank.errors import BadRequest, NoSuchThing
from bank.pages.language import N_
from bank.pages.page import Pages
from bank.sign_in import Person, Role
from keys import Json, KeysError, parse
from ledger import LedgerError, Lot, Member, SignedStatement

_TABS = (
    ("/registrar", N_("Results")),
    ("/registrar/awards", N_("Awards")),
    ("/registrar/approvals", N_("Approvals")),
    ("/registrar/rules", N_("Recognition rules")),
    ("/registrar/keys", N_("Keys")),
)
_ADMINS = (("/registrar/api-keys", N_("API keys")), ("/registrar/people", N_("People")))


@dataclass(frozen=True, slots=True)
class Office:
    """An institution's counter, for one of its people."""

    pages: Pages

    def show(
        self, request: Request, person: Person, template: str, code: int = 200, /, **context: object
    ) -> HTMLResponse:
        """A page of the institution's."""
        words = self.pages.words(request)
        tabs = (*_TABS, *_ADMINS) if person.role is Role.ADMIN else _TABS
        return self.pages.show(
            request,
            f"registrar/{template}",
            code,
            tabs=[(address, words.say(name)) for address, name in tabs],
            member=self.member(person),
            about=self.about(person),
            **context,
        )

    def member(self, person: Person) -> Member:
        """The institution's entry in the register; NoSuchThing where it is no member (yet)."""
        found = self.pages.bank.registry().members.get(self.did(person))
        if found is None:
            raise NoSuchThing(f"the institution {person.scope} is not a member of this bank yet")
        return found

    def did(self, person: Person) -> str:
        """The institution's identifier."""
        return f"{self.pages.bank.settings.did}:members:{person.scope}"

    def about(self, person: Person) -> dict[str, Json]:
        """What the signing scripts need to know of the institution."""
        member = self.member(person)
        good: list[Json] = [
            period.key
            for period in member.keys.values()
            if period.end is None and period.suspect_from is None
        ]
        return {
            "domain": self.pages.bank.settings.domain,
            "keys": good,
            "names": dict(member.names),
            "slug": person.scope,
        }

    def own_lot(self, person: Person, name: str) -> Lot:
        """A lot of the institution's; NoSuchThing where it is another's."""
        lot = self.pages.bank.lots.get(name)
        if lot.facts.institution != self.did(person):
            raise NoSuchThing(f"the lot {name[:40]} is another institution's")
        return lot


def read_object(body: bytes) -> dict[str, Json]:
    """The JSON object that a script sent."""
    try:
        value = parse(body, limit=32 * 1024 * 1024)
    except KeysError as error:
        raise BadRequest(str(error)) from error
    if not isinstance(value, dict):
        raise BadRequest("send a JSON object")
    return value


def read_signed(value: dict[str, Json]) -> SignedStatement:
    """The signed statement that a script sent under `signed`."""
    try:
        return SignedStatement.from_json(value.get("signed"))
    except LedgerError as error:
        raise BadRequest(str(error)) from error


def answer(value: dict[str, Json]) -> Response:
    """JSON for a script."""
    return json_answer(value, headers=NO_STORE)
