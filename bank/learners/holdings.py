"""Gathering everything the bank holds about one learner, for the archive."""

import json
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, select

from bank.learners import store
from bank.learners.archive import Holdings
from bank.shares import list_shares
from bank.tables import holder_keys, wallet_offers, wallet_tokens
from bank.transcripts import held
from bank.vault import Vault
from keys import Json
from ledger.receipt import Receipt
from verifier import write_bundle

Receipts = Callable[[Sequence[int]], list[Receipt]]
"""The receipts of ledger entries by their indices, all under one checkpoint."""


def holdings(
    connection: Connection, vault: Vault, record: store.Record, receipts: Receipts
) -> Holdings:
    """All that is held about the learner whose record this is."""
    names = store.accounts_of(connection, record.learner)
    accounts: list[Json] = []
    bundles: dict[str, bytes] = {}
    for name in names:
        lots = held(connection, vault, name)
        proofs = receipts([line.entry for line, _ in lots]) if lots else []
        awards: list[Json] = []
        for (line, document), proof in zip(lots, proofs, strict=True):
            identifier = str(document["id"])
            bundles[identifier] = write_bundle(document, proof.encode())
            awards.append(
                {
                    "credential": identifier,
                    "credits": line.credits,
                    "entry": line.entry,
                    "level": line.level,
                    "lot": line.lot,
                    "scheme": line.scheme,
                    "state": line.state,
                    "unit": line.unit,
                }
            )
        institution, _, reference = name.partition("|")
        accounts.append({"awards": awards, "institution": institution, "reference": reference})
    return Holdings(
        identity={**record.identity.as_json(), "learner": record.learner},
        accounts=accounts,
        shares=[line for name in names for line in _shares(connection, name)],
        wallets=[_wallet(connection, name) for name in names],
        consents=[consent.as_json() for consent in store.consents_of(connection, record)],
        events=[
            {**event.as_json(), "number": event.number}
            for event in store.events_of(connection, record)
        ],
        bundles=bundles,
    )


def _shares(connection: Connection, account: str) -> list[Json]:
    return [
        {
            "account": account,
            "credentials": list(share.credentials),
            "expires": share.expires,
            "made": share.made,
            "openings": list(share.openings),
            "share": share.share,
            "withdrawn": share.withdrawn,
        }
        for share in list_shares(connection, account)
    ]


def _wallet(connection: Connection, account: str) -> Json:
    keys = select(holder_keys).where(holder_keys.c.account == account)
    offers = select(wallet_offers).where(wallet_offers.c.account == account)
    tokens = select(wallet_tokens).where(wallet_tokens.c.account == account)
    return {
        "access": [
            {"credentials": json.loads(row.credentials), "expires": row.expires}
            for row in connection.execute(tokens.order_by("expires", "token"))
        ],
        "account": account,
        "keys": [
            {"added": row.added, "did": row.did}
            for row in connection.execute(keys.order_by("added", "did"))
        ],
        "offers": [
            {
                "credentials": json.loads(row.credentials),
                "expires": row.expires,
                "tries": row.tries,
                "used": row.used,
            }
            for row in connection.execute(offers.order_by("expires", "code"))
        ],
    }
