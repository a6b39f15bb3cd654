"""The JSON-LD contexts that are understood: an allow-list, bundled, never fetched.

A context decides what every term of a document means, so a signature is only worth as much
as the bytes of the contexts it was made with. Each file is what its standard published,
checked against its SHA-256 before it is used.
"""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files

from credentials.errors import BadDocument
from keys import Json

_KNOWN = {
    "https://www.w3.org/ns/credentials/v2": (
        "credentials-v2.json",
        # The digest printed in the Verifiable Credentials Data Model 2.0; so is the next one.
        "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    ),
    "https://w3id.org/security/data-integrity/v2": (
        "data-integrity-v2.json",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": (
        "open-badges-3.0.3.json",
        "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
    ),
    "https://www.w3.org/ns/did/v1": (
        "did-v1.json",
        "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f",
    ),
}


class UnknownContext(BadDocument):
    """A JSON-LD context that is not on the allow-list."""


def known_contexts() -> tuple[str, ...]:
    """The URLs of every context a document may name."""
    return tuple(_KNOWN)


def context(url: str) -> Json:
    """The context document at `url`, a fresh copy; UnknownContext if it is not bundled."""
    if url not in _KNOWN:
        raise UnknownContext(f"the JSON-LD context {url!r:.120} is not one that is known here")
    document: Json = json.loads(_checked_bytes(url))
    return document


@cache
def _checked_bytes(url: str) -> bytes:
    name, digest = _KNOWN[url]
    data = (files("credentials.rdf") / "contexts" / name).read_bytes()
    if sha256(data).hexdigest() != digest:
        raise UnknownContext(f"the bundled copy of {url} was altered: its SHA-256 differs")
    return data
