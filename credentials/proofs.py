"""Data Integrity proofs: the EdDSA and ECDSA suites, in RDF and JCS form (VC DI EdDSA and ECDSA).

All hash the proof's options and the document without its proofs, and sign the two hashes.
They differ in how they make bytes of JSON (RDF canonicalisation or JCS), and in the key.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import new, sha256
from typing import Protocol

from credentials.errors import BadProof, CredentialsError, WrongChallenge, WrongDomain
from credentials.moment import parse_moment
from credentials.rdf import canonical_nquads
from keys import (
    AnySigner,
    Json,
    KeysError,
    VerificationKey,
    base58_decode,
    base58_encode,
    encode,
)

RDFC = "eddsa-rdfc-2022"
JCS = "eddsa-jcs-2022"
SUITES = (RDFC, JCS)
ECDSA_RDFC = "ecdsa-rdfc-2019"
ECDSA_JCS = "ecdsa-jcs-2019"
ED25519_2020 = "Ed25519Signature2020"
"""A type of proof of its own, checked and never made: what wallets held before 2022."""
ASSERTION = "assertionMethod"
AUTHENTICATION = "authentication"
_ALGORITHMS = {
    RDFC: ("Ed25519",),
    JCS: ("Ed25519",),
    ED25519_2020: ("Ed25519",),
    ECDSA_RDFC: ("P-256", "P-384"),
    ECDSA_JCS: ("P-256", "P-384"),
}
_BY_JCS = (JCS, ECDSA_JCS)
_FIELDS = {
    "@context",
    "challenge",
    "created",
    "cryptosuite",
    "domain",
    "expires",
    "id",
    "nonce",
    "previousProof",
    "proofPurpose",
    "proofValue",
    "type",
    "verificationMethod",
}
_MOST_PROOFS = 8

KeyOf = Callable[[str], VerificationKey]
"""The key of a verification method; BadProof where there is none."""


class Canonicalise(Protocol):
    """Canonical N-Quads of a document, blank nodes ordered by `sha256` or `sha384`."""

    def __call__(self, document: Json, digest: str = "sha256") -> bytes:
        """The N-Quads; a CredentialsError where there are none."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a proof is made for: a purpose and, in a presentation, a domain and a challenge."""

    purpose: str = ASSERTION
    domain: str | None = None
    challenge: str | None = None
    expires: str | None = None

    def options(self) -> dict[str, Json]:
        """The proof's options that say so."""
        given = {"domain": self.domain, "challenge": self.challenge, "expires": self.expires}
        return {name: value for name, value in given.items() if value is not None}


_ASSERTING = Terms()


@dataclass(frozen=True, slots=True)
class ProofResult:
    """What became of one proof. `understood` is false for a suite that is not checked here."""

    suite: str
    method: str
    created: str
    expires: str
    understood: bool
    error: str | None
    problem: str
    """The kind of error, as the W3C's specifications name it."""

    @property
    def passed(self) -> bool:
        """Whether it was checked, and holds."""
        return self.understood and self.error is None


def sign(
    document: dict[str, Json],
    signer: AnySigner,
    method: str,
    created: str,
    suites: Sequence[str] = SUITES,
    terms: Terms = _ASSERTING,
    canonicalise: Canonicalise = canonical_nquads,
) -> dict[str, Json]:
    """The document with a proof of each suite by `signer`, whose verification method is `method`.

    A single suite gives a single proof object, several a list. `created` is xsd:dateTimeStamp text.
    BadProof where a suite is not for the signer's kind of key.
    """
    parse_moment(created, "created")
    for suite in suites:
        _check_kind(signer, suite)
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    options = _options(method, created, terms)
    proofs: list[Json] = [
        _proof(unsecured, {**options, "cryptosuite": suite}, signer, canonicalise)
        for suite in suites
    ]
    return {**unsecured, "proof": proofs[0] if len(proofs) == 1 else proofs}


def add_proof(
    document: dict[str, Json],
    signer: AnySigner,
    method: str,
    created: str,
    suite: str,
    terms: Terms = _ASSERTING,
    canonicalise: Canonicalise = canonical_nquads,
    *,
    identifier: str = "",
    previous: Sequence[str] = (),
) -> dict[str, Json]:
    """The document with one proof more, beside those it has (VC DI 1.0, section 4.3).

    `identifier` (a URL) lets later proofs build on it; `previous` are the identifiers of the
    proofs it builds on, which it then secures too. BadProof where one of those is not there.
    """
    parse_moment(created, "created")
    _check_kind(signer, suite)
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    earlier = _proofs(document)
    if len(earlier) >= _MOST_PROOFS:
        raise BadProof(f"the document has {len(earlier)} proofs already, the most there may be")
    options = {**_options(method, created, terms), "cryptosuite": suite}
    if identifier:
        if any(isinstance(one, dict) and one.get("id") == identifier for one in earlier):
            raise BadProof(f"the document has a proof {identifier!r:.80} already")
        options["id"] = identifier
    if previous:
        options["previousProof"] = previous[0] if len(previous) == 1 else list(previous)
    secured = {**unsecured, **_previous(options, earlier)}
    proof = _proof(secured, options, signer, canonicalise)
    return {**unsecured, "proof": [*earlier, proof] if earlier else proof}


