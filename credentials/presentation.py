"""What a holder shows: a presentation of chosen credentials, signed with the holder's own key.

VCDM 2.0, section 4.13. Each credential in it keeps its own proofs; the presentation's proof says
who shows them, to whom (domain), in answer to what (challenge), and until when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from credentials.data_model import (
    V2,
    check_credential,
    check_presentation,
    credentials_in,
    party,
)
from credentials.errors import BadDocument
from credentials.moment import format_moment
from credentials.proofs import (
    AUTHENTICATION,
    ECDSA_JCS,
    ECDSA_RDFC,
    JCS,
    RDFC,
    Canonicalise,
    Terms,
    sign,
)
from credentials.rdf import canonical_nquads
from keys import AnySigner, Json, did_key, verification_method

TYPE = "VerifiablePresentation"
_MOST = 50
_RDF_AT_MOST = 6
"""Awards under one RDF proof: of eight, two proofs each, the nameless nodes are over the cap."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a presentation says; whether its proofs hold is another question."""

    holder: str
    """The DID that it names as its holder, or else the one controller of its proofs."""
    credentials: tuple[dict[str, Json], ...]

    def shows_own(self, credential: dict[str, Json]) -> bool:
        """Whether every subject of a credential is the holder."""
        subjects = credential.get("credentialSubject")
        items = subjects if isinstance(subjects, list) else [subjects]
        return bool(items) and all(
            isinstance(item, dict) and item.get("id") == self.holder for item in items
        )


def verifiable_presentation(
    credentials: Sequence[dict[str, Json]], holder: str, identifier: str = ""
) -> dict[str, Json]:
    """A presentation of `credentials` by the DID `holder`, not signed yet.

    `identifier` is a URL, where the presentation is to have one. BadDocument where one of them
    is no credential.
    """
    for credential in credentials:
        check_credential(credential)
    document: dict[str, Json] = {
        "@context": [V2],
        "type": [TYPE],
        "holder": holder,
    }
    if credentials:
        document["verifiableCredential"] = list(credentials)
    if identifier:
        document["id"] = identifier
    check_presentation(document)
    return document


def sign_presentation(
    document: dict[str, Json],
    signer: AnySigner,
    created: str,
    terms: Terms | None = None,
    suite: str = "",
    canonicalise: Canonicalise = canonical_nquads,
) -> dict[str, Json]:
    """The presentation, signed by its holder's did:key for `terms` (domain, challenge, expiry).

    `suite` is by default the RDF one of the signer's kind of key, which is what most verifiers
    know, and for many credentials the JCS one. BadDocument where the holder is another.
    """
    check_presentation(document)
    holder = did_key(signer.public_key)
    if party(document, "holder") != holder:
        raise BadDocument(f"the presentation's holder is not {holder}, which signs it")
    if not suite:
        by_rdf = len(credentials_in(document)) <= _RDF_AT_MOST
        suite = _suites(signer)[0 if by_rdf else 1]
    method = verification_method(holder, signer.public_key)
    chosen = terms or Terms(AUTHENTICATION)
    return sign(document, signer, method, created, (suite,), chosen, canonicalise)


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
    document = verifiable_presentation(credentials, did_key(signer.public_key))
    terms = Terms(AUTHENTICATION, domain, challenge, format_moment(now + lasts))
    # By JCS: in RDF the nameless nodes of a few awards are more than a verifier takes.
    return sign_presentation(document, signer, format_moment(now), terms, _suites(signer)[1])


def is_presentation(document: Json) -> bool:
    """Whether a document says of itself that it is a presentation."""
    kinds = document.get("type") if isinstance(document, dict) else None
    return TYPE in (kinds if isinstance(kinds, list) else [kinds])


def read_presentation(document: Json) -> Presentation:
    """What a presentation says; BadDocument where it is none or nobody is its holder."""
    if not isinstance(document, dict):
        raise BadDocument("a presentation is a JSON object")
    check_presentation(document)
    holder = party(document, "holder") or _controller(document.get("proof"))
    return Presentation(holder, tuple(credentials_in(document)))


def _suites(signer: AnySigner) -> tuple[str, str]:
    """The suites of a signer's kind of key: by RDF, and by JCS."""
    return (RDFC, JCS) if signer.public_key.algorithm == "Ed25519" else (ECDSA_RDFC, ECDSA_JCS)


def _controller(proof: Json) -> str:
    proofs = proof if isinstance(proof, list) else [proof]
    methods = [one.get("verificationMethod") if isinstance(one, dict) else None for one in proofs]
    owners = {method.partition("#")[0] for method in methods if isinstance(method, str)}
    if len(owners) != 1 or not all(isinstance(method, str) for method in methods):
        raise BadDocument("the presentation names no holder, and its proofs no single one")
    return owners.pop()
