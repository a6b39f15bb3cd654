"""Registers over HTTP: members, units, rules, qualifications, appeals, as the ledger has them.

All of it is public, and anyone with the log comes to the same.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import Response

from bank.answers import json_answer
from bank.service import Bank
from keys import Json
from ledger import Member, Unit, format_time
from ledger.appeals import Appeal
from ledger.catalogue import Qualification
from ledger.rules import Rule

Author = Annotated[str, Query(max_length=255)]


def add_registers(app: FastAPI, bank: Bank) -> None:
    """Add the routes of registers."""

    @app.get("/members", tags=["registers"])
    def members() -> Response:
        """Every member: names, capacities, whether it is suspended, the keys in force."""
        return _answer("members", map(_member, bank.registry().members.values()))

    @app.get("/units", tags=["registers"])
    def units(author: Author = "") -> Response:
        """Every published unit version; of one institution with `author`."""
        found = bank.registry().catalogue.units.values()
        return _answer("units", (_unit(item) for item in found if author in ("", item.author)))

    @app.get("/rules", tags=["registers"])
    def rules(author: Author = "") -> Response:
        """Every published rule of recognition, withdrawn ones too."""
        found, time = bank.registry().catalogue.rules.values(), format_time(bank.now())
        made = (_rule(item, time) for item in found if author in ("", item.author))
        return _answer("rules", made)

    @app.get("/qualifications", tags=["registers"])
    def qualifications(author: Author = "") -> Response:
        """Every published qualification with its rules of combination, withdrawn ones too."""
        found = bank.registry().catalogue.qualifications.values()
        made = (_qualification(item) for item in found if author in ("", item.author))
        return _answer("qualifications", made)

    @app.get("/appeals", tags=["registers"])
    def appeals() -> Response:
        """Every appeal: against which decision, until when it is to be decided, how it was."""
        return _answer("appeals", map(_appeal, bank.registry().appeals.appeals.values()))


def _answer(name: str, items: Iterable[dict[str, Json]]) -> Response:
    return json_answer({name: list[Json](items)})


def _names(names: Mapping[str, str]) -> dict[str, Json]:
    return dict(names)


def _member(member: Member) -> dict[str, Json]:
    keys: list[Json] = [
        period.key
        for period in member.keys.values()
        if period.end is None and period.suspect_from is None
    ]
    return {
        "active": member.active,
        "capacities": list(member.capacities),
        "keys": keys,
        "member": member.did,
        "name": _names(member.names),
    }


def _unit(unit: Unit) -> dict[str, Json]:
    return {
        "author": unit.author,
        "credits": format(unit.credits, "f"),
        "field": unit.field,
        "framework": unit.framework,
        "hours": unit.hours,
        "level": unit.level,
        "scheme": unit.scheme,
        "title": _names(unit.titles),
        "unit": f"{unit.code}@{unit.version}",
    }


def _rule(rule: Rule, time: str) -> dict[str, Json]:
    return {
        "author": rule.author,
        "from": rule.start,
        "in_force": rule.in_force(time),
        "partner": rule.partner,
        "published": rule.published,
        "rule": rule.name,
        "target": rule.target,
        "title": _names(rule.titles),
        "until": rule.until,
        "withdrawn": rule.withdrawn,
    }


def _qualification(item: Qualification) -> dict[str, Json]:
    return {
        "author": item.author,
        "body": dict(item.body),
        "published": item.published,
        "qualification": item.name,
        "withdrawn": item.withdrawn,
    }


def _appeal(appeal: Appeal) -> dict[str, Json]:
    return {
        "against": appeal.against,
        "appeal": appeal.name,
        "decided": appeal.decided,
        "due": appeal.due,
        "lodged": appeal.lodged,
        "lot": appeal.lot,
        "outcome": appeal.outcome,
    }
