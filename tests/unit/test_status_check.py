"""The line of a report that says whether an award was revoked or suspended, in every outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from credentials import REVOCATION, SUSPENSION, StatusSlot, sign
from keys import Json, PrivateKey, verification_method
from tests.award_kit import (
    AT,
    BANK,
    BANK_KEY,
    ISSUED,
    LISTS,
    SIGNING,
    TRUST,
    URL,
    by_bank,
    report,
    signed_by,
    status_list,
    unsigned,
)
from verifier import Check, Outcome

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FRESH = {"date": "2026-03-10", "age.en": "today", "age.zh": "今天"}
GOOD = Check("status", Outcome.PASSED, "status.good", FRESH, "2026-03-10")
SUSPENDED = f"{URL}/suspension"


def status(
    lists: dict[str, dict[str, Json]],
    at: datetime = AT,
    credential: dict[str, Json] | None = None,
) -> Check:
    """The line, with these lists in the place of the trust bundle's."""
    trust = replace(TRUST, status_lists={**LISTS, **lists})
    found = report(trust=trust, at=at) if credential is None else report(credential, None, trust)
    (check,) = (check for check in found.checks if check.name == "status")
    return check


def bad(lists: dict[str, dict[str, Json]], credential: dict[str, Json] | None = None) -> str:
    """Why the lists say nothing."""
    check = status(lists, credential=credential)
    assert check == Check("status", Outcome.FAILED, "status.bad", check.values)
    assert set(check.values) == {"reason"}
    return check.values["reason"]


def test_neither_revoked_nor_suspended() -> None:
    assert status({}) == GOOD
    others = {
        URL: by_bank(status_list(REVOCATION, 6, 8)),
        SUSPENDED: by_bank(status_list(SUSPENSION, 0, 8)),
    }
    assert status(others) == GOOD


def test_revoked_or_suspended() -> None:
    revoked = {URL: by_bank(status_list(REVOCATION, 7))}
    suspended = {SUSPENDED: by_bank(status_list(SUSPENSION, 7))}
    for lists, code in (
        (revoked, "status.revoked"),
        (suspended, "status.suspended"),
        (revoked | suspended, "status.revoked"),
    ):
        found = Check("status", Outcome.FAILED, code, {}, "2026-03-10")
        # Long after the trust bundle is over it still counts.
        for at in (AT, AT + 100 * DAY):
            assert status(lists, at) == found


def test_no_slot_and_no_list() -> None:
    document = {name: one for name, one in unsigned().items() if name != "credentialStatus"}
    none = status({}, credential=signed_by(SIGNING, document))
    assert none == Check("status", Outcome.NOT_CHECKED, "status.none", unknown=True)
    for left in ({}, {URL: LISTS[URL]}, {SUSPENDED: LISTS[SUSPENDED]}):
        found = report(trust=replace(TRUST, status_lists=left)).checks[5]
        assert found == Check("status", Outcome.NOT_CHECKED, "status.absent", unknown=True)
    elsewhere = unsigned(slot=StatusSlot(f"{URL}0", 7))
    assert status({}, credential=signed_by(SIGNING, elsewhere)).code == "status.absent"


def test_a_slot_that_is_none() -> None:
    entry = {**StatusSlot(URL, 7).entry(), "statusPurpose": SUSPENSION}
    document = signed_by(SIGNING, {**unsigned(), "credentialStatus": entry})
    assert bad({}, document) == "the credential's status entry is not a BitstringStatusListEntry"
    beyond = signed_by(SIGNING, unsigned(slot=StatusSlot(URL, 131_072)))
    assert bad({}, beyond) == "the status list has no entry 131072"


def test_lists_that_are_not_the_banks() -> None:
    stranger = PrivateKey.from_seed(b"x" * 32)
    plain = status_list(REVOCATION)
    unsigned_so = "its signature does not hold"
    not_the_banks = "it is not signed by the credit bank"
    for document, reason in (
        (signed_by(stranger, plain, BANK), not_the_banks),
        (signed_by(BANK_KEY, plain, f"{BANK}x"), not_the_banks),
        (signed_by(BANK_KEY, {**plain, "issuer": f"{BANK}x"}, f"{BANK}x"), not_the_banks),
        (by_bank({**plain, "issuer": f"{BANK}x"}), not_the_banks),
        ({**LISTS[URL], "validUntil": "2099-01-01T00:00:00Z"}, unsigned_so),
        ({**plain, "proof": {"type": "Strange"}}, unsigned_so),
        (by_bank(status_list(SUSPENSION)), "the status list is for 'suspension', not revocation"),
        (by_bank({**plain, "validUntil": "soon"}), "the status list's validUntil is not a time"),
    ):
        assert bad({URL: document}).startswith(reason)
    plain = status_list(SUSPENSION)
    for document, reason in (
        (signed_by(stranger, plain, BANK), not_the_banks),
        ({**LISTS[SUSPENDED], "name": "x"}, unsigned_so),
        (by_bank(status_list(REVOCATION)), "the status list is for 'revocation', not suspension"),
        (by_bank({**plain, "validUntil": "soon"}), "the status list's validUntil is not a time"),
    ):
        assert bad({SUSPENDED: document}).startswith(reason)
    # The dot at the end of a reason is the sentence's.
    dotted = by_bank({**status_list(REVOCATION), "validUntil": "X" + "." * 80})
    assert bad({URL: dotted}).endswith(" is not a time such as 2026-07-01T00:00:00Z: 'X")


