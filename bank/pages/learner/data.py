"""What the bank holds about the learner: shown, exported, agreed to, and erased."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from bank.awards import Award
from bank.errors import BadRequest
from bank.learners import BadConsent, Consent, Event, NoSuchRecord, Terms, read_terms
from bank.openid4vci import BoundKey
from bank.pages.language import N_, Words
from bank.pages.learner.desk import Desk
from bank.pages.learner.names import Names
from bank.pages.page import Pages
from bank.pages.visitor import Visitors, field
from bank.sign_in import Person
from keys import Json
from ledger import format_time

ERASE: Final = N_("delete everything")
_EVENTS: Final = {
    "opened": N_("your record was opened"),
    "matched": N_("your record was found again by your identity document"),
    "linked": N_("an account was added to your record"),
    "merged": N_("another record of yours was made one with this"),
    "renamed": N_("your name was changed"),
    "consent given": N_("you gave a consent"),
    "consent withdrawn": N_("you withdrew a consent"),
    "exported": N_("everything held about you was exported"),
}
_FIELDS: Final = ("purpose", "recipient", "scope", "from", "until")


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """An account: whose reference it is, and how many awards are in it."""

    institution: str
    reference: str
    awards: int


@dataclass(frozen=True, slots=True)
class ShownConsent:
    """A consent, and how it stands."""

    consent: str
    purpose: str
    recipient: str
    titles: tuple[str, ...]
    start: str
    until: str
    state: str
    look: str
    ended: bool


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key, and the institutions whose accounts it is bound to."""

    did: str
    added: str
    institutions: tuple[str, ...]


def data_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The pages at `/learner/data`, and what remains after an erasure."""
    routes = APIRouter(include_in_schema=False)
    bank, desk = pages.bank, Desk(pages)
    learner = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    def show(
        request: Request, person: Person, problem: str = "", given: Mapping[str, str] | None = None
    ) -> Response:
        names, awards = desk.names(request), desk.awards(person)
        accounts, now = desk.accounts(person), bank.now()
        titles = _titles(awards, names)
        consents = bank.learners.consents(person.scope)[::-1]
        return desk.show(
            request,
            person,
            "data.html",
            400 if problem else 200,
            identity=bank.learners.identity(person.scope),
            accounts=[_account(account, awards, names) for account in accounts],
            awards=[(item.identifier, names.award(item, format_time(now))) for item in awards],
            consents=[_consent(one, titles, format_time(now)[:10], names) for one in consents],
            events=[_event(one, names.words) for one in bank.learners.events(person.scope)[::-1]],
            keys=[_key(one, names) for one in bank.wallets.bound(accounts)],
            links=sum(len(bank.shares.of(bank.vault.token(account))) for account in accounts),
            today=format_time(now)[:10],
            problem=problem,
            given={name: (given or {}).get(name, "") for name in _FIELDS},
        )

    @routes.get("/learner/data")
    def data(request: Request, person: learner) -> Response:
        """What is held, and what can be done with it."""
        return show(request, person)

    @routes.post("/learner/data/export")
    def export(request: Request, form: posted, person: learner) -> Response:
        """Everything in one file; noted in the journal, so it is no GET."""
        bank.checkpoints.gather()
        content = bank.learners.export(person.scope)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="my-data-{desk.time[:10]}.zip"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type="application/zip", headers=headers)

    @routes.post("/learner/data/consents")
    def consent(request: Request, form: posted, person: learner) -> Response:
        """Give a consent."""
        try:
            bank.learners.consent(person.scope, _terms(form, bank.now().date()))
        except (BadRequest, BadConsent, NoSuchRecord) as error:
            given = {name: field(form, name) for name in _FIELDS}
            return show(request, person, str(error), given)
        return desk.onward(request, person, "/learner/data#consents", "consented")

    @routes.post("/learner/data/consents/withdraw")
    def withdraw(request: Request, form: posted, person: learner) -> Response:
        """End a consent now."""
        bank.learners.withdraw(person.scope, field(form, "consent"))
        return desk.onward(request, person, "/learner/data#consents", "withdrawn")

    def show_erase(request: Request, person: Person, problem: str = "") -> Response:
        accounts = desk.accounts(person)
        return desk.show(
            request,
            person,
            "erase.html",
            400 if problem else 200,
            phrase=pages.words(request).say(ERASE),
            count=len(desk.awards(person)),
            accounts=len(accounts),
            problem=problem,
        )

    @routes.get("/learner/data/erase")
    def erase_page(request: Request, person: learner) -> Response:
        """What erasing means, before it is done."""
        return show_erase(request, person)

    @routes.post("/learner/data/erase")
    def erase(request: Request, form: posted, person: learner) -> Response:
        """Erase everything for good, and the sign-in with it."""
        if not _is_confirmed(field(form, "confirm")):
            return show_erase(request, person, "the words do not match; nothing was erased")
        bank.learners.erase(person.scope)
        response = visitors.leave(request)
        response.headers["Location"] = "/erased"
        return response

    @routes.get("/erased")
    def erased(request: Request) -> Response:
        """What an erasure leaves, said to whoever asked for it."""
        return pages.show(request, "learner/erased.html")

    return routes


def _is_confirmed(text: str) -> bool:
    """Whether somebody typed the words that confirm an erasure, in either language."""
    return " ".join(text.split()).casefold() in {
        Words(language).say(ERASE) for language in ("en", "zh")
    }


def _terms(form: FormData, today: date) -> Terms:
    if not field(form, "purpose") or not field(form, "recipient"):
        raise BadRequest("write what the consent is for, and to whom it is given")
    chosen: list[Json] = [str(item) for item in form.getlist("credential")]
    if field(form, "scope") != "all" and not chosen:
        raise BadRequest("choose the awards that the consent is to, or all of them")
    value: dict[str, Json] = {
        "purpose": field(form, "purpose"),
        "recipient": field(form, "recipient"),
        "credentials": "all" if field(form, "scope") == "all" else chosen,
        "from": field(form, "from") or today.isoformat(),
        "until": field(form, "until"),
    }
    if field(form, "until") < today.isoformat():
        raise BadRequest("the last day of the consent is past; choose a later one")
    return read_terms(value, today)


def _titles(awards: list[Award], names: Names) -> dict[str, str]:
    return {
        award.identifier: names.unit(award.lot.facts.institution, award.lot.facts.unit)
        for award in awards
    }


def _account(account: str, awards: list[Award], names: Names) -> ShownAccount:
    institution, _, reference = account.partition("|")
    own = sum(award.account == account for award in awards)
    return ShownAccount(names.institution(institution), reference, own)


def _consent(one: Consent, titles: dict[str, str], today: str, names: Names) -> ShownConsent:
    terms = one.terms
    if one.withdrawn:
        state, look = N_("withdrawn"), ""
    elif terms.until < today:
        state, look = N_("ended"), ""
    elif terms.start > today:
        state, look = N_("not yet in force"), "warn"
    else:
        state, look = N_("in force"), "good"
    return ShownConsent(
        one.consent,
        terms.purpose,
        terms.recipient,
        tuple(titles.get(name, name) for name in terms.credentials or ()),
        terms.start,
        terms.until,
        names.words.say(state),
        look,
        bool(one.withdrawn) or terms.until < today,
    )


def _event(one: Event, words: Words) -> tuple[str, str]:
    return one.time, words.say(_EVENTS.get(one.kind, one.kind))


def _key(one: BoundKey, names: Names) -> ShownKey:
    institutions = [names.institution(account.partition("|")[0]) for account in one.accounts]
    return ShownKey(one.did, one.added, tuple(dict.fromkeys(institutions)))
