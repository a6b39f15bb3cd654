"""Decentralised identifiers of the two methods used here: did:key and did:web.

A did:web may carry a port as `%3A` and a path as further colons (did:web method, section
3). Verification methods are named by their key: `<did>#<multikey>`, so that the key is
readable from the name alone and what decides is whose key the registry says it is.
"""

import re
from urllib.parse import unquote

from keys.errors import BadIdentifier
from keys.multikey import VerificationKey

# A path segment of dots alone would lead a client to another document.
_WEB = re.compile(r"did:web:[a-z0-9.-]+(%3A\d{1,5})?(:(?!\.+(:|\Z))[A-Za-z0-9._-]+)*\Z")


def did_key(key: VerificationKey) -> str:
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


def verification_method(did: str, key: VerificationKey) -> str:
    """The DID URL under which `did` signs with `key`."""
    return f"{did}#{key.multikey}"
