"""Transcripts: gathering what an account holds into one document the bank signs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from bank.errors import NoSuchThing
from bank.tables import accounts, credentials, lots
from bank.vault import Vault
from credentials import JCS, SUITES, format_moment, sign
from credentials.transcript import COUNTS, Heading, LotLine, transcript_credential
from keys import Json, Signer, parse, verification_method

# Above this many awards the RDF of a transcript has more nameless objects than a verifier takes.
_MOST_BY_RDF = 4

Held = list[tuple[LotLine, dict[str, Json]]]


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


def make_transcript(
    lots_held: Held,
    identifiers: tuple[UUID, UUID],
    bank: tuple[str, str],
    size: int,
    signer: Signer,
    now: datetime,
) -> dict[str, Json]:
    """The signed transcript of what is held as of `size` entries; `bank` is its DID and name."""
    did, name = bank
    heading = Heading(*identifiers, did, name, format_moment(now), size)
    awards = [document for line, document in lots_held if line.state == COUNTS]
    document = transcript_credential(heading, awards, [line for line, _ in lots_held])
    suites = SUITES if len(awards) <= _MOST_BY_RDF else (JCS,)
    method = verification_method(did, signer.public_key)
    return sign(document, signer, method, heading.made, suites)
