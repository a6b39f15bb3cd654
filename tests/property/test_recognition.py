"""The index of rules leaves nothing out: it finds what asking every rule finds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bank.recognition import Recogniser
from ledger import Registry
from ledger.standing import Facts
from tests.chain_kit import NORTH, SOUTH
from tests.unit.test_recognition import NOW, chain

FIELDS = ("computing", "law", "arts")
UNITS = ("CS101@1", "LAW1@1", "CS999@1")
_some = {
    "institutions": st.lists(st.sampled_from([NORTH, SOUTH]), min_size=1, unique=True),
    "units": st.lists(
        st.fixed_dictionaries(
            {
                "institution": st.sampled_from([NORTH, SOUTH]),
                "unit": st.sampled_from(UNITS),
            }
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda item: (item["institution"], item["unit"]),
    ),
    "fields": st.lists(st.sampled_from(FIELDS), min_size=1, unique=True),
    "scheme": st.sampled_from(["national", "ects"]),
    "least": st.sampled_from(["1", "4"]),
    "age": st.sampled_from([1, 24]),
    "grade": st.just("60"),
}
_sources = st.lists(
    st.fixed_dictionaries({"ratio": st.sampled_from(["0.01", "0.5", "1", "100"])}, optional=_some),
    min_size=1,
    max_size=3,
)
_lots = st.builds(
    Facts,
    st.sampled_from([NORTH, SOUTH]),
    st.sampled_from(UNITS),
    st.sampled_from(["0.5", "1", "4"]),
    st.sampled_from(["national", "ects"]),
    st.just("5"),
    st.sampled_from(["2026-11-01", "2024-01-01"]),
    st.sampled_from(["", "2026-11-23", "2026-11-22"]),
    st.integers(0, 2),
)


def _registry(rules: list[list[dict[str, Any]]]) -> Registry:
    partner = {"depth": 2}
    made = chain(*({"code": f"R{n}", "sources": item, **partner} for n, item in enumerate(rules)))
    return made.registry


@given(st.lists(_sources, max_size=4), st.lists(_lots, min_size=1, max_size=5))
def test_the_index_finds_what_asking_every_rule_finds(
    rules: list[list[dict[str, Any]]], lots: list[Facts]
) -> None:
    registry = _registry(rules)
    engine = Recogniser(registry)
    for lot in lots:
        asked = [
            decision
            for rule in registry.catalogue.rules.values()
            for decision in engine.explain(rule, lot, NOW)
            if decision.recognised
        ]
        found = engine.recognise(lot, NOW)
        assert sorted((d.rule.name, d.source) for d in found) == sorted(
            (d.rule.name, d.source) for d in asked
        )
        for decision in found:
            assert 0 < decision.credits <= registry.catalogue.units[SOUTH, "SE201@1"].credits
            assert decision.credits <= 4
