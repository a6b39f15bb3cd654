"""Decentralised identifiers of the two methods used here: did:key and did:web.

A did:web may carry a port as `%3A` and a path as further colons (did:web method, section
3). Verification methods are named by their key: `<did>#<multikey>`, so that the key is
readable from the name alone and what decides is whose key the registry says it is.
"""

import re
from urllib.parse import unquote

from keys.canonical import Json
from keys.ed25519 import PublicKey
from keys.errors import BadIdentifier

# A path segment of dots alone would lead a client to another document.
_WEB = re.compile(r"did:web:[a-z0-9.-]+(%3A\d{1,5})?(:(?!\.+(:|\Z))[A-Za-z0-9._-]+)*\Z")


def did_key(key: PublicKey) -> str:
    """The did:key of `key` (did:key method, section 3.1)."""
    return f"did:key:{key.multikey}"


def did_web(domain: str, *path: str) -> str:
    """The did:web of a domain (`host` or `host:port`) and path segments."""
    did = ":".join(["did:web", domain.lower().replace(":", "%3A"), *path])
    if not _WEB.match(did):
        raise BadIdentifier(f"{domain!r} with path {path!r} does not make a did:web")
    return did


def did_web_url(did: str) -> str:
    """Where the document of a did:web is found."""
    if not _WEB.match(did):
        raise BadIdentifier(f"not a did:web: {did[:100]!r}")
    host, *path = did.removeprefix("did:web:").split(":")
    return "https://" + "/".join([unquote(host), *(path or [".well-known"]), "did.json"])


def verification_method(did: str, key: PublicKey) -> str:
    """The DID URL under which `did` signs with `key`."""
    return f"{did}#{key.multikey}"


def did_document(did: str, keys: list[PublicKey]) -> dict[str, Json]:
    """A DID document that names `keys` as assertion and authentication methods."""
    methods: list[Json] = [
        {
            "controller": did,
            "id": verification_method(did, key),
            "publicKeyMultibase": key.multikey,
            "type": "Multikey",
        }
        for key in keys
    ]
    names: list[Json] = [verification_method(did, key) for key in keys]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "assertionMethod": names,
        "authentication": list(names),
        "id": did,
        "verificationMethod": methods,
    }
