"""Files of results to take away: one to fill in, and what is wrong in an uploaded one."""

import csv
import io
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bank.pages.page import Pages
from bank.pages.visitor import Visitors
from bank.sign_in import Person
from bank.uploads import FIELDS


def upload_file_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank = pages.bank
    staff = Annotated[Person, Depends(visitors.person)]

    @routes.get("/registrar/template.csv")
    def template(person: staff) -> Response:
        """A file to fill in, which Excel opens too."""
        names = [item.called[0] for item in FIELDS if item.name != "source_key"]
        examples = [item.example for item in FIELDS if item.name != "source_key"]
        return _csv([names, examples], "results-template.csv")

    @routes.get("/registrar/uploads/{name}/problems.csv")
    def problems(name: str, person: staff) -> Response:
        """Every problem: line, field, what is wrong and what to do."""
        found = bank.uploads.preview(person.scope, name).problems
        rows = [[str(item.line), item.field, item.message] for item in found]
        return _csv([["line", "field", "problem"], *rows], "problems.csv")

    @routes.get("/registrar/uploads/{name}/set-aside.csv")
    def set_aside(name: str, person: staff) -> Response:
        """The rows with problems as they stand in the file, to be corrected and sent again."""
        found = {item.line for item in bank.uploads.preview(person.scope, name).problems}
        return _csv(bank.uploads.lines(person.scope, name, found), "set-aside.csv")

    return routes


def _csv(rows: list[list[str]], name: str) -> Response:
    written = io.StringIO()
    csv.writer(written).writerows([[_inert(cell) for cell in row] for row in rows])
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    # With the mark by which Excel knows UTF-8.
    data = b"\xef\xbb\xbf" + written.getvalue().encode()
    return Response(data, media_type="text/csv; charset=utf-8", headers=headers)


def _inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "@", "\t")) else cell
