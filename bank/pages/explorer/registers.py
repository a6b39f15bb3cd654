"""The registers: members, recognition rules, qualifications, frameworks."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bank.errors import NoSuchThing
from bank.pages.institution_names import name_by_did
from bank.pages.page import Pages
from ledger import format_time


def register_routes(pages: Pages) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank = pages.bank

    @routes.get("/explore/members")
    def members(request: Request) -> Response:
        """Every member and its standing."""
        found = sorted(bank.registry().members.items(), key=lambda item: item[1].names["en"])
        return pages.show(request, "explorer/members.html", found=found)

    @routes.get("/explore/members/{slug}")
    def member(request: Request, slug: str) -> Response:
        """One member: its grants and keys, and all it has published."""
        registry = bank.registry()
        did = next((did for did in registry.members if did.endswith(f":members:{slug}")), None)
        if did is None:
            raise NoSuchThing(f"there is no member {slug[:60]}")
        catalogue = registry.catalogue
        return pages.show(
            request,
            "explorer/member.html",
            member=registry.members[did],
            units=sorted(
                (unit for (author, _), unit in registry.units.items() if author == did),
                key=lambda unit: (unit.code, -unit.version),
            )[:500],
            rules=[rule for (author, _), rule in catalogue.rules.items() if author == did],
            qualifications=[
                one for (author, _), one in catalogue.qualifications.items() if author == did
            ],
            today=format_time(bank.now())[:10],
        )

    @routes.get("/explore/rules")
    def rules(request: Request) -> Response:
        """What institutions take for what."""
        now, registry = format_time(bank.now()), bank.registry()
        found = sorted(
            registry.catalogue.rules.values(),
            key=lambda rule: (bool(rule.withdrawn), rule.author, rule.code, -rule.version),
        )
        return pages.show(
            request,
            "explorer/rules.html",
            rules=[(rule, rule.in_force(now)) for rule in found[:1000]],
            count=len(found),
            name_of=name_by_did(pages.words(request), registry, bank.settings),
        )

    @routes.get("/explore/frameworks")
    def frameworks(request: Request) -> Response:
        """Levels and credit schemes."""
        catalogue = bank.registry().catalogue
        return pages.show(
            request,
            "explorer/frameworks.html",
            frameworks=[catalogue.frameworks[name] for name in sorted(catalogue.frameworks)],
            schemes=[catalogue.schemes[name] for name in sorted(catalogue.schemes)],
        )

    return routes
