"""The JSON-LD contexts that are understood: an allow-list, bundled, never fetched.

A context decides what every term of a document means, so a signature is only worth as much
as the bytes of the contexts it was made with. Each file is what its standard published,
checked against its SHA-256 before it is used.
"""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path

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
    "https://w3id.org/security/data-integrity/v1": (
        "data-integrity-v1.json",
        "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    ),
    "https://w3id.org/vc/status-list/2021/v1": (
        "status-list-2021-v1.json",
        "6dd06a52bedb771e059c1083ba8ba7848dce22f6b4a8cfa0b98ba3fc188870e4",
    ),
    "https://www.w3.org/ns/credentials/status/v1": (
        "status-v1.json",
        "fda5add353231e6a6884a46b12e6c75464281900cb348284d9c360f62381d9f7",
    ),
    "https://w3id.org/dcc/v1": (
        "dcc-v1.json",
        "1543695325471b0d23e839a28166ba4ea445cca294ac46fe034ca584cbfc6077",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": (
        "open-badges-extensions.json",
        "146f85aa16effd7ca1da8056eb443f53ce1eca8a34186cb062832c0a97d889c3",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context.json": (
        "open-badges-3.0.0.json",
        "b077fa134d909d92c1dcd1c153f2af1b244aeb415967fdc1467d7fc5dd48ac10",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": (
        "open-badges-3.0.1.json",
        "cfc147db5fd5e3575b06bd471fe04784e92de69296f64a351b8dff0ec3372e9c",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": (
        "open-badges-3.0.2.json",
        "bba433989e1e700ca60838a3c22378e7d8381aeb0c9590f9ddf84d1714f10296",
    ),
}
_EXAMPLES = {
    # They define every term there is, so a misspelt one is no error under them.
    "https://www.w3.org/ns/credentials/examples/v2": (
        "examples-v2.json",
        "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
    ),
    "https://www.w3.org/ns/credentials/undefined-terms/v2": (
        "undefined-terms-v2.json",
        "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
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
    data = (Path(__file__).parent / "contexts" / name).read_bytes()
    if sha256(data).hexdigest() != digest:
        raise UnknownContext(f"the bundled copy of {url} was altered: its SHA-256 differs")
    return data
