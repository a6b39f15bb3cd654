"""Verification of any issuer's credentials and presentations: structure, terms, proofs, dates.

Whether the issuer deserves trust is another question, which a registry answers, not this.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from credentials.data_model import (
    check_credential,
    check_presentation,
    credentials_in,
    party,
)
from credentials.errors import BadDocument, BadProof, CredentialsError
from credentials.moment import parse_moment
from credentials.proofs import AUTHENTICATION, Canonicalise, KeyOf, Terms, verify_proofs
from credentials.rdf import canonical_nquads
from credentials.verification_method import Resolve, key_by_resolving
from keys import Json, VerificationKey

MOST_CREDENTIALS = 100
"""In one presentation."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; `problem` names its kind as the W3C's specifications do."""

    problem: str
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """How documents are verified: whose key is whose, and as of when (aware)."""

    key_of: KeyOf
    at: datetime
    canonicalise: Canonicalise = field(default=canonical_nquads)
    resolve: Resolve | None = None
    """Looks up the documents of did:web, which are otherwise not known."""

    def credential(self, document: Json) -> list[Fault]:
        """What is wrong with a credential; nothing where it verifies."""
        if not isinstance(document, dict):
            return [_fault(BadDocument("a credential is a JSON object"))]
        return self.form(document) or self.dates(document) or self.proofs(document)

    def form(self, document: dict[str, Json]) -> list[Fault]:
        """What keeps a document from being a credential, or from meaning what it says."""
        try:
            check_credential(document)
            self._check_terms(document)
        except CredentialsError as error:
            return [_fault(error)]
        return []

    def dates(self, document: dict[str, Json]) -> list[Fault]:
        """What is wrong with the time of a credential whose form is good."""
        try:
            _check_dates(document, self.at)
        except CredentialsError as error:
            return [_fault(error)]
        return []

    def proofs(self, document: dict[str, Json]) -> list[Fault]:
        """What is wrong with the proofs of a credential whose form is good."""
        return list(self._proof_faults(document, party(document, "issuer"), Terms()))

    def presentation(self, document: Json, terms: Terms) -> list[Fault]:
        """What is wrong with a presentation or a credential in it; nothing where all verify.

        Its proofs must be for `terms`; a holder, where one is named, must control their keys.
        """
        if not isinstance(document, dict):
            return [_fault(BadDocument("a presentation is a JSON object"))]
        faults = self.presentation_form(document)
        if faults:
            return faults
        faults = self.presentation_proofs(document, terms)
        for credential in credentials_in(document):
            faults += self.credential(credential)
        return faults

    def presentation_form(self, document: dict[str, Json]) -> list[Fault]:
        """What keeps a document from being a presentation, the credentials in it aside."""
        try:
            check_presentation(document)
            if len(credentials_in(document)) > MOST_CREDENTIALS:
                raise BadDocument(f"a presentation holds at most {MOST_CREDENTIALS} credentials")
            # Each credential has contexts of its own, by which it is checked for itself.
            self._check_terms(
                {name: item for name, item in document.items() if name != "verifiableCredential"}
            )
        except CredentialsError as error:
            return [_fault(error)]
        return []

    def presentation_proofs(self, document: dict[str, Json], terms: Terms) -> list[Fault]:
        """What is wrong with the proofs of a presentation whose form is good."""
        return list(self._proof_faults(document, party(document, "holder"), terms))

    def _check_terms(self, document: dict[str, Json]) -> None:
        """A JCS proof covers every byte, but what a term means the contexts must say."""
        self.canonicalise({name: value for name, value in document.items() if name != "proof"})

    def _key(self, purpose: str, method: str) -> VerificationKey:
        if self.resolve is not None and method.startswith("did:web:"):
            return key_by_resolving(method, purpose, self.at, self.resolve)
        return self.key_of(method)

    def _proof_faults(
        self, document: dict[str, Json], controller: str, terms: Terms
    ) -> Iterator[Fault]:
        try:
            key_of = partial(self._key, terms.purpose)
            results = verify_proofs(document, key_of, terms, self.canonicalise)
        except CredentialsError as error:
            yield _fault(error)
            return
        for result in results:
            owner = result.method.partition("#")[0]
            if not result.understood:
                yield Fault(BadProof.problem, f"a proof of {result.suite!r:.60} is not known here")
            elif result.error is not None:
                yield Fault(result.problem, result.error)
            elif controller and owner != controller:
                reason = f"the key of a proof is {owner}'s, not {controller}'s"
                yield Fault(BadProof.problem, reason)
            elif result.expires and parse_moment(result.expires, "expires") < self.at:
                yield Fault(BadProof.problem, f"a proof expired at {result.expires}")


def presentation_terms(domain: str | None, challenge: str | None) -> Terms:
    """What a presentation's proof must be for."""
    return Terms(AUTHENTICATION, domain, challenge)


def _check_dates(document: dict[str, Json], at: datetime) -> None:
    for name in ("validFrom", "issuanceDate"):
        if name in document and parse_moment(str(document[name]), name) > at:
            raise BadDocument(f"the credential is valid only from {document[name]}")
    for name in ("validUntil", "expirationDate"):
        if name in document and parse_moment(str(document[name]), name) < at:
            raise BadDocument(f"the credential was valid until {document[name]}")


def _fault(error: CredentialsError) -> Fault:
    return Fault(error.problem, str(error))
