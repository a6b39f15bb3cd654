"""Share links: a learner shows chosen awards to whoever has the link, until it ends.

The bank keeps a digest of the link's secret, never the link. Every opening is noted for the
learner to see.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from bank.errors import BadRequest, NoLonger, NoSuchThing
from bank.tables import credentials, share_openings, shares
from bank.vault import token_hash
from keys import b64u_encode
from ledger import format_time

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


def make_share(
    connection: Connection,
    account: str,
    identifiers: Sequence[str],
    days: int,
    token: str,
    now: datetime,
) -> Share:
    """A link to credentials of an account, good for `days` days; `token` is its new secret."""
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


def withdraw_share(connection: Connection, account: str, share: str, now: datetime) -> None:
    """End a link of an account's now; NoSuchThing if it has no such link."""
    done = connection.execute(
        shares.update()
        .where(shares.c.account == account, shares.c.share == share, shares.c.withdrawn == "")
        .values(withdrawn=format_time(now))
    )
    if done.rowcount == 1:
        return
    query = select(func.count()).where(shares.c.account == account, shares.c.share == share)
    if not connection.execute(query).scalar_one():
        raise NoSuchThing(f"this account has no share {share[:40]}")


def open_share(connection: Connection, token: str, now: datetime) -> tuple[str, list[str]]:
    """Account and credentials of a link, the opening noted; NoLonger where it has ended."""
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


def forget_shares(connection: Connection, account: str) -> None:
    """Delete an account's links, and when they were opened."""
    own = select(shares.c.share).where(shares.c.account == account)
    # Locked first: one that is being opened now is waited for, and its opening deleted too.
    connection.execute(own.with_for_update()).all()
    connection.execute(share_openings.delete().where(share_openings.c.share.in_(own)))
    connection.execute(shares.delete().where(shares.c.account == account))
