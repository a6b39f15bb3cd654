"""Nonces of signed requests: each is good once, at whichever server of the bank it arrives."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Engine, delete
from sqlalchemy.exc import IntegrityError

from bank.errors import NotAllowed
from bank.http_signature import Signed
from bank.tables import request_nonces
from ledger import format_time
from ledger.store import writing


class Nonces:
    """What was seen, kept until it could not be good any more."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def spend(self, signed: Signed, tag: str) -> None:
        """Keep the nonce of a request whose signature holds; NotAllowed where it was seen."""
        seen = sha256(f"{tag}\0{signed.key}\0{signed.nonce}".encode()).digest()
        expires = format_time(signed.expires)
        old = delete(request_nonces).where(request_nonces.c.expires < format_time(self._clock()))
        try:
            with writing(self._engine) as connection:
                connection.execute(old)
                connection.execute(request_nonces.insert().values(nonce=seen, expires=expires))
        except IntegrityError as error:
            raise NotAllowed("this signed request was seen before; sign it anew") from error
