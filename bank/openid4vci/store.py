"""Offers, tokens, nonces and bound keys: only digests of secrets, each good once or for minutes.

All of it lives in the bank's database, so it holds over restarts and between server processes:
a code is taken by one UPDATE that finds it unused, or by nobody.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from bank.deposits import find_by_token, hold_accounts, list_credentials, open_credential
from bank.errors import BadRequest, NoSuchThing
from bank.openid4vci.errors import BadGrant, BadNonce, BadToken, UnknownIdentifier
from bank.openid4vci.metadata import TX_CODE_LENGTH
from bank.openid4vci.proof import holder_of_proof
from bank.tables import holder_keys, wallet_nonces, wallet_offers, wallet_tokens
from bank.vault import Vault, token_hash
from keys import Json
from ledger import format_time
from ledger.store import reading, writing

_OFFER, _TOKEN, _NONCE = timedelta(days=3), timedelta(minutes=10), timedelta(minutes=5)
TOKEN_SECONDS = int(_TOKEN.total_seconds())
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """A new offer's two secrets: the code goes into the link, the transaction code beside it."""

    code: str
    tx_code: str
    expires: str


@dataclass(frozen=True, slots=True)
class BoundKey:
    """A holder's key: its did:key, when it was first bound, and the accounts it is bound to."""

    did: str
    added: str
    accounts: tuple[str, ...]


