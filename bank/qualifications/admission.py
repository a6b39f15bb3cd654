"""Which lots may count on a day, each by itself, and how many credits in the scheme asked for."""

import calendar
import datetime
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from bank.qualifications import sentences
from bank.qualifications.amounts import SCALE, scaled
from bank.qualifications.conditions import Candidate, candidate
from bank.qualifications.errors import BadHolding
from bank.qualifications.model import Holding, Requirement, Unused

_STEP = SCALE // 10
"""Converted credits are cut to tenths."""


def admitted(
    holdings: Iterable[Holding],
    requirement: Requirement,
    day: datetime.date,
    other_schemes: Mapping[str, Decimal],
) -> tuple[list[Candidate], list[Unused]]:
    """The lots that may count, and those that may not with the reason; both in order of lot id.

    BadHolding where a lot is given twice, or credits or hours cannot be.
    """
    ordered = sorted(holdings, key=lambda holding: holding.lot)
    for one, following in pairwise(ordered):
        if one.lot == following.lot:
            raise BadHolding(f"the lot {one.lot} is given twice")
    candidates, left_out = [], []
    for holding in ordered:
        amount = amount_in(holding, requirement.scheme, other_schemes)
        reason = _refusal(holding, requirement, day, amount)
        if amount is None or reason:
            left_out.append(_left_out(holding, requirement, reason))
        else:
            candidates.append(candidate(holding, amount, requirement))
    return candidates, left_out


def _refusal(
    holding: Holding, requirement: Requirement, day: datetime.date, amount: int | None
) -> str:
    """Why the lot cannot count; empty if it can."""
    if holding.awarded > day:
        return "not-yet"
    if holding.expires is not None and holding.expires < day:
        return "expired"
    months = requirement.max_age_months
    if months is not None and _months_later(holding.awarded, months) < day:
        return "too-old"
    return "other-scheme" if amount is None else ""


def amount_in(holding: Holding, scheme: str, hours: Mapping[str, Decimal]) -> int | None:
    """A lot's ten-thousandths of a credit in a scheme; None where they cannot be compared."""
    amount = scaled(holding.credits)
    if amount is None:
        raise BadHolding(
            f"lot {holding.lot} has {holding.credits} credits; they must be above 0 with at most "
            "four decimals"
        )
    if holding.scheme == scheme:
        return amount
    if holding.scheme not in hours or scheme not in hours:
        return None
    rate = _hours(hours, holding.scheme) / _hours(hours, scheme)
    return int(amount * rate / _STEP) * _STEP


def _hours(hours: Mapping[str, Decimal], scheme: str) -> Fraction:
    value = hours[scheme]
    if not value.is_finite() or value <= 0:
        raise BadHolding(f"a credit of the scheme {scheme} cannot stand for {value} hours")
    return Fraction(value)


def _months_later(day: datetime.date, months: int) -> datetime.date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > datetime.MAXYEAR:
        return datetime.date.max
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _left_out(holding: Holding, requirement: Requirement, reason: str) -> Unused:
    expired = reason == "expired" and holding.expires is not None
    values = {
        "date": str(holding.expires if expired else holding.awarded),
        "months": str(requirement.max_age_months),
        "scheme": holding.scheme,
        "wanted": requirement.scheme,
    }
    return Unused(holding.lot, reason, "", *sentences.unused(reason, values))