def verify_proofs(
    document: dict[str, Json],
    key_of: KeyOf,
    terms: Terms = _ASSERTING,
    canonicalise: Canonicalise = canonical_nquads,
) -> tuple[ProofResult, ...]:
    """Check every proof that is understood; `key_of` gives the key of a verification method.

    Each must be for the purpose of `terms`, and for its domain and challenge where it has them.
    The caller decides on the results: a document is good only if one passed and none failed.
    BadProof if there are no proofs at all, or too many.
    """
    proofs = _proofs(document)
    if not 0 < len(proofs) <= _MOST_PROOFS:
        raise BadProof(f"the document carries no proof, or more than {_MOST_PROOFS}")
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    check = _Check(unsecured, proofs, key_of, terms, canonicalise)
    return _after_previous(proofs, [check.result(one) for one in proofs])


def only_suite(document: dict[str, Json], suite: str) -> dict[str, Json]:
    """The document with its proofs of one suite alone; BadProof if it has none."""
    kept = [one for one in _proofs(document) if isinstance(one, dict) and _suite(one) == suite]
    if not kept:
        raise BadProof(f"the document has no {suite} proof")
    return {**document, "proof": kept[0] if len(kept) == 1 else [*kept]}


def commitment(document: dict[str, Json]) -> bytes:
    """What the ledger says of a credential: SHA-256 of its JCS without `proof`, 32 bytes."""
    return sha256(
        encode({name: value for name, value in document.items() if name != "proof"})
    ).digest()


def _proofs(document: dict[str, Json]) -> list[Json]:
    proof = document.get("proof", [])
    return proof if isinstance(proof, list) else [proof]


def _options(method: str, created: str, terms: Terms) -> dict[str, Json]:
    return {
        "type": "DataIntegrityProof",
        "created": created,
        "verificationMethod": method,
        "proofPurpose": terms.purpose,
        **terms.options(),
    }


def _check_kind(signer: AnySigner, suite: str) -> None:
    algorithm = signer.public_key.algorithm
    if suite == ED25519_2020 or algorithm not in _ALGORITHMS.get(suite, ()):
        raise BadProof(f"a key of {algorithm} makes no proof of {suite!r:.40}")


def _proof(
    secured: dict[str, Json],
    options: dict[str, Json],
    signer: AnySigner,
    canonicalise: Canonicalise,
) -> dict[str, Json]:
    suite = str(options["cryptosuite"])
    if suite in _BY_JCS and "@context" in secured:
        options = {**options, "@context": secured["@context"]}
    data = _to_sign(secured, options, suite, signer.public_key, canonicalise)
    return {**options, "proofValue": "z" + base58_encode(signer.sign(data))}


def _previous(proof: dict[str, Json], proofs: Sequence[Json]) -> dict[str, Json]:
    """The proofs this one was added to, as part of what it signs (VC DI 1.0, section 4.3)."""
    if "previousProof" not in proof:
        return {}
    known = [other for other in proofs if isinstance(other, dict) and other is not proof]
    names = _names(proof)
    for name in names:
        if not any(other.get("id") == name for other in known):
            raise BadProof(f"there is no earlier proof {name!r:.80}, which a proof builds on")
    return {"proof": [other for other in known if other.get("id") in names]}


def _names(proof: dict[str, Json]) -> list[str]:
    named = proof["previousProof"]
    items = named if isinstance(named, list) else [named]
    names = [name for name in items if isinstance(name, str) and name]
    if not names or len(names) != len(items):
        raise BadProof("a proof's previousProof is not the id of a proof, or a list of them")
    return names


def _after_previous(proofs: Sequence[Json], results: list[ProofResult]) -> tuple[ProofResult, ...]:
    """A proof is verified only if those it builds on are (VC DI 1.0, section 4.5)."""
    for _ in proofs:
        pairs = list(zip(proofs, results, strict=True))
        bad = [one.get("id") for one, r in pairs if isinstance(one, dict) and not r.passed]
        for place, (proof, result) in enumerate(pairs):
            if result.passed and isinstance(proof, dict) and "previousProof" in proof:
                fallen = [name for name in _names(proof) if name in bad]
                if fallen:
                    error = f"the proof {fallen[0]!r:.80}, on which it builds, does not verify"
                    results[place] = replace(result, error=error, problem=BadProof.problem)
    return tuple(results)


