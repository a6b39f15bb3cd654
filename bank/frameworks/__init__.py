"""Frameworks and credit schemes that come with the bank, as bodies of statements.

They are data for a governance to sign, and to replace by newer versions: the ten levels and
the crosswalks are illustrations, for no national framework is in force to be quoted.
"""

import json
from importlib.resources import files

from keys import Json

Supplied = tuple[str, dict[str, Json]]


def supplied() -> list[Supplied]:
    """Statement type and body of each framework and scheme, in an order in which they hold."""
    text = (files("bank.frameworks") / "supplied.json").read_text(encoding="utf-8")
    return [(str(item["type"]), item["body"]) for item in json.loads(text)]
