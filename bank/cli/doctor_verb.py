"""`creditbank doctor`: whether a deployment is sound, and what to put right."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, given_passphrase

_EXIT = {"ok": 0, "problem": 1, "warning": 3}


def doctor_command(
    data: Data = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check a deployment and say what to put right; nothing is changed.

    Exit code 0: all is well; 3: warnings only; 1: a problem.
    """
    import httpx

    from bank.operations.doctor import examine
    from bank.operations.finding import Level, worst
    from verifier.standard_output import tell

    with httpx.Client(timeout=5) as http:
        found = []
        for finding in examine(data, given_passphrase(data), lambda: datetime.now(UTC), http):
            found.append(finding)
            if not as_json:
                tell(f"{finding.level.value:<8} {finding.check:<11} {finding.sentence}")
                if finding.level is not Level.OK:
                    tell(f"{'':<20} -> {finding.remedy}")
    level = worst(found)
    if as_json:
        document = {"findings": [one.to_json() for one in found], "worst": level.value}
        tell(json.dumps(document, ensure_ascii=False, indent=2))
    raise typer.Exit(_EXIT[level.value])
