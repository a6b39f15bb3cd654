"""Recognition rules: drafted, tried on one award or on all, signed, withdrawn."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bank.errors import BadRequest
from bank.pages.page import Pages
from bank.pages.registrar.desk import Office, answer, read_object
from bank.pages.visitor import Visitors
from bank.recognition import Outcome, Recogniser, RecognitionError, Trial, try_rule
from bank.sign_in import Person
from keys import Json
from ledger import format_time
from ledger.rules import rule_of

_MOST_TRIED = 200_000


def rule_routes(pages: Pages, visitors: Visitors) -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(include_in_schema=False)
    bank, office = pages.bank, Office(pages)
    staff = Annotated[Person, Depends(visitors.person)]
    sent = Annotated[bytes, Depends(visitors.sent)]

    @routes.get("/registrar/rules")
    def rules(request: Request, person: staff, copy: str = "") -> Response:
        """The institution's rules, and a draft of a new one or of a next version."""
        registry, author = bank.registry(), office.did(person)
        words = pages.words(request)
        own = sorted(
            (rule for rule in registry.catalogue.rules.values() if rule.author == author),
            key=lambda rule: (bool(rule.withdrawn), rule.code, -rule.version),
        )
        others = {
            did: words.pick(member.names)
            for did, member in registry.members.items()
            if did != author
        }
        now = format_time(bank.now())
        return office.show(
            request,
            person,
            "rules.html",
            rules=own,
            in_force={rule.name: rule.in_force(now) for rule in own},
            units=sorted(name for did, name in registry.units if did == author),
            others=others,
            fields=sorted({unit.field for unit in registry.units.values()}),
            frameworks=sorted({unit.framework for unit in registry.units.values()}),
            today=now[:10],
            draft=next((rule for rule in own if rule.name == copy), None),
        )

    @routes.post("/registrar/rules/try")
    def try_draft(body: sent, person: staff) -> Response:
        """What a draft says to one lot, line by line, or would change for all."""
        value = read_object(body)
        draft, lot = value.get("rule"), value.get("lot")
        if not isinstance(draft, dict):
            raise BadRequest("send the draft as an object under 'rule'")
        author, registry = office.did(person), bank.registry()
        now = format_time(bank.now())
        try:
            if isinstance(lot, str) and lot:
                facts = bank.lots.get(lot.strip()).facts
                try_rule(author, draft, registry, [], now)
                # A draft has no entry yet: it counts as published a moment ago.
                rule = rule_of(author, draft, "")
                found: list[Json] = [
                    decision.to_json()
                    for decision in Recogniser(registry, [rule]).explain(rule, facts, now)
                ]
                return answer({"decisions": found})
            known = ((item.lot, item.facts) for item in bank.lots.each())
            limited = (pair for _, pair in zip(range(_MOST_TRIED), known, strict=False))
            return answer(_trial_json(try_rule(author, draft, registry, limited, now)))
        except RecognitionError as error:
            raise BadRequest(str(error)) from error

    return routes


def _trial_json(trial: Trial) -> dict[str, Json]:
    examples: list[Json] = [
        {
            "after": format(change.after, "f"),
            "before": format(change.before, "f"),
            "failed": list(change.failed),
            "lot": change.lot,
            "outcome": outcome.value,
            "unit": change.facts.unit,
        }
        for outcome in Outcome
        for change in trial.examples.get(outcome, [])
        if outcome is not Outcome.SAME
    ]
    return {**trial.to_json(), "examples": examples}
