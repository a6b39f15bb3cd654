"""Whatever the values: the fast path writes the bytes of the reference, or refuses as it does."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from credentials.errors import BadDocument
from credentials.rdf import canonical_nquads_reference
from credentials.rdf.nquads import double, escape
from credentials.rdf.outline import Unusual, replaced, split
from credentials.rdf.shapes import Shapes
from keys import Json

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "rdf-canonical-1.json").read_text("utf-8")
)["vectors"]
AWARD: dict[str, Any] = VECTORS[0]["document"]
PROOF: dict[str, Any] = VECTORS[1]["document"]
# Kept from example to example, so that most of them find their shape learnt.
LEARNT = Shapes()

controls = st.text(
    st.sampled_from('\x00\x08\t\n\x0b\x0c\r\x1f\x7f\x85"\\%<>_:s{}\u2028\u3000'), max_size=8
)
texts = st.one_of(
    st.sampled_from(
        ["", "x", "same", "same", "张伟", "%s", "%(x)s %% \\u0041", "_:c14n0", "3.5E0"]
    ),
    controls,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text(max_size=6),
)
numbers = st.one_of(
    st.integers(-20, 200),
    st.integers(-(2**53) - 2, 2**53 + 2),
    st.decimals(-1000, 1000, places=3).map(float),
    st.floats(),
)
identifiers = st.one_of(
    st.uuids().map(lambda uuid: f"urn:uuid:{uuid}"),
    st.sampled_from(["urn:x:same", "did:web:same.example", "https://same.example/a/../b?c=%20#d"]),
    st.builds(lambda text: "https://example.org/" + text, texts),
    st.sampled_from(["", "_:b0", "_:b1", "a", "urn:", "did:", "http://", "@id", "mailto:a@b.c"]),
    # What the document's own quads name: the fast path must see that they coincide.
    st.sampled_from(
        [
            "https://www.w3.org/2018/credentials#VerifiableCredential",
            "https://purl.imsglobal.org/spec/vc/ob/vocab.html#Profile",
        ]
    ),
    texts,
)
plain = st.integers(0, 3).map(lambda number: f"urn:x:{number}")


@st.composite
def awards(draw: st.DrawFn, ids: st.SearchStrategy[str] = identifiers) -> dict[str, Any]:
    """An award with some parts left out, some repeated, and any values."""
    document = copy.deepcopy(AWARD)
    subject = document["credentialSubject"]
    achievement = subject["achievement"]
    for owner, name in (
        (document, "validUntil"),
        (document, "credentialStatus"),
        (subject, "identifier"),
        (achievement, "fieldOfStudy"),
    ):
        if draw(st.integers(0, 3)) == 0:
            del owner[name]
    for node in (document, document["issuer"], subject, achievement):
        if draw(st.integers(0, 2)) == 0:
            node["id"] = draw(ids)
    for node in (document, achievement, *achievement["alignment"], *subject.get("identifier", [])):
        for name in ("name", "description", "targetName", "targetType", "identityHash"):
            if name in node and draw(st.booleans()):
                node[name] = draw(texts)
    subject["creditsEarned"] = draw(numbers)
    if draw(st.integers(0, 3)) == 0:
        achievement["tag"] = draw(st.lists(texts, max_size=3))
    if draw(st.integers(0, 3)) == 0:
        achievement["alignment"] *= 2
    if draw(st.integers(0, 3)) == 0:
        document["evidence"] = draw(st.lists(evidence(), max_size=3))
    return document


def evidence() -> st.SearchStrategy[Any]:
    """Small objects that point at each other, with and without identifiers."""
    see = "https://example.org/see"
    names = st.sampled_from(["_:a", "_:b", "urn:x:same", "urn:x:other"])
    values = st.one_of(texts, st.booleans(), numbers, st.fixed_dictionaries({"id": names}))
    return st.fixed_dictionaries(
        {"type": st.just(["Evidence"])},
        optional={
            "id": names,
            "name": texts,
            "https://example.org/p": st.lists(values, max_size=2),
            "https://example.org/l": st.fixed_dictionaries({"@list": st.lists(values, max_size=2)}),
            see: st.fixed_dictionaries({"id": names}),
        },
    )


def check(document: Json, learnt: Shapes) -> None:
    """Whatever `learnt` has seen before, it answers as the reference does."""
    try:
        expected = canonical_nquads_reference(document)
    except BadDocument:
        expected = None
    for _ in range(3):
        try:
            assert learnt.canonical_nquads(document) == expected
        except BadDocument:
            assert expected is None
    event("refused" if expected is None else "written")
    try:
        outline, values = split(document)
    except Unusual:
        return
    shape = learnt._shapes.get(outline)
    filled = shape.fill(values) if shape else None
    assert filled in (None, expected)
    event("filled" if filled else "not filled")


@settings(deadline=None)
@given(awards())
def test_any_award(document: dict[str, Any]) -> None:
    check(document, LEARNT)


@settings(deadline=None)
@given(awards(plain))
def test_awards_whose_identifiers_often_coincide(document: dict[str, Any]) -> None:
    check(document, LEARNT)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from([vector["document"] for vector in VECTORS]), st.data())
def test_any_values_in_documents_of_many_shapes(document: Any, data: st.DataObject) -> None:
    """Values of the same kind in the place of a document's own."""

    def other(value: Json) -> Json:
        if not data.draw(st.booleans()):
            return value
        if isinstance(value, str):
            return data.draw(plain if value.startswith(("https:", "urn:", "did:")) else texts)
        return data.draw(numbers)

    check(replaced(document, other), LEARNT)


@settings(deadline=None)
@given(texts, texts, identifiers, st.sampled_from(["assertionMethod", "authentication", "", "x"]))
def test_any_proof(created: str, suite: str, method: str, purpose: str) -> None:
    check(
        PROOF
        | {
            "created": created,
            "cryptosuite": suite,
            "verificationMethod": method,
            "proofPurpose": purpose,
        },
        LEARNT,
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_fractions_are_written_as_pyld_writes_them(value: float) -> None:
    from pyld.jsonld import _canonicalize_double

    assert double(value) == _canonicalize_double(value)


@given(texts)
def test_escapes_leave_one_printable_line(text: str) -> None:
    written = escape(text)
    assert not any(char < " " or char == "\x7f" for char in written)
    assert written.replace("\\\\", "").replace('\\"', "").count('"') == 0
    assert json.loads(f'"{written}"') == text
