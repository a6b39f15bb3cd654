"""The VC-API as its specification has it, and what the W3C's suites ask of it."""

from __future__ import annotations

import copy
import json
import random
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bank.vc_api import Instance, make_vc_api
from credentials import ECDSA_RDFC, JCS, RDFC
from keys import PrivateKey
from keys.ecdsa import EcdsaPrivateKey

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
SECURITY = "https://w3id.org/security#"
MALFORMED = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"
STATUS = "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR"
KEY = PrivateKey.from_seed(b"i" * 32)
HOLDER = PrivateKey.from_seed(b"h" * 32)


class Api:
    """A client of one instance, whose clock can be moved."""

    def __init__(self, **settings: Any) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        signer = settings.pop("signer", KEY)
        suites = settings.pop("suites", (RDFC,))
        self.instance = Instance(
            signer,
            suites,
            "http://localhost:8600/vc-api",
            lambda: self.now,
            random.Random(1),
            **settings,
        )
        self.http = TestClient(make_vc_api(self.instance), raise_server_exceptions=False)

    def post(self, route: str, expected: int, /, **body: Any) -> Any:
        answer = self.http.post(f"/vc-api/{route}", json=body)
        assert answer.status_code == expected, answer.text
        return answer.json()

    def credential(self, **changes: Any) -> dict[str, Any]:
        document = {
            "@context": [V2],
            "id": "urn:uuid:9c9a36f8-518f-4976-a934-6649502d0001",
            "type": ["VerifiableCredential"],
            "issuer": self.instance.did,
            "credentialSubject": {"id": "did:example:subject", "name": "张伟"},
        }
        return {**document, **changes}

    def issue(self, **changes: Any) -> dict[str, Any]:
        body = self.post("credentials/issue", 201, credential=self.credential(**changes))
        found: dict[str, Any] = body["verifiableCredential"]
        return found

    def refusal(self, credential: Any) -> str:
        """The kind of error with which issuing is refused."""
        body = self.post("credentials/issue", 400, credential=credential)
        return str(body["type"])

    def fault(self, credential: Any) -> str:
        """The kind of error with which verifying fails."""
        body = self.post("credentials/verify", 400, verifiableCredential=credential)
        assert body["verified"] is False
        assert body["errors"] == body["problemDetails"]
        for error in body["errors"]:
            assert set(error) == {"type", "title", "detail", "status"}
        return str(body["errors"][0]["type"])

    def verified(self, credential: Any) -> dict[str, Any]:
        body: dict[str, Any] = self.post("credentials/verify", 200, verifiableCredential=credential)
        assert body["verified"] is True
        return body


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.mark.parametrize(
    "settings",
    [
        {"suites": (RDFC,)},
        {"suites": (JCS,)},
        {"suites": (RDFC, JCS)},
        {"suites": (ECDSA_RDFC,), "signer": EcdsaPrivateKey.from_secret("P-384", 5)},
    ],
)
def test_what_is_issued_verifies_and_nothing_else(settings: dict[str, Any]) -> None:
    api = Api(**settings)
    issued = api.issue()
    proofs = issued["proof"] if isinstance(issued["proof"], list) else [issued["proof"]]
    assert [proof["cryptosuite"] for proof in proofs] == list(settings["suites"])
    assert api.verified(issued)["errors"] == []
    for path, value in (
        (("credentialSubject", "name"), "李娜"),
        (("issuer",), f"did:key:{HOLDER.public_key.multikey}"),
        (("id",), "urn:uuid:9c9a36f8-518f-4976-a934-6649502d0002"),
        (("credentialStatus", 0, "statusListIndex"), "7"),
    ):
        changed: Any = copy.deepcopy(issued)
        place = changed
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        assert api.fault(changed) == SECURITY + "PROOF_VERIFICATION_ERROR", path


def test_what_the_answer_looks_like(api: Api) -> None:
    body = {"credential": api.credential(), "options": {"credentialId": "x", "anything": 1}}
    wrapped = api.http.post("/vc-api/credentials/issue", json=body)
    assert set(wrapped.json()) == {"verifiableCredential"}
    only = {"Accept": "application/json"}
    bare = api.http.post("/vc-api/credentials/issue", json=body, headers=only)
    assert bare.json()["type"] == ["VerifiableCredential"]


