"""`creditbank member correct`: awards put right by a corrected results file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import (
    DEFAULT_DATA,
    BankDomain,
    BankUrl,
    Data,
    Institutions,
    Members,
    Slug,
)
from bank.errors import BadRequest

_SHOWN = 20


def correct_command(
    file: Annotated[Path, typer.Argument(help="The results as they should be, a CSV file.")],
    mapping: Annotated[Path, typer.Option(help="TOML file that explains the CSV's columns.")],
    slug: Slug,
    reason: Annotated[str, typer.Option(help="A short code, such as regraded.")],
    institutions: Institutions,
    members: Members,
    data: Data = DEFAULT_DATA,
    bank: BankUrl = "",
    domain: BankDomain = "",
) -> None:
    """On the institution's side: correct the awards that differ from the file; safe to repeat.

    Each is taken by a new one with a new credential, which the learner can appeal against.
    """
    from bank.cli.counter import counter
    from bank.cli.members import institution_in
    from bank.correcting import correct_results
    from bank.opening import read_admissions
    from bank.results import read_mapping, read_results

    names = {item.slug: item.names["zh"] for item in read_admissions(institutions)}
    preview = read_results(file, read_mapping(mapping), names)
    if preview.problems:
        raise BadRequest(f"nothing was corrected; the file has problems: {preview.problems[0]}")
    results = [item for item in preview.results if item.institution == slug]
    with counter(data, bank, domain, members, slug) as here:
        own = institution_in(members, slug, institutions, here.domain)
        now = datetime.now(UTC)
        done = correct_results(
            results, own, here.port, here.registry, here.lot, here.entry, reason, now
        )
    typer.echo(
        f"{len(done.corrected)} corrected, {done.alike} as they were, "
        f"{len(done.unknown)} never awarded"
    )
    for line in done.unknown[:_SHOWN]:
        typer.echo(f"line {line} has no award: 'creditbank import' makes one", err=True)
    for sentence in done.declined[:_SHOWN]:
        typer.echo(sentence, err=True)
    if done.declined or done.unknown:
        raise typer.Exit(1)
