"""Who may call what: one table of every route, and what enforces it, cheap refusals first.

People are one kind of caller; how they sign in is in `bank.sign_in`.
"""

from bank.authorization.api_keys import ApiKey, ApiKeys
from bank.authorization.model import EVERYBODY, Caller, Media, Rule

__all__ = ["EVERYBODY", "ApiKey", "ApiKeys", "Caller", "Media", "Rule"]
