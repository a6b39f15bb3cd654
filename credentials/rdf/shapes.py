"""The way in: canonical N-Quads of a document."""

from credentials.rdf.reference import canonical_nquads_reference
from keys import Json


def canonical_nquads(document: Json) -> bytes:
    """RDFC-1.0 canonical N-Quads of a JSON-LD document, in safe mode; BadDocument if refused."""
    return canonical_nquads_reference(document)
