"""The institutions a bank knows, found by slug or by display name."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping

from bank.results import values
from bank.results.errors import BadValue

_SHOWN = 5


class Institutions:
    """The known institutions; `names` gives each slug its display name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._slugs = sorted(values.slug(slug) for slug in names)
        self._named: dict[str, list[str]] = defaultdict(list)
        for slug, name in names.items():
            self._named[unicodedata.normalize("NFC", name.strip())].append(slug)

    def find(self, value: str) -> str:
        """The slug of the institution that `value` names; `BadValue` if none or several."""
        value = values.text(value)
        if value in self._slugs:
            return value
        named = self._named.get(value, [])
        if len(named) > 1:
            raise BadValue(
                f"{values.quoted(value)} is the name of {len(named)} institutions; use a slug: "
                + ", ".join(sorted(named))
            )
        if not named:
            more = ", …" if len(self._slugs) > _SHOWN else ""
            raise BadValue(
                f"{values.quoted(value)} is no institution known here; known are: "
                + (", ".join(self._slugs[:_SHOWN]) + more or "none")
            )
        return named[0]
