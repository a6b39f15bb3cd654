"""Whose key is it? The keys that verification methods name (Controlled Identifiers 1.0, 3.3)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from credentials.errors import BadProof
from keys import Json, KeysError, PublicKey, VerificationKey, key_in_did_document, read_multikey

Resolve = Callable[[str], Json]
"""The document of a DID, looked up; a KeysError where there is none."""


def resolve_among(documents: Sequence[Json]) -> Resolve:
    """Looks DIDs up in these documents, fetched before."""
    known = {
        str(document["id"]): document
        for document in documents
        if isinstance(document, dict) and isinstance(document.get("id"), str)
    }

    def resolve(did: str) -> Json:
        if did not in known:
            raise BadProof(f"there is no DID document of {did[:100]} here to find its key in")
        return known[did]

    return resolve


def key_in_method(method: str) -> PublicKey:
    """The Ed25519 key a verification method `<did>#<multikey>` names; BadProof if it names none.

    For issuers whose keys a registry knows: it says whose key this is, the DID does not.
    """
    try:
        return PublicKey.from_multikey(method.partition("#")[2])
    except KeysError as error:
        raise BadProof(f"the verification method {method[:100]!r} names no key: {error}") from error


def key_in_did_key(method: str) -> VerificationKey:
    """The key of a verification method `did:key:<multikey>#<multikey>`; BadProof if it is none."""
    did, _, fragment = method.partition("#")
    if did.startswith("did:web:"):
        raise BadProof(
            f"the verification method {method[:120]!r} is on the web: give its DID document"
        )
    if did != f"did:key:{fragment}":
        raise BadProof(f"the verification method {method[:120]!r} is not a did:key's own key")
    try:
        return read_multikey(fragment)
    except KeysError as error:
        raise BadProof(f"the verification method {method[:120]!r} names no key: {error}") from error


def key_by_resolving(
    method: str, purpose: str, at: datetime, resolve: Resolve | None = None
) -> VerificationKey:
    """The key of a method of a did:key or, where there is a resolver, of a did:web.

    It must be listed for `purpose` in its DID's document and in force at the moment `at`
    (aware). BadProof says why there is none.
    """
    if resolve is None or not method.startswith("did:web:"):
        return key_in_did_key(method)
    try:
        document = resolve(method.partition("#")[0])
        return key_in_did_document(document, method, purpose, at)
    except KeysError as error:
        raise BadProof(str(error)) from error
