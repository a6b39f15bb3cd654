"""What a report says of a stranger's credential: never that it is verified."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from credentials import (
    JCS,
    RDFC,
    StatusList,
    sign,
    status_list_credential,
)
from keys import (
    Json,
    PrivateKey,
    did_document,
    did_key,
    verification_method,
)
from verifier import Outcome, Report, Verdict, verify_foreign

AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
NOW = "2026-11-24T12:00:00Z"
ISSUER = PrivateKey.from_seed(b"i" * 32)
HOLDER = PrivateKey.from_seed(b"h" * 32)
DID = did_key(ISSUER.public_key)
WEB = "did:web:a.example"
LIST = "https://a.example/status/1"


def signed(document: dict[str, Any], did: str = DID) -> dict[str, Any]:
    method = verification_method(did, ISSUER.public_key)
    return sign(document, ISSUER, method, NOW, (RDFC, JCS))


def credential(did: str = DID, **changes: Any) -> dict[str, Any]:
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:6e0b2d6a-7c43-4c89-9ed8-7b4e0b6f3a11",
        "type": ["VerifiableCredential"],
        "issuer": did,
        "name": "Accounting",
        "credentialSubject": {"id": did_key(HOLDER.public_key), "name": "张伟"},
        **changes,
    }
    return signed({name: item for name, item in document.items() if item is not None}, did)


def entry(index: int = 7, purpose: str = "revocation", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{LIST}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": LIST,
        **changes,
    }


def status_list(*places: int, purpose: str = "revocation", did: str = DID) -> dict[str, Any]:
    bits = StatusList.of(list(places))
    return signed(
        status_list_credential(LIST, did, purpose, bits, NOW, "2026-12-01T00:00:00Z"), did
    )


def codes(report: Report) -> dict[str, str]:
    for check in report.checks:
        for language in ("en", "zh"):
            assert "{" not in check.sentence(language)
    return {check.name: check.code for check in report.checks}


def test_a_good_one_is_verified_in_part_at_most() -> None:
    report = verify_foreign(credential(), None, AT)
    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report) == {
        "format": "format.foreign",
        "signature": "signature.good",
        "issuer": "issuer.foreign",
        "ledger": "ledger.foreign",
        "status": "status.none",
        "validity": "validity.undated",
        "holder": "holder.file",
        "trust": "trust.none",
    }
    assert report.subject.learner == "张伟"
    assert report.subject.achievement == "Accounting"
    assert report.to_json()["trust"] == {"version": 0, "issued": ""}


def test_a_changed_one_is_not_verified() -> None:
    changed = {**credential(), "name": "Law"}
    report = verify_foreign(changed, None, AT)
    assert report.verdict is Verdict.NOT_VERIFIED
    assert codes(report)["signature"] == "signature.bad"
    misspelt = {**credential(), "nmae": "Law"}
    report = verify_foreign(misspelt, None, AT)
    assert codes(report)["format"] == "format.bad"
    assert {c.outcome for c in report.checks[1:]} == {Outcome.NOT_CHECKED}


@pytest.mark.parametrize(
    ("changes", "code", "verdict"),
    [
        ({"validFrom": "2026-01-01T00:00:00Z"}, "validity.good", Verdict.CANNOT_TELL),
        ({"validUntil": "2027-01-01T00:00:00Z"}, "validity.undated-until", Verdict.CANNOT_TELL),
        (
            {"validFrom": "2026-11-24T20:00:00+08:00", "validUntil": "2027-01-01T00:00:00Z"},
            "validity.until",
            Verdict.CANNOT_TELL,
        ),
        ({"validUntil": "2026-11-24T12:29:59Z"}, "validity.past", Verdict.NOT_VERIFIED),
        ({"validFrom": "2026-11-24T12:30:01Z"}, "validity.early", Verdict.NOT_VERIFIED),
        ({"validFrom": "2026-11-24T20:30:01+08:00"}, "validity.early", Verdict.NOT_VERIFIED),
    ],
)
def test_dates(changes: dict[str, Any], code: str, verdict: Verdict) -> None:
    report = verify_foreign(credential(**changes), None, AT)
    assert (codes(report)["validity"], report.verdict) == (code, verdict)
    assert codes(report)["signature"] == "signature.good"


def test_the_first_data_model_dates_otherwise() -> None:
    first = [
        "https://www.w3.org/2018/credentials/v1",
        "https://w3id.org/security/data-integrity/v2",
    ]
    dated = {"@context": first, "name": None, "issuanceDate": "2026-01-01T00:00:00Z"}
    subject = {"id": "did:example:subject"}
    old = credential(**dated, credentialSubject=subject)
    assert codes(verify_foreign(old, None, AT))["validity"] == "validity.good"
    over = credential(**dated, credentialSubject=subject, expirationDate="2026-02-01T00:00:00Z")
    assert codes(verify_foreign(over, None, AT))["validity"] == "validity.past"


@pytest.mark.parametrize(
    ("entries", "lists", "code"),
    [
        ([entry()], [], "status.foreign"),
        ([entry()], [status_list()], "status.good"),
        (entry(), [status_list()], "status.good"),
        ([entry()], [status_list(6, 8)], "status.good"),
        ([entry()], [status_list(7)], "status.revoked"),
        ([entry(purpose="suspension")], [status_list(7, purpose="suspension")], "status.suspended"),
        ([entry()], [status_list(7, purpose="suspension")], "status.bad"),
        ([entry()], [{**status_list(), "id": "https://a.example/status/2"}], "status.foreign"),
        ([entry()], [{**status_list(), "validFrom": "2026-11-23T00:00:00Z"}], "status.bad"),
        ([entry(statusListIndex="131072")], [status_list()], "status.bad"),
        ([entry(type="StatusList2021Entry")], [status_list()], "status.unknown"),
        (
            [entry(), entry(purpose="suspension", statusListCredential=f"{LIST}/2")],
            [status_list()],
            "status.foreign",
        ),
        (
            [entry(), entry(purpose="suspension", statusListCredential=f"{LIST}/2")],
            [status_list(7)],
            "status.revoked",
        ),
        ([entry()] * 9, [status_list()], "status.bad"),
    ],
)
def test_status(entries: Json, lists: list[dict[str, Json]], code: str) -> None:
    kind = {"@context": [*credential()["@context"], "https://w3id.org/vc/status-list/2021/v1"]}
    old = code == "status.unknown"
    made = credential(credentialStatus=entries, **(kind if old else {}))
    report = verify_foreign(made, None, AT, status_lists=lists)
    assert codes(report)["status"] == code
    failed = code in ("status.revoked", "status.suspended", "status.bad")
    assert (report.verdict is Verdict.NOT_VERIFIED) is failed


def test_a_list_by_another_says_nothing() -> None:
    other = PrivateKey.from_seed(b"o" * 32)
    did = did_key(other.public_key)
    document = status_list_credential(
        LIST, did, "revocation", StatusList.of([]), NOW, "2026-12-01T00:00:00Z"
    )
    forged = sign(document, other, verification_method(did, other.public_key), NOW)
    made = credential(credentialStatus=entry())
    assert codes(verify_foreign(made, None, AT, status_lists=[forged]))["status"] == "status.other"
    good = verify_foreign(made, None, AT, status_lists=[status_list()])
    assert codes(good)["status"] == "status.good"


def test_did_web_needs_its_document() -> None:
    made = credential(WEB)
    assert codes(verify_foreign(made, None, AT))["signature"] == "signature.bad"
    documents: list[Json] = [did_document(WEB, [ISSUER.public_key])]
    report = verify_foreign(made, None, AT, documents)
    assert codes(report)["signature"] == "signature.good"
    assert report.verdict is Verdict.CANNOT_TELL
    other = credential("did:web:b.example")
    assert codes(verify_foreign(other, None, AT, documents))["signature"] == "signature.bad"


@pytest.mark.parametrize("name", ["\u202egnitnuoccA", "a\u001b[2Jb", "a\u200bb", "x" * 500])
def test_what_a_stranger_wrote_is_shown_with_care(name: str) -> None:
    report = verify_foreign(credential(name=name), None, AT)
    subject = report.subject
    assert codes(report)["format"] == ("format.foreign" if "x" in name else "format.hidden")
    assert subject.achievement.isprintable()
    assert len(subject.achievement) <= 200
    assert subject.achievement != name
