"""RDF Dataset Canonicalization (RDFC-1.0), by PyLD, within a budget of work.

Blank nodes that look alike are told apart by trying permutations, so a kilobyte of them can
keep a machine busy for hours. A credential has next to none: the budget is far above what an
honest document needs.
"""

import hashlib
from typing import Any

from pyld.canon import URDNA2015
from pyld.identifier_issuer import IdentifierIssuer

from credentials.errors import BadDocument
from credentials.rdf.nquads import LANG_STRING, Quad, Term, write_quad

MAX_BLANK_NODES = 64
_BUDGET = 50_000
_KINDS = {"iri": "IRI", "blank": "blank node", "literal": "literal"}
_PARTS = ("subject", "predicate", "object", "name")


def canonicalise(quads: list[Quad], digest: str = "sha256") -> list[str]:
    """The dataset's canonical N-Quads lines, in order; BadDocument where that is too hard.

    `digest`, `sha256` or `sha384`, orders the blank nodes (the hash algorithm of RDFC-1.0).
    """
    blank = {term.value for quad in quads for term in quad if term.kind == "blank"}
    if len(blank) > MAX_BLANK_NODES:
        raise BadDocument(f"the document has over {MAX_BLANK_NODES} objects without an id")
    graphs: dict[str, list[dict[str, Any]]] = {}
    for quad in quads:
        graph = quad[3].value if len(quad) == 4 else "@default"
        graphs.setdefault(graph, []).append(
            {part: _node(term) for part, term in zip(_PARTS, quad[:3], strict=False)}
        )
    algorithm = _Bounded(digest)
    algorithm.main(graphs, {"format": "application/n-quads"})
    return sorted(_line(quad) for quad in algorithm.quads)


class _Bounded(URDNA2015):  # type: ignore[misc]
    """PyLD's algorithm with the standard's escapes, and a limit to the permutations tried."""

    def __init__(self, digest: str) -> None:
        super().__init__()
        self._digest = digest
        self._left = _BUDGET
        self._widest = 1

    def create_hash(self) -> "hashlib._Hash":
        return hashlib.new(self._digest)

    def hash_first_degree_quads(self, id_: str) -> str:
        info = self.blank_node_info[id_]
        if "hash" not in info:
            # PyLD lists a quad twice that has the node both as subject and as object.
            info["quads"] = list({id(quad): quad for quad in info["quads"]}.values())
            lines = sorted(_line(quad, seen_from=id_) for quad in info["quads"])
            info["hash"] = self.hash_nquads(lines)
        digest: str = info["hash"]
        return digest

    def hash_n_degree_quads(self, id_: str, issuer: IdentifierIssuer) -> dict[str, Any]:
        quads = len(self.blank_node_info[id_]["quads"])
        self._widest = max(self._widest, quads)
        self._spend(quads)
        counted = issuer if isinstance(issuer, _CountedIssuer) else _CountedIssuer(issuer, self)
        result: dict[str, Any] = super().hash_n_degree_quads(id_, counted)
        return result

    def permuted(self) -> None:
        """Count one permutation, each as long as the longest there can be."""
        self._spend(self._widest)

    def _spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise BadDocument("the document has too many objects that only an id could tell apart")


class _CountedIssuer(IdentifierIssuer):  # type: ignore[misc]
    """PyLD copies the issuer for every permutation it tries: here is where they are counted."""

    def __init__(self, origin: IdentifierIssuer, algorithm: _Bounded) -> None:
        super().__init__(origin.prefix)
        self.counter = origin.counter
        self.existing = dict(origin.existing)
        self.order = list(origin.order)
        self._algorithm = algorithm

    def __deepcopy__(self, _memo: dict[int, Any]) -> "_CountedIssuer":
        self._algorithm.permuted()
        return _CountedIssuer(self, self._algorithm)


def _node(term: Term) -> dict[str, str]:
    node = {"type": _KINDS[term.kind], "value": term.value}
    if term.kind == "literal":
        node["datatype"] = LANG_STRING if term.language else term.datatype
        node["language"] = term.language
    return node


def _line(quad: dict[str, dict[str, str]], seen_from: str | None = None) -> str:
    """A quad of PyLD's, written by the standard; other blank nodes anonymous if `seen_from` one."""
    terms = []
    for part in _PARTS:
        node = quad.get(part)
        if node is None:
            continue
        value = node["value"]
        if node["type"] == "literal":
            terms.append(Term("literal", value, node["datatype"], node["language"]))
        elif node["type"] == "IRI":
            terms.append(Term("iri", value))
        elif seen_from is None:
            terms.append(Term("blank", value))
        else:
            terms.append(Term("blank", "_:a" if value == seen_from else "_:z"))
    return write_quad(tuple(terms))
