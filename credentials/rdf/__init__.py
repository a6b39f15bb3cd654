"""Documents as canonical N-Quads (JSON-LD, RDFC-1.0): what `eddsa-rdfc-2022` proofs sign."""

from credentials.rdf.contexts import (
    UnknownContext,
    context,
    context_bytes,
    example_contexts,
    known_contexts,
)
from credentials.rdf.reference import canonical_nquads_reference, canonical_nquads_written
from credentials.rdf.shapes import canonical_nquads, shapes_path

__all__ = [
    "UnknownContext",
    "canonical_nquads",
    "canonical_nquads_reference",
    "canonical_nquads_written",
    "context",
    "context_bytes",
    "example_contexts",
    "known_contexts",
    "shapes_path",
]
