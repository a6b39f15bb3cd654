"""The line of a report that says whether the institution had authority, in every outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keys import Json, PrivateKey, b64u_encode
from ledger import Grant, KeyPeriod
from tests.award_kit import (
    APPROVING,
    AT,
    AWARDED,
    CREDENTIAL,
    GRANT,
    KEY,
    LOG,
    MEMBER,
    PLACE,
    RECEIPT,
    SECOND,
    SIGNING,
    TRUST,
    entry,
    holding,
    report,
    shown,
    signed_by,
    statement,
    trusting,
    unsigned,
)
from verifier import Check, Outcome, Report, Trust

VALUES = {"name.en": "North University", "name.zh": "北方大学"}
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
STRANGER = PrivateKey.from_seed(b"x" * 32)
ATTESTED = frozenset((b64u_encode(statement().hash),))
FORGED: dict[str, Json] = {**CREDENTIAL, "name": "Something else"}


def issuer(found: Report) -> Check:
    (check,) = (check for check in found.checks if check.name == "issuer")
    return check


def bare(trust: Trust, credential: dict[str, Json] = CREDENTIAL) -> Check:
    return issuer(report(credential, None, trust))


def keyed(*periods: KeyPeriod, attested: frozenset[str] = frozenset()) -> Trust:
    return trusting(periods, attested=attested)


def test_authorised() -> None:
    good = Check("issuer", PASSED, "issuer.good", VALUES, AWARDED)
    assert issuer(report()) == good
    assert issuer(report(receipt=LOG.short_receipt())) == good


def test_no_member() -> None:
    for receipt in (RECEIPT, None):
        found = issuer(report(receipt=receipt, trust=replace(TRUST, members={})))
        assert found == Check("issuer", FAILED, "issuer.stranger", {"did": MEMBER})


def test_without_receipt() -> None:
    assert bare(TRUST) == Check("issuer", PASSED, "issuer.registered", VALUES, "2026-03-10")
    suspended = trusting(active=False)
    assert bare(suspended) == Check("issuer", FAILED, "issuer.suspended", VALUES)
    # What stood in the ledger before stays.
    assert issuer(report(trust=suspended)).code == "issuer.good"


def test_without_a_good_signature_the_ledger_alone_can_tell() -> None:
    unproved = Check("issuer", Outcome.NOT_CHECKED, "issuer.unproved", VALUES)
    assert bare(TRUST, FORGED) == unproved
    broken = {**CREDENTIAL, "proof": {}}
    assert issuer(report(broken)) == Check("issuer", PASSED, "issuer.good", VALUES, AWARDED)


@pytest.mark.parametrize(
    ("period", "attested", "code"),
    [
        (KeyPeriod(KEY, PLACE), False, "issuer.good"),
        (KeyPeriod(KEY, PLACE + 1), False, "issuer.dead-key"),
        (KeyPeriod(KEY, 3, PLACE + 1), False, "issuer.good"),
        (KeyPeriod(KEY, 3, PLACE), False, "issuer.dead-key"),
        (KeyPeriod(KEY, 3, None, PLACE + 1), False, "issuer.good"),
        (KeyPeriod(KEY, 3, None, PLACE), False, "issuer.dead-key"),
        (KeyPeriod(KEY, 3, None, PLACE), True, "issuer.dead-key"),
        (KeyPeriod(KEY, 3, None, PLACE, "", PLACE + 1), False, "issuer.doubtful-key"),
        (KeyPeriod(KEY, 3, None, PLACE, "", PLACE + 1), True, "issuer.attested"),
        (KeyPeriod(KEY, 3, None, PLACE - 1, "", PLACE), True, "issuer.dead-key"),
        (KeyPeriod(KEY, 3, None, PLACE + 1, "", PLACE + 2), True, "issuer.good"),
        (KeyPeriod(SECOND, 3), False, "issuer.foreign-key"),
    ],
)
def test_the_window_of_a_key(period: KeyPeriod, attested: bool, code: str) -> None:
    found = issuer(report(trust=keyed(period, attested=ATTESTED if attested else frozenset())))
    assert (found.code, found.values) == (code, VALUES)
    good = code in ("issuer.good", "issuer.attested")
    assert found.outcome is (PASSED if good else FAILED)
    assert found.date == (AWARDED if good else "")


@pytest.mark.parametrize(
    ("period", "code"),
    [
        (KeyPeriod(KEY, 3), "issuer.registered"),
        (KeyPeriod(KEY, 3, 10_000), "issuer.dead-key"),
        (KeyPeriod(KEY, 3, None, 10_000), "issuer.dead-key"),
        (KeyPeriod(KEY, 3, None, 50, "", 200), "issuer.dead-key"),
        (KeyPeriod(SECOND, 3), "issuer.foreign-key"),
    ],
)
def test_the_window_of_a_key_where_nobody_knows_the_place(period: KeyPeriod, code: str) -> None:
    assert bare(keyed(period, attested=ATTESTED)).code == code


def test_every_key_that_signed_counts() -> None:
    """That of the credential and those of the statement, whichever of them is in doubt."""
    mine, doubt = KeyPeriod(KEY, 3), KeyPeriod(SECOND, 3, None, PLACE, "", PLACE + 1)
    both = statement().sign(SIGNING, APPROVING)
    by_second = signed_by(APPROVING, unsigned())

    def with_keys(*periods: KeyPeriod, attested: bool = False) -> list[str]:
        trust = keyed(*periods, attested=ATTESTED if attested else frozenset())
        shown_as = [
            report(CREDENTIAL, *holding(entry(both), trust)),
            report(by_second, trust=trust),
            report(trust=trust),
        ]
        return [issuer(found).code for found in shown_as]

    doubtful, stranger = "issuer.doubtful-key", "issuer.foreign-key"
    assert with_keys(mine, doubt) == [doubtful, doubtful, "issuer.good"]
    # A key in doubt that signed none of this is none of its business, attested or not.
    attested = ["issuer.attested", "issuer.attested", "issuer.good"]
    assert with_keys(mine, doubt, attested=True) == attested
    assert with_keys(mine) == [stranger, stranger, "issuer.good"]
    assert issuer(shown(statement().sign(STRANGER))).code == stranger


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        (replace(GRANT, index=PLACE - 1), "issuer.good"),
        (replace(GRANT, index=PLACE), "issuer.no-grant"),
        (replace(GRANT, fields=("medicine",)), "issuer.no-grant"),
        (replace(GRANT, fields=("*",)), "issuer.good"),
        (replace(GRANT, level=5), "issuer.good"),
        (replace(GRANT, level=4), "issuer.no-grant"),
        (replace(GRANT, start=AWARDED), "issuer.good"),
        (replace(GRANT, start="2026-03-03"), "issuer.no-grant"),
        (replace(GRANT, until=AWARDED), "issuer.good"),
        (replace(GRANT, until="2026-03-01"), "issuer.no-grant"),
    ],
)
def test_grants(grant: Grant, code: str) -> None:
    outcome = PASSED if code == "issuer.good" else FAILED
    wanted = Check("issuer", outcome, code, VALUES, AWARDED)
    assert issuer(report(trust=trusting(grants=(grant,)))) == wanted
    # One that covers it is enough.
    either = trusting(grants=(replace(GRANT, level=1), grant))
    assert issuer(report(trust=either)) == wanted


def test_grants_for_an_award_of_no_field_and_for_a_qualification() -> None:
    none = signed_by(SIGNING, unsigned(field=""))
    none_shown = shown(statement(none).sign(SIGNING), none)
    assert issuer(none_shown).code == "issuer.no-grant"
    qualification = signed_by(SIGNING, unsigned(credits=None))
    signed = statement(qualification, "confer").sign(SIGNING)
    for fields, code in (
        (("*",), "issuer.good"),
        (("computing",), "issuer.no-grant"),
        (("computing", "*"), "issuer.good"),
    ):
        trust = trusting(grants=(replace(GRANT, fields=fields),))
        found = report(qualification, *holding(entry(signed), trust), AT)
        assert [check.code for check in found.checks if check.outcome is FAILED] == (
            [] if code == "issuer.good" else [code]
        )
        assert issuer(found).code == code
