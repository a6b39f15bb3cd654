"""Results: a file is uploaded, its columns are said, its problems shown, up to its signing."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.errors import BadRequest, BankError
from bank.institution import unit_credits
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office
from bank.pages.visitor import Visitors, field
from bank.results import DATE_FORMATS, Preview, ResultsError
from bank.sign_in import Person
from bank.uploads import FIELDS, Upload, UploadState, guess_mapping, nested

_SHOWN = 100
_SAMPLE = 5
_DATES = ("awarded", "expires")


def upload_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]

    def show_start(request: Request, person: Person, problem: str = "") -> Response:
        found = bank.uploads.open(person.scope)
        return office.show(
            request,
            person,
            "start.html",
            400 if problem else 200,
            problem=problem,
            uploads=[item for item in found if item.state is not UploadState.DISCARDED],
            UploadState=UploadState,
        )

    def show_mapping(
        request: Request, person: Person, upload: Upload, problem: str = "", given: object = None
    ) -> Response:
        header = bank.uploads.header(person.scope, upload.upload)
        return office.show(
            request,
            person,
            "mapping.html",
            400 if problem else 200,
            problem=problem,
            upload=upload,
            name=bank.uploads.contents(person.scope, upload.upload).name,
            header=header,
            rows=bank.uploads.rows(person.scope, upload.upload, _SAMPLE),
            fields=FIELDS,
            guessed=given or guess_mapping(header),
            formats=DATE_FORMATS,
        )

    @routes.get("/registrar")
    def start(request: Request, person: staff) -> Response:
        """Where an institution's people begin: a new file, and those not finished."""
        return show_start(request, person)

    @routes.post("/registrar/uploads")
    def take(request: Request, form: posted, person: staff) -> Response:
        """Take a file."""
        try:
            name, data = _file(form, "file")
            _, mapping = _file(form, "mapping")
            upload = bank.uploads.take(person.scope, name, data, mapping)
        except (BankError, ResultsError) as error:
            return show_start(request, person, str(error))
        return RedirectResponse(f"/registrar/uploads/{upload.upload}", 303)

    @routes.get("/registrar/uploads/{name}")
    def show(request: Request, name: str, person: staff, page: int = 1) -> Response:
        """An upload, as far as it has come."""
        upload = bank.uploads.find(person.scope, name)
        if upload.state is UploadState.MAPPING:
            return show_mapping(request, person, upload)
        if upload.state in (UploadState.FINISHED, UploadState.DISCARDED):
            return office.show(request, person, "finished.html", upload=upload)
        preview = bank.uploads.preview(person.scope, name)
        if upload.state is UploadState.SIGNING:
            return office.show(
                request, person, "sign.html", upload=upload, problems=len(preview.problems)
            )
        return office.show(
            request,
            person,
            "preview.html",
            upload=upload,
            name=bank.uploads.contents(person.scope, name).name,
            **_previewed(preview, page),
        )

    @routes.post("/registrar/uploads/{name}/mapping")
    def map_columns(request: Request, name: str, form: posted, person: staff) -> Response:
        """Say which column is which."""
        upload = bank.uploads.find(person.scope, name)
        given = {item.name: field(form, item.name) for item in FIELDS}
        try:
            bank.uploads.map(person.scope, name, _document(form, given))
        except (BankError, ResultsError) as error:
            return show_mapping(request, person, upload, str(error), given)
        return RedirectResponse(f"/registrar/uploads/{name}", 303)

    @routes.post("/registrar/uploads/{name}/{step}")
    def go_on(request: Request, name: str, step: str, form: posted, person: staff) -> Response:
        """Go on to signing, back to the columns, or let the file go."""
        if step == "start":
            bank.uploads.start(person.scope, name, field(form, "set_aside") == "yes")
        elif step == "back":
            bank.uploads.back(person.scope, name)
        elif step == "discard":
            bank.uploads.discard(person.scope, name, person.person)
            return RedirectResponse("/registrar", 303)
        else:
            raise BadRequest(f"an upload has no step {step[:40]}")
        return RedirectResponse(f"/registrar/uploads/{name}", 303)

    return routes


def _previewed(preview: Preview, page: int) -> dict[str, object]:
    """What of a preview its page shows; `page` is one of its problems' pages."""
    start = max(0, (page - 1) * _SHOWN)
    units = sorted(unit_credits(preview.results).items(), key=lambda item: item[0].code)
    return {
        "preview": preview,
        "bad_rows": len({problem.line for problem in preview.problems}),
        "problems": preview.problems[start : start + _SHOWN],
        "page": page,
        "pages": -(-len(preview.problems) // _SHOWN),
        "sample": preview.results[:_SAMPLE],
        "units": units[:_SHOWN],
        "unit_count": len(units),
    }


def _document(form: FormData, given: Mapping[str, str]) -> dict[str, object]:
    flat: dict[str, object] = {name: text for name, text in given.items() if text}
    for name in _DATES:
        written = field(form, f"{name}.format")
        if name in flat and written and written != "YYYY-MM-DD":
            flat[name] = {"from": flat[name], "format": written}
    document = nested(flat)
    column, texts = field(form, "only.column"), field(form, "only.texts")
    if column:
        wanted = [text.strip() for text in texts.replace("，", ",").split(",") if text.strip()]
        if not wanted:
            raise BadRequest(f"say which values of the column {column} are to be taken")
        document["only"] = {column: wanted}
    return document


def _file(form: FormData, name: str) -> tuple[str, bytes]:
    given = form.get(name)
    if given is None or isinstance(given, str):
        return "", b""
    assert isinstance(given, UploadFile) or hasattr(given, "file")
    return given.filename or "", given.file.read()
