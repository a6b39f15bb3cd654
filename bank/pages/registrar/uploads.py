"""Results: a file is uploaded, its columns are said, its problems shown; then it is signed here."""

import csv
import io
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from bank.batches import check_batch
from bank.errors import BadRequest, BankError
from bank.institution import unit_credits
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office, answer, read_object
from bank.pages.visitor import Visitors, field
from bank.results import DATE_FORMATS, Result, ResultsError
from bank.sign_in import Person
from bank.submissions import outcomes_json, read_batch, read_submissions
from bank.uploads import FIELDS, Upload, UploadState, guess_mapping, nested
from keys import Json

_SHOWN = 100
_SAMPLE = 5
_DATES = ("awarded", "expires")


def upload_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]
    posted = Annotated[FormData, Depends(visitors.posted)]
    sent = Annotated[bytes, Depends(visitors.sent)]

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

    @routes.get("/registrar/template.csv")
    def template(person: staff) -> Response:
        """A file to fill in, which Excel opens too."""
        names = [item.called[0] for item in FIELDS if item.name != "source_key"]
        examples = [item.example for item in FIELDS if item.name != "source_key"]
        return _csv([names, examples], "results-template.csv")

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
        start = max(0, (page - 1) * _SHOWN)
        units = sorted(unit_credits(preview.results).items(), key=lambda item: item[0].code)
        return office.show(
            request,
            person,
            "preview.html",
            upload=upload,
            name=bank.uploads.contents(person.scope, name).name,
            preview=preview,
            bad_rows=len({problem.line for problem in preview.problems}),
            problems=preview.problems[start : start + _SHOWN],
            page=page,
            pages=-(-len(preview.problems) // _SHOWN),
            sample=preview.results[:_SAMPLE],
            units=units[:_SHOWN],
            unit_count=len(units),
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

    @routes.get("/registrar/uploads/{name}/results")
    def results(name: str, person: staff) -> Response:
        """The results to be signed, for the page's script."""
        upload = bank.uploads.find(person.scope, name)
        if upload.state is not UploadState.SIGNING:
            raise BadRequest("this upload is not ready to be signed; open it again")
        found: list[Json] = [
            result_json(item) for item in bank.uploads.preview(person.scope, name).results
        ]
        left = bank.intake.alone(office.did(person))
        return answer({"alone": left, "done": upload.done, "results": found})

    @routes.post("/registrar/uploads/{name}/signed/batch")
    def batch(name: str, body: sent, person: staff) -> Response:
        """More awards than one person hands in: kept until a second person has approved them."""
        bank.uploads.find(person.scope, name)
        signed, awards = read_batch(read_object(body))
        if bank.log.index_of(signed.statement) is not None:
            bank.batches.approve(signed.statement)
            return answer({"approved": True})
        check_batch(signed.statement, awards)
        bank.approvals.propose(office.did(person), signed, person.person)
        bank.batches.keep(signed.statement, awards)
        return answer({"approved": False})

    @routes.post("/registrar/uploads/{name}/signed/statements")
    def statements(name: str, body: sent, person: staff) -> Response:
        """Append what the page signed; `done` says how far the upload has come with it."""
        value = read_object(body)
        done = value.get("done")
        if type(done) is not int:
            raise BadRequest("say how many awards are done")
        submissions = read_submissions(value)
        mine = office.did(person)
        if any(item.signed.statement.author != mine for item in submissions):
            raise BadRequest("a statement is another institution's than the one you serve")
        outcomes = bank.intake.submit(submissions)
        bank.uploads.advance(person.scope, name, done)
        return answer(outcomes_json(outcomes))

    @routes.post("/registrar/uploads/{name}/signed/finish")
    def finish(name: str, body: sent, person: staff) -> Response:
        """The last award is in the ledger: the file is destroyed."""
        upload = bank.uploads.finish(person.scope, name)
        return answer({"next": f"/registrar/uploads/{upload.upload}"})

    return routes


def result_json(result: Result) -> dict[str, Json]:
    """A result as the signing script takes it."""
    unit = result.unit
    return {
        "awarded": result.awarded.isoformat(),
        "credits": result.credits,
        "expires": None if result.expires is None else result.expires.isoformat(),
        "grade": result.grade,
        "learner_key": result.learner.key,
        "learner_name": result.learner.name,
        "line": result.line,
        "source_key": result.source_key,
        "unit": {
            "code": unit.code,
            "field": unit.field,
            "framework": unit.framework,
            "hours": unit.hours,
            "level": unit.level,
            "scheme": unit.scheme,
            "title_en": unit.title_en,
            "title_zh": unit.title_zh,
            "version": unit.version,
        },
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
