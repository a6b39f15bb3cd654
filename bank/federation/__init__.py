"""Custody transfers with sister banks over HTTP: one request, answered by a receipt.

Home asks "take this lot" with the receipt of its `transfer.out`; the sister answers with the
receipt of its `transfer.in` or `transfer.refuse`. Asked again it answers the same, so a message
that is lost, late or repeated is answered by asking again.
"""

from bank.federation.desk import Federation, Moved, SisterPort
from bank.federation.errors import FederationError, NotOurs, SisterUnreachable
from bank.federation.sister import HttpSister

__all__ = [
    "Federation",
    "FederationError",
    "HttpSister",
    "Moved",
    "NotOurs",
    "SisterPort",
    "SisterUnreachable",
]
