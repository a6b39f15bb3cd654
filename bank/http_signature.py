"""Requests signed by RFC 9421 with an Ed25519 key: institutions' to a bank, and between banks.

Covered are the method, the authority, the path, the query where there is one, and the digest of
the body (RFC 9530); times are `created` and `expires`, and a `nonce` is good once. What asks and
what is asked differ by the `tag`, so that a signature for one is none for the other.
"""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)

from bank.errors import NotAllowed
from keys import BadSignature, KeysError, PublicKey, Signer

API: Final = "creditbank-api"
"""The tag of what an institution asks of a bank."""
FEDERATION: Final = "creditbank-federation"
"""The tag of what a bank asks of a sister bank."""
GOOD_FOR: Final = timedelta(minutes=5)
"""The longest that a signed request is good; also how far clocks may be apart."""
HEADERS: Final = ("signature-input", "signature", "content-digest")
_COVERED: Final = ("@method", "@authority", "@path", "content-digest")
_LABEL: Final = "creditbank"
_MOST: Final = 2048
_NONCE: Final = range(16, 65)
_NOT_SIGNED: Final = "the request is not signed as it should be (RFC 9421)"


class SignatureNeeded(NotAllowed):
    """A request that is not signed at all; `asked_for` is the header that says what is to be."""

    def __init__(self, tag: str) -> None:
        super().__init__(
            "sign the request (RFC 9421): it takes the headers Signature-Input, Signature and "
            "Content-Digest"
        )
        covered = " ".join(f'"{name}"' for name in _COVERED)
        self.asked_for = f'{_LABEL}=({covered});created;expires;nonce;keyid;tag="{tag}"'
        """Accept-Signature (RFC 9421, section 5.1)."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, as it is signed: `authority` is host and port, `path` as on the wire.

    `query` is what follows the question mark, or None where there is none.
    """

    method: str
    authority: str
    path: str
    query: str | None = None

    @property
    def covered(self) -> tuple[str, ...]:
        """The components that a signature must cover."""
        return _COVERED if self.query is None else (*_COVERED, "@query")

    @property
    def url(self) -> str:
        """As the library takes it; the scheme, which is not signed, is always the same."""
        query = "" if self.query is None else f"?{self.query}"
        return f"https://{self.authority}{self.path}{query}"


@dataclass(frozen=True, slots=True)
class Signed:
    """By which key a request is signed, its nonce, and when it is good no more."""

    key: str
    nonce: str
    expires: datetime
    _check: Callable[[bytes], object] = field(repr=False)

    def check_body(self, body: bytes) -> None:
        """NotAllowed unless this is the body whose digest was signed."""
        try:
            self._check(body)
        except (HTTPMessageSignaturesException, ValueError) as error:
            raise NotAllowed(f"{_NOT_SIGNED}: {error}") from error


@dataclass
class _Message:
    """A request as the library sees one."""

    method: str
    url: str
    headers: MutableMapping[str, str] = field(default_factory=dict)


class _Ed25519(HTTPSignatureAlgorithm):
    """Ed25519 by the one rule that everything here goes by; the library's own is OpenSSL's."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: PublicKey | None = None, private_key: object = None) -> None:
        self._key = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        """InvalidSignature where it does not hold."""
        if self._key is None:
            raise InvalidSignature("there is no key to check it by")
        try:
            self._key.verify(message, signature)
        except BadSignature as error:
            raise InvalidSignature(str(error)) from error


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, known: Callable[[str], bool]) -> None:
        self._known = known

    def resolve_public_key(self, key_id: str) -> object:
        return PublicKey.from_multikey(key_id) if self._known(key_id) else None

    def resolve_private_key(self, key_id: str) -> object:
        raise KeyError(key_id)


def sign_request(
    target: Target, body: bytes, signer: Signer, tag: str, nonce: str, now: datetime
) -> dict[str, str]:
    """The headers that sign a request: Content-Digest and the signature's two."""
    message = _Message(target.method, target.url)
    made = HTTPMessageSigner(signature_algorithm=_Ed25519)
    prepared = made.prepare(
        message,
        key_id=signer.public_key.multikey,
        created=now,
        expires=now + GOOD_FOR,
        nonce=nonce,
        label=_LABEL,
        tag=tag,
        covered_component_ids=target.covered,
        body=body,
    )
    made.apply(message, prepared, signer.sign(prepared.signature_base))
    return dict(message.headers)


def check_request(
    target: Target,
    headers: Mapping[str, str],
    tag: str,
    known: Callable[[str], bool],
    now: datetime,
) -> Signed:
    """By what key, one that is `known`, a request is signed; NotAllowed says why by none.

    Its body is checked afterwards, once it was read, and whether its nonce was seen before is for
    the caller to know.
    """
    if any(len(headers.get(name, "")) > _MOST for name in HEADERS):
        raise NotAllowed(f"{_NOT_SIGNED}: a header of the signature is over {_MOST} characters")
    verifier = HTTPMessageVerifier(signature_algorithm=_Ed25519, key_resolver=_Keys(known))
    # The library asks the machine's clock; here time comes in, so its own check is left to us.
    verifier.validate_created_and_expires = lambda *args, **named: None  # type: ignore[method-assign]
    message = _Message(target.method, target.url, dict(headers))
    try:
        (result,) = verifier.verify(
            message, max_age=None, expect_tag=tag, require_components=target.covered
        )
    except (HTTPMessageSignaturesException, KeysError, ValueError) as error:
        raise NotAllowed(f"{_NOT_SIGNED}: {error}") from error
    parameters = result.parameters
    expires = _check_times(parameters.get("created"), parameters.get("expires"), now)
    nonce = parameters.get("nonce")
    if not isinstance(nonce, str) or len(nonce) not in _NONCE:
        raise NotAllowed(f"{_NOT_SIGNED}: it takes a nonce of 16 to 64 characters")
    check = partial(verifier.verify_body, message, [result])
    return Signed(str(parameters["keyid"]), nonce, expires, check)


def _check_times(created: object, expires: object, now: datetime) -> datetime:
    if type(created) is not int or type(expires) is not int:
        raise NotAllowed(f"{_NOT_SIGNED}: it takes created and expires")
    moment, most = now.timestamp(), GOOD_FOR.total_seconds()
    if abs(created - moment) > most:
        raise NotAllowed("the request's time is more than five minutes off; check the clock")
    if not moment <= expires <= created + most:
        raise NotAllowed(
            "the request has expired"
            if expires < moment
            else "the request is good for over five minutes; let it expire sooner"
        )
    return now + timedelta(seconds=expires - moment)