class Wallets:
    """The state of deliveries to wallets."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], datetime],
        secret: Callable[[], str],
        digits: Callable[[int], str],
    ) -> None:
        """`secret` gives new secrets, `digits` that many random decimal digits."""
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._secret = secret
        self._digits = digits

    def offer(self, token: str, identifiers: Sequence[str]) -> Offer:
        """Offer credentials of a token's owner to a wallet."""
        wanted = list(dict.fromkeys(identifiers))
        if not 1 <= len(wanted) <= 20:
            raise BadRequest(f"an offer holds 1 to 20 credentials, not {len(wanted)}")
        code, tx_code = self._secret(), self._digits(TX_CODE_LENGTH)
        expires = format_time(self._clock() + _OFFER)
        with writing(self._engine) as connection:
            account = find_by_token(connection, token, hold=True)
            held = {name for name, _ in list_credentials(connection, account)}
            missing = [name for name in wanted if name not in held]
            if missing:
                raise NoSuchThing(f"this account holds no credential {missing[0][:60]}")
            connection.execute(
                wallet_offers.insert().values(
                    code=token_hash(code),
                    tx_code=token_hash(f"{code}:{tx_code}"),
                    account=account,
                    credentials=json.dumps(wanted),
                    expires=expires,
                    tries=0,
                    used="",
                )
            )
        return Offer(code, tx_code, expires)

    def redeem(self, code: str, tx_code: str) -> tuple[str, list[str]]:
        """An access token for a code and its transaction code, and what it is for."""
        now = format_time(self._clock())
        with writing(self._engine) as connection:
            row = connection.execute(
                # Locked, so that guesses at once are counted one after the other.
                select(wallet_offers)
                .where(wallet_offers.c.code == token_hash(code))
                .with_for_update()
            ).first()
            if row is None or row.used or row.expires < now or row.tries >= _TRIES:
                wrong = BadGrant(
                    "this code is unknown, was used, or has ended; ask for a new offer"
                )
            elif bytes(row.tx_code) != token_hash(f"{code}:{tx_code}"):
                connection.execute(
                    wallet_offers.update()
                    .where(wallet_offers.c.code == row.code)
                    .values(tries=wallet_offers.c.tries + 1)
                )
                left = _TRIES - row.tries - 1
                wrong = BadGrant(f"the transaction code is wrong; {left} tries are left")
            else:
                return self._grant(connection, row.code, row.account, row.credentials, now)
        raise wrong

    def _grant(
        self, connection: Connection, code: bytes, account: str, names: str, now: str
    ) -> tuple[str, list[str]]:
        done = connection.execute(
            wallet_offers.update()
            .where(wallet_offers.c.code == code, wallet_offers.c.used == "")
            .values(used=now)
        )
        if done.rowcount != 1:
            raise BadGrant("this code was used; ask for a new offer")
        token = self._secret()
        connection.execute(
            wallet_tokens.insert().values(
                token=token_hash(token),
                account=account,
                credentials=names,
                expires=format_time(self._clock() + _TOKEN),
            )
        )
        return token, list(json.loads(names))

    def nonce(self) -> str:
        """A new nonce for a proof of key, good once."""
        nonce = self._secret()
        now = self._clock()
        with writing(self._engine) as connection:
            over = wallet_nonces.c.expires < format_time(now)
            connection.execute(wallet_nonces.delete().where(over))
            expires = format_time(now + _NONCE)
            values = {"nonce": token_hash(nonce), "expires": expires}
            connection.execute(wallet_nonces.insert().values(**values))
        return nonce

    def deliver(
        self, access: str, identifier: str | None, proof: str, issuer: str
    ) -> dict[str, Json]:
        """The credential an access token is for, to a wallet that proves its key, which is bound.

        `issuer` is the address that the proof is to be for.
        A WalletError says what is wrong with the request.
        """
        account, name = self.claim(access, identifier)
        did, nonce = holder_of_proof(proof, issuer, self._clock())
        self.bind(account, did, nonce)
        with reading(self._engine) as connection:
            return open_credential(connection, self._vault, account, name)[0]

    def claim(self, token: str, identifier: str | None) -> tuple[str, str]:
        """The account and credential that an access token and a request name."""
        account, names = self.opened(token)
        wanted = names if identifier is None else [name for name in names if name == identifier]
        if len(wanted) != 1:
            raise UnknownIdentifier("say which of the credentials this access token is for")
        return account, wanted[0]

    def opened(self, token: str) -> tuple[str, list[str]]:
        """The account and the credentials that an access token is for; BadToken if it is none."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(wallet_tokens).where(wallet_tokens.c.token == token_hash(token))
            ).first()
        if row is None or row.expires < format_time(self._clock()):
            raise BadToken("this access token is unknown or has ended")
        return str(row.account), [str(name) for name in json.loads(row.credentials)]

    def bind(self, account: str, did: str, nonce: str) -> None:
        """Bind a wallet's key to an account, its nonce taken; BadNonce if it is not a good one."""
        self.bind_all([account], did, nonce)

    def bind_all(self, accounts: Sequence[str], did: str, nonce: str) -> None:
        """Bind a wallet's key to several accounts of one learner, as `bind` does."""
        now = format_time(self._clock())
        with writing(self._engine) as connection:
            done = connection.execute(
                wallet_nonces.delete().where(
                    wallet_nonces.c.nonce == token_hash(nonce), wallet_nonces.c.expires >= now
                )
            )
            if done.rowcount != 1:
                raise BadNonce("the proof's nonce is unknown, was used or has ended")
            if hold_accounts(connection, accounts) != set(accounts):
                raise BadToken("the account of this access token was erased")
            known = select(holder_keys.c.account).where(
                holder_keys.c.account.in_(accounts), holder_keys.c.did == did
            )
            bound = set(connection.execute(known).scalars())
            for account in sorted(set(accounts) - bound):
                values = {"account": account, "did": did, "added": now}
                connection.execute(holder_keys.insert().values(**values))

    def unbind(self, accounts: Sequence[str], did: str) -> bool:
        """Bind a key no more; whether it was bound to one of the accounts."""
        with writing(self._engine) as connection:
            done = connection.execute(
                holder_keys.delete().where(
                    holder_keys.c.account.in_(accounts), holder_keys.c.did == did
                )
            )
        return done.rowcount > 0

    def bound(self, accounts: Sequence[str]) -> list[BoundKey]:
        """The keys bound to any of the accounts, in the order in which they were added."""
        query = select(holder_keys).where(holder_keys.c.account.in_(accounts))
        found: dict[str, BoundKey] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query.order_by("added", "did", "account")):
                before = found.get(row.did, BoundKey(row.did, row.added, ()))
                found[row.did] = replace(before, accounts=(*before.accounts, row.account))
        return list(found.values())

    def keys(self, token: str) -> list[str]:
        """The did:keys bound to the account of an owner's token."""
        with reading(self._engine) as connection:
            account = find_by_token(connection, token)
            query = select(holder_keys.c.did).where(holder_keys.c.account == account)
            order = query.order_by(holder_keys.c.added, holder_keys.c.did)
            return [str(did) for did in connection.execute(order).scalars()]


def forget_wallets(connection: Connection, account: str) -> None:
    """Delete what was offered to an account's wallets, and their keys."""
    for table in (wallet_offers, wallet_tokens, holder_keys):
        connection.execute(table.delete().where(table.c.account == account))
