"""What a credential lets one expect of its award's ledger entry, which a symbol then leaves out."""

import hashlib
from collections.abc import Mapping

from keys import Json, b64u_encode, encode


def implied(credential: dict[str, Json], index: int, path: tuple[bytes, ...]) -> dict[str, str]:
    """What an award's entry is expected to say, as pieces of JSON text; unknown things are empty.

    A wrong guess costs bytes, never correctness: the entry's template has another form for each.
    """
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    proof = credential.get("proof")
    first_proof = proof[0] if isinstance(proof, list) and proof else proof
    subject = credential.get("credentialSubject")
    unit = _text(subject, "achievement", "id").split("/")
    status = credential.get("credentialStatus")
    method = _text(first_proof, "verificationMethod")
    issuer = credential.get("issuer")
    return {
        "index": str(index),
        "sibling": path[0].hex() if path and index & 1 else "",
        "commitment": b64u_encode(hashlib.sha256(encode(unsigned)).digest()),
        "key": method.partition("#")[2],
        "author": issuer if isinstance(issuer, str) else _text(issuer, "id"),
        "credits": _number(subject, "creditsEarned"),
        "expires": _text(credential, "validUntil")[:10],
        "level": _alignment(subject, "ext:QualificationLevel"),
        "scheme": _alignment(subject, "ext:CreditScheme"),
        "status_index": _text(status, "statusListIndex"),
        "status_list": _text(status, "statusListCredential").rpartition("/")[2],
        "unit": "@".join(unit[-2:]),
    }


def _at(value: Json, *names: str) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Json, *names: str) -> str:
    found = _at(value, *names)
    return found if isinstance(found, str) else ""


def _number(value: Json, *names: str) -> str:
    found = _at(value, *names)
    return encode(found).decode() if isinstance(found, int | float) else ""


def _alignment(subject: Json, kind: str) -> str:
    alignments = _at(subject, "achievement", "alignment")
    for alignment in alignments if isinstance(alignments, list) else []:
        if _text(alignment, "targetType") == kind:
            return _text(alignment, "targetCode")
    return ""
