"""Documents as canonical N-Quads (JSON-LD, RDFC-1.0): what `eddsa-rdfc-2022` proofs sign."""

from credentials.rdf.contexts import UnknownContext, context, known_contexts
from credentials.rdf.reference import canonical_nquads_reference
from credentials.rdf.shapes import canonical_nquads

__all__ = [
    "UnknownContext",
    "canonical_nquads",
    "canonical_nquads_reference",
    "context",
    "known_contexts",
]
