"""The shapes that come with the package are what PyLD makes of issued credentials."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from credentials.rdf import canonical_nquads_reference
from credentials.rdf.outline import split
from credentials.rdf.shapes import Shape, read_shapes


@pytest.fixture(scope="module")
def maker(repo: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("shapes", repo / "scripts" / "shapes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_file_is_what_the_script_makes(maker: ModuleType, repo: Path) -> None:
    shipped = (repo / "credentials" / "rdf" / "shapes.json").read_bytes()
    assert shipped == maker.shapes(), "run scripts/shapes"


def test_each_fills_as_the_reference_does(maker: ModuleType) -> None:
    shapes = {split(example)[0]: Shape.from_json(shape) for example, shape in read_shapes()}
    documents = maker.documents()
    assert len(documents) == len(shapes) == 17
    for document in documents:
        other = changed(document)
        outline, values = split(other)
        assert shapes[outline].fill(values) == canonical_nquads_reference(other)


def changed(document: Any) -> Any:
    """The same form with other values, some of them awkward."""
    text = json.dumps(document, ensure_ascii=False)
    text = text.replace("A learner", '欧阳 \\\\ \\"x\\" 🎓').replace("A unit", "z\\n\\ttab")
    return json.loads(text.replace("urn:uuid:", "urn:uuid:f").replace("3.5", "12.3456"))


def test_a_wrong_one_would_be_noticed() -> None:
    """The control: one letter of a template changed, and it no longer fills as the reference."""
    example, shape = read_shapes()[1]
    broken = json.loads(json.dumps(shape).replace("#Achievement>", "#Achievemant>", 1))
    values = split(example)[1]
    assert Shape.from_json(shape).fill(values) == canonical_nquads_reference(example)
    assert Shape.from_json(broken).fill(values) != canonical_nquads_reference(example)


def test_verifying_an_award_does_not_load_pyld(story: Any) -> None:
    code = (
        "import sys; from verifier.cli import main; "
        f"done = main([{str(story.bundle)!r}, '--trust', {str(story.trust)!r}]); "
        "assert done == 0, done; assert 'pyld' not in sys.modules; "
        "from credentials.rdf import canonical_nquads; "
        "canonical_nquads({'@context': 'https://www.w3.org/ns/credentials/v2', 'id': 'urn:a:b', "
        "'type': 'VerifiableCredential'}); assert 'pyld' in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
