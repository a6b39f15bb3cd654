"""Transcripts: gathering what an account holds into one document the bank signs."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from bank.deposits import find_by_token
from bank.errors import NoSuchThing
from bank.tables import accounts, credentials, lots
from bank.vault import Vault
from credentials import JCS, SUITES, format_moment, sign
from credentials.certificate import badge_png, certificate_facts
from credentials.elm import Issuing, elm_credential
from credentials.transcript import COUNTS, Heading, LotLine, transcript_credential
from keys import Json, Signer, parse, verification_method
from ledger.log import Log, read_head
from ledger.store import reading
from verifier import TRANSCRIPT, Collection, write_collection

# Above this many awards the RDF of a transcript has more nameless objects than a verifier takes.
_MOST_BY_RDF = 4

Held = list[tuple[LotLine, dict[str, Json]]]


class Transcripts:
    """All that one account holds, in one document."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        log: Log,
        bank: tuple[str, str],
        signer: Signer,
        clock: Callable[[], datetime],
        identifier: Callable[[], UUID],
    ) -> None:
        """`bank` is its DID and name, `signer` its own key; `identifier` gives new ones."""
        self._engine = engine
        self._vault = vault
        self._log = log
        self._bank = bank
        self._signer = signer
        self._clock = clock
        self._identifier = identifier

    def make(self, token: str) -> bytes:
        """All that a token's owner holds as one signed transcript, with the awards' receipts."""
        with reading(self._engine) as connection:
            lots_held = held(connection, self._vault, find_by_token(connection, token))
            size = read_head(connection).size
        identifiers = (self._identifier(), self._identifier())
        now = self._clock()
        signed = _sign_transcript(lots_held, identifiers, self._bank, size, self._signer, now)
        receipts = {
            str(document["id"]): self._log.receipt(line.entry).encode()
            for line, document in lots_held
        }
        return write_collection(Collection(TRANSCRIPT, signed, receipts))

    def elm(self, token: str) -> dict[str, Json]:
        """What a token's owner holds and counts, as an unsigned European Digital Credential."""
        with reading(self._engine) as connection:
            lots_held = held(connection, self._vault, find_by_token(connection, token))
        awards = [document for line, document in lots_held if line.state == COUNTS]
        if not awards:
            raise NoSuchThing("this account holds no award that counts")
        made = format_moment(self._clock())
        picture = badge_png(certificate_facts(awards[-1]))
        return elm_credential(Issuing(self._identifier(), *self._bank, made, picture), awards)


def held(connection: Connection, vault: Vault, account: str) -> Held:
    """Each lot of an account with its credential, in the order of the awards."""
    query = (
        select(lots, credentials.c.identifier, credentials.c.sealed, accounts.c.key)
        .join(credentials, credentials.c.lot == lots.c.lot)
        .join(accounts, accounts.c.account == credentials.c.account)
        .where(credentials.c.account == account)
        .order_by(lots.c.award_index)
    )
    found: Held = []
    for row in connection.execute(query):
        line = LotLine(
            row.lot, row.unit, row.scheme, row.level, row.credits, row.state, row.award_index
        )
        key = vault.unwrap(account, row.key)
        document = parse(key.open(bytes(row.sealed), row.identifier))
        if not isinstance(document, dict):
            raise NoSuchThing(f"the credential {row.identifier[:60]} is damaged")
        found.append((line, document))
    return found


def _sign_transcript(
    lots_held: Held,
    identifiers: tuple[UUID, UUID],
    bank: tuple[str, str],
    size: int,
    signer: Signer,
    now: datetime,
) -> dict[str, Json]:
    did, name = bank
    heading = Heading(*identifiers, did, name, format_moment(now), size)
    awards = [document for line, document in lots_held if line.state == COUNTS]
    document = transcript_credential(heading, awards, [line for line, _ in lots_held])
    suites = SUITES if len(awards) <= _MOST_BY_RDF else (JCS,)
    method = verification_method(did, signer.public_key)
    return sign(document, signer, method, heading.made, suites)
