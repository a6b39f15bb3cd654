"""The reference way to canonical N-Quads: slow, general, and what the fast path must equal.

PyLD takes a tenth of a second to import and milliseconds a document, so it is imported on
first use. Its caches are not made for threads; one lock covers it.
"""

from threading import Lock

from credentials.rdf.admission import admit
from credentials.rdf.nquads import Quad
from keys import Json

_lock = Lock()


def canonical_nquads_reference(
    document: Json, digest: str = "sha256", *, written: bool = False
) -> bytes:
    """RDFC-1.0 canonical N-Quads of a JSON-LD document, in safe mode; BadDocument if refused.

    `digest`, `sha256` or `sha384`, is what RDFC-1.0 orders blank nodes by.
    Where `written`, contexts may also be those for examples, or written into the document.
    """
    admit(document, written)
    with _lock:
        from credentials.rdf.canonicalisation import canonicalise
        from credentials.rdf.dataset import dataset

        return "".join(canonicalise(dataset(document, written), digest)).encode()


def quads_of(document: Json) -> list[Quad]:
    """The document's quads before canonicalisation, under the same rules."""
    admit(document)
    with _lock:
        from credentials.rdf.dataset import dataset

        return dataset(document)


def canonical_nquads_written(document: Json, digest: str = "sha256") -> bytes:
    """As the reference; contexts may also be those for examples, or written into the document.

    Only for trying things out: who writes the context decides what every term means.
    """
    return canonical_nquads_reference(document, digest, written=True)
