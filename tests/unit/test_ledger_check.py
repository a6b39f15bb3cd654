"""The lines of a report about the ledger and its witnesses, in every outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from credentials import StatusSlot
from keys import Json, PrivateKey, b64u_encode
from ledger import Checkpoint, SignedStatement, Statement, VerifierKey, sign_note
from ledger.cosignature import Ed25519Cosigner
from ledger.landmarks import make_landmarks
from ledger.note import ED25519
from tests.award_kit import (
    AWARDED,
    CREDENTIAL,
    LOG,
    LOG_KEY,
    MEMBER,
    ORIGIN,
    PLACE,
    RECEIPT,
    SIGNING,
    SIZE,
    TRUST,
    UNDER_NONE,
    URL,
    Log,
    entry,
    holding,
    report,
    shown,
    signed_by,
    statement,
    unsigned,
)
from verifier import Check, Outcome, Report, Trust, Witness

VALUES = {"index": str(PLACE), "origin": ORIGIN}
GOOD = Check("ledger", Outcome.PASSED, "ledger.good", VALUES, AWARDED)
NO_RECEIPT = Check("witnesses", Outcome.NOT_CHECKED, "witnesses.no-receipt")
COSIGNERS = [
    Ed25519Cosigner(f"w{number}.example", PrivateKey.from_seed(bytes([40 + number]) * 32))
    for number in range(3)
]


def check(found: Report, name: str = "ledger") -> Check:
    (one,) = (one for one in found.checks if one.name == name)
    return one


def refused(found: Report) -> str:
    """Why the receipt proves nothing."""
    one = check(found)
    assert one == Check("ledger", Outcome.FAILED, "ledger.bad", one.values)
    assert check(found, "witnesses") == NO_RECEIPT
    assert set(one.values) == {"reason"}
    return one.values["reason"]


def cosigned(log: Log = LOG, *cosigners: Ed25519Cosigner) -> str:
    return log.note() + "".join(one.cosign(log.text(), 1_772_500_000) for one in cosigners)


def test_in_the_ledger() -> None:
    assert check(report()) == GOOD
    # In a checkpoint larger than the trust bundle's, and in a smaller one.
    for size in (SIZE + 9, PLACE + 1):
        assert check(report(receipt=Log(entry().data, size=size).receipt())) == GOOD


def test_no_receipt() -> None:
    found = report(receipt=None)
    none = Check("ledger", Outcome.NOT_CHECKED, "ledger.none", caution=True)
    assert (check(found), check(found, "witnesses")) == (none, NO_RECEIPT)


def test_short_receipts() -> None:
    assert check(report(receipt=LOG.short_receipt())) == GOOD
    late = Log(entry(index=UNDER_NONE).data, UNDER_NONE)
    found = report(receipt=late.short_receipt())
    values = {"index": str(UNDER_NONE)}
    early = Check("ledger", Outcome.NOT_CHECKED, "ledger.early", values, caution=True)
    assert (check(found), check(found, "witnesses")) == (early, NO_RECEIPT)
    # The dot at the end of a reason is the sentence's.
    other = report(receipt=LOG.short_receipt("other.example/X.."))
    assert refused(other) == "it is of another log, other.example/X"
    moved = Log(entry(index=99).data, 99).short_receipt()
    assert "does not lead to the subtree" in refused(report(receipt=moved))
    # Its checkpoint is the trust bundle's.
    strange = replace(TRUST, log_keys=())
    assert "not signed by this bank's log" in refused(
        report(receipt=LOG.short_receipt(), trust=strange)
    )


def test_past_the_last_landmark() -> None:
    """What the bundle knows of the tree there is held against the receipt's, if it is whole."""
    late = entry(index=UNDER_NONE).data
    log = Log(late, UNDER_NONE)
    trust = replace(TRUST, checkpoint=log.note(), landmarks=make_landmarks(SIZE, log.root))

    def shown_of(size: int, last: int = 0) -> Report:
        return report(receipt=Log(late, UNDER_NONE, size, last=last).receipt(), trust=trust)

    # The bundle's tree of 300 knows its entries 288 to 295 by one hash.
    for size in (296, SIZE, SIZE + 9):
        assert check(shown_of(size)).code == GOOD.code
    assert "two histories: at 290 the" in refused(shown_of(296, last=999))
    # Of a tree that ends before there is no such hash to compare.
    assert check(shown_of(295, last=999)).code == GOOD.code


