"""The rules in force, indexed once for as long as none of them changes."""

from collections.abc import Callable

from bank.recognition.decision import Recogniser
from ledger import Registry


class CurrentRules:
    """All rules in the registry of now."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry
        self._known: tuple[int, Recogniser] | None = None

    def recogniser(self) -> Recogniser:
        """What asks them; they are indexed anew only where one has changed."""
        registry = self._registry()
        state = sum(1 + bool(rule.withdrawn) for rule in registry.catalogue.rules.values())
        known = self._known
        if known is None or known[0] != state:
            known = self._known = (state, Recogniser(registry))
        return known[1].under(registry)
