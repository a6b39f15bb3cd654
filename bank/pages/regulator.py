"""The regulator's pages of figures, and every figure behind them as files."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bank.answers import NO_STORE, json_answer
from bank.errors import NoLonger
from bank.measures import Force, Measure
from bank.pages import regulator_words as say
from bank.pages.figures import (
    AwardsPage,
    BalancePage,
    FiguresPage,
    OverviewPage,
    RecognitionPage,
)
from bank.pages.language import N_
from bank.pages.operator_log import operator_log_routes
from bank.pages.page import Pages
from bank.pages.proposals import proposal_routes
from bank.pages.supervision import supervision_routes
from bank.pages.visitor import Visitors
from bank.per_size import Look
from bank.reports import Report
from bank.sign_in import Person, Role
from keys import Json, encode

_TABS = (
    ("/regulator", N_("Overview")),
    ("/regulator/awards", N_("Awards")),
    ("/regulator/recognition", N_("Recognition")),
    ("/regulator/conservation", N_("Conservation")),
    ("/regulator/members", N_("Members")),
    ("/regulator/proposals", N_("Proposals")),
    ("/regulator/log", N_("Operator's log")),
)


def regulator_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module, for regulators alone."""
    routes = APIRouter(include_in_schema=False)
    figures = APIRouter(include_in_schema=False, prefix="/regulator")
    regulator = Annotated[Person, Depends(visitors.person)]
    bank, oversight = pages.bank, pages.bank.oversight

    def show(request: Request, template: str, code: int = 200, /, **context: object) -> Response:
        words = pages.words(request)
        return pages.show(
            request,
            f"regulator/{template}",
            code,
            tabs=[(path, words.say(name)) for path, name in _TABS],
            say=say,
            Force=Force,
            Measure=Measure,
            **context,
        )

    def reported(request: Request, template: str, page: type[FiguresPage]) -> Response:
        """A page made of the report; while there is none yet, how far it is."""
        look = oversight.report.look()
        if look.made is None:
            return show(request, "computing.html", look=look)
        made = page(pages.words(request), bank.registry(), look.made.value)
        waiting = len(oversight.proposals.waiting())
        return show(request, template, look=look, page=made, waiting=waiting)

    @figures.get("")
    def overview(request: Request, person: regulator) -> Response:
        """Everything at a glance."""
        return reported(request, "overview.html", OverviewPage)

    @figures.get("/awards")
    def awards(request: Request, person: regulator) -> Response:
        """Awards by institution, level and field."""
        return reported(request, "awards.html", AwardsPage)

    @figures.get("/recognition")
    def recognition(request: Request, person: regulator) -> Response:
        """Who recognises whom, by which rules, and how learners were decided about."""
        return reported(request, "recognition.html", RecognitionPage)

    @figures.get("/conservation")
    def conservation(request: Request, person: regulator) -> Response:
        """That every credit is somewhere."""
        return reported(request, "conservation.html", BalancePage)

    @figures.get("/progress.json")
    def progress(request: Request, person: regulator) -> Response:
        """How far the report is that is being computed."""
        look = oversight.report.look()
        state: dict[str, Json] = {"running": look.making, "done": look.done, "total": look.size}
        return json_answer(state, headers=NO_STORE)

    @figures.get("/figures.json")
    def every_figure(request: Request, person: regulator) -> Response:
        """Every table as `creditbank regulator report` writes it."""
        report = _made(oversight.report.look())
        return _file(encode(report.open_data()) + b"\n", "application/json", "figures.json")

    @figures.get("/figures/{name}.csv")
    def table_csv(request: Request, name: str, person: regulator) -> Response:
        """One table as CSV."""
        table = _made(oversight.report.look()).table(name)
        return _file(table.csv().encode(), "text/csv; charset=utf-8", f"{table.name}.csv")

    @figures.get("/figures/{name}.json")
    def table_json(request: Request, name: str, person: regulator) -> Response:
        """One table as JSON."""
        body = _made(oversight.report.look()).open_table(name)
        return _file(encode(body) + b"\n", "application/json", f"{name}.json")

    routes.include_router(figures)
    for governing in (supervision_routes, proposal_routes):
        routes.include_router(governing(pages, visitors, show))
    routes.include_router(operator_log_routes(pages, visitors, Role.REGULATOR, show))
    return routes


def _made(look: Look[Report]) -> Report:
    if look.made is None:
        raise NoLonger("the figures are still being computed; try again in a moment")
    return look.made.value


def _file(data: bytes, media_type: str, name: str) -> Response:
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type=media_type, headers=headers)
