"""Share links: made for chosen awards, ended again, and when each was opened."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from bank.awards import Award
from bank.errors import BadRequest, NoSuchThing
from bank.pages.learner.desk import Desk, part
from bank.pages.learner.names import ShownAward
from bank.pages.page import Pages
from bank.pages.visitor import Visitors, field
from bank.shares import MOST_DAYS, Share
from bank.sign_in import Person

_PAGE: Final = 10
_DAYS: Final = (7, 30, 90, 365)


@dataclass(frozen=True, slots=True)
class ShownShare:
    """A link as its owner sees it."""

    share: str
    titles: tuple[str, ...]
    made: str
    expires: str
    withdrawn: str
    openings: tuple[str, ...]
    open: bool


def share_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The pages at `/learner/shares`."""
    routes = APIRouter(include_in_schema=False)
    bank, desk = pages.bank, Desk(pages)
    learner = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    def show(
        request: Request,
        person: Person,
        page: int = 1,
        problem: str = "",
        chosen: tuple[str, ...] = (),
    ) -> Response:
        names, time = desk.names(request), desk.time
        awards = desk.awards(person)
        titles = {
            award.identifier: names.unit(award.lot.facts.institution, award.lot.facts.unit)
            for award in awards
        }
        groups: dict[str, list[ShownAward]] = defaultdict(list)
        for award in awards:
            issuer = names.institution(award.account.partition("|")[0])
            groups[issuer].append(names.award(award, time))
        shares = [
            share
            for account in desk.accounts(person)
            for share in bank.shares.of(bank.vault.token(account))
        ]
        shares.sort(key=lambda share: share.made, reverse=True)
        shown = part(shares, page, _PAGE)
        return desk.show(
            request,
            person,
            "shares.html",
            400 if problem else 200,
            groups=dict(groups),
            chosen=chosen,
            days=_DAYS,
            shown=shown,
            shares=[_shown(share, titles, time) for share in shown.items],
            links=_links(desk.notice(request, person, "shared"), names.institution),
            problem=problem,
        )

    @routes.get("/learner/shares")
    def shares(request: Request, person: learner, page: int = 1, award: str = "") -> Response:
        """The links there are, and a form for another."""
        return show(request, person, page, chosen=(award,))

    @routes.post("/learner/shares")
    def share(request: Request, form: posted, person: learner) -> Response:
        """Make a link to the chosen awards; one for each account that they are in."""
        chosen = tuple(str(item) for item in form.getlist("award"))
        try:
            days = _days(field(form, "days"))
            by_account = _by_account(desk.awards(person), chosen)
            values: list[str] = []
            for account, names in by_account.items():
                made, secret = bank.shares.make(bank.vault.token(account), names, days)
                link = f"{visitors.site(request).origin}/s/{secret}"
                values += [link, made.expires, account.partition("|")[0]]
        except BadRequest as error:
            return show(request, person, problem=str(error), chosen=chosen)
        return desk.onward(request, person, "/learner/shares", "shared", *values)

    @routes.post("/learner/shares/end")
    def end(request: Request, form: posted, person: learner) -> Response:
        """End a link now."""
        wanted = field(form, "share")
        for account in desk.accounts(person):
            token = bank.vault.token(account)
            if any(share.share == wanted for share in bank.shares.of(token)):
                bank.shares.withdraw(token, wanted)
                return desk.onward(request, person, "/learner/shares", "unshared")
        raise NoSuchThing("there is no such link of yours")

    return routes


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MOST_DAYS:
        raise BadRequest(f"a link lasts 1 to {MOST_DAYS} days; write a number of days")
    return int(text)


def _by_account(awards: list[Award], chosen: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for award in awards:
        if award.name in chosen:
            found[award.account].append(award.identifier)
    if not found:
        raise BadRequest("choose at least one award to share")
    return dict(found)


def _shown(share: Share, titles: dict[str, str], time: str) -> ShownShare:
    return ShownShare(
        share.share,
        tuple(titles.get(name, name) for name in share.credentials),
        share.made,
        share.expires,
        share.withdrawn,
        share.openings[::-1],
        not share.withdrawn and share.expires >= time,
    )


def _links(values: tuple[str, ...], named: Callable[[str], str]) -> list[tuple[str, str, str]]:
    return [
        (values[start], values[start + 1], named(values[start + 2]))
        for start in range(0, len(values) - 2, 3)
    ]
