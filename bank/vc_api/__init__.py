"""The VC-API: issue, verify, present and revoke any credential over HTTP, for wallets and suites.

An instance of its own beside the bank: it has its own key and shares nothing with the ledger.
"""

from bank.vc_api.app import make_vc_api
from bank.vc_api.instance import Instance

__all__ = ["Instance", "make_vc_api"]