def test_each_proof_of_a_list_counts() -> None:
    """One that does not hold spoils it; one of a kind not known does not."""
    good = LISTS[URL]["proof"]
    assert isinstance(good, dict)
    strange = {**good, "cryptosuite": "sm2-2030"}
    forged = {**good, "created": "2026-03-02T08:00:01Z"}
    document = dict(LISTS[URL])
    assert status({URL: {**document, "proof": [good, strange]}}) == GOOD
    assert bad({URL: {**document, "proof": [good, forged]}}) == "its signature does not hold"
    stranger = PrivateKey.from_seed(b"x" * 32)
    theirs = signed_by(stranger, status_list(REVOCATION), BANK)["proof"]
    for proofs in ([good, theirs], [theirs, good]):
        both = {**document, "proof": proofs}
        assert bad({URL: both}) == "it is not signed by the credit bank"
    assert bad({URL: {**document, "proof": []}}).startswith("the document carries no proof")


def test_either_key_of_the_bank() -> None:
    stranger = PrivateKey.from_seed(b"x" * 32)
    keys = (stranger.public_key.multikey, *TRUST.bank_keys)
    found = report(trust=replace(TRUST, bank_keys=keys))
    assert found.checks[5] == GOOD


@pytest.mark.parametrize("purpose", [REVOCATION, SUSPENSION])
def test_the_older_list_says_how_fresh_it_is(purpose: str) -> None:
    older = status_list(purpose, since=ISSUED - 5 * DAY)
    lists = {str(older["id"]): by_bank(older)}
    until = ISSUED + 2 * DAY
    values = {"date": "2026-03-05", "age.en": "7 days ago", "age.zh": "7 天前"}
    fresh = Check("status", Outcome.PASSED, "status.good", values, "2026-03-05")
    assert status(lists, until) == fresh
    stale = Check("status", Outcome.PASSED, "status.stale", values, "2026-03-05", caution=True)
    assert status(lists, until + SECOND) == stale


def test_past_the_end_of_the_trust_bundle_nobody_knows() -> None:
    end = TRUST.expires
    assert status({}, end).code == "status.stale"
    over = Check("status", Outcome.NOT_CHECKED, "status.expired", {}, "2026-03-10", unknown=True)
    assert status({}, end + SECOND) == over


@pytest.mark.parametrize(
    ("at", "english", "chinese"),
    [
        (ISSUED - 3 * DAY, "today", "今天"),
        (datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC), "today", "今天"),
        (datetime(2026, 3, 11, 7, tzinfo=timezone(timedelta(hours=8))), "today", "今天"),
        (datetime(2026, 3, 11, tzinfo=UTC), "yesterday", "1 天前"),
        (datetime(2026, 3, 12, tzinfo=UTC), "2 days ago", "2 天前"),
    ],
)
def test_its_age_in_words(at: datetime, english: str, chinese: str, in_chongqing: None) -> None:
    """Days are those of UTC, wherever the verifier is."""
    values = {"date": "2026-03-10", "age.en": english, "age.zh": chinese}
    assert status({}, at) == Check("status", Outcome.PASSED, "status.good", values, "2026-03-10")


def test_a_day_that_is_none() -> None:
    odd = status_list(REVOCATION) | {"validFrom": "2026-02-30T00:00:00Z"}
    found = status({URL: by_bank(odd)})
    values = {"date": "2026-02-30", "age.en": "at a time it does not say", "age.zh": "日期不明"}
    assert found == Check("status", Outcome.PASSED, "status.good", values, "2026-02-30")


def test_a_list_with_the_proof_of_another_document() -> None:
    method = verification_method(BANK, BANK_KEY.public_key)
    other = sign(status_list(REVOCATION, 7), BANK_KEY, method, "2026-03-02T08:00:00Z")
    assert bad({URL: {**status_list(REVOCATION), "proof": other["proof"]}})
