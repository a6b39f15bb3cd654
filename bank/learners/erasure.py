"""Erasing an account: everything the bank has of it goes, but the ledger, which has nothing of it.

The account's row and its credentials are deleted, not emptied: the account's name is the
institution's reference for a person, and a credential's identifier is on whatever was shared.
"""

from sqlalchemy import Connection, select

from bank.openid4vci import forget_wallets
from bank.shares import forget_shares
from bank.sign_in.store import forget_people
from bank.tables import accounts, credentials, erased_accounts, learner_accounts
from bank.vault import Vault


def erase_account(connection: Connection, vault: Vault, account: str) -> bool:
    """Delete an account and all it holds, and remember that it was; whether there ever was one."""
    tombstone = vault.tombstone(account)
    buried = select(erased_accounts).where(erased_accounts.c.tombstone == tombstone)
    # First, and so waited for by whoever is about to put something into the account.
    there = connection.execute(accounts.delete().where(accounts.c.account == account)).rowcount
    if not there:
        return connection.execute(buried).first() is not None
    connection.execute(credentials.delete().where(credentials.c.account == account))
    connection.execute(learner_accounts.delete().where(learner_accounts.c.account == account))
    forget_shares(connection, account)
    forget_wallets(connection, account)
    # An invitation to claim it: it names the account, and there is nothing to be claimed.
    forget_people(connection, [account])
    connection.execute(erased_accounts.insert().values(tombstone=tombstone))
    return True
