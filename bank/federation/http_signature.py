"""Requests between banks, signed by RFC 9421 with a bank's own Ed25519 key.

Covered are the method, the path and the digest of the body (RFC 9530). What is asked is itself a
receipt that proves its own origin, so a request that somebody repeats changes nothing.
"""

from collections.abc import Collection, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.algorithms import ED25519

from bank.errors import NotAllowed
from keys import KeysError, PublicKey, Signer

_COVERED = ("@method", "@path", "content-digest")
_TAG = "creditbank-federation"
_GOOD_FOR = timedelta(minutes=5)


@dataclass
class _Message:
    """A request as the library sees one; the host is none of what is signed."""

    method: str
    url: str
    headers: MutableMapping[str, str]


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, known: Collection[str]) -> None:
        self._known = known

    def resolve_public_key(self, key_id: str) -> object:
        if key_id not in self._known:
            return None
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(PublicKey.from_multikey(key_id).raw)

    def resolve_private_key(self, key_id: str) -> object:
        raise KeyError(key_id)


def sign_request(path: str, body: bytes, signer: Signer, now: datetime) -> dict[str, str]:
    """The headers that sign a POST of `body` to `path`: Content-Digest and the signature's two."""
    message = _Message("POST", f"https://sister.invalid{path}", {})
    made = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = made.prepare(
        message,
        key_id=signer.public_key.multikey,
        created=now,
        label="bank",
        tag=_TAG,
        covered_component_ids=_COVERED,
        body=body,
    )
    made.apply(message, prepared, signer.sign(prepared.signature_base))
    return dict(message.headers)


def check_request(
    path: str, body: bytes, headers: MutableMapping[str, str], keys: Collection[str], now: datetime
) -> str:
    """The Multikey, one of `keys`, that signed a POST of `body` to `path`; NotAllowed if none."""
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=_Keys(keys))
    # The library asks the machine's clock; here time comes in, so its own check is left to us.
    verifier.validate_created_and_expires = lambda *args, **named: None  # type: ignore[method-assign]
    try:
        (result,) = verifier.verify(
            _Message("POST", f"https://sister.invalid{path}", headers),
            max_age=None,
            expect_tag=_TAG,
            require_components=_COVERED,
            body=body,
        )
    except (HTTPMessageSignaturesException, KeysError, ValueError) as error:
        raise NotAllowed(f"the request is not signed by a sister bank of ours: {error}") from error
    created = result.parameters.get("created")
    if type(created) is not int or abs(created - now.timestamp()) > _GOOD_FOR.total_seconds():
        raise NotAllowed("the request's time is more than five minutes off; check the clock")
    return str(result.parameters["keyid"])
