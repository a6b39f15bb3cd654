"""A JSON-LD document as RDF, by PyLD, in safe mode: what RDF would lose is an error.

PyLD has no safe mode. It resolves relative names against a made-up address (so that a
misspelt type is signed as something else) and drops what it cannot place. Here they are
resolved against an address that is then refused, and what was said is compared with what
came out.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

from pyld.context_resolver import ContextResolver
from pyld.jsonld import JsonLdError, JsonLdProcessor

from credentials.errors import BadDocument, LostData
from credentials.rdf.contexts import context
from credentials.rdf.nquads import Quad, Term, is_iri
from keys import Json

_RELATIVE = "relative-name:"
_BASE = _RELATIVE + "//here/"
_BLANK = re.compile(r"_:[A-Za-z0-9_]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_DIRECTION = "https://www.w3.org/ns/i18n#"
_KINDS = {"IRI": "iri", "blank node": "blank", "literal": "literal"}
# Resolved contexts are kept here and not in PyLD's own cache, where another user of PyLD in
# this process could have left something else under the same URL. Bounded by the allow-list.
_resolved_contexts: dict[str, Any] = {}


def dataset(document: Json, written: bool = False) -> list[Quad]:
    """The document's quads, each once; BadDocument where some of it would be lost.

    Where `written`, the document's own contexts are not remembered for the next.
    """
    processor = _SafeProcessor()
    options = {
        "base": _BASE,
        "documentLoader": _load,
        "contextResolver": ContextResolver(
            dict(_resolved_contexts) if written else _resolved_contexts, _load
        ),
        # As peers write a text's direction; without it, it would be dropped and not signed.
        "rdfDirection": "i18n-datatype",
    }
    try:
        graphs = processor.to_rdf(document, options)
    except JsonLdError as error:
        raise BadDocument(f"not valid JSON-LD: {_innermost(error)}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # PyLD fails so over contexts it did not expect; those bundled here are not among them.
        raise BadDocument("not valid JSON-LD: a context cannot be made sense of") from error
    quads = {quad: None for name, triples in graphs.items() for quad in _quads(name, triples)}
    mentioned = {term.value for quad in quads for term in quad if term.kind == "iri"}
    for name in processor.identifiers:
        if name not in mentioned and not name.startswith("_:"):
            raise BadDocument(f"the document names {name!r:.120} but says nothing about it")
    if not quads:
        raise BadDocument("the document says nothing that RDF can express")
    return list(quads)


class _SafeProcessor(JsonLdProcessor):  # type: ignore[misc]
    """Expands as usual, then refuses what RDF would drop; remembers the identifiers used."""

    def __init__(self) -> None:
        super().__init__(on_property_dropped=_refuse_term)
        self.identifiers: set[str] = set()

    def expand(self, input_: Any, options: dict[str, Any]) -> Any:
        expanded = super().expand(input_, options)
        for item in _objects(expanded):
            self._check(item)
        return expanded

    def _check(self, item: dict[str, Any]) -> None:
        if "@value" in item:
            _check_value(item)
            return
        for key, value in item.items():
            if key == "@id":
                if not (type(value) is str and _BLANK.fullmatch(value)):
                    _check_iri(value, "identifier")
                self.identifiers.add(value)
            elif key == "@type":
                for name in value:
                    _check_iri(name, "type")
            elif key == "@graph":
                if not all(type(node) is dict and len(node.keys() - {"@id"}) > 0 for node in value):
                    raise BadDocument("a graph holds something that is not a described object")
                if any("@value" in node or "@list" in node for node in value):
                    raise BadDocument("a graph holds a text or a list of its own")
            elif not key.startswith("@"):
                _check_iri(key, "term")


def _check_value(item: dict[str, Any]) -> None:
    kind = item.get("@type")
    if kind is not None and kind != "@json":
        _check_iri(kind, "datatype")
        if kind.startswith(_DIRECTION):
            raise BadDocument("a text's direction is said with '@direction', not as a datatype")
    language = item.get("@language")
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise BadDocument(f"{language!r:.120} is not a language tag")


def _check_iri(name: Any, role: str) -> None:
    if type(name) is not str or name.startswith(_RELATIVE) or not is_iri(name):
        shown = name.removeprefix(_BASE) if type(name) is str else name
        raise LostData(f"the {role} {shown!r:.120} is neither defined by a context nor an IRI")


def _refuse_term(name: str | None) -> NoReturn:
    raise LostData(f"the term {name!r:.120} is not defined by the document's contexts")


def _objects(expanded: Any) -> Iterator[dict[str, Any]]:
    """Every object of an expanded document, except inside JSON literals."""
    if isinstance(expanded, list):
        for item in expanded:
            yield from _objects(item)
    elif isinstance(expanded, dict):
        yield expanded
        if "@value" not in expanded:
            for item in expanded.values():
                yield from _objects(item)


def _quads(graph: str, triples: list[dict[str, Any]]) -> Iterator[Quad]:
    if graph == "@default":
        name: Quad = ()
    else:
        name = (Term("blank" if graph.startswith("_:") else "iri", graph),)
    for triple in triples:
        yield (*(_term(triple[part]) for part in ("subject", "predicate", "object")), *name)


def _term(node: dict[str, Any]) -> Term:
    datatype = node.get("datatype", "")
    if datatype.startswith(_DIRECTION):
        datatype = datatype.lower()  # PyLD leaves the language as it was spelt
    return Term(_KINDS[node["type"]], node["value"], datatype, node.get("language", ""))


def _load(url: str, _options: dict[str, Any]) -> dict[str, Any]:
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": context(url),
        "tag": "static",
    }


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).partition("\n")[0]
