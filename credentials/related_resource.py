"""The digests of related resources (VCDM 2.0, section 5.3), as far as they can be compared here."""

import base64
import binascii
import re
from hashlib import new

from credentials.errors import BadDocument
from credentials.rdf import context_bytes, known_contexts
from keys import Json

_SRI = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})\Z", re.ASCII)
_MULTIHASHES = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}
# An edition of a context that was published at its address before the one bundled here.
_EARLIER = {
    "https://www.w3.org/ns/credentials/v2": (
        "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9",
        "35239c36999d2155312091af194a1edb61634d6ad789a5e5b19f2aebdd762dd9"
        "d1dcaada40eda7ef921c6b8c0ae107a0",
    )
}


def check_digests(resource: dict[str, Json]) -> None:
    """BadDocument unless a related resource has a digest, and each is of what is bundled here.

    Of a resource that is not bundled only the form is checked: nothing is fetched.
    """
    given = [read(resource[name]) for name, read in _READERS.items() if name in resource]
    if not given:
        raise BadDocument("a relatedResource has neither digestSRI nor digestMultibase")
    url = str(resource.get("id"))
    if url not in known_contexts():
        return
    for kind, digest in given:
        computed = new(kind, context_bytes(url)).digest()
        if digest != computed and digest.hex() not in _EARLIER.get(url, ()):
            raise BadDocument(f"the {kind} digest of {url} is not that of what is published there")


def _read_sri(value: Json) -> tuple[str, bytes]:
    match = _SRI.match(value) if isinstance(value, str) else None
    if match is None:
        raise BadDocument(f"not a digest of Subresource Integrity: {value!r:.80}")
    return match[1], _base64(match[2])


def _read_multibase(value: Json) -> tuple[str, bytes]:
    if not isinstance(value, str) or not value.startswith("u"):
        raise BadDocument(f"not a digest in multibase base64url: {value!r:.80}")
    data = _base64(value[1:])
    kind = _MULTIHASHES.get(data[:2])
    if kind is not None and len(data) == 2 + data[1]:
        return kind, data[2:]
    if len(data) == 32:
        return "sha256", data
    raise BadDocument(f"not a digest of a kind that is known here: {value!r:.80}")


_READERS = {"digestSRI": _read_sri, "digestMultibase": _read_multibase}


def _base64(text: str) -> bytes:
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadDocument(f"a digest is not base64: {text!r:.80}") from error