def test_receipts_that_prove_something_else() -> None:
    receipt, trust = holding(entry(index=PLACE + 1))
    reason = "the entry says it is 101, the receipt 100"
    assert reason in refused(report(receipt=receipt, trust=trust))
    # Under the bundle of the true log, it is that log's history that it contradicts.
    assert "two histories: at 100 the" in refused(report(receipt=receipt))
    path = RECEIPT.replace(f"index {PLACE}\n", f"index {PLACE + 1}\n")
    assert "does not lead to the root" in refused(report(receipt=path))
    assert "it does not begin as a tlog-proof" in refused(report(receipt="x"))
    assert "two histories of 300 entries" in refused(
        report(receipt=Log(entry().data, last=5).receipt())
    )
    elsewhere = Log(entry().data, origin="other.example/log")
    assert "of another log, other.example/log" in refused(report(receipt=elsewhere.receipt()))
    stranger = PrivateKey.from_seed(b"x" * 32)
    unsigned_note = LOG.note(stranger, "log.example")
    assert "not signed by this bank's log" in refused(report(receipt=LOG.receipt(unsigned_note)))
    forged = LOG.note().replace(ORIGIN, "bank.example/gol", 1)
    assert "does not match" in refused(report(receipt=LOG.receipt(forged)))


def test_a_witness_alone_does_not_speak_for_the_log() -> None:
    (one, *_) = COSIGNERS
    trust = replace(TRUST, witnesses=(Witness("a", one.key),), quorum=1)
    stranger = VerifierKey("log.example", ED25519, PrivateKey.from_seed(b"x" * 32).public_key.raw)
    note = sign_note(LOG.text(), stranger.name, PrivateKey.from_seed(b"x" * 32))
    note += one.cosign(LOG.text(), 1_772_500_000)
    assert "not signed by this bank's log" in refused(
        report(receipt=LOG.receipt(note), trust=trust)
    )
    # Either of the log's keys does.
    keys = (stranger, *TRUST.log_keys)
    assert check(report(trust=replace(TRUST, log_keys=keys))) == GOOD


def test_a_statement_that_was_not_signed_so() -> None:
    good = statement().sign(SIGNING)
    ((key, value),) = good.signatures
    forged = SignedStatement(good.statement, ((key, value[:-1] + bytes([value[-1] ^ 1])),))
    assert "the statement's signature by" in refused(shown(forged))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"commitment": b64u_encode(bytes(32))}, "about another credential than this one"),
        ({"credits": "3"}, "the ledger says 3 credits, the credential differs"),
        ({"status": {"index": 8, "list": 1}}, "another status slot"),
        ({"status": {"index": 7, "list": 2}}, "another status slot"),
        ({"expires": "2027-01-01"}, "different days of expiry"),
    ],
)
def test_what_the_ledger_says_otherwise(changes: dict[str, Json], reason: str) -> None:
    assert reason in refused(shown(statement(**changes).sign(SIGNING)))


def test_a_credential_that_ends() -> None:
    for until, said in (
        ("2027-01-01T23:59:59Z", "2027-01-01"),
        ("2027-01-01T08:00:00+08:00", "2027-01-01"),
    ):
        ending = signed_by(SIGNING, unsigned(until=until))
        assert check(shown(statement(ending, expires=said).sign(SIGNING), ending)) == GOOD
        for other in ("2027-01-02", None):
            found = shown(statement(ending, expires=other).sign(SIGNING), ending)
            assert "different days of expiry" in refused(found)


def test_the_status_slot_is_in_the_lists_of_this_bank() -> None:
    slot = StatusSlot(URL.replace("bank.", "other."), 7)
    elsewhere = signed_by(SIGNING, unsigned(slot=slot))
    assert "another status slot" in refused(shown(statement(elsewhere).sign(SIGNING), elsewhere))


