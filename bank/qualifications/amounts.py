"""Credits as whole ten-thousandths, so that sums are exact in any decimal context."""

from decimal import Decimal
from fractions import Fraction
from math import floor

SCALE = 10_000


def scaled(credits: Decimal) -> int | None:
    """Ten-thousandths; None unless above zero with at most four decimals."""
    if not credits.is_finite() or credits <= 0:
        return None
    value = Fraction(credits) * SCALE
    return value.numerator if value.denominator == 1 else None


def written(value: int | Fraction) -> str:
    """Ten-thousandths as the ledger writes credits: `2.5`; what is finer is cut off."""
    whole, rest = divmod(floor(value), SCALE)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".")
