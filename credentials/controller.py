"""Keys named by DID documents: which method may assert what (Controlled Identifiers 1.0, 2.2)."""

from collections.abc import Sequence

from credentials.errors import BadProof
from credentials.proofs import ASSERTION, KeyOf, key_in_did_key
from keys import Json, KeysError, VerificationKey, read_multikey


def key_in_documents(documents: Sequence[Json], purpose: str = ASSERTION) -> KeyOf:
    """Keys by verification method: of did:key from itself, of others from these DID documents.

    A method counts only if the document of its own DID lists it under `purpose`, and says that
    the DID controls it.
    """
    known = {
        str(document["id"]): document
        for document in documents
        if isinstance(document, dict) and isinstance(document.get("id"), str)
    }

    def key_of(method: str) -> VerificationKey:
        did = method.partition("#")[0]
        if did.startswith("did:key:"):
            return key_in_did_key(method)
        document = known.get(did)
        if document is None:
            raise BadProof(f"there is no DID document of {did[:100]} here to find its key in")
        return _key(document, did, method, purpose)

    return key_of


def _key(document: dict[str, Json], did: str, method: str, purpose: str) -> VerificationKey:
    listed = document.get(purpose)
    for item in listed if isinstance(listed, list) else []:
        found = item if isinstance(item, dict) else None
        if item == method:
            found = _method(document, method)
        if found is None or found.get("id") != method:
            continue
        if found.get("controller") != did or "revoked" in found:
            raise BadProof(f"the key {method[:120]} is not under {did[:100]}, or was revoked")
        multikey = found.get("publicKeyMultibase")
        if not isinstance(multikey, str):
            raise BadProof(f"the key {method[:120]} is not a Multikey")
        try:
            return read_multikey(multikey)
        except KeysError as error:
            raise BadProof(f"the key {method[:120]} is not usable: {error}") from error
    raise BadProof(f"{did[:100]} names no key {method[:120]} for {purpose}")


def _method(document: dict[str, Json], method: str) -> dict[str, Json] | None:
    methods = document.get("verificationMethod")
    for item in methods if isinstance(methods, list) else []:
        if isinstance(item, dict) and item.get("id") == method:
            return item
    return None