def _to_sign(
    unsecured: dict[str, Json],
    options: dict[str, Json],
    suite: str,
    key: VerificationKey,
    canonicalise: Canonicalise,
) -> bytes:
    # The hash goes with the curve, inside RDFC-1.0 too (VC DI ECDSA 1.0, sections 3.2 and 3.2.4).
    digest = "sha384" if key.algorithm == "P-384" else "sha256"
    if suite in _BY_JCS:
        parts = encode(options), encode(unsecured)
    else:
        config = {**options, "@context": unsecured.get("@context")}
        parts = canonicalise(config, digest), canonicalise(unsecured, digest)
    return b"".join(new(digest, part).digest() for part in parts)


@dataclass(frozen=True, slots=True)
class _Check:
    """The check of a document's proofs, one by one."""

    unsecured: dict[str, Json]
    proofs: Sequence[Json]
    key_of: KeyOf
    terms: Terms
    canonicalise: Canonicalise

    def result(self, proof: Json) -> ProofResult:
        if not isinstance(proof, dict):
            error = "a proof is not an object"
            return ProofResult("", "", "", "", True, error, BadProof.problem)
        suite = _suite(proof)
        shown = suite or _text(proof, "cryptosuite") or _text(proof, "type")
        fault, problem = self._fault(proof, suite) if suite else (None, "")
        return ProofResult(
            suite or shown,
            _text(proof, "verificationMethod"),
            _text(proof, "created"),
            _text(proof, "expires"),
            understood=bool(suite),
            error=fault,
            problem=problem,
        )

    def _fault(self, proof: dict[str, Json], suite: str) -> tuple[str | None, str]:
        try:
            self._check(proof, suite)
        except CredentialsError as error:
            return str(error), error.problem
        except KeysError as error:
            return str(error), BadProof.problem
        return None, ""

    def _check(self, proof: dict[str, Json], suite: str) -> None:
        unknown = sorted(set(proof) - _FIELDS)
        if unknown:
            raise BadProof(f"the proof has a field that is not understood: {unknown[0][:40]!r}")
        for field in ("challenge", "id", "nonce"):
            if not isinstance(proof.get(field, ""), str):
                raise BadProof(f"the proof's {field} is not text")
        self._check_terms(proof)
        # Plain text and nothing else: RDF has the same quads for an `expires` that stands in a
        # list, so its signature would hold while nobody found a time to compare with (sections
        # 3.2.5, 3.3.5).
        for field in ("created", "expires"):
            if field in proof:
                parse_moment(_text(proof, field), field)
        # An entry added to @context after signing would change what the document means, while a
        # JCS proof, which carries the context it signed, would still hold (section 3.3.2, step 4).
        if "@context" in proof and proof["@context"] != self.unsecured.get("@context"):
            raise BadProof("the document's @context is not the one that was signed")
        value = proof.get("proofValue")
        if not isinstance(value, str) or not value.startswith("z"):
            raise BadProof("the proof value is not base58btc multibase")
        options = {name: item for name, item in proof.items() if name != "proofValue"}
        signature = base58_decode(value[1:])
        if "z" + base58_encode(signature) != value:
            raise BadProof("the proof value is not in its one base58btc form")
        key = self.key_of(_text(proof, "verificationMethod"))
        if key.algorithm not in _ALGORITHMS[suite]:
            raise BadProof(f"a key of {key.algorithm} makes no proof of {suite}")
        unsecured = {**self.unsecured, **_previous(proof, self.proofs)}
        key.verify(_to_sign(unsecured, options, suite, key, self.canonicalise), signature)

    def _check_terms(self, proof: dict[str, Json]) -> None:
        wanted = self.terms
        purpose = proof.get("proofPurpose")
        if purpose != wanted.purpose:
            raise BadProof(f"the proof is for {purpose!r:.40}, not {wanted.purpose}")
        domain = proof.get("domain")
        domains = domain if isinstance(domain, list) else [domain]
        if wanted.domain is not None and wanted.domain not in domains:
            raise WrongDomain(f"the proof is for the domain {domain!r:.80}, not {wanted.domain}")
        if wanted.challenge is not None and proof.get("challenge") != wanted.challenge:
            raise WrongChallenge("the proof does not answer the challenge that was given")


def _suite(proof: dict[str, Json]) -> str:
    """The name of the proof's suite, or nothing if it is not checked here."""
    suite = _text(proof, "cryptosuite")
    if proof.get("type") == ED25519_2020 and "cryptosuite" not in proof:
        return ED25519_2020
    known = proof.get("type") == "DataIntegrityProof" and suite != ED25519_2020
    return suite if known and suite in _ALGORITHMS else ""


def _text(proof: dict[str, Json], field: str) -> str:
    value = proof.get(field)
    return value if isinstance(value, str) else ""
