"""What institutions are called in the visitor's language, by their identifiers."""

from collections.abc import Callable

from bank.pages.language import Words
from bank.settings import Settings
from ledger import Registry


def name_by_did(words: Words, registry: Registry, settings: Settings) -> Callable[[str], str]:
    """What a DID is called: this bank or a member by its name, anybody else by the DID."""
    members = registry.members

    def name_of(did: str) -> str:
        if did == settings.did:
            return words.pick(settings.names)
        return words.pick(members[did].names) if did in members else did

    return name_of
