"""Contexts: an allow-list of exact bytes, and nothing else, ever."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import pytest

from credentials.errors import BadDocument, CredentialsError
from credentials.rdf import (
    UnknownContext,
    canonical_nquads,
    canonical_nquads_reference,
    canonical_nquads_written,
    context,
    contexts,
    example_contexts,
    known_contexts,
)
from keys import Json

VC = "https://www.w3.org/ns/credentials/v2"
DI = "https://w3id.org/security/data-integrity/v2"


def test_the_files_are_what_the_standards_publish(repo: Path) -> None:
    folder = repo / "credentials" / "rdf" / "contexts"
    digests = {sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}
    # Printed in the Verifiable Credentials Data Model 2.0.
    assert "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734" in digests
    assert "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4" in digests
    # And in the Verifiable Credentials Data Model 1.1.
    assert "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc" in digests
    assert len(digests) == len(known_contexts()) + len(example_contexts()) == 19


@pytest.mark.parametrize("url", known_contexts())
def test_known_contexts_load_and_are_fresh_copies(url: str) -> None:
    document: Any = context(url)
    assert list(document) == ["@context"]
    document["@context"] = None
    fresh: Any = context(url)
    assert fresh["@context"]


@pytest.mark.parametrize(
    "url", ["", "https://www.w3.org/ns/credentials/undefined-terms/v3", VC + "#", "http" + VC[5:]]
)
def test_other_contexts_are_unknown(url: str) -> None:
    with pytest.raises(UnknownContext, match="not one that is known"):
        context(url)
    with pytest.raises(UnknownContext):
        canonical_nquads_reference({"@context": url, "id": "urn:x", "name": "x"})


@pytest.mark.parametrize("url", example_contexts())
def test_contexts_for_trying_out_are_known_to_who_asks_for_them(url: str) -> None:
    document: Json = {"@context": [VC, url], "id": "urn:x", "anything": "at all"}
    assert b"at all" in canonical_nquads_written(document)
    for refuse in (canonical_nquads, canonical_nquads_reference):
        with pytest.raises(UnknownContext, match="not one that is known"):
            refuse(document)
    with pytest.raises(BadDocument):
        canonical_nquads_written({"@context": VC, "id": "urn:x", "anything": "at all"})


def test_unknown_context_is_a_bad_document() -> None:
    assert issubclass(UnknownContext, BadDocument)
    assert issubclass(BadDocument, CredentialsError)


def test_an_altered_file_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    name, digest = contexts._KNOWN[DI]
    monkeypatch.setitem(contexts._KNOWN, DI, ("did-v1.json", digest))
    contexts.context_bytes.cache_clear()
    try:
        with pytest.raises(UnknownContext, match="altered"):
            context(DI)
    finally:
        contexts.context_bytes.cache_clear()
    assert name == "data-integrity-v2.json"


@pytest.mark.parametrize(
    "inline",
    [
        {"name": "https://example.org/other"},
        [VC, {"name": "https://example.org/other"}],
        [[VC]],
        [VC, None],
        None,
        7,
    ],
)
def test_contexts_are_named_and_never_written_inline(inline: Any) -> None:
    for document in (
        {"@context": inline, "id": "urn:x", "name": "x"},
        {
            "@context": VC,
            "id": "urn:x",
            "name": "x",
            "evidence": {"@context": inline, "id": "urn:y"},
        },
    ):
        with pytest.raises(BadDocument):
            canonical_nquads_reference(document)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for url in known_contexts():
        context(url)
    with pytest.raises(UnknownContext):
        canonical_nquads_reference(
            {"@context": "https://example.org/c", "id": "urn:x", "name": "x"}
        )


def test_what_another_user_of_pyld_has_cached_does_not_matter() -> None:
    from pyld import jsonld

    def lie(url: str, _options: object) -> dict[str, object]:
        document = {"@context": {"name": "https://evil.example/name", "id": "@id"}}
        return {"contextUrl": None, "documentUrl": url, "document": document, "tag": "static"}

    document = {"@context": VC, "id": "urn:x:1", "name": "x"}
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": lie}
    try:
        assert "evil" in jsonld.normalize(document, options)
        assert canonical_nquads_reference(document) == (
            b'<urn:x:1> <https://schema.org/name> "x" .\n'
        )
    finally:
        jsonld._resolved_context_cache.clear()


def _definitions(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _definitions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _definitions(item)


@pytest.mark.parametrize("url", known_contexts())
def test_no_context_gives_an_identifier_another_meaning(url: str) -> None:
    """What the fast path relies on: such a term would change what an IRI expands to."""
    names = {key for key, _ in _definitions(context(url))}
    assert not names & {"http", "https", "urn", "did", "@base", "@import", "@vocab", "@propagate"}
    assert not any(":" in name for name in names)
    aliases = {key for key, item in _definitions(context(url)) if item in ("@type", "@context")}
    assert aliases <= {"type"}
    vocabulary = {
        key
        for key, item in _definitions(context(url))
        if isinstance(item, dict) and item.get("@type") == "@vocab"
    }
    assert vocabulary <= {"proofPurpose"}


def test_import_is_light_until_a_document_comes() -> None:
    code = (
        "import sys, json\n"
        "import credentials.rdf as rdf\n"
        "before = sorted({'pyld', 'lxml', 'http.client', 'urllib.request', 'requests'} "
        "& set(sys.modules))\n"
        "rdf.canonical_nquads({'@context': rdf.known_contexts()[0], 'id': 'urn:x', 'name': 'x'})\n"
        "print(json.dumps([before, 'pyld' in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == [[], True]
