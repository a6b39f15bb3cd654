"""Qualifications frameworks and credit schemes: versioned data that the governance publishes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from keys import Json
from ledger.checked import as_names, as_objects


@dataclass(frozen=True, slots=True)
class Framework:
    """A version of a qualifications framework: its levels, and how they match others'."""

    name: str
    version: int
    titles: Mapping[str, str]
    levels: Mapping[int, Mapping[str, str]]
    """The name of each level."""
    crosswalks: Mapping[str, Mapping[int, int]]
    """For another framework, the level there that a level here comes to."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A version of a credit scheme; one credit stands for `hours` of learning."""

    name: str
    version: int
    titles: Mapping[str, str]
    hours: Decimal


def framework_of(body: Mapping[str, Json]) -> Framework:
    """The framework that a `framework.publish` body, whose shape was checked, states."""
    levels = {
        int(str(item["level"])): as_names(item["name"]) for item in as_objects(body["levels"])
    }
    crosswalks = {
        str(item["framework"]): {
            int(str(pair["from"])): int(str(pair["to"])) for pair in as_objects(item["levels"])
        }
        for item in as_objects(body.get("crosswalks"))
    }
    name, version = str(body["framework"]), int(str(body["version"]))
    return Framework(name, version, as_names(body["name"]), levels, crosswalks)


def scheme_of(body: Mapping[str, Json]) -> Scheme:
    """The scheme that a `scheme.publish` body, whose shape was checked, states."""
    hours = Decimal(str(body["hours"]))
    return Scheme(str(body["scheme"]), int(str(body["version"])), as_names(body["name"]), hours)
