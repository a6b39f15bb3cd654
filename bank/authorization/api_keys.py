"""API keys: the Ed25519 keys that open the door to an institution's software, and their sessions.

An API key says who calls; what a statement is worth is decided by the keys on the ledger alone. So
no key is both, in either order: one that stands on the ledger opens nothing here, and the bank
hands no `key.add` of an API key to the ledger.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import IntegrityError

from bank.errors import BadRequest, NoSuchThing, NotAllowed, NotYours
from bank.operator_log import Act, OperatorLog
from bank.tables import api_keys, api_sessions
from keys import KeysError, PublicKey
from ledger import Registry, format_time, parse_time
from ledger.store import reading, writing

LASTING = timedelta(minutes=10)
"""How long a session's token is good."""
_FRESH = timedelta(seconds=5)
"""How long what the database said of a session is believed."""
_KEPT = 10_000
_NAME = 80
_ENDED = "this session has ended, or never was; ask for another with POST /sessions"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A registered key: whose, a DID; what it is called; `retired` is empty while it is good."""

    key: str
    institution: str
    name: str
    added: str
    retired: str


@dataclass(frozen=True, slots=True)
class _Seen:
    key: ApiKey
    expires: datetime
    until: datetime


class ApiKeys:
    """The register of API keys, and the sessions that they begin."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        registry: Callable[[], Registry],
        bank: str,
        secret: Callable[[], str],
        log: OperatorLog,
    ) -> None:
        """`bank` is the bank's DID, whose keys are its own staff's; `secret` gives new tokens."""
        self._engine = engine
        self._clock = clock
        self._registry = registry
        self._bank = bank
        self._secret = secret
        self._log = log
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._lock = threading.Lock()
        self._gathered: tuple[Registry, frozenset[str]] | None = None

    def add(self, institution: str, key: str, name: str) -> ApiKey:
        """Register a key; BadRequest where it is none, is known already, or is on the ledger."""
        try:
            PublicKey.from_multikey(key)
        except KeysError as error:
            raise BadRequest(f"this is no Ed25519 key as a Multikey: {error}") from error
        registry = self._registry()
        if institution != self._bank and institution not in registry.members:
            raise BadRequest(f"{institution[:100]} is not a member of this bank")
        if key in self._on_ledger(registry):
            raise BadRequest(
                f"the key {key} stands on the ledger, where it signs; an API key is another: make "
                "one with 'creditbank member api-key new'"
            )
        title = " ".join(name.split())
        if not 0 < len(title) <= _NAME:
            raise BadRequest(f"say in 1 to {_NAME} characters what the key is for")
        made = ApiKey(key, institution, title, self._now(), "")
        values = {slot: getattr(made, slot) for slot in ApiKey.__slots__}
        try:
            with writing(self._engine) as connection:
                connection.execute(api_keys.insert().values(values))
                self._log.record(connection, Act.API_KEY_ADDED, key=key)
        except IntegrityError as error:
            raise BadRequest(f"the key {key} was registered before; make a new one") from error
        return made

    def all_of(self, institution: str | None = None) -> list[ApiKey]:
        """The keys of an institution, or everybody's, retired ones too, newest first."""
        query = select(api_keys).order_by(api_keys.c.added.desc(), api_keys.c.key)
        if institution is not None:
            query = query.where(api_keys.c.institution == institution)
        with reading(self._engine) as connection:
            return [ApiKey(*row) for row in connection.execute(query)]

    def retire(self, key: str, institution: str | None = None) -> None:
        """Let a key open nothing any more; NoSuchThing where it is not (this institution's)."""
        with writing(self._engine) as connection:
            found = _find(connection, key)
            if found is None or institution not in (None, found.institution):
                raise NoSuchThing(f"there is no API key {key[:60]} to retire")
            if not found.retired:
                query = api_keys.update().where(api_keys.c.key == key)
                connection.execute(query.values(retired=self._now()))
                connection.execute(delete(api_sessions).where(api_sessions.c.key == key))
                self._log.record(connection, Act.API_KEY_RETIRED, key=key)
        with self._lock:
            self._seen.clear()

    def is_good(self, key: str) -> bool:
        """Whether a key is registered and not retired."""
        with reading(self._engine) as connection:
            found = _find(connection, key)
        return found is not None and not found.retired

    def is_known(self, key: str) -> bool:
        """Whether a key is an API key, or was one."""
        with reading(self._engine) as connection:
            return _find(connection, key) is not None

    def caller(self, key: str) -> ApiKey:
        """Who calls with a key; NotAllowed where it is not good, NotYours for a member suspended.

        NotAllowed also for a key that came to stand on the ledger since.
        """
        with reading(self._engine) as connection:
            found = _find(connection, key)
        return self._check(found)

    def begin(self, key: str) -> tuple[str, datetime]:
        """A new session of a key: its token, told this once, and when it ends."""
        token, now = self._secret(), self._clock()
        ends = now + LASTING
        values = {"token": _digest(token), "key": key, "expires": format_time(ends)}
        old = delete(api_sessions).where(api_sessions.c.expires < format_time(now))
        with writing(self._engine) as connection:
            connection.execute(old)
            connection.execute(api_sessions.insert().values(values))
        return token, parse_time(format_time(ends))

    def remembered(self, token: str) -> ApiKey | None:
        """Who calls with a session's token, if that was asked of the database just now."""
        seen = self._seen.get(_digest(token))
        return seen.key if seen is not None and self._clock() < seen.until else None

    def session(self, token: str) -> ApiKey:
        """Who calls with a session's token; NotAllowed where it has ended."""
        digest, now = _digest(token), self._clock()
        query = select(api_sessions.c.key, api_sessions.c.expires)
        with reading(self._engine) as connection:
            row = connection.execute(query.where(api_sessions.c.token == digest)).first()
            found = None if row is None else _find(connection, row.key)
        if row is None or parse_time(row.expires) <= now:
            raise NotAllowed(_ENDED)
        key, expires = self._check(found), parse_time(row.expires)
        with self._lock:
            self._seen[digest] = _Seen(key, expires, min(expires, now + _FRESH))
            while len(self._seen) > _KEPT:
                self._seen.popitem(last=False)
        return key

    def _check(self, found: ApiKey | None) -> ApiKey:
        if found is None or found.retired:
            raise NotAllowed("the request is signed by no API key that is good here")
        registry = self._registry()
        if found.key in self._on_ledger(registry):
            raise NotAllowed("the key stands on the ledger; an API key is another one")
        member = registry.members.get(found.institution)
        if found.institution != self._bank and (member is None or not member.active):
            raise NotYours(f"{found.institution} is suspended")
        return found

    def _on_ledger(self, registry: Registry) -> frozenset[str]:
        # A registry that nothing changed is the same object.
        if self._gathered is None or self._gathered[0] is not registry:
            self._gathered = (registry, _ledger_keys(registry))
        return self._gathered[1]

    def _now(self) -> str:
        return format_time(self._clock())


def _ledger_keys(registry: Registry) -> frozenset[str]:
    """Every key that signs, or ever signed, something on the ledger or in a log."""
    sisters = registry.agreements.values()
    return registry.roles().keys.union(*(agreement.keys for agreement in sisters))


def _find(connection: Connection, key: str) -> ApiKey | None:
    row = connection.execute(select(api_keys).where(api_keys.c.key == key)).first()
    return None if row is None else ApiKey(*row)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