def test_qualifications_have_no_credits_and_awards_do() -> None:
    qualification = signed_by(SIGNING, unsigned(credits=None))
    conferred = shown(statement(qualification, "confer").sign(SIGNING), qualification)
    assert check(conferred) == GOOD
    awarded = shown(statement(qualification).sign(SIGNING), qualification)
    assert "the ledger says 3.5 credits" in refused(awarded)
    mixed = shown(statement(CREDENTIAL, "confer").sign(SIGNING))
    assert "the ledger says no credits" in refused(mixed)
    # However the credential writes the number.
    whole: dict[str, Json] = unsigned(credits="4")
    assert isinstance(whole["credentialSubject"], dict)
    whole["credentialSubject"]["creditsEarned"] = 4.0
    four = signed_by(SIGNING, whole)
    assert check(shown(statement(four, credits="4").sign(SIGNING), four)) == GOOD


def test_an_award_by_somebody_else_or_no_award() -> None:
    body = dict(statement().body)
    other = Statement.make(MEMBER.replace("north", "south"), "award", body)
    assert "not an award by this institution" in refused(shown(other.sign(SIGNING)))
    ended: Mapping[str, Json] = {
        "appeal": "2026-05-01",
        "lot": body["lot"],
        "reason": "misconduct",
    }
    revoked = Statement.make(MEMBER, "revoke", dict(ended))
    assert "not an award by this institution" in refused(shown(revoked.sign(SIGNING)))


def test_signatures_of_nobody_known_are_said() -> None:
    found = check(report(receipt=LOG.receipt(cosigned(LOG, *COSIGNERS[:2]))))
    values = {**VALUES, "names": "w0.example, w1.example"}
    assert found == Check(
        "ledger", Outcome.PASSED, "ledger.unknown-signer", values, AWARDED, caution=True
    )


def witnessed(operators: str, quorum: int) -> Trust:
    """One key of each operator, a letter each."""
    witnesses = tuple(
        Witness(operator, cosigner.key)
        for operator, cosigner in zip(operators, COSIGNERS, strict=True)
    )
    return replace(TRUST, witnesses=witnesses, quorum=quorum)


@pytest.mark.parametrize(
    ("operators", "signed", "quorum", "count"),
    [
        ("abc", (), 1, 0),
        ("abc", (0,), 1, 1),
        ("abc", (0,), 2, 1),
        ("abc", (1, 2), 2, 2),
        ("abc", (0, 1, 2), 2, 3),
        ("aab", (0, 1), 2, 1),
        ("aab", (1, 2), 2, 2),
    ],
)
def test_a_quorum_of_operators(
    operators: str, signed: tuple[int, ...], quorum: int, count: int
) -> None:
    receipt = LOG.receipt(cosigned(LOG, *(COSIGNERS[number] for number in signed)))
    found = report(receipt=receipt, trust=witnessed(operators, quorum))
    values = {"count": str(count), "needed": str(quorum)}
    few = Check("witnesses", Outcome.NOT_CHECKED, "witnesses.few", values, caution=True)
    good = Check("witnesses", Outcome.PASSED, "witnesses.good", values)
    assert check(found, "witnesses") == (good if count >= quorum else few)
    assert check(found) == GOOD


def test_no_quorum_is_asked_for() -> None:
    none = Check("witnesses", Outcome.NOT_CHECKED, "witnesses.none")
    assert check(report(), "witnesses") == none
    found = report(receipt=LOG.receipt(cosigned(LOG, COSIGNERS[0])), trust=witnessed("abc", 0))
    assert check(found, "witnesses") == none


def test_a_short_receipt_has_the_witnesses_of_the_trust_bundle() -> None:
    trust = replace(witnessed("abc", 1), checkpoint=cosigned(LOG, COSIGNERS[0]))
    found = report(receipt=LOG.short_receipt(), trust=trust)
    values = {"count": "1", "needed": "1"}
    assert check(found, "witnesses") == Check("witnesses", Outcome.PASSED, "witnesses.good", values)


def test_a_witness_that_signed_wrongly_condemns_the_receipt() -> None:
    text = Checkpoint(ORIGIN, SIZE, bytes(32)).text
    wrong = COSIGNERS[0].cosign(text, 1_772_500_000)
    receipt = LOG.receipt(LOG.note(LOG_KEY) + wrong)
    assert "does not match" in refused(report(receipt=receipt, trust=witnessed("abc", 1)))
