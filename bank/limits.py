"""How often one key or address may ask: a token bucket for each."""

import math
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, fields

from bank.errors import BadSetup


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests at once, and so many more each second."""

    burst: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The table `[limits]` of `bank.toml`, each of them with `burst` and `per_second`."""

    address: Limit = Limit(5000, 1000)
    """Whatever one address asks without a key."""
    key: Limit = Limit(5000, 500)
    """What one API key asks."""
    signed: Limit = Limit(500, 100)
    """Signed requests of one address, whose signatures cost time to check."""
    door: Limit = Limit(20, 1 / 6)
    """Attempts of one address to sign in."""
    trial: Limit = Limit(5, 1 / 10)
    """Drafts of rules that one address tries."""

    @classmethod
    def read(cls, table: object) -> "Limits":
        """The limits that a table changes; BadSetup names what is wrong."""
        if not isinstance(table, Mapping):
            raise BadSetup("limits is a table")
        known = {item.name for item in fields(cls)}
        return cls(**{name: _limit(name, value, known) for name, value in table.items()})

    def changed(self) -> dict[str, dict[str, float]]:
        """Those that are not as usual, as the table has them."""
        usual = Limits()
        return {
            item.name: asdict(getattr(self, item.name))
            for item in fields(self)
            if getattr(self, item.name) != getattr(usual, item.name)
        }


def _limit(name: str, value: object, known: Set[str]) -> Limit:
    table = value if isinstance(value, Mapping) else {}
    burst, rate = table.get("burst"), table.get("per_second")
    if name in known and isinstance(burst, int) and isinstance(rate, (int, float)):
        limit = Limit(burst, float(rate))
        if limit.burst >= 1 and 0 < limit.per_second < math.inf:
            return limit
    raise BadSetup(
        f"limits.{name}: there are {', '.join(sorted(known))}, each with burst, at least 1, and "
        "per_second, above 0"
    )