MALFORMED_CASES: dict[str, dict[str, Any]] = {
    "a context in another order": {"@context": [EXAMPLES, V2]},
    "no type": {"type": []},
    "an id that is none": {"id": "https ://x"},
    "a null": {"id": None},
    "no claim": {"credentialSubject": {}},
    "a status without a type": {"credentialStatus": {"id": "did:example:s"}},
    "an unknown context": {"@context": [V2, "https://unknown.example/v1"]},
    "a redefined type": {"@context": [V2, {"VerifiableCredential": "https://x.example/#V"}]},
    "a context that fetches": {"@context": [V2, {"@import": "https://x.example"}]},
    "a context within a context": {"@context": [V2, {"a": {"@id": "https://x", "@context": {}}}]},
    "an issuer that does not sign here": {"issuer": "did:example:issuer"},
    "enveloped": {"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,eyJ"},
}


@pytest.mark.parametrize("case", MALFORMED_CASES)
def test_what_is_not_issued(api: Api, case: str) -> None:
    kind = api.refusal(api.credential(**MALFORMED_CASES[case]))
    assert kind in (MALFORMED, "about:blank")
    api.issue()


@pytest.mark.parametrize("suites", [(RDFC,), (JCS,)])
def test_terms_nobody_defined_are_lost_data(suites: tuple[str, ...]) -> None:
    """JCS would cover them, but what they mean nobody knows."""
    api = Api(suites=suites)
    lost = SECURITY + "DATA_LOSS_DETECTION_ERROR"
    subject = {"id": "did:example:subject", "nickname": "x"}
    assert api.refusal(api.credential(credentialSubject=subject)) == lost
    assert api.refusal(api.credential(type=["VerifiableCredential", "Undefined"])) == lost
    defined = {"nickname": "https://x.example/#nickname"}
    issued = api.issue(**{"@context": [V2, defined]}, credentialSubject=subject)
    api.verified(issued)
    # Nor may a term be put in later, with a context that defines it.
    later = {**api.issue(), "@context": [V2, {"note": "https://x.example/#note"}], "note": "x"}
    assert api.fault(later) == SECURITY + "PROOF_VERIFICATION_ERROR"


def test_a_status_that_is_set_and_cleared(api: Api) -> None:
    issued = api.issue()
    entries = issued["credentialStatus"]
    assert [entry["statusPurpose"] for entry in entries] == ["revocation", "suspension"]
    assert entries[0]["statusListIndex"] == entries[1]["statusListIndex"]
    for purpose in ("revocation", "suspension"):
        entry = {"type": "BitstringStatusListEntry", "statusPurpose": purpose}
        said = {"credentialId": issued["id"], "credentialStatus": entry}
        api.post("credentials/status", 200, **said)
        assert api.fault(issued) == STATUS
        api.post("credentials/status", 200, **said, status=False)
        api.verified(issued)
    api.post("credentials/status", 404, credentialId="urn:uuid:0", credentialStatus=entry)
    api.post("credentials/status", 400, credentialId=issued["id"], credentialStatus={})
    other = {**entry, "statusPurpose": "refresh"}
    api.post("credentials/status", 400, credentialId=issued["id"], credentialStatus=other)


def test_the_status_list_is_a_credential_of_its_own(api: Api) -> None:
    issued = api.issue()
    url = issued["credentialStatus"][0]["statusListCredential"]
    document = api.http.get(url.removeprefix("http://localhost:8600")).json()
    assert document["id"] == url
    assert document["credentialSubject"]["encodedList"].startswith("u")
    api.verified(document)
    document["credentialSubject"]["statusPurpose"] = "suspension"
    assert api.fault(document) == SECURITY + "PROOF_VERIFICATION_ERROR"


def test_a_status_that_cannot_be_seen_is_not_said_to_be_good(api: Api) -> None:
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://other.example/status/1",
    }
    found = api.verified(api.issue(credentialStatus=entry))
    assert found["warnings"] == ["the status list https://other.example/status/1 was not fetched"]
    kind = "https://www.w3.org/ns/credentials/status-list#RANGE_ERROR"
    own = {**entry, "statusListCredential": "http://localhost:8600/vc-api/status/revocation"}
    far = api.issue(credentialStatus={**own, "statusListIndex": "131072"})
    assert api.fault(far) == kind
    api.verified(api.issue(credentialStatus={**own, "statusListIndex": "131071"}))
    wrong = api.issue(credentialStatus={**own, "statusPurpose": "suspension"})
    assert api.fault(wrong) == STATUS
    two_bits = {**own, "statusSize": 2}
    assert api.fault(api.issue(credentialStatus=two_bits)) == MALFORMED
    text = {**own, "statusListIndex": "seven"}
    assert api.fault(api.issue(credentialStatus=text)) == MALFORMED
    messages = [{"status": f"0x{n}", "message": "m"} for n in range(4)]
    api.verified(api.issue(credentialStatus={**two_bits, "statusMessage": messages}))


