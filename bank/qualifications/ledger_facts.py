"""Requirements and lots as the ledger has them, whose shapes it checked."""

import datetime
from collections.abc import Iterable, Mapping
from decimal import Decimal

from bank.qualifications.evaluation import evaluate
from bank.qualifications.model import (
    Cap,
    Evaluation,
    Holding,
    InstitutionCap,
    Minimum,
    PeriodCap,
    Requirement,
    Source,
)
from keys import Json
from ledger import Lot, LotState, format_time
from ledger.catalogue import Catalogue, Qualification
from ledger.checked import as_names, as_objects, as_texts

_SOURCES = {
    "award": Source.AWARD,
    "convert": Source.CONVERSION,
    "rpl": Source.RPL,
    "supersede": Source.AWARD,
    "transfer.in": Source.TRANSFER,
}


def requirement_of(qualification: Qualification) -> Requirement:
    """The requirement that a published qualification states."""
    body = qualification.body
    months = body.get("max_age_months")
    cap = body.get("institution_cap")
    return Requirement(
        author=qualification.author,
        code=str(body["code"]),
        version=int(str(body["version"])),
        titles=as_names(body["title"]),
        framework=str(body["framework"]),
        level=int(str(body["level"])),
        scheme=str(body["scheme"]),
        total=Decimal(str(body["total"])),
        start=datetime.date.fromisoformat(str(body["from"])),
        until=datetime.date.fromisoformat(str(body["until"])),
        minima=tuple(_minimum(item) for item in as_objects(body.get("minima"))),
        residency=Decimal(str(body["residency"])) if "residency" in body else None,
        caps=tuple(
            Cap(tuple(Source(name) for name in as_texts(item["sources"])), _credits(item))
            for item in as_objects(body.get("caps"))
        ),
        period_caps=tuple(
            PeriodCap(int(str(item["months"])), _credits(item))
            for item in as_objects(body.get("period_caps"))
        ),
        institution_cap=None if cap is None else InstitutionCap(Decimal(str(cap))),
        max_age_months=None if months is None else int(str(months)),
        units=tuple(
            (str(item["institution"]), str(item["unit"])) for item in as_objects(body.get("units"))
        ),
    )


def holding_of(lot: Lot, catalogue: Catalogue) -> Holding:
    """A lot as an evaluation sees it.

    A unit that is not published on this log, of a lot that came from another bank, has no field
    and no framework, so it counts towards totals alone.
    """
    facts = lot.facts
    unit = catalogue.units.get((facts.institution, facts.unit))
    unit_alone = f"{facts.institution} {facts.unit.partition('@')[0]}"
    groups = [f"{facts.institution} #{group}" for group in unit.overlap] if unit else []
    return Holding(
        lot.lot,
        facts.institution,
        facts.unit,
        unit.field if unit else "",
        unit.framework if unit else "",
        int(facts.level),
        Decimal(facts.credits),
        facts.scheme,
        datetime.date.fromisoformat(facts.awarded),
        datetime.date.fromisoformat(facts.expires) if facts.expires else None,
        _SOURCES[lot.kind],
        # A unit shares its learning with every other version of itself.
        frozenset({unit_alone, *groups}),
    )


def usable_holdings(lots: Iterable[Lot], catalogue: Catalogue, time: str) -> list[Holding]:
    """Those of the lots that can be used at `time`: in this bank's custody, active, unexpired."""
    return [
        holding_of(lot, catalogue)
        for lot in lots
        if lot.standing.at(time) is LotState.ACTIVE and lot.kind != "confer"
    ]


def evaluate_lots(
    lots: Iterable[Lot],
    catalogue: Catalogue,
    qualification: Qualification,
    now: datetime.datetime,
    day: datetime.date | None = None,
) -> Evaluation:
    """What lots come to under a qualification, as of a day: those that can be used at `now`."""
    usable = usable_holdings(lots, catalogue, format_time(now))
    hours = {scheme.name: scheme.hours for scheme in catalogue.schemes.values()}
    return evaluate(usable, requirement_of(qualification), day or now.date(), hours)


def _minimum(item: Mapping[str, Json]) -> Minimum:
    level, fields = item.get("level"), item.get("fields")
    return Minimum(
        _credits(item),
        None if level is None else int(str(level)),
        None if fields is None else as_texts(fields),
    )


def _credits(item: Mapping[str, Json]) -> Decimal:
    return Decimal(str(item["credits"]))
