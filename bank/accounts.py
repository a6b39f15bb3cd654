"""The accounts of learners: whose they are, and the credentials in them."""

from sqlalchemy import Engine, func, select

from bank.deposits import find_by_token, list_credentials, open_credential, open_owned
from bank.errors import NoSuchThing, NotAllowed
from bank.learners import erase_account
from bank.operator_log import Act, OperatorLog
from bank.tables import credentials
from bank.vault import Vault
from credentials import read_credential
from keys import Json
from ledger import NotFound
from ledger.log import Log
from ledger.store import reading, scrub, writing
from verifier import write_bundle


class Accounts:
    """What owners ask with their token, and the bank's own staff by an account's name."""

    def __init__(self, engine: Engine, vault: Vault, log: Log, operator_log: OperatorLog) -> None:
        self._engine = engine
        self._vault = vault
        self._log = log
        self._operator_log = operator_log

    def names(self) -> list[str]:
        """Every account that holds a credential, those with the most first."""
        count = func.count()
        query = (
            select(credentials.c.account)
            .group_by(credentials.c.account)
            .order_by(count.desc(), credentials.c.account)
        )
        with reading(self._engine) as connection:
            return [str(name) for name in connection.execute(query).scalars()]

    def of_token(self, token: str) -> str:
        """The account whose owner's token this is; NotAllowed if there is none."""
        return find_by_token(self._engine, token)

    def token(self, account: str) -> str:
        """The owner's token of an account; NoSuchThing if there is none of that name.

        For the bank's own staff only.
        """
        token = self._vault.token(account)
        try:
            self.of_token(token)
        except NotAllowed:
            raise NoSuchThing(
                f"this bank has no account {account[:100]!r}: 'creditbank learners' lists them"
            ) from None
        return token

    def of_credential(self, identifier: str) -> str:
        """Whose credential this is; for the bank's own staff only."""
        with reading(self._engine) as connection:
            query = select(credentials.c.account).where(credentials.c.identifier == identifier)
            account = connection.execute(query).scalar_one_or_none()
        if account is None:
            raise NotFound(f"this bank holds no credential {identifier[:60]}")
        return str(account)

    def learner_name(self, account: str) -> str:
        """The name in the newest credential of an account; for the bank's own staff only."""
        with reading(self._engine) as connection:
            owned = list_credentials(connection, account)
            if not owned:
                raise NoSuchThing(f"there is no account {account[:80]} with a credential")
            document, _ = open_credential(connection, self._vault, account, owned[-1][0])
        return read_credential(document).learner

    def credentials(self, token: str) -> list[tuple[str, int]]:
        """Identifier and ledger index of each credential that a token's owner holds."""
        with reading(self._engine) as connection:
            return list_credentials(connection, find_by_token(connection, token))

    def credential(self, token: str, identifier: str) -> dict[str, Json]:
        """One credential of a token's owner."""
        return open_owned(self._engine, self._vault, token, identifier)[0]

    def bundle(self, token: str, identifier: str) -> bytes:
        """One credential of a token's owner with its receipt, as the learner shares it."""
        document, index = open_owned(self._engine, self._vault, token, identifier)
        return write_bundle(document, self._log.receipt(index).encode())

    def erase(self, account: str) -> None:
        """Erase one account for good: its key, its credentials, and all that hangs on it.

        Nothing where that was done before; NotAllowed where there never was such an account.
        """
        with writing(self._engine) as connection:
            if not erase_account(connection, self._vault, account):
                raise NotAllowed("there is no such account")
            self._operator_log.record(connection, Act.ERASED)
        scrub(self._engine)
