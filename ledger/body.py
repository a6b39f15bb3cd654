"""What each type of statement may say: a whitelist of fields, and the shape of each.

Nothing else enters the log. The set of types grows, the envelope does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keys import Json
from ledger.errors import BadStatement
from ledger.shape import (
    CODE,
    DID,
    HOST,
    LEVEL,
    NAME,
    STATUS_LIST_LENGTH,
    UNIT,
    URL,
    USCC,
    Check,
    holds_citizen_number,
    is_checkpoint,
    is_credits,
    is_date,
    is_decimal,
    is_governance,
    is_index,
    is_multikey,
    is_names,
    is_receipt,
    is_status,
    is_text,
    is_time,
    is_version,
    is_vkey,
    items,
    list_of,
    matches,
    number,
    one_of,
    raw,
    record,
    word,
)

__all__ = ["GOVERNANCE_TYPES", "OPERATOR_TYPES", "SHAPES", "STATUS_LIST_LENGTH", "check_body"]


MOST_IN_BATCH = 200_000
"""Awards that two persons approve by one statement, at most."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a statement type's body; the optional ones may be left out."""

    fields: Mapping[str, Check]
    optional: Mapping[str, Check]


def check_body(kind: str, body: Mapping[str, Json]) -> None:
    """BadStatement unless `body` has the fields of statement type `kind`, each in its shape."""
    shape = SHAPES.get(kind)
    if shape is None:
        raise BadStatement(f"statement type {kind[:40]!r} is not known to this ledger")
    for field, check in shape.fields.items():
        if field not in body:
            raise BadStatement(f"a statement of type {kind} lacks its field {field!r}")
        if not check(body[field]):
            raise _bad_field(kind, field, body[field])
    if len(body) == len(shape.fields):
        return
    for field, value in body.items():
        if field in shape.fields:
            continue
        check_optional = shape.optional.get(field)
        if check_optional is None:
            raise BadStatement(
                f"a statement of type {kind} has no field {field[:40]!r}: only the listed fields "
                "may enter the log"
            )
        if not check_optional(value):
            raise _bad_field(kind, field, value)


def _bad_field(kind: str, field: str, value: Json) -> BadStatement:
    if holds_citizen_number(value):
        return BadStatement(
            f"field {field!r} of a statement of type {kind} holds what looks like a citizen "
            "identity number; personal data never enters the log"
        )
    return BadStatement(
        f"field {field!r} of a statement of type {kind} is not valid: {value!r:.80}"
    )


_did, _level, _slug, _code = matches(DID), matches(LEVEL), word(NAME), word(CODE)
_unit, _hash, _lot = matches(UNIT), raw(32), raw(16)
_field_pattern = list_of(lambda value: value == "*" or _slug(value))
_capacity = list_of(one_of("awarding", "receiving", "evaluation", "sub-centre", "accreditation"))
_months = number(1, 1200)
_levels = items(record({"level": _level, "name": is_names}), 20)
_pairs = items(record({"from": _level, "to": _level}), 20)
_unit_of = record({"institution": _did, "unit": _unit})
_source = one_of("award", "rpl", "conversion", "transfer")

_MOST_ATTESTED = 1000
"""Statements that one attestation lists: about 46 kB of them."""

# An award's words are those of a published unit, which were checked there.
_AWARD: dict[str, Check] = {
    "commitment": _hash,
    "credits": is_credits,
    "level": _level,
    "lot": _lot,
    "scheme": matches(NAME),
    "status": is_status,
    "unit": _unit,
}
_AWARD_MAYBE: dict[str, Check] = {"expires": is_date, "rpl": list_of(_hash)}
_FACTS = record(
    {
        "awarded": is_date,
        "credits": is_credits,
        "depth": number(0, 9),
        "institution": _did,
        "level": _level,
        "scheme": matches(NAME),
        "unit": _unit,
    },
    {"expires": is_date},
)
_ADVERSE: dict[str, Check] = {"appeal": is_date, "lot": _lot, "reason": _slug}
_MEMBER_KEY: dict[str, Check] = {"key": is_multikey, "member": _did}

