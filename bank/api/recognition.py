"""Lots and what is recognised of them: public facts, and decisions that anyone can repeat."""

from typing import Annotated

from fastapi import FastAPI, Path, Query
from fastapi.responses import Response

from bank.answers import json_answer
from bank.recognition import Decision, in_words
from bank.service import Bank
from keys import Json
from ledger import Lot, format_time
from ledger.rules import Shown

Name = Annotated[str, Path(min_length=1, max_length=60)]


def add_recognition(app: FastAPI, bank: Bank) -> None:
    """Add the routes of lots and of recognition."""

    @app.get("/lots/{name}", tags=["ledger"])
    def lot(name: Name) -> Response:
        """What a lot is and where it stands: what the ledger says of it in clear."""
        return json_answer(lot_json(bank.lots.get(name)))

    @app.get("/lots/{name}/proof", tags=["ledger"])
    def proof(name: Name) -> Response:
        """Evidence of where a lot stood when the map of lots was last committed."""
        return Response(bank.lot_map.prove(name), media_type="text/plain; charset=utf-8")

    @app.get("/lots/{name}/recognition", tags=["recognition"])
    def recognition(
        name: Name,
        institution: Annotated[str, Query(max_length=255)] = "",
        rule: Annotated[str, Query(max_length=80)] = "",
        grade: Annotated[str, Query(max_length=40)] = "",
        awarded: Annotated[str, Query(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = "",
    ) -> Response:
        """Every rule that takes a lot, line by line; with `rule`, what that one says anyway.

        Grade and day of award are the credential's, and not public. Without the grade, lines about
        grades are told as not checked; without the day, age counts from the entry in the ledger.
        """
        shown = Shown(grade, awarded)
        facts, time = bank.lots.get(name).facts, format_time(bank.now())
        engine = bank.rules.recogniser()
        if rule:
            decisions = [
                decision
                for item in bank.registry().catalogue.rules.values()
                if item.name == rule and institution in ("", item.author)
                for decision in engine.explain(item, facts, time, shown)
            ]
        else:
            every = engine.recognise(facts, time, shown)
            decisions = [d for d in every if institution in ("", d.rule.author)]
        body: dict[str, Json] = {
            "as_of": time,
            "decisions": [_decision_json(decision) for decision in decisions],
            "lot": name,
        }
        return json_answer(body)


def _decision_json(decision: Decision) -> dict[str, Json]:
    """As it is committed to, and in Chinese too."""
    lines: list[Json] = []
    for line in decision.lines:
        english, chinese = in_words(line)
        lines.append({"code": line.code, "passed": line.passed, "sentence": english, "zh": chinese})
    return {**decision.to_json(), "lines": lines}


def lot_json(lot: Lot) -> dict[str, Json]:
    """What the ledger says of a lot in clear, and where it stands."""
    standing = lot.standing
    body: dict[str, Json] = {
        **lot.facts.to_json(),
        "entry": lot.award_index,
        "lot": lot.lot,
        "state": standing.state.value,
    }
    optional = {"from": lot.origin, "until": standing.until}
    return {
        **body,
        **{name: value for name, value in optional.items() if value},
        **({"consumed": standing.consumed} if standing.consumed >= 0 else {}),
    }
