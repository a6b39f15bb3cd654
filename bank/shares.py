"""Share links: a learner shows chosen awards to whoever has the link, until it ends.

The bank keeps a digest of the link's secret, never the link. Every opening is noted for the
learner to see.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from bank.deposits import find_by_token, open_credential
from bank.errors import BadRequest, NoLonger, NoSuchThing
from bank.tables import credentials, share_openings, shares
from bank.vault import Vault, token_hash
from keys import b64u_encode
from ledger import format_time
from ledger.log import Log
from ledger.store import reading, writing
from verifier import write_bundle

MOST_DAYS = 365
_MOST = 100
"""Credentials under one link."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link as its owner sees it; times as the ledger spells them, `withdrawn` empty if it is not.

    `openings` are the times it was opened, oldest first.
    """

    share: str
    credentials: tuple[str, ...]
    made: str
    expires: str
    withdrawn: str
    openings: tuple[str, ...]


class Shares:
    """The links of learners, each called for by an owner's token or opened by its secret."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        log: Log,
        clock: Callable[[], datetime],
        secret: Callable[[], str],
    ) -> None:
        """`secret` gives new secrets."""
        self._engine = engine
        self._vault = vault
        self._log = log
        self._clock = clock
        self._secret = secret

    def make(self, token: str, identifiers: Sequence[str], days: int) -> tuple[Share, str]:
        """A link to chosen credentials of a token's owner, and its secret, shown this once."""
        secret = self._secret()
        with writing(self._engine) as connection:
            account = find_by_token(connection, token, hold=True)
            made = _make(connection, account, identifiers, days, secret, self._clock())
        return made, secret

    def of(self, token: str) -> list[Share]:
        """The links of a token's owner, newest first, with when each was opened."""
        with reading(self._engine) as connection:
            return list_shares(connection, find_by_token(connection, token))

    def withdraw(self, token: str, share: str) -> None:
        """End a link of a token's owner now; NoSuchThing if it has no such link."""
        with writing(self._engine) as connection:
            account = find_by_token(connection, token)
            done = connection.execute(
                shares.update()
                .where(
                    shares.c.account == account, shares.c.share == share, shares.c.withdrawn == ""
                )
                .values(withdrawn=format_time(self._clock()))
            )
            if done.rowcount == 1:
                return
            known = select(func.count()).where(shares.c.account == account, shares.c.share == share)
            if not connection.execute(known).scalar_one():
                raise NoSuchThing(f"this account has no share {share[:40]}")

    def open(self, secret: str) -> list[bytes]:
        """The bundles under a link, the opening noted; NoLonger where it has ended."""
        with writing(self._engine) as connection:
            account, identifiers = _open(connection, secret, self._clock())
            found = [
                open_credential(connection, self._vault, account, identifier)
                for identifier in identifiers
            ]
        return [write_bundle(doc, self._log.receipt(index).encode()) for doc, index in found]


def list_shares(connection: Connection, account: str) -> list[Share]:
    """An account's links, newest first."""
    query = select(shares).where(shares.c.account == account)
    found = []
    for row in connection.execute(query.order_by(shares.c.made.desc(), shares.c.share)):
        opened = select(share_openings.c.time).where(share_openings.c.share == row.share)
        times = connection.execute(opened.order_by(share_openings.c.number)).scalars()
        names = tuple(json.loads(row.credentials))
        found.append(Share(row.share, names, row.made, row.expires, row.withdrawn, tuple(times)))
    return found


def forget_shares(connection: Connection, account: str) -> None:
    """Delete an account's links, and when they were opened."""
    own = select(shares.c.share).where(shares.c.account == account)
    # Locked first: one that is being opened now is waited for, and its opening deleted too.
    connection.execute(own.with_for_update()).all()
    connection.execute(share_openings.delete().where(share_openings.c.share.in_(own)))
    connection.execute(shares.delete().where(shares.c.account == account))


def _make(
    connection: Connection,
    account: str,
    identifiers: Sequence[str],
    days: int,
    token: str,
    now: datetime,
) -> Share:
    if not 1 <= days <= MOST_DAYS:
        raise BadRequest(f"a share lasts 1 to {MOST_DAYS} days, not {days}")
    wanted = list(dict.fromkeys(identifiers))
    if not 1 <= len(wanted) <= _MOST:
        raise BadRequest(f"a share holds 1 to {_MOST} credentials, not {len(wanted)}")
    query = select(credentials.c.identifier).where(
        credentials.c.account == account, credentials.c.identifier.in_(wanted)
    )
    missing = set(wanted) - set(connection.execute(query).scalars())
    if missing:
        raise NoSuchThing(f"this account holds no credential {min(missing)[:60]}")
    digest = token_hash(token)
    made, expires = format_time(now), format_time(now + timedelta(days=days))
    name = b64u_encode(digest[:9])
    values = {"share": name, "token": digest, "account": account, "made": made}
    connection.execute(
        shares.insert().values(
            **values, credentials=json.dumps(wanted), expires=expires, withdrawn=""
        )
    )
    return Share(name, tuple(wanted), made, expires, "", ())


def _open(connection: Connection, token: str, now: datetime) -> tuple[str, list[str]]:
    query = select(shares).where(shares.c.token == token_hash(token))
    row = connection.execute(query.with_for_update(read=True, key_share=True)).first()
    if row is None:
        raise NoSuchThing("there is no such share; ask for the link again")
    if row.withdrawn:
        raise NoLonger("this share was withdrawn by its owner; ask for a new one")
    time = format_time(now)
    if row.expires < time:
        raise NoLonger(f"this share ended on {row.expires[:10]}; ask its owner for a new one")
    connection.execute(share_openings.insert().values(share=row.share, time=time))
    return row.account, list(json.loads(row.credentials))
