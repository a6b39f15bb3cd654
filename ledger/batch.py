"""Batches: many awards that two persons of an institution approve by one statement.

Its root is that of the Merkle tree (RFC 6962) over the hashes of the award statements, in rising
order, so that the same awards are the same batch whatever order a file has them in, and one of
them can be shown to belong to it without the others.
"""

from collections.abc import Iterable

from keys import Json, b64u_encode
from ledger.statement import Statement
from ledger.tree import leaf_hash, root_hash

KIND = "batch.approve"


def batch_approval(author: str, awards: Iterable[bytes]) -> Statement:
    """The statement by which `author` approves awards, given by their statements' hashes."""
    ordered = sorted(set(awards))
    root = root_hash(leaf_hash(award) for award in ordered)
    body: dict[str, Json] = {"awards": len(ordered), "root": b64u_encode(root)}
    return Statement.make(author, KIND, body)
