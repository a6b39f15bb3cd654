"""Results that are signed: what a file's signing takes, and what it hands in as it goes on."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bank.batches import check_batch
from bank.errors import BadRequest
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office, answer, read_object
from bank.pages.visitor import Visitors
from bank.results import Result
from bank.sign_in import Person
from bank.submissions import outcomes_json, read_batch, read_submissions
from bank.uploads import UploadState
from keys import Json


def upload_signing_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]
    sent = Annotated[bytes, Depends(visitors.sent)]

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
