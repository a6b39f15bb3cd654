"""The fast path says what the reference says; the reference says what its peers say."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest

from credentials.errors import BadDocument
from credentials.rdf import canonical_nquads, canonical_nquads_reference, shapes
from credentials.rdf.admission import MAX_VALUES
from credentials.rdf.shapes import Shapes
from credentials.rdf.template import Template
from keys import Json

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "rdf-canonical-1.json").read_text("utf-8")
)["vectors"]
AWARD: dict[str, Any] = VECTORS[0]["document"]
Change = Callable[[dict[str, Any]], object]


def award(change: Change = lambda _: None) -> dict[str, Any]:
    document = copy.deepcopy(AWARD)
    change(document)
    return document


def warm(*documents: Json) -> Shapes:
    """Shapes that have learnt these documents."""
    learnt = Shapes()
    for document in documents:
        for _ in range(3):
            assert learnt.canonical_nquads(document) == canonical_nquads_reference(document)
    return learnt


def no_reference(_: Json) -> NoReturn:
    raise AssertionError("the reference was asked")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_another_implementation_writes_the_same(vector: dict[str, Any]) -> None:
    expected = vector["nquads"].encode()
    assert canonical_nquads_reference(vector["document"]) == expected
    for _ in range(4):
        assert canonical_nquads(vector["document"]) == expected


def test_the_document_is_left_as_it_was() -> None:
    document = award()
    warm(document)
    assert document == AWARD


def test_an_award_and_a_proof_take_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = warm(*(vector["document"] for vector in VECTORS[:2]))
    other = award(lambda d: d.update(id="urn:uuid:other", name='张 "伟"\n'))
    expected = canonical_nquads_reference(other)
    monkeypatch.setattr(shapes, "canonical_nquads_reference", no_reference)
    assert learnt.canonical_nquads(other) == expected
    for vector in VECTORS[:2]:
        assert learnt.canonical_nquads(vector["document"]) == vector["nquads"].encode()


def test_a_document_seen_once_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credentials.rdf.markers.marked", no_reference)
    assert Shapes().canonical_nquads(AWARD) == VECTORS[0]["nquads"].encode()


def test_the_order_of_members_does_not_matter() -> None:
    def backwards(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(value)}
        return value

    learnt = warm(AWARD, backwards(AWARD))
    assert learnt.canonical_nquads(backwards(AWARD)) == VECTORS[0]["nquads"].encode()


def test_equal_identifiers_are_a_shape_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def self_issued(document: dict[str, Any]) -> None:
        document["credentialSubject"]["id"] = document["issuer"]["id"]

    one, other = award(self_issued), award(lambda d: d["issuer"].update(id="did:web:b.example"))
    self_issued(other)
    for order in ((AWARD, one), (one, AWARD)):
        learnt = warm(*order)
        expected = [canonical_nquads_reference(document) for document in (AWARD, one, other)]
        with monkeypatch.context() as patch:
            patch.setattr(shapes, "canonical_nquads_reference", no_reference)
            assert [learnt.canonical_nquads(d) for d in (AWARD, one, other)] == expected


def test_values_that_make_lines_equal_are_written_once() -> None:
    def tags(*names: str) -> dict[str, Any]:
        return award(lambda d: d["credentialSubject"]["achievement"].update(tag=list(names)))

    learnt = warm(tags("a", "b"))
    for document in (tags("c", "c"), tags("c", "d")):
        assert learnt.canonical_nquads(document) == canonical_nquads_reference(document)
    twins = award(
        lambda d: d.update(evidence=[{"type": "Evidence", "https://example.org/p": ["a", "b"]}])
    )
    learnt = warm(twins)
    twins["evidence"][0]["https://example.org/p"] = ["c", "c"]
    assert learnt.canonical_nquads(twins) == canonical_nquads_reference(twins)


def test_blank_nodes_that_look_alike_go_to_the_reference() -> None:
    learnt = warm(AWARD)
    alignment: list[Any] = AWARD["credentialSubject"]["achievement"]["alignment"]
    for number in (2, 3):
        document = award(
            lambda d, n=number: d["credentialSubject"]["achievement"].update(
                alignment=[alignment[1]] * n
            )
        )
        for _ in range(4):
            assert learnt.canonical_nquads(document) == canonical_nquads_reference(document)


def test_a_wrong_template_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(Template):
        def fill(self, values: list[str]) -> bytes | None:
            filled = super().fill(values)
            return filled and filled.replace(b"Accounting", b"Art")

    monkeypatch.setattr(shapes, "Template", Wrong)
    learnt = warm(AWARD)
    (shape,) = learnt._shapes.values()
    assert list(shape._templates.values()) == [None]
    monkeypatch.undo()
    (shape,) = warm(AWARD)._shapes.values()
    assert [type(template) for template in shape._templates.values()] == [Template]


def test_shapes_are_bounded_and_those_in_use_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_SHAPES", 4)
    learnt = warm(AWARD)
    in_use = next(iter(learnt._shapes))
    for number in range(12):
        names = ["x"] * (number + 1)
        assert learnt.canonical_nquads(AWARD) == VECTORS[0]["nquads"].encode()
        learnt.canonical_nquads({"@context": AWARD["@context"], "id": "urn:x", "name": [*names]})
        assert len(learnt._shapes) <= 4
        assert in_use in learnt._shapes


def test_many_threads_agree() -> None:
    documents = [vector["document"] for vector in VECTORS] * 8
    learnt = Shapes()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(learnt.canonical_nquads, documents))
    assert results == [vector["nquads"].encode() for vector in VECTORS] * 8


def subject(document: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = document["credentialSubject"]
    return inner


REFUSED: dict[str, tuple[str, Change]] = {
    "a term no context defines": ("'foo'", lambda d: d.update(foo="x")),
    "the same, deeper": ("'colour'", lambda d: subject(d)["achievement"].update(colour="red")),
    "a type no context defines": ("'Foo'", lambda d: d["type"].append("Foo")),
    "a type that is a blank node": ("'_:t'", lambda d: d["type"].append("_:t")),
    "a relative identifier": ("'award/7'", lambda d: d.update(id="award/7")),
    "an empty identifier": ("identifier ''", lambda d: d.update(id="")),
    "an identifier with a space": ("urn:a b", lambda d: d.update(id="urn:a b")),
    "an identifier with a line end": ("urn:a", lambda d: d.update(id="urn:a\n")),
    "an identifier that injects": ("urn:a>", lambda d: d.update(id="urn:a> <urn:b> <urn:c")),
    "an identifier that is a number": ("@id", lambda d: d.update(id=7)),
    "a blank predicate": ("'_:p'", lambda d: d.update({"_:p": "x"})),
    "a null": ("'name'", lambda d: d.update(name=None)),
    "a null in a list": ("null", lambda d: d.update(name=["x", None])),
    "an unknown keyword": ("'@foo'", lambda d: d.update({"@foo": "x"})),
    "an index": ("'@index'", lambda d: d.update(name={"@value": "x", "@index": "y"})),
    "a direction that is none": (
        "direction",
        lambda d: d.update(name={"@value": "x", "@direction": "up"}),
    ),
    "a direction as a datatype": (
        "'@direction'",
        lambda d: d.update(name={"@value": "x", "@type": "https://www.w3.org/ns/i18n#en_ltr"}),
    ),
    "a language that is none": (
        "'not a tag'",
        lambda d: d.update(name={"@value": "x", "@language": "not a tag"}),
    ),
    "a relative datatype": ("'Foo'", lambda d: d.update(name={"@value": "x", "@type": "Foo"})),
    "no context": ("'credentialStatus'", lambda d: d.update({"@context": []})),
    "a lone surrogate": ("no character", lambda d: d.update(name="\ud800")),
    "a noncharacter": ("no character", lambda d: d.update(name="\uffff")),
    "not a number": ("NaN", lambda d: subject(d).update(creditsEarned=float("nan"))),
    "infinity": ("NaN", lambda d: subject(d).update(creditsEarned=float("-inf"))),
    "too large a number": ("2\\^53", lambda d: subject(d).update(creditsEarned=2**53)),
    "too fine a number": ("digits", lambda d: subject(d).update(creditsEarned=0.1 + 0.2)),
    "too small a number": ("digits", lambda d: subject(d).update(creditsEarned=1e-7)),
    "another type": ("bytes", lambda d: d.update(name=b"x")),
    "a key that is no text": ("cannot name", lambda d: d.update({7: "x"})),
}


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_a_direction_is_signed(direction: str) -> None:
    """As the peers write it: the datatype names language, in lower case, and direction."""

    def directed(way: str) -> Any:
        name = {"@value": "x", "@language": "zh-Hans", "@direction": way}
        return award(lambda d: d.update(name=name))

    learnt = warm(directed(direction))
    lines = learnt.canonical_nquads(directed(direction))
    assert f'"x"^^<https://www.w3.org/ns/i18n#zh-hans_{direction}>'.encode() in lines
    assert lines == canonical_nquads_reference(directed(direction))
    other = "rtl" if direction == "ltr" else "ltr"
    assert learnt.canonical_nquads(directed(other)) != lines


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_signature_would_not_cover_is_refused(case: str) -> None:
    message, change = REFUSED[case]
    document = award(change)
    learnt = warm(AWARD)
    for _ in range(4):
        with pytest.raises(BadDocument, match=message):
            learnt.canonical_nquads(document)
        with pytest.raises(BadDocument, match=message):
            canonical_nquads_reference(document)


@pytest.mark.parametrize(
    "document", [None, [], [AWARD], "urn:x", 7, {}, {"@context": AWARD["@context"]}]
)
def test_what_says_nothing_is_refused(document: Json) -> None:
    with pytest.raises(BadDocument):
        canonical_nquads(document)


@pytest.mark.parametrize("member", ["urn:x:y", 7, {"id": "urn:x:y"}, {"@value": "x"}])
def test_a_graph_of_nothing_is_refused(member: Json) -> None:
    document: Json = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "VerifiablePresentation",
        "verifiableCredential": [member],
    }
    with pytest.raises(BadDocument):
        canonical_nquads(document)


def clique(size: int) -> dict[str, Any]:
    """Objects without ids of their own, each pointing at all others: nothing tells them apart."""
    see = "https://example.org/see"
    return award(
        lambda d: d.update(
            evidence=[
                {"id": f"_:n{n}", see: [{"id": f"_:n{m}"} for m in range(size) if m != n]}
                for n in range(size)
            ]
        )
    )


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"https://example.org/in": inner}
    return award(lambda d: d.update(evidence=inner))


POISON: dict[str, Callable[[], dict[str, Any]]] = {
    "clique of 7": lambda: clique(7),
    "clique of 9": lambda: clique(9),
    "clique of 20": lambda: clique(20),
    "100 blank nodes": lambda: award(
        lambda d: d.update(evidence=[{"name": str(n)} for n in range(100)])
    ),
    "many values": lambda: award(lambda d: d.update(name=["x"] * MAX_VALUES)),
    "deep": lambda: nested(60),
    "very deep": lambda: nested(5000),
}


@pytest.mark.parametrize("case", POISON)
def test_poison_is_refused_quickly(case: str) -> None:
    document = POISON[case]()
    canonical_nquads(AWARD)
    start = time.perf_counter()
    for _ in range(3):
        with pytest.raises(BadDocument):
            canonical_nquads(document)
    assert time.perf_counter() - start < 1.5


def test_an_honest_ring_is_not_poison() -> None:
    assert canonical_nquads(clique(3)) == canonical_nquads_reference(clique(3))
