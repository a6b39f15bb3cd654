"""An institution's own folder, opened: its keys and what the TOML file says of it."""

from pathlib import Path
from typing import TYPE_CHECKING

from bank.errors import BadSetup

if TYPE_CHECKING:
    from bank.institution import Institution


def institution_in(members: Path, slug: str, institutions: Path, domain: str) -> "Institution":
    """The institution of this short name at the bank of `domain`; BadSetup if not described."""
    from bank.cli.import_verb import passphrase_of
    from bank.opening import open_member, read_admissions

    admissions = {item.slug: item for item in read_admissions(institutions)}
    if slug not in admissions:
        raise BadSetup(f"{institutions} describes no institution {slug!r}")
    secret = passphrase_of(members, members / slug)
    return open_member(members / slug, domain, admissions[slug], secret)
