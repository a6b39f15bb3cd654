"""The operator's log, read: what those who run the bank did with it, in plain words."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from bank.operator_log import SERVER, SHELL, Act
from bank.pages.language import N_, Words
from bank.pages.page import Pages, Show
from bank.pages.visitor import Visitors
from bank.sign_in import Person, Role
from ledger.journal import JournalReport, Record

_PAGE = 100
_NEWEST = 2**53
_SAID: Final = {
    Act.ACCESS_ENDED: N_("Somebody's access was ended."),
    Act.API_KEY_ADDED: N_("An API key was registered."),
    Act.API_KEY_RETIRED: N_("An API key was retired."),
    Act.AUDIT_STARTED: N_("An audit of the ledger was begun."),
    Act.BACKED_UP: N_("A backup was made."),
    Act.ERASED: N_("A learner's data was erased."),
    Act.INVITED: N_("An invitation was made."),
    Act.JOINED: N_("Somebody got access."),
    Act.LOCKED: N_("A sign-in was locked after too many failures."),
    Act.LOG_REBUILT: N_("The derived tables were folded anew."),
    Act.LOG_RECOVERED: N_("The stored ledger was examined for repair."),
    Act.PACED: N_("An address tried to sign in too often and was held off."),
    Act.PASSKEY_ADDED: N_("A passkey was added."),
    Act.PASSKEY_DROPPED: N_("A passkey was removed."),
    Act.PROPOSAL_PUT_AWAY: N_("A proposal was put away."),
    Act.RESTORED: N_("The bank was restored from a backup."),
    Act.SETTINGS: N_("The settings changed."),
    Act.SIGNED_IN: N_("Somebody signed in."),
    Act.SIGNED_OUT: N_("Somebody signed out."),
    Act.TRUST_EXPORTED: N_("A trust bundle was made."),
    Act.UPLOAD_DISCARDED: N_("An uploaded file was destroyed."),
    Act.WITNESSES: N_("The witnesses that are asked changed."),
}


def operator_log_routes(pages: Pages, visitors: Visitors, role: Role, show: Show) -> APIRouter:
    """The pages of the log below a role's own; `show` frames a page."""
    routes = APIRouter(include_in_schema=False, prefix=f"{role.home}/log")
    reader = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    log = pages.bank.operator_log

    def shown(request: Request, before: int, report: JournalReport | None = None) -> Response:
        words = pages.words(request)
        found = log.newest(_PAGE + 1, before)
        names = {one.person: one.name for one in visitors.sign_in.people()}
        return show(
            request,
            "log.html",
            records=[(one, _said(words, one), _who(words, names, one)) for one in found[:_PAGE]],
            more=found[_PAGE - 1].index if len(found) > _PAGE else None,
            first=before == _NEWEST,
            report=report,
            home=f"{role.home}/log",
        )

    @routes.get("")
    def newest(request: Request, person: reader, before: int = _NEWEST) -> Response:
        """The records, newest first."""
        return shown(request, before)

    @routes.post("")
    def audit(request: Request, form: posted, person: reader) -> Response:
        """Recheck all of them now."""
        return shown(request, _NEWEST, log.audit())

    @routes.get("/checkpoint")
    def checkpoint(person: reader) -> Response:
        """The newest checkpoint, to be kept elsewhere."""
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="operator-log.checkpoint"',
        }
        return Response(log.checkpoint(), media_type="text/plain; charset=utf-8", headers=headers)

    return routes


def _said(words: Words, record: Record) -> str:
    return words.say(_SAID[Act(record.act)]) if record.act in _SAID else record.act


def _who(words: Words, names: dict[str, str], record: Record) -> str:
    """Who did it, by the name they have now if they are still known here."""
    who = str(record.facts.get("by", record.facts.get("person", SERVER)))
    if who == SHELL:
        return words.say(N_("Somebody at the server"))
    return words.say(N_("The server")) if who == SERVER else names.get(who, who)
