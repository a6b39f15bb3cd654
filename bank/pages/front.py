"""The front page, and the description of the API."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bank.pages.page import Pages
from ledger import Entry

_RECENT = 8


def front_routes(pages: Pages, described: Callable[[], dict[str, Any]]) -> APIRouter:
    """The routes of this module; `described` gives the OpenAPI document."""
    routes = APIRouter(include_in_schema=False)
    bank = pages.bank

    @routes.get("/")
    def home(request: Request) -> HTMLResponse:
        """The bank at a glance: what it does, its members, the newest entries."""
        size = bank.log.size()
        recent = [Entry.parse(data) for data in bank.log.entries(max(0, size - _RECENT), size)]
        members = list(bank.registry().members.values())
        return pages.show(
            request,
            "home.html",
            members=members,
            member_names={member.did: member.names for member in members},
            size=size,
            recent=recent[::-1],
        )

    @routes.get("/docs")
    def docs(request: Request) -> HTMLResponse:
        """The API, from its own OpenAPI description; nothing is loaded from elsewhere."""
        api = described()
        operations = [
            (method.upper(), path, operation)
            for path, methods in api["paths"].items()
            for method, operation in methods.items()
        ]
        return pages.show(request, "docs.html", api=api, operations=operations)

    return routes
