"""Data Integrity proofs with `eddsa-rdfc-2022` and `eddsa-jcs-2022` (VC DI EdDSA 1.0, section 3).

Both hash the proof's options and the document without its proofs, and sign the two hashes.
They differ in how they make bytes of JSON: RDF canonicalisation or JCS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from credentials.errors import BadProof, CredentialsError
from credentials.moment import parse_moment
from credentials.rdf import canonical_nquads
from keys import (
    Json,
    KeysError,
    PublicKey,
    Signer,
    base58_decode,
    base58_encode,
    encode,
)

RDFC = "eddsa-rdfc-2022"
JCS = "eddsa-jcs-2022"
SUITES = (RDFC, JCS)
_PURPOSE = "assertionMethod"
_FIELDS = {
    "@context",
    "created",
    "cryptosuite",
    "expires",
    "id",
    "proofPurpose",
    "proofValue",
    "type",
    "verificationMethod",
}
_MOST_PROOFS = 8


@dataclass(frozen=True, slots=True)
class ProofResult:
    """What became of one proof. `understood` is false for a suite that is not checked here."""

    suite: str
    method: str
    created: str
    expires: str
    understood: bool
    error: str | None

    @property
    def passed(self) -> bool:
        """Whether it was checked, and holds."""
        return self.understood and self.error is None


def sign(
    document: dict[str, Json],
    signer: Signer,
    method: str,
    created: str,
    suites: Sequence[str] = SUITES,
) -> dict[str, Json]:
    """The document with a proof of each suite by `signer`, whose verification method is `method`.

    A single suite gives a single proof object, several a list. `created` is xsd:dateTimeStamp text.
    """
    parse_moment(created, "created")
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    proofs: list[Json] = [_proof(unsecured, signer, method, created, suite) for suite in suites]
    return {**unsecured, "proof": proofs[0] if len(proofs) == 1 else proofs}


def verify_proofs(
    document: dict[str, Json], key_of: Callable[[str], PublicKey]
) -> tuple[ProofResult, ...]:
    """Check every proof that is understood; `key_of` gives the key of a verification method.

    The caller decides on the results: a document is good only if one passed and none failed.
    BadProof if there are no proofs at all, or too many.
    """
    proof = document.get("proof")
    proofs = proof if isinstance(proof, list) else [proof]
    if proof is None or not 0 < len(proofs) <= _MOST_PROOFS:
        raise BadProof(f"the document carries no proof, or more than {_MOST_PROOFS}")
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    return tuple(_check(unsecured, one, key_of) for one in proofs)


def commitment(document: dict[str, Json]) -> bytes:
    """What the ledger says of a credential: SHA-256 of its JCS without `proof`, 32 bytes."""
    return sha256(
        encode({name: value for name, value in document.items() if name != "proof"})
    ).digest()


def key_in_method(method: str) -> PublicKey:
    """The key that a verification method `<did>#<multikey>` names; BadProof if it names none."""
    try:
        return PublicKey.from_multikey(method.partition("#")[2])
    except KeysError as error:
        raise BadProof(f"the verification method {method[:100]!r} names no key: {error}") from error


def _proof(
    unsecured: dict[str, Json], signer: Signer, method: str, created: str, suite: str
) -> dict[str, Json]:
    options: dict[str, Json] = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": created,
        "verificationMethod": method,
        "proofPurpose": _PURPOSE,
    }
    if suite == JCS and "@context" in unsecured:
        options["@context"] = unsecured["@context"]
    signature = signer.sign(_to_sign(unsecured, options))
    return {**options, "proofValue": "z" + base58_encode(signature)}


def _to_sign(unsecured: dict[str, Json], options: dict[str, Json]) -> bytes:
    if options["cryptosuite"] == JCS:
        return sha256(encode(options)).digest() + sha256(encode(unsecured)).digest()
    config = {**options, "@context": unsecured.get("@context")}
    return sha256(canonical_nquads(config)).digest() + sha256(canonical_nquads(unsecured)).digest()


def _check(
    unsecured: dict[str, Json], proof: Json, key_of: Callable[[str], PublicKey]
) -> ProofResult:
    if not isinstance(proof, dict):
        return ProofResult("", "", "", "", understood=True, error="a proof is not an object")
    suite, method = _text(proof, "cryptosuite"), _text(proof, "verificationMethod")
    created, expires = _text(proof, "created"), _text(proof, "expires")
    if proof.get("type") != "DataIntegrityProof" or suite not in SUITES:
        name = suite or _text(proof, "type")
        return ProofResult(name, method, created, expires, understood=False, error=None)
    try:
        _check_signature(unsecured, proof, suite, key_of(method))
    except (CredentialsError, KeysError) as error:
        return ProofResult(suite, method, created, expires, understood=True, error=str(error))
    return ProofResult(suite, method, created, expires, understood=True, error=None)


def _check_signature(
    unsecured: dict[str, Json], proof: dict[str, Json], suite: str, key: PublicKey
) -> None:
    unknown = sorted(set(proof) - _FIELDS)
    if unknown:
        raise BadProof(f"the proof has a field that is not understood: {unknown[0][:40]!r}")
    if proof.get("proofPurpose") != _PURPOSE:
        raise BadProof(f"the proof is for {proof.get('proofPurpose')!r:.40}, not {_PURPOSE}")
    # Plain text and nothing else: RDF has the same quads for an `expires` that stands in a list, so
    # its signature would hold while nobody found a time to compare with (sections 3.2.5, 3.3.5).
    for field in ("created", "expires"):
        if field in proof:
            parse_moment(_text(proof, field), field)
    # An entry added to @context after signing would change what the document means, while a
    # JCS proof, which carries the context it signed, would still hold (section 3.3.2, step 4).
    if "@context" in proof and proof["@context"] != unsecured.get("@context"):
        raise BadProof("the document's @context is not the one that was signed")
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise BadProof("the proof value is not base58btc multibase")
    options = {name: item for name, item in proof.items() if name != "proofValue"}
    if suite == RDFC:
        options.pop("@context", None)
    signature = base58_decode(value[1:])
    if "z" + base58_encode(signature) != value:
        raise BadProof("the proof value is not in its one base58btc form")
    key.verify(_to_sign(unsecured, options), signature)


def _text(proof: dict[str, Json], field: str) -> str:
    value = proof.get(field)
    return value if isinstance(value, str) else ""
