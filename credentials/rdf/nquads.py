"""Canonical N-Quads (RDFC-1.0): how terms and quads are written, and which IRIs can be.

PyLD's own writer leaves most control characters bare, which the standard and its peers
escape; two implementations would then sign different bytes for the same document.
"""

import re
from dataclasses import dataclass

XSD = "http://www.w3.org/2001/XMLSchema#"
STRING = XSD + "string"
LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"

# Integers beyond this are not exact in JSON; fractions below this some write as "0".
EXACT = 2**53
SMALLEST = 1e-6

_IRI_CHARACTERS = r"[^\s\x00-\x20\x7f-\x9f<>\"{}|^`\\\ud800-\udfff\ufffe\uffff]"
# Implementations disagree on how to write these (or cannot), so no document may hold them.
UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_IRI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:{_IRI_CHARACTERS}*")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_CONTROL_ESCAPES = {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)}
_CONTROL_ESCAPES |= {8: "\\b", 9: "\\t", 12: "\\f", 13: "\\r"}


@dataclass(frozen=True, slots=True)
class Term:
    """One RDF term. `kind` is "iri", "blank" or "literal"."""

    kind: str
    value: str
    datatype: str = ""
    language: str = ""

    def suffix(self) -> str:
        """What follows a literal's closing quote."""
        if self.language:
            return "@" + self.language
        return "" if self.datatype == STRING else f"^^<{self.datatype}>"

    def write(self) -> str:
        """The term as canonical N-Quads writes it."""
        if self.kind == "iri":
            return f"<{self.value}>"
        if self.kind == "blank":
            return self.value
        return f'"{escape(self.value)}"{self.suffix()}'


Quad = tuple[Term, ...]
"""Subject, predicate, object, and the graph's name unless it is the default graph."""


def write_quad(quad: Quad) -> str:
    """One line of canonical N-Quads."""
    return " ".join([*(term.write() for term in quad), ".\n"])


def escape(text: str) -> str:
    """A literal's text between its quotes."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return text.translate(_CONTROL_ESCAPES) if _CONTROL.search(text) else text


def is_iri(text: str) -> bool:
    """Whether `text` is an absolute IRI that can be written without escapes."""
    return _IRI.fullmatch(text) is not None


def double(value: float) -> str:
    """The canonical lexical form of xsd:double, as JSON-LD writes numbers with a fraction."""
    mantissa, _, exponent = f"{value:.15E}".partition("E")
    digits = mantissa.rstrip("0")
    return f"{digits}{'0' if digits[-1] == '.' else ''}E{int(exponent)}"
