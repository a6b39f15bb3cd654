"""Learns the shapes of every form of award, and of its proof, as `scripts/shapes` asks."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path

from bank.institution import Institution
from bank.results import Learner, Result, UnitRef
from credentials import RDFC, key_in_method, verify_proofs
from credentials.proofs import only_suite
from credentials.rdf.shapes import Shapes
from keys import Json, PrivateKey, encode, parse
from ledger import Slot

SHAPES = Path(__file__).parent.parent / "credentials" / "rdf" / "shapes.json"


def examples() -> Iterator[dict[str, Json]]:
    """Signed awards: whole and broken credits, with and without an end and a grade."""
    institution = Institution(
        "example.creditbank.example",
        "an-institution",
        {"en": "An institution", "zh": "机构"},
        PrivateKey.from_seed(bytes(32)),
        bytes(32),
    )
    numbers = (("3", "3"), ("3", "3.5"), ("2.5", "3"), ("2.5", "3.5"))
    for (earned, available), until, grade in product(
        numbers, (None, date(2099, 1, 1)), (None, "A")
    ):
        unit = UnitRef("U-1", 1, "A unit", "单元", "field", "4", "40", "framework", "scheme")
        learner = Learner("S-1", "A learner")
        day = date(2026, 7, 1)
        result = Result(2, "record", learner, institution.slug, unit, earned, grade, day, until)
        at = datetime(2026, 7, 1, 8, tzinfo=UTC)
        credential = institution.award(result, Decimal(available), Slot(1, 2), at).credential
        assert credential is not None
        read = parse(encode(credential))
        assert isinstance(read, dict)
        yield read


def documents() -> list[Json]:
    """What is canonicalised when those are verified, each shape once."""
    found: dict[str, Json] = {}

    def note(document: Json, digest: str = "sha256") -> bytes:
        assert digest == "sha256"
        outline = json.dumps(_outline(document))
        found.setdefault(outline, document)
        return b""

    for credential in examples():
        verify_proofs(only_suite(credential, RDFC), key_in_method, canonicalise=note)
    return list(found.values())


def _outline(value: Json) -> Json:
    """The names and the kinds of values, and nothing of the values."""
    if isinstance(value, dict):
        return {name: _outline(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_outline(item) for item in value]
    return type(value).__name__


def shapes() -> bytes:
    """The file's bytes."""
    learner = Shapes()
    made = []
    for document in documents():
        for _ in range(2):  # a shape is noted at its first sight and learnt at its second
            learner.canonical_nquads(document)
        learnt = learner.learnt(document)
        if learnt is None:
            raise SystemExit(f"PyLD's work on this cannot be kept as a shape: {document}")
        made.append({"example": document, "shape": learnt})
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


if __name__ == "__main__":
    SHAPES.write_bytes(shapes())
    print(f"{SHAPES}: {len(json.loads(SHAPES.read_bytes()))} shapes")
