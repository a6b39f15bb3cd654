"""The first statements of a log: what it is, the bank's own key, the frameworks supplied."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bank.frameworks import supplied
from bank.settings import Settings
from keys import Json
from ledger import Statement, VerifierKey, format_time

_ROOT_LASTS = timedelta(days=5 * 365)
"""How long the first governance root is good for, unless it hands over before."""


def first_statements(
    settings: Settings,
    log_keys: Sequence[VerifierKey],
    own_key: str,
    now: datetime,
    predecessor: str = "",
) -> list[Statement]:
    """What the governance signs to open a log; `own_key` is the Multikey of the bank's own key.

    `predecessor` is the last checkpoint of the log that this one goes on from.
    """
    keys: list[Json] = list(settings.governance)
    body: dict[str, Json] = {
        "domain": settings.domain,
        "expires": format_time(now + _ROOT_LASTS),
        "governance": {"keys": keys, "threshold": settings.threshold},
        "log": [str(key) for key in log_keys],
        "name": dict(settings.names),
        "origin": settings.origin,
    }
    if predecessor:
        body["predecessor"] = predecessor
    own: dict[str, Json] = {"key": own_key, "member": settings.did, "person": "operator"}
    facts = [("log.open", body), ("key.add", own), *supplied()]
    return [Statement.make(settings.did, kind, fact) for kind, fact in facts]
