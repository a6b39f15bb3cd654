"""DID documents: written for our own DIDs, read for anybody's (Controlled Identifiers 1.0)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from keys.canonical import Json
from keys.did import verification_method
from keys.errors import BadIdentifier, BadKey
from keys.multikey import VerificationKey, read_multikey

_TYPES = ("Multikey", "Ed25519VerificationKey2020")
"""Kinds of method whose key stands in `publicKeyMultibase`."""


def did_document(did: str, keys: Sequence[VerificationKey]) -> dict[str, Json]:
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


def key_in_did_document(document: Json, method: str, purpose: str, at: datetime) -> VerificationKey:
    """The key of the verification method `method` in its DID's document (section 3.3).

    It must be the DID's own, stand under `purpose` (such as `assertionMethod`), and be neither
    revoked nor expired at the moment `at` (aware). BadIdentifier or BadKey says why it is not.
    """
    did, _, fragment = method.partition("#")
    if not isinstance(document, dict) or document.get("id") != did or not fragment:
        raise BadIdentifier(f"the document found is not that of {did[:120]}")
    found = [
        entry for entry in _listed(document, purpose) if _absolute(entry.get("id"), did) == method
    ]
    if len(found) != 1:
        raise BadIdentifier(f"{did[:120]} lists no key {fragment[:80]!r} for {purpose}")
    [entry] = found
    if entry.get("controller") != did:
        raise BadIdentifier(f"the key {method[:160]!r} is controlled by another than {did[:120]}")
    _check_in_force(entry, method, at)
    multikey = entry.get("publicKeyMultibase")
    if entry.get("type") not in _TYPES or not isinstance(multikey, str):
        raise BadKey(f"the key {method[:160]!r} is of a kind that is not known here")
    return read_multikey(multikey)


def _listed(document: dict[str, Json], purpose: str) -> Iterator[dict[str, Json]]:
    """The methods under a purpose, which stand there or are named there."""
    methods = [item for item in _many(document, "verificationMethod") if isinstance(item, dict)]
    did = str(document.get("id"))
    for item in _many(document, purpose):
        if isinstance(item, dict):
            yield item
        elif isinstance(item, str):
            name = _absolute(item, did)
            yield from (entry for entry in methods if _absolute(entry.get("id"), did) == name)


def _many(document: dict[str, Json], name: str) -> list[Json]:
    value = document.get(name, [])
    return value if isinstance(value, list) else [value]


def _absolute(name: Json, did: str) -> Json:
    return did + name if isinstance(name, str) and name.startswith("#") else name


def _check_in_force(entry: dict[str, Json], method: str, at: datetime) -> None:
    for field in ("revoked", "expires"):
        if field not in entry:
            continue
        try:
            moment = datetime.fromisoformat(str(entry[field]))
            over = moment <= at
        except (ValueError, TypeError) as error:
            raise BadIdentifier(f"{field} of the key {method[:160]!r} is not a time") from error
        if over:
            raise BadKey(f"the key {method[:160]!r} is no longer in force: {field} at {moment}")
