"""The pages' two languages: gettext catalogues, and dates and numbers as each writes them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.dates import format_date, format_datetime, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from fastapi import Request

LANGUAGES: Final = {"zh": "中文", "en": "English"}
COOKIE: Final = "language"
_LOCALES: Final = {"zh": "zh_Hans_CN", "en": "en"}
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_CATALOGUES: Final = Path(__file__).parent / "locale" / "zh" / "LC_MESSAGES"


def language_of(request: Request) -> str:
    """The visitor's language: as asked for in the address, as chosen before, or as preferred."""
    asked = request.query_params.get("lang", "") or request.cookies.get(COOKIE, "")
    if asked in LANGUAGES:
        return asked
    preferred = request.headers.get("accept-language", "")
    for item in preferred.split(","):
        code = item.partition(";")[0].strip().partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return "zh"


@cache
def catalogue(language: str) -> NullTranslations:
    """The catalogue of a language; English is what the templates are written in.

    Each area of the pages has its own file, so that whoever changes an area has its words at hand.
    """
    if language != "zh":
        return NullTranslations()
    whole = Catalog("zh")
    for path in sorted(_CATALOGUES.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, "zh"):
                if message.id:
                    whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """The text itself, marked as one to be translated where it is said."""
    return text


class Words:
    """How one language says things."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = _LOCALES[language]

    def say(self, text: str) -> str:
        """The English text in this language."""
        return catalogue(self.language).gettext(text)

    def pick(self, names: Mapping[str, object] | object) -> str:
        """Of names by language, this language's; of anything else, its text."""
        if isinstance(names, Mapping):
            return str(names.get(self.language) or names.get("en", ""))
        return str(names)

    def day(self, text: str) -> str:
        """A day or moment as the ledger writes it, as a day."""
        try:
            return format_date(date.fromisoformat(text[:10]), "medium", self._locale)
        except ValueError:
            return text

    def month(self, text: str) -> str:
        """A month as the ledger's days begin, YYYY-MM."""
        try:
            return str(
                format_skeleton("yMMM", date.fromisoformat(f"{text}-01"), locale=self._locale)
            )
        except ValueError:
            return text

    def moment(self, text: str) -> str:
        """A moment as the ledger writes it (UTC), to the minute."""
        return _moment(text, self._locale)

    def bytes(self, number: int) -> str:
        """A number of bytes in the unit that keeps it short."""
        size, unit = float(number), 0
        while size >= 1000 and unit < len(_UNITS) - 1:
            size, unit = size / 1000, unit + 1
        return (
            f"{self.amount(f'{size:.1f}' if unit and size < 100 else f'{size:.0f}')} {_UNITS[unit]}"
        )

    def amount(self, number: object) -> str:
        """A number with its thousands apart."""
        try:
            return str(format_decimal(Decimal(str(number)), locale=self._locale))
        except InvalidOperation:
            return str(number)


# The pages of the ledger show the same newest entries to everybody.
@lru_cache(4096)
def _moment(text: str, locale: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{format_datetime(moment, 'medium', locale=locale)} UTC"
