"""What a VC-API instance does, without HTTP: an issuer, a verifier and, given a key, a holder."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bank.errors import BadRequest, NoSuchThing
from credentials import (
    AUTHENTICATION,
    REVOCATION,
    SUSPENSION,
    BadStatusList,
    CredentialsError,
    StatusList,
    Terms,
    format_moment,
    key_in_did_key,
    sign,
    status_list_credential,
)
from credentials.data_model import (
    V2,
    check_credential,
    check_presentation,
    credentials_in,
    party,
)
from credentials.rdf import canonical_nquads_written
from credentials.status import LENGTH
from credentials.status_entry import ENTRY, StatusEntry, value_in
from credentials.verifiable import Check, Fault, presentation_terms
from keys import AnySigner, Json

_DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
_LIST_DAYS = 7
_MOST = LENGTH * 3 // 4
# What a set bit says, and how sure a verifier may be of it.
_REVOKED = {REVOCATION: "revoked", SUSPENSION: "suspended"}


@dataclass
class Instance:
    """An issuer under its did:key; what it issued it knows until it ends."""

    signer: AnySigner
    suites: Sequence[str]
    url: str
    """Where its routes are served: status lists are named under it."""
    clock: Callable[[], datetime]
    dice: random.Random
    holder: AnySigner | None = None
    with_status: bool = True
    _places: dict[str, int] = field(default_factory=dict)
    _taken: set[int] = field(default_factory=set)
    _set: dict[str, set[int]] = field(
        default_factory=lambda: {purpose: set() for purpose in _REVOKED}
    )

    @property
    def did(self) -> str:
        """The issuer's DID."""
        return f"did:key:{self.signer.public_key.multikey}"

    def issue(self, credential: Json, identifier: str | None = None) -> dict[str, Json]:
        """The credential, signed; BadRequest or a CredentialsError says why not.

        `identifier` is what its status is asked for by, where it has no id of its own.
        """
        if not isinstance(credential, dict):
            raise BadRequest("there is no object 'credential' to be issued")
        check_credential(credential)
        document = _with_data_integrity(credential)
        if party(document, "issuer") != self.did:
            raise BadRequest(f"the credential's issuer is not {self.did}, which signs here")
        name = document.get("id", identifier)
        version_2 = _many(document["@context"])[0] == V2
        if self.with_status and version_2 and "credentialStatus" not in document:
            document["credentialStatus"] = self._entries(self._place(str(name) if name else None))
        earlier = document.pop("proof", None)
        canonical_nquads_written(document)
        signed = self._sign(document, self.signer, Terms())
        if earlier is not None:
            signed["proof"] = [*_many(earlier), *_many(signed["proof"])]
        return signed

    def verify(self, credential: Json) -> tuple[list[Fault], list[str]]:
        """What is wrong with a credential, and what could not be checked."""
        faults = self._check().credential(credential)
        if faults or not isinstance(credential, dict):
            return faults, []
        return self._status_faults(credential)

    def verify_presentation(
        self, presentation: Json, domain: str | None, challenge: str | None
    ) -> tuple[list[Fault], list[str]]:
        """What is wrong with a presentation or what it holds, and what could not be checked."""
        terms = presentation_terms(domain, challenge)
        unknown: list[str] = []
        faults = self._check().presentation(presentation, terms)
        if not faults and isinstance(presentation, dict):
            for credential in credentials_in(presentation):
                more, unsure = self._status_faults(credential)
                faults, unknown = faults + more, unknown + unsure
        return faults, unknown

    def prove(
        self, presentation: Json, domain: str | None, challenge: str | None
    ) -> dict[str, Json]:
        """The presentation, signed by the holder."""
        if self.holder is None:
            raise NoSuchThing("this instance holds no key of a holder: start it with --holder")
        if not isinstance(presentation, dict):
            raise BadRequest("there is no object 'presentation' to be signed")
        check_presentation(presentation)
        holder = f"did:key:{self.holder.public_key.multikey}"
        if party(presentation, "holder") not in ("", holder):
            raise BadRequest(f"the presentation's holder is not {holder}, which signs here")
        for credential in credentials_in(presentation):
            check_credential(credential)
        terms = Terms(AUTHENTICATION, domain, challenge)
        return self._sign({**presentation, "holder": holder}, self.holder, terms)

    def set_status(self, identifier: str, purpose: str, value: bool) -> None:
        """Set or clear the status of a credential issued here."""
        if identifier not in self._places:
            raise NoSuchThing(f"no credential {identifier[:100]!r} was issued here")
        if purpose not in self._set:
            raise BadRequest(f"statusPurpose is one of {', '.join(self._set)}, not {purpose!r:.40}")
        places = self._set[purpose]
        (places.add if value else places.discard)(self._places[identifier])

    def status_list(self, purpose: str) -> dict[str, Json]:
        """The signed list credential of a purpose."""
        if purpose not in self._set:
            raise NoSuchThing(f"there is no status list for {purpose[:40]!r}")
        now = self.clock()
        document = status_list_credential(
            self._list_url(purpose),
            self.did,
            purpose,
            StatusList.of(sorted(self._set[purpose])),
            format_moment(now),
            format_moment(now + timedelta(days=_LIST_DAYS)),
        )
        return self._sign(document, self.signer, Terms())

    def _sign(self, document: dict[str, Json], signer: AnySigner, terms: Terms) -> dict[str, Json]:
        key = signer.public_key.multikey
        method, now = f"did:key:{key}#{key}", format_moment(self.clock())
        return sign(document, signer, method, now, self.suites, terms, canonical_nquads_written)

    def _check(self) -> Check:
        return Check(key_in_did_key, self.clock(), canonical_nquads_written)

    def _list_url(self, purpose: str) -> str:
        return f"{self.url}/status/{purpose}"

    def _place(self, identifier: str | None) -> int:
        if len(self._taken) >= _MOST:
            raise BadRequest("this instance has issued all the credentials its status lists hold")
        place = self.dice.randrange(LENGTH)
        while place in self._taken:
            place = self.dice.randrange(LENGTH)
        self._taken.add(place)
        if identifier is not None:
            self._places[identifier] = place
        return place

    def _entries(self, place: int) -> list[Json]:
        return [
            {
                "id": f"{self._list_url(purpose)}#{place}",
                "type": ENTRY,
                "statusPurpose": purpose,
                "statusListIndex": str(place),
                "statusListCredential": self._list_url(purpose),
            }
            for purpose in self._set
        ]

    def _status_faults(self, credential: dict[str, Json]) -> tuple[list[Fault], list[str]]:
        faults: list[Fault] = []
        unknown: list[str] = []
        for entry in _many(credential.get("credentialStatus", [])):
            if not isinstance(entry, dict) or entry.get("type") != ENTRY:
                unknown.append("a status of a kind that is not known here was not checked")
                continue
            try:
                place = StatusEntry.of(entry)
                purpose = next((p for p in self._set if self._list_url(p) == place.url), None)
                if purpose is None:
                    unknown.append(f"the status list {place.url} was not fetched")
                elif value_in(place, self.status_list(purpose), self.clock()):
                    reason = f"the credential is {_REVOKED[purpose]}"
                    faults.append(Fault(BadStatusList.problem, reason))
            except CredentialsError as error:
                faults.append(Fault(error.problem, str(error)))
        return faults, unknown


def _with_data_integrity(document: dict[str, Json]) -> dict[str, Json]:
    """VCDM 1.1's own context knows no Data Integrity terms (VC DI 1.0, section 2.4.1)."""
    contexts = _many(document["@context"])
    if contexts[0] == V2 or _DATA_INTEGRITY in contexts:
        return dict(document)
    return {**document, "@context": [*contexts, _DATA_INTEGRITY]}


def _many(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]