GOVERNED: Mapping[str, Shape] = {
    "log.open": Shape(
        {
            "domain": matches(HOST),
            "governance": is_governance,
            "log": list_of(is_vkey),
            "name": is_names,
            "origin": is_text,
        },
        {"expires": is_time, "predecessor": is_checkpoint},
    ),
    "member.admit": Shape(
        {"capacities": _capacity, "member": _did, "name": is_names, "uscc": matches(USCC)}, {}
    ),
    "member.suspend": Shape({"member": _did, "reason": _slug}, {}),
    "member.reinstate": Shape({"member": _did, "reason": _slug}, {}),
    "governance.rotate": Shape(
        {"expires": is_time, "governance": is_governance, "version": is_version}, {}
    ),
    "key.add": Shape(_MEMBER_KEY, {"next": _hash, "person": _slug}),
    "key.retire": Shape(_MEMBER_KEY, {}),
    "key.suspect": Shape({**_MEMBER_KEY, "from_index": is_index}, {}),
    "grant": Shape(
        {
            "fields": _field_pattern,
            "from": is_date,
            "level": _level,
            "member": _did,
            "until": is_date,
        },
        {},
    ),
    "grant.end": Shape({"index": is_index, "member": _did, "reason": _slug}, {}),
    "framework.publish": Shape(
        {"framework": _slug, "levels": _levels, "name": is_names, "version": is_version},
        {"crosswalks": items(record({"framework": _slug, "levels": _pairs}), 20)},
    ),
    "scheme.publish": Shape(
        {"hours": is_credits, "name": is_names, "scheme": _slug, "version": is_version}, {}
    ),
    "policy.publish": Shape({}, {"alone": number(1, 1_000_000), "validity": _months}),
    "witness.admit": Shape(
        {"keys": list_of(is_vkey), "operator": _slug, "quorum": is_index, "url": matches(URL)}, {}
    ),
    "witness.retire": Shape({"operator": _slug, "quorum": is_index}, {}),
    "agreement": Shape(
        {
            "banks": items(
                record(
                    {
                        "bank": _did,
                        "governance": is_governance,
                        "keys": list_of(is_multikey),
                        "log": list_of(is_vkey),
                        "name": is_names,
                        "origin": is_text,
                    }
                ),
                2,
            ),
            "from": is_date,
            "until": is_date,
        },
        {},
    ),
}
"""Types that the governance quorum signs.

A policy bounds how many months credits are valid, and how many awards an institution hands in a
day on one person's signature.
"""

CATALOGUE: Mapping[str, Shape] = {
    "unit.publish": Shape(
        {
            "credits": is_credits,
            "field": _slug,
            "framework": _slug,
            "hours": is_decimal,
            "level": _level,
            "scheme": _slug,
            "title": is_names,
            "unit": _code,
            "version": is_version,
        },
        {"overlap": list_of(_slug)},
    ),
    "rule.publish": Shape(
        {
            "code": _code,
            "from": is_date,
            "rounding": record(
                {"mode": one_of("down", "half-even", "half-up"), "step": is_credits}
            ),
            "sources": items(
                record(
                    {},
                    {
                        "age": _months,
                        "credits": is_credits,
                        "exemption": lambda value: value is True,
                        "fields": list_of(_slug),
                        "framework": _slug,
                        "grade": is_decimal,
                        "grades": list_of(is_text),
                        "institutions": list_of(_did),
                        "least": is_credits,
                        "level": _level,
                        "ratio": is_credits,
                        "scheme": _slug,
                        "units": items(_unit_of),
                    },
                ),
                10,
            ),
            "target": _unit,
            "title": is_names,
            "until": is_date,
            "version": is_version,
        },
        {
            "cap": is_credits,
            "depth": number(1, 5),
            "partner": _did,
            "validity": _months,
        },
    ),
    "rule.withdraw": Shape({"code": _code, "version": is_version}, {}),
    "qualification.publish": Shape(
        {
            "code": _code,
            "framework": _slug,
            "from": is_date,
            "level": _level,
            "scheme": _slug,
            "title": is_names,
            "total": is_credits,
            "until": is_date,
            "version": is_version,
        },
        {
            "caps": items(record({"credits": is_credits, "sources": list_of(_source)}), 10),
            "minima": items(
                record({"credits": is_credits}, {"fields": list_of(_slug), "level": _level}), 20
            ),
            "period_caps": items(record({"credits": is_credits, "months": _months}), 5),
            "institution_cap": is_credits,
            "max_age_months": _months,
            "residency": is_credits,
            "units": items(_unit_of),
        },
    ),
    "qualification.withdraw": Shape({"code": _code, "version": is_version}, {}),
}
"""What institutions publish: units, recognition rules, qualifications."""