def test_dates(api: Api) -> None:
    until = api.issue(validFrom="2026-11-01T00:00:00Z", validUntil="2026-12-01T00:00:00Z")
    api.verified(until)
    api.now = datetime(2026, 12, 2, tzinfo=UTC)
    assert api.fault(until) == MALFORMED
    api.now = datetime(2026, 10, 2, tzinfo=UTC)
    assert api.fault(until) == MALFORMED


def presentation(api: Api, **changes: Any) -> dict[str, Any]:
    inside = [api.issue(), api.issue(id="urn:uuid:9c9a36f8-518f-4976-a934-6649502d0003")]
    return {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": inside,
        **changes,
    }


OPTIONS = {"domain": "employer.example", "challenge": "c-1"}


def test_a_presentation_answers_its_challenge() -> None:
    api = Api(holder=HOLDER)
    body = api.post("presentations/prove", 201, presentation=presentation(api), options=OPTIONS)
    proved = body["verifiablePresentation"]
    assert proved["holder"] == f"did:key:{HOLDER.public_key.multikey}"

    def ask(status: int, document: Any, **options: Any) -> Any:
        route = "presentations/verify"
        return api.post(route, status, verifiablePresentation=document, options=options)

    assert ask(200, proved, **OPTIONS)["verified"] is True
    wrong = ask(400, proved, domain="other.example", challenge="c-1")
    assert wrong["errors"][0]["type"] == SECURITY + "INVALID_DOMAIN_ERROR"
    wrong = ask(400, proved, domain="employer.example", challenge="c-2")
    assert wrong["errors"][0]["type"] == SECURITY + "INVALID_CHALLENGE_ERROR"
    for change in (
        lambda p: p["verifiableCredential"].pop(),
        lambda p: p["verifiableCredential"][0]["credentialSubject"].update(name="x"),
        lambda p: p.update(holder=api.instance.did),
        lambda p: p.pop("proof"),
        lambda p: p.update(verifiableCredential=["eyJ"]),
        lambda p: p.update(type="EnvelopedVerifiablePresentation"),
    ):
        changed = copy.deepcopy(proved)
        change(changed)
        ask(400, changed, **OPTIONS)
    # A revoked credential does not hide in a presentation.
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
    identifier = proved["verifiableCredential"][1]["id"]
    api.post("credentials/status", 200, credentialId=identifier, credentialStatus=entry)
    assert ask(400, proved, **OPTIONS)["errors"][0]["type"] == STATUS


def test_without_a_holders_key_nothing_is_presented(api: Api) -> None:
    api.post("presentations/prove", 404, presentation=presentation(api), options=OPTIONS)


def test_someone_elses_presentation_is_not_signed() -> None:
    api = Api(holder=HOLDER)
    other = presentation(api, holder="did:example:alice")
    api.post("presentations/prove", 400, presentation=other, options=OPTIONS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"credential": 7}',
        b'{"credential": {"id": "did:a:b", "id": "did:a:c"}}',
        b'{"verifiableCredential": NaN}',
        b'{"credential": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"options": 7, "credential": {}}',
        b" " * (1024 * 1024 + 1),
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_bodies_that_are_none(api: Api, body: bytes) -> None:
    for route in ("issue", "verify", "status"):
        answer = api.http.post(f"/vc-api/credentials/{route}", content=body)
        assert answer.status_code == 400, answer.text
        assert len(json.loads(answer.content)) > 2


def clique(number: int) -> dict[str, Any]:
    """Objects without ids that all know each other: nothing tells them apart."""
    knows = {"knows": {"@id": "https://x.example/#knows", "@type": "@id"}}
    nodes = [
        {"id": f"_:n{n}", "knows": [f"_:n{m}" for m in range(number) if m != n]}
        for n in range(number)
    ]
    return {"@context": [V2, knows], "credentialSubject": {"id": "did:a:b", "knows": nodes}}


def test_a_clique_of_blank_nodes_is_refused_at_once(api: Api) -> None:
    start = time.perf_counter()
    assert api.refusal(api.credential(**clique(12))) == MALFORMED
    assert time.perf_counter() - start < 5  # without a limit it would take hours
    api.issue(**clique(2))


def test_too_much_of_anything(api: Api) -> None:
    subject = {"id": "did:a:b", "name": ["x"] * 2000}
    assert api.refusal(api.credential(credentialSubject=subject)) == MALFORMED
    terms = {f"t{n}": "https://x.example/#t" for n in range(65)}
    assert api.refusal(api.credential(**{"@context": [V2, terms]})) == MALFORMED
