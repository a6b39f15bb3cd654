"""A report as a whole, its subject, and its lines about format, validity and the trust bundle."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from credentials import Terms
from keys import Json
from ledger.governance import Governance
from tests.award_kit import (
    AT,
    AWARDED,
    CREDENTIAL,
    GOVERNANCE,
    ISSUED,
    MEMBER,
    SIGNING,
    TRUST,
    report,
    shown,
    signed_by,
    statement,
    unsigned,
)
from verifier import Check, Evidence, Outcome, Report, Subject, Trust, open_trust, verify

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PASSED, NOT_CHECKED = Outcome.PASSED, Outcome.NOT_CHECKED
TRUSTED = {
    "version": "9",
    "until": "2026-04-09",
    "name.en": "Credit Bank",
    "name.zh": "学分银行",
}
TRUST_GOOD = Check("trust", PASSED, "trust.good", TRUSTED, "2026-03-10")


def line(found: Report, name: str) -> Check:
    (check,) = (check for check in found.checks if check.name == name)
    return check


def test_the_inputs_of_these_tests_are_a_trust_bundle() -> None:
    assert open_trust(TRUST.sign([GOVERNANCE])) == TRUST


def test_a_good_award() -> None:
    values = {"name.en": "North University", "name.zh": "北方大学"}
    ledger = {"index": "100", "origin": "bank.example/log"}
    status = {"date": "2026-03-10", "age.en": "today", "age.zh": "今天"}
    suites = {"suites": "eddsa-jcs-2022"}
    assert report() == Report(
        "2026-03-10T10:00:00Z",
        "bundle",
        Subject(
            "urn:uuid:00000000-0000-0000-0000-000000000001",
            "张伟",
            "Programming 程序设计",
            "3.5",
            MEMBER,
            {"en": "North University", "zh": "北方大学"},
        ),
        (
            Check("format", PASSED, "format.good"),
            Check("signature", PASSED, "signature.good", suites, AWARDED),
            Check("issuer", PASSED, "issuer.good", values, AWARDED),
            Check("ledger", PASSED, "ledger.good", ledger, AWARDED),
            Check("witnesses", NOT_CHECKED, "witnesses.none"),
            Check("status", PASSED, "status.good", status, "2026-03-10"),
            Check(
                "validity",
                PASSED,
                "validity.good",
                {"since": "2026-03-01", "until": ""},
                "2026-03-01",
            ),
            Check("holder", NOT_CHECKED, "holder.file"),
            TRUST_GOOD,
        ),
        9,
        "2026-03-10T09:00:00Z",
    )
    assert report().exit_code == 0


def test_what_is_no_credential() -> None:
    odd = {**CREDENTIAL, "x" * 30 + "X" + "." * 40: 1}
    for form, credential, reason in (
        ("badge", {"a": 1}, "the document's @context is not"),
        ("qr", odd, "the credential has a field that is not understood: 'xxx"),
    ):
        found = verify(Evidence(credential, None, form), TRUST, AT)
        bad = found.checks[0]
        assert bad == Check("format", Outcome.FAILED, "format.bad", bad.values)
        assert bad.values["reason"].startswith(reason)
        assert bad.values["reason"][-1] in "yX"  # the dot is the sentence's
        names = ("signature", "issuer", "ledger", "witnesses", "status", "validity", "holder")
        skipped = [Check(name, NOT_CHECKED, "skipped") for name in names]
        assert list(found.checks[1:]) == [*skipped, TRUST_GOOD]
        assert (found.subject, found.form, found.exit_code) == (Subject(), form, 1)
        assert (found.at, found.trust_version) == ("2026-03-10T10:00:00Z", 9)


def test_the_subject_of_a_stranger_and_of_a_qualification() -> None:
    stranger = report(trust=replace(TRUST, members={})).subject
    assert (stranger.issuer, stranger.issuer_names) == (MEMBER, {})
    qualification = signed_by(SIGNING, unsigned(credits=None))
    assert report(qualification, None).subject.credits == ""


@pytest.mark.parametrize(("number", "text"), [(4, "4"), (40.0, "40"), (100, "100"), (0.25, "0.25")])
def test_credits_in_words(number: float, text: str) -> None:
    document = unsigned()
    assert isinstance(document["credentialSubject"], dict)
    document["credentialSubject"]["creditsEarned"] = number
    assert report(document, None).subject.credits == text


@pytest.mark.parametrize(
    ("learner", "code", "values", "said"),
    [
        ("王 Zoë", "format.good", {}, "王 Zoë"),
        ("Zoë\u202e王", "format.hidden", {"codes": "U+202E"}, "Zoë⟨U+202E⟩王"),
        ("\ufeff王\t", "format.hidden", {"codes": "U+0009, U+FEFF"}, "⟨U+FEFF⟩王⟨U+0009⟩"),
        ("Раypal", "format.mixed", {}, "Раypal"),
    ],
)
def test_names_that_deceive(learner: str, code: str, values: dict[str, str], said: str) -> None:
    found = report(unsigned(learner=learner), None)
    odd = code != "format.good"
    assert found.checks[0] == Check("format", PASSED, code, values, caution=odd)
    assert found.subject.learner == said


def named(name: str, identifier: str | None = None) -> dict[str, Json]:
    document = unsigned(learner="Ivan")
    assert isinstance(document["credentialSubject"], dict)
    assert isinstance(document["credentialSubject"]["achievement"], dict)
    document["credentialSubject"]["achievement"]["name"] = name
    return document | ({"id": identifier} if identifier else {})


def test_the_achievement_can_deceive_too() -> None:
    found = report(named("Law\u2066", "urn:uuid:1\u200b"), None)
    assert found.checks[0].values == {"codes": "U+2066"}
    assert found.subject.achievement == "Law⟨U+2066⟩"
    assert found.subject.credential == "urn:uuid:1⟨U+200B⟩"
    # Two names in two alphabets are no word of two.
    assert report(named("Право"), None).checks[0].code == "format.good"
    assert report(unsigned(learner="Иван"), None).checks[0].code == "format.good"
    assert report(named("Прaво"), None).checks[0].code == "format.mixed"


WINDOW = {"since": "2026-03-09", "until": "2026-03-19"}
START, END = "2026-03-10T01:00:00+08:00", "2026-03-20T01:00:00+08:00"


@pytest.mark.parametrize(
    ("at", "outcome", "code", "date"),
    [
        (datetime.fromisoformat(START) - SECOND, Outcome.FAILED, "validity.early", "2026-03-09"),
        (datetime.fromisoformat(START), PASSED, "validity.until", "2026-03-09"),
        (datetime.fromisoformat(END), PASSED, "validity.until", "2026-03-09"),
        (datetime.fromisoformat(END) + SECOND, Outcome.FAILED, "validity.over", "2026-03-19"),
    ],
)
def test_validity(at: datetime, outcome: Outcome, code: str, date: str, in_chongqing: None) -> None:
    """Days are told in UTC, wherever the verifier is."""
    credential = signed_by(SIGNING, unsigned(since=START, until=END))
    found = report(credential, None, at=at)
    assert line(found, "validity") == Check("validity", outcome, code, WINDOW, date)


def test_a_signature_that_has_expired() -> None:
    ending = signed_by(SIGNING, unsigned(), terms=Terms(expires="2026-03-10T09:30:00Z"))
    assert line(report(ending, at=ISSUED), "signature").code == "signature.good"
    expired = Check("signature", Outcome.FAILED, "signature.expired", {"date": "2026-03-10"})
    assert line(report(ending), "signature") == expired


def test_the_moment_is_told_in_utc() -> None:
    assert report(at=AT.astimezone(timezone(timedelta(hours=8)))) == report()


ROOT = Governance((GOVERNANCE.public_key.multikey,), 1, 3, "2026-03-12T00:00:00Z")


@pytest.mark.parametrize(
    ("trust", "at", "code", "more", "flags"),
    [
        (TRUST, ISSUED, "trust.good", {}, (False, False)),
        (TRUST, ISSUED - SECOND, "trust.early", {}, (True, False)),
        (TRUST, ISSUED + 7 * DAY, "trust.good", {}, (False, False)),
        (TRUST, ISSUED + 7 * DAY + SECOND, "trust.due", {"due": "2026-03-17"}, (True, False)),
        (TRUST, ISSUED + 30 * DAY, "trust.due", {"due": "2026-03-17"}, (True, False)),
        (TRUST, ISSUED + 30 * DAY + SECOND, "trust.expired", {}, (False, True)),
        (replace(TRUST, roots=(ROOT,)), AT, "trust.good", {}, (False, False)),
        (
            replace(TRUST, roots=(ROOT,)),
            ISSUED + 3 * DAY,
            "trust.root-expired",
            {"root": "3", "ended": "2026-03-12"},
            (True, False),
        ),
    ],
)
def test_the_trust_bundle(
    trust: Trust, at: datetime, code: str, more: dict[str, str], flags: tuple[bool, bool]
) -> None:
    caution, unknown = flags
    wanted = Check("trust", PASSED, code, {**TRUSTED, **more}, "2026-03-10", caution, unknown)
    assert line(report(trust=trust, at=at), "trust") == wanted
    assert report({"a": 1}, trust=trust, at=at).checks[-1] == wanted


def test_control_a_different_award_is_verified_as_well() -> None:
    other = signed_by(SIGNING, unsigned(credits="2", learner="Li Na"))
    found = shown(statement(other, credits="2").sign(SIGNING), other)
    assert (found.exit_code, found.subject.learner, found.subject.credits) == (0, "Li Na", "2")
