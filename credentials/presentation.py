"""Presentations: a holder shows chosen credentials to one verifier, once (VCDM 2.0, 4.13)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from credentials.achievement import VC_CONTEXT
from credentials.errors import BadDocument
from credentials.moment import format_moment
from credentials.proofs import AUTHENTICATION, JCS, Terms, sign
from keys import AnySigner, Json

TYPE = "VerifiablePresentation"
_MOST = 50


def presentation(
    credentials: Sequence[dict[str, Json]],
    signer: AnySigner,
    domain: str,
    challenge: str,
    now: datetime,
    lasts: timedelta,
) -> dict[str, Json]:
    """Credentials as shown by the holder of a key (did:key) to `domain`, which gave `challenge`.

    It is good for `lasts`, and for nobody else. The credentials keep their own proofs.
    """
    if not 1 <= len(credentials) <= _MOST:
        raise BadDocument(f"a presentation holds 1 to {_MOST} credentials, not {len(credentials)}")
    if not domain or not challenge:
        raise BadDocument("a presentation is made for a verifier's domain and challenge")
    key = signer.public_key.multikey
    enclosed: list[Json] = list(credentials)
    document: dict[str, Json] = {
        "@context": [VC_CONTEXT],
        "type": [TYPE],
        "holder": f"did:key:{key}",
        "verifiableCredential": enclosed,
    }
    terms = Terms(AUTHENTICATION, domain, challenge, format_moment(now + lasts))
    # By JCS: in RDF the nameless nodes of a few awards are more than a verifier takes.
    method = f"did:key:{key}#{key}"
    return sign(document, signer, method, format_moment(now), (JCS,), terms)


def is_presentation(document: Json) -> bool:
    """Whether a document says of itself that it is a presentation."""
    kinds = document.get("type") if isinstance(document, dict) else None
    return TYPE in (kinds if isinstance(kinds, list) else [kinds])