LOT_EVENTS: Mapping[str, Shape] = {
    "award": Shape(_AWARD, _AWARD_MAYBE),
    "confer": Shape(
        {
            "commitment": _hash,
            "evaluation": _hash,
            "level": _level,
            "lot": _lot,
            "qualification": _unit,
            "status": is_status,
        },
        {"as_of": is_time},
    ),
    "reserve": Shape({"application": _hash, "lot": _lot, "until": is_time}, {}),
    "release": Shape({"lot": _lot}, {}),
    "redeem": Shape({"evaluation": _hash, "lot": _lot}, {}),
    "convert": Shape(
        {
            "derived": record(_AWARD, {"expires": is_date}),
            "evaluation": _hash,
            "facts": _FACTS,
            "lot": _lot,
            "rule": _unit,
            "source": number(0, 9),
        },
        {"as_of": is_time},
    ),
    "supersede": Shape({**_ADVERSE, "successor": record(_AWARD, _AWARD_MAYBE)}, {"upheld": _lot}),
    "revoke": Shape(_ADVERSE, {}),
    "suspend": Shape(_ADVERSE, {}),
    "reinstate": Shape({"lot": _lot, "reason": _slug}, {}),
    "review.open": Shape({"lot": _lot, "reason": _slug}, {}),
    "review.close": Shape({"lot": _lot, "outcome": one_of("stands", "withdrawn")}, {}),
    "transfer.out": Shape(
        {"facts": _FACTS, "lot": _lot, "to": _did, "transfer": _lot, "until": is_time}, {}
    ),
    "transfer.in": Shape({"home": is_receipt, "lot": _lot}, {}),
    "transfer.refuse": Shape({"lot": _lot, "reason": _slug}, {}),
    "transfer.final": Shape({"lot": _lot, "sister": is_receipt}, {}),
    "transfer.return": Shape({"lot": _lot, "sister": is_receipt}, {}),
}
"""Types that make a lot or move one."""

OTHERS: Mapping[str, Shape] = {
    "key.rotate": Shape({"key": is_multikey, "replaces": is_multikey}, {"next": _hash}),
    "award.attest": Shape({"statements": list_of(_hash, _MOST_ATTESTED)}, {}),
    "exempt": Shape({"evaluation": _hash, "rule": _unit}, {}),
    "appeal": Shape(
        {"against": _did, "appeal": _lot, "due": is_date, "grounds": _hash}, {"of": is_index}
    ),
    "appeal.decide": Shape(
        {"appeal": _lot, "outcome": one_of("dismissed", "upheld"), "reason": _slug}, {}
    ),
    "batch.approve": Shape({"awards": number(1, MOST_IN_BATCH), "root": _hash}, {}),
    "lots.root": Shape({"root": _hash, "size": is_index}, {}),
}

SHAPES: Mapping[str, Shape] = {**GOVERNED, **CATALOGUE, **LOT_EVENTS, **OTHERS}
"""Every statement type this ledger takes."""

GOVERNANCE_TYPES = frozenset(GOVERNED)
"""Types that only the governance quorum signs, in the bank's name."""

OPERATOR_TYPES = frozenset(
    (
        "appeal",
        "lots.root",
        "transfer.final",
        "transfer.in",
        "transfer.out",
        "transfer.refuse",
        "transfer.return",
    )
)
"""Types that the bank itself signs, with a key of its own that the governance registered."""

OWN_TYPES = frozenset(("key.rotate", "reinstate", "revoke", "suspend"))
"""Types of members that the bank itself may state too, of its own key and its own lots."""

TWO_PERSONS = frozenset(("appeal.decide", "batch.approve", "revoke"))
"""Types that take the signatures of two persons of one member."""
