"""The learner's awards: all of them, each by itself, its files, and the offer to a wallet."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.award_files import AwardFiles
from bank.awards import Award, AwardState
from bank.errors import NoSuchThing
from bank.openid4vci import offer_uri
from bank.pages.learner.desk import Desk, part
from bank.pages.page import Pages
from bank.pages.visitor import Visitors
from bank.sign_in import Person
from credentials.qr import BadQR, link_png
from ledger import Entry

_PAGE: Final = 20
_FILES: Final[Mapping[str, tuple[str, Callable[[AwardFiles], bytes]]]] = {
    "badge.png": ("image/png", lambda files: files.badge_png),
    "bundle.json": ("application/json", lambda files: files.bundle),
    "certificate.pdf": ("application/pdf", lambda files: files.certificate),
    "credential.json": ("application/vc", lambda files: files.credential),
    "qr.png": ("image/png", lambda files: files.qr_png),
    "qr.svg": ("image/svg+xml", lambda files: files.qr_svg),
}
_ADVERSE: Final = (AwardState.REVOKED, AwardState.SUSPENDED, AwardState.SUPERSEDED)


def award_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The pages at `/learner/awards`."""
    routes = APIRouter(include_in_schema=False)
    bank, desk = pages.bank, Desk(pages)
    learner = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    def files_of(award: Award) -> AwardFiles:
        bundle = bank.accounts.bundle(bank.vault.token(award.account), award.identifier)
        return AwardFiles(bank.settings, bundle, bank.now())

    @routes.get("/learner/awards")
    def awards(request: Request, person: learner, page: int = 1) -> Response:
        """All awards, the newest first."""
        names, time = desk.names(request), desk.time
        shown = part(desk.awards(person), page, _PAGE)
        items = [names.award(award, time) for award in shown.items]
        return desk.show(request, person, "awards.html", shown=shown, awards=items)

    @routes.get("/learner/awards/{name}")
    def award(request: Request, person: learner, name: str) -> Response:
        """One award: what it is, how it stands, and the ways to take it along."""
        found, names = desk.award(person, name), desk.names(request)
        files = files_of(found)
        # The code itself is another request: drawing it takes longer than the rest of the page.
        try:
            symbol = files.symbol
        except BadQR:
            symbol = None
        offer = desk.notice(request, person, "offered")
        offered = offer[1:] if offer[:1] == (name,) else ()
        link, tx_code, expires = offered if len(offered) == 3 else ("", "", "")
        return desk.show(
            request,
            person,
            "award.html",
            award=names.award(found, desk.time),
            facts=files.facts,
            lot=found.lot.lot,
            symbol=symbol,
            link=link,
            tx_code=tx_code,
            offer_expires=expires,
            **_against(found),
        )

    def _against(award: Award) -> dict[str, object]:
        """Why an institution ended or rested it, and until when the learner may appeal."""
        if award.state(desk.time) not in _ADVERSE:
            return {"reason": "", "appeal": ""}
        body = Entry.parse(bank.log.entry(award.lot.changed)).signed.statement.body
        return {"reason": str(body.get("reason", "")), "appeal": str(body.get("appeal", ""))}

    @routes.post("/learner/awards/{name}/offer")
    def offer(request: Request, form: posted, person: learner, name: str) -> Response:
        """Offer the award to the learner's wallet; link and code are shown for some minutes."""
        found = desk.award(person, name)
        made = bank.wallets.offer(bank.vault.token(found.account), [found.identifier])
        link = offer_uri(bank.settings.public_url, made.code)
        target = f"/learner/awards/{name}"
        return desk.onward(
            request, person, f"{target}#wallet", "offered", name, link, made.tx_code, made.expires
        )

    @routes.get("/learner/awards/{name}/offer.png")
    def offer_picture(request: Request, person: learner, name: str) -> Response:
        """The offer made a moment ago, as a QR code."""
        offered = desk.notice(request, person, "offered")
        if offered[:1] != (name,):
            return RedirectResponse(f"/learner/awards/{name}", 303)
        return _file(link_png(offered[1]), "image/png")

    @routes.get("/learner/awards/{name}/{file}")
    def download(request: Request, person: learner, name: str, file: str) -> Response:
        """One of the files of an award."""
        found = desk.award(person, name)
        if file not in _FILES:
            raise NoSuchThing("an award has no such file; go back to it and choose one")
        media_type, make = _FILES[file]
        try:
            content = make(files_of(found))
        except BadQR as error:
            raise NoSuchThing(str(error)) from error
        return _file(content, media_type, f"award-{name[:8]}.{file}")

    return routes


def _file(content: bytes, media_type: str, name: str = "") -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if name:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, media_type=media_type, headers=headers)
