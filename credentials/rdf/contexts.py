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
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": (
        "clr-2.0.1.json",
        "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
    ),
    # Our own, for transcripts; every bank serves it at its own address too.
    "https://chongqing.creditbank.example/ns/credit-bank/1": (
        "credit-bank-1.json",
        "2f2a7348f6b926852c180147312fb2139020a626c64e4b62c2514390f7e0b4e9",
    ),
    "https://www.w3.org/2018/credentials/v1": (
        "credentials-v1.json",
        # The digest printed in the Verifiable Credentials Data Model 1.1.
        "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": (
        "ed25519-2020-v1.json",
        "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    "https://w3id.org/security/multikey/v1": (
        "multikey-v1.json",
        "480f8fd11c5797c647eb174f7265fbd5caf378690260c3df6237554f8e92174a",
    ),
}
_EXAMPLES = {
    # It defines every term there is, so a misspelt one is no error under it.
    "https://www.w3.org/ns/credentials/examples/v2": (
        "examples-v2.json",
        "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
    ),
}


class UnknownContext(BadDocument):
    """A JSON-LD context that is not on the allow-list."""


def known_contexts() -> tuple[str, ...]:
    """The URLs of every context a document may name."""
    return tuple(_KNOWN)


def example_contexts() -> tuple[str, ...]:
    """The URLs of contexts for trying things out, named by nothing that is trusted."""
    return tuple(_EXAMPLES)


def context(url: str) -> Json:
    """The context document at `url`, a fresh copy; UnknownContext if it is not bundled."""
    if url not in _KNOWN and url not in _EXAMPLES:
        raise UnknownContext(f"the JSON-LD context {url!r:.120} is not one that is known here")
    document: Json = json.loads(context_bytes(url))
    return document


@cache
def context_bytes(url: str) -> bytes:
    """The exact bytes published at `url`, which is bundled here."""
    name, digest = (_KNOWN | _EXAMPLES)[url]
    data = (files("credentials.rdf") / "contexts" / name).read_bytes()
    if sha256(data).hexdigest() != digest:
        raise UnknownContext(f"the bundled copy of {url} was altered: its SHA-256 differs")
    return data
