"""Pages for people: what this bank is, who its members are, and what its ledger says."""

from pathlib import Path as FilePath

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from bank.service import Bank
from keys import encode
from ledger import Entry

_TEMPLATES = Jinja2Templates(FilePath(__file__).parent / "templates")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_RECENT = 12


def add_pages(app: FastAPI, bank: Bank) -> None:
    """Add the pages to the application."""

    @app.get("/", include_in_schema=False)
    def home(request: Request) -> HTMLResponse:
        """The bank at a glance: members and the newest entries."""
        size = bank.log.size()
        recent = [Entry.parse(data) for data in bank.log.entries(max(0, size - _RECENT), size)]
        members = list(bank.registry().members.values())
        context = {
            "identity": bank.identity(),
            "members": members,
            "names": {member.did: member.names["zh"] for member in members},
            "size": size,
            "checkpoint": bank.log.checkpoint(),
            "recent": recent[::-1],
        }
        return _page(request, "home.html", context)

    @app.get("/entries/{index}", include_in_schema=False)
    def entry(request: Request, index: int) -> HTMLResponse:
        """One entry, its statement and its receipt."""
        found = Entry.parse(bank.log.entry(index))
        statement = found.signed.statement
        context = {
            "identity": bank.identity(),
            "entry": found,
            "statement": statement,
            "fields": [(name, _shown(value)) for name, value in statement.body.items()],
            "receipt": bank.log.receipt(index).encode(),
        }
        return _page(request, "entry.html", context)

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        """The API, from its own OpenAPI description; nothing is loaded from elsewhere."""
        described = app.openapi()
        operations = [
            (method.upper(), path, operation)
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
        ]
        context = {"identity": bank.identity(), "api": described, "operations": operations}
        return _page(request, "docs.html", context)


def _page(request: Request, name: str, context: dict[str, object]) -> HTMLResponse:
    return _TEMPLATES.TemplateResponse(request, name, context, headers=_HEADERS)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else encode(value).decode()  # type: ignore[arg-type]
