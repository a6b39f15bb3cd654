"""Every outcome of every check, on credentials of a real small bank."""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bank.institution import Institution
from bank.opening import LocalBank, admit, create_bank, govern, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from credentials import key_in_method, sign
from keys import Json, PrivateKey
from ledger import KeyPeriod, Receipt, VerifierKey
from ledger.cosignature import Ed25519Cosigner
from ledger.landmarks import LandmarkReceipt
from ledger.note import signature_line
from ledger.sequencer import Placed
from verifier import Evidence, Report, Trust, Witness, open_trust, read_evidence, verify
from verifier.sentences import LANGUAGES, _tables

NOW = datetime.now(UTC).replace(microsecond=0)
UNIT = UnitRef(
    "ACC101", 1, "Accounting", "会计", "business", "5", "48", "cq-lof", "standard-credit"
)


@dataclass(frozen=True)
class Small:
    """A bank with one institution and three awards, and what a verifier is shown."""

    bank: Bank
    institution: Institution
    governance: PrivateKey
    evidence: dict[str, Evidence]
    trust: Trust


def result(key: str, expires: date | None = None) -> Result:
    learner = Learner(key, "Zoë 王")
    return Result(2, key, learner, "bayu-open", UNIT, "3.5", "A", date(2024, 7, 1), expires)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("small")
    governance, key = PrivateKey.generate(), PrivateKey.generate()
    public = governance.public_key.multikey
    create_bank(folder, "cq.example", {"en": "CQ", "zh": "重庆"}, [public], 1, "p")
    bank = open_bank(folder, "p")
    bank.found([governance])
    admission = read_admissions(repo / "docs" / "samples" / "institutions.toml")[0]
    second = PrivateKey.generate()
    admit(bank, admission, key.public_key, [governance], second.public_key)
    names = admission.names
    institution = Institution("cq.example", "bayu-open", names, key, b"r" * 32, second)
    port = LocalBank(bank)
    port.submit([institution.publish_unit(UNIT, Decimal(4))])
    evidence = {}
    for source in ("good", "revoked", "suspended", "ending"):
        (slot,) = port.slots(institution, [institution.lot(source)])
        expires = date(2030, 1, 1) if source == "ending" else None
        award = institution.award(result(source, expires), Decimal(4), slot, NOW)
        (outcome,) = port.submit([award])
        assert isinstance(outcome, Placed), outcome
        assert award.credential is not None
        receipt = bank.log.receipt(outcome.index).encode()
        evidence[source] = Evidence(award.credential, receipt, "bundle")
    port.submit([institution.move_lot("revoke", "revoked", "misconduct", NOW.date())])
    port.submit([institution.move_lot("suspend", "suspended", "under-review", NOW.date())])
    trust = open_trust(bank.trust.export([governance]))
    yield Small(bank, institution, governance, evidence, trust)
    bank.close()


def look(small: Small, source: str = "good", **changes: object) -> Report:
    at = changes.pop("at", small.trust.issued + timedelta(minutes=1))
    assert isinstance(at, datetime)
    return verify(small.evidence[source], replace(small.trust, **changes), at)  # type: ignore[arg-type]


def codes(report: Report) -> dict[str, str]:
    return {check.name: check.code for check in report.checks}


def member_with(small: Small, change: Callable[[KeyPeriod], KeyPeriod]) -> dict[str, object]:
    did = small.institution.did
    member = small.trust.members[did]
    keys = tuple(change(period) for period in member.keys)
    return {"members": {did: replace(member, keys=keys)}}


def test_good(small: Small) -> None:
    report = look(small)
    assert report.exit_code == 0
    assert set(codes(report).values()) == {
        "format.good",
        "signature.good",
        "issuer.good",
        "ledger.good",
        "witnesses.none",
        "status.good",
        "validity.good",
        "holder.file",
        "trust.good",
    }
    assert report.subject.issuer_names["zh"] == "巴渝开放大学"


@pytest.mark.parametrize("state", ["revoked", "suspended"])
def test_status(small: Small, state: str) -> None:
    report = look(small, state)
    assert (report.exit_code, codes(report)["status"]) == (1, f"status.{state}")


def test_status_that_cannot_be_known(small: Small) -> None:
    report = look(small, status_lists={})
    assert (report.exit_code, codes(report)["status"]) == (4, "status.absent")
    report = look(small, at=small.trust.issued + timedelta(days=8))
    assert (report.exit_code, codes(report)["status"]) == (3, "status.stale")
    report = look(small, bank_keys=(small.institution.signer.public_key.multikey,))
    assert (report.exit_code, codes(report)["status"]) == (1, "status.bad")


def test_validity(small: Small) -> None:
    assert codes(look(small, "ending"))["validity"] == "validity.until"
    over = look(small, "ending", at=datetime(2031, 1, 1, tzinfo=UTC))
    assert (over.exit_code, codes(over)["validity"]) == (1, "validity.over")
    early = look(small, at=datetime(2024, 1, 1, tzinfo=UTC))
    assert codes(early)["validity"] == "validity.early"
    assert codes(early)["trust"] == "trust.early"


def test_an_old_trust_bundle_says_how_old_it_is_and_then_no_more_than_it_can(small: Small) -> None:
    due = look(small, at=small.trust.issued + timedelta(days=8))
    assert (due.exit_code, codes(due)["trust"]) == (3, "trust.due")
    status = next(check for check in due.checks if check.name == "status")
    assert "8 days ago" in status.sentence("en")
    assert "8 天前" in status.sentence("zh")
    over = look(small, at=small.trust.issued + timedelta(days=31))
    assert (over.verdict.value, over.exit_code) == ("cannot tell", 4)
    assert (codes(over)["trust"], codes(over)["status"]) == ("trust.expired", "status.expired")
    assert codes(over)["signature"] == "signature.good"


def test_authority(small: Small) -> None:
    index = 100
    cases = [
        ({"members": {}}, "issuer.stranger"),
        (member_with(small, lambda p: replace(p, key="z6MkOther")), "issuer.foreign-key"),
        (member_with(small, lambda p: replace(p, end=1)), "issuer.dead-key"),
        (member_with(small, lambda p: replace(p, suspect_from=1)), "issuer.dead-key"),
        (member_with(small, lambda p: replace(p, start=index)), "issuer.dead-key"),
    ]
    for changes, code in cases:
        report = look(small, **changes)
        assert (report.exit_code, codes(report)["issuer"]) == (1, code)
    for after in (
        member_with(small, lambda p: replace(p, end=index)),
        member_with(small, lambda p: replace(p, suspect_from=index)),
    ):
        # What a key signed before it was retired or came into doubt stays good.
        assert look(small, **after).exit_code == 0
    did = small.institution.did
    member = replace(small.trust.members[did], grants=())
    report = look(small, members={did: member})
    assert (report.exit_code, codes(report)["issuer"]) == (1, "issuer.no-grant")


def test_a_bare_credential(small: Small) -> None:
    bare = Evidence(small.evidence["good"].credential, None, "credential")
    report = verify(bare, small.trust, small.trust.issued + timedelta(minutes=1))
    assert report.exit_code == 3
    assert codes(report)["issuer"] == "issuer.registered"
    assert codes(report)["ledger"] == "ledger.none"
    assert codes(report)["witnesses"] == "witnesses.no-receipt"
    did = small.institution.did
    suspended = replace(small.trust.members[did], active=False)
    report = verify(bare, replace(small.trust, members={did: suspended}), small.trust.issued)
    assert codes(report)["issuer"] == "issuer.suspended"


def test_receipts_of_something_else(small: Small) -> None:
    good, other = small.evidence["good"], small.evidence["ending"]
    crossed = verify(
        Evidence(good.credential, other.receipt, "bundle"), small.trust, small.trust.issued
    )
    assert (crossed.exit_code, codes(crossed)["ledger"]) == (1, "ledger.bad")
    assert "another credential" in crossed.checks[3].sentence("en")
    assert "another log" in look(small, origin="other.example/log").checks[3].sentence("en")
    key = VerifierKey(small.trust.origin, 1, PrivateKey.generate().public_key.raw)
    assert "not signed by this bank's log" in look(small, log_keys=(key,)).checks[3].sentence("en")


def test_witnesses(small: Small) -> None:
    cosigners = [Ed25519Cosigner(f"w{n}.example/w", PrivateKey.generate()) for n in (1, 2)]
    good = small.evidence["good"]
    assert good.receipt is not None
    note = good.receipt.partition("\n\n")[2]
    text = note.partition("\n\n")[0] + "\n"
    lines = "".join(cosigner.cosign(text, int(NOW.timestamp())) for cosigner in cosigners)
    cosigned = Evidence(good.credential, good.receipt + lines, "bundle")

    def with_witnesses(operators: tuple[str, str], quorum: int) -> Report:
        witnesses = tuple(
            Witness(operator, cosigner.key)
            for operator, cosigner in zip(operators, cosigners, strict=True)
        )
        trust = replace(small.trust, witnesses=witnesses, quorum=quorum)
        return verify(cosigned, trust, small.trust.issued + timedelta(minutes=1))

    assert codes(with_witnesses(("a", "b"), 2))["witnesses"] == "witnesses.good"
    assert with_witnesses(("a", "b"), 2).exit_code == 0
    # Two keys of one operator are one witness.
    assert codes(with_witnesses(("a", "a"), 2))["witnesses"] == "witnesses.few"
    assert with_witnesses(("a", "a"), 2).exit_code == 3
    # Signature lines of keys that the trust bundle does not know are said, not passed over.
    unknown = verify(cosigned, small.trust, small.trust.issued + timedelta(minutes=1))
    assert (unknown.exit_code, codes(unknown)["ledger"]) == (3, "ledger.unknown-signer")


def test_proofs(small: Small) -> None:
    good = small.evidence["good"].credential
    proofs = good["proof"]
    assert isinstance(proofs, list)
    strange = {"type": "DataIntegrityProof", "cryptosuite": "sm2-2030", "proofValue": "z1"}

    def with_proof(proof: Json, **fields: Json) -> Report:
        credential = copy.deepcopy({**good, "proof": proof, **fields})
        return verify(Evidence(credential, None, "credential"), small.trust, small.trust.issued)

    assert codes(with_proof([*proofs, strange]))["signature"] == "signature.partly"
    assert codes(with_proof([strange]))["signature"] == "signature.unknown"
    assert with_proof([strange]).exit_code == 1
    assert codes(with_proof(None))["signature"] == "signature.bad"
    # One good proof does not make up for a bad one.
    bad = {**proofs[0], "proofValue": proofs[1]["proofValue"]}
    assert codes(with_proof([proofs[1], bad]))["signature"] == "signature.bad"
    assert codes(with_proof(proofs, name="Other"))["signature"] == "signature.bad"
    stranger = PrivateKey.generate()
    method = f"did:web:cq.example:members:other#{stranger.public_key.multikey}"
    signed = sign(
        {k: v for k, v in good.items() if k != "proof"}, stranger, method, "2024-07-01T00:00:00Z"
    )
    assert codes(with_proof(signed["proof"]))["signature"] == "signature.bad"
    assert key_in_method(method) == stranger.public_key


def test_format(small: Small) -> None:
    report = verify(Evidence({"a": 1}, None, "credential"), small.trust, small.trust.issued)
    assert report.exit_code == 1
    assert codes(report)["format"] == "format.bad"
    assert codes(report)["signature"] == "skipped"


def test_a_suspended_member_awards_no_more_but_what_it_awarded_stays(small: Small) -> None:
    bank, did = small.bank, small.institution.did
    body: dict[str, Json] = {"member": did, "reason": "audit"}
    govern(bank, [("member.suspend", body)], [small.governance])
    port = LocalBank(bank)
    (slot,) = port.slots(small.institution, [small.institution.lot("late")])
    (outcome,) = port.submit([small.institution.award(result("late"), Decimal(4), slot, NOW)])
    assert "is suspended as a member" in getattr(outcome, "reason", "")
    trust = open_trust(bank.trust.export([small.governance]))
    assert verify(small.evidence["good"], trust, datetime.now(UTC)).exit_code == 0


@pytest.mark.parametrize(
    ("name", "code", "learner"),
    [
        ("Zoë\u202e王", "format.hidden", "Zoë⟨U+202E⟩王"),
        ("Раypal", "format.mixed", "Раypal"),
        ("王 Zoë", "format.good", "王 Zoë"),
    ],
)
def test_names_that_could_deceive_are_said(
    small: Small, name: str, code: str, learner: str
) -> None:
    port = LocalBank(small.bank)
    (slot,) = port.slots(small.institution, [small.institution.lot(f"odd {name}")])
    odd = replace(result(f"odd {name}"), learner=Learner("odd", name))
    award = small.institution.award(odd, Decimal(4), slot, NOW)
    assert award.credential is not None
    report = verify(Evidence(award.credential, None, "credential"), small.trust, NOW)
    assert codes(report)["format"] == code
    assert report.subject.learner == learner
    assert report.checks[0].caution is (code != "format.good")


ESCAPES = "\u001b[2J\u009b1;32m\u202everified"


def hostile(small: Small, part: str, text: str) -> Evidence:
    """A file with `text` where what a stranger wrote comes to be shown."""
    good = small.evidence["good"]
    assert good.receipt is not None
    credential, receipt = copy.deepcopy(good.credential), good.receipt
    if part == "issuer":
        credential["issuer"] = {"id": f"did:web:{text}", "type": ["Profile"]}
    elif part == "suite":
        credential["proof"] = {"type": "DataIntegrityProof", "cryptosuite": text}
    elif part == "signer":
        name = "".join(char for char in text if char not in "\u001b ")
        receipt += signature_line(VerifierKey(name, 1, bytes(32)), bytes(64))
    elif part == "origin":
        entry = Receipt.parse(receipt).entry
        receipt = LandmarkReceipt(entry, text, 7, (bytes(32),) * 8).encode()
    return Evidence(credential, receipt, "bundle")


@pytest.mark.parametrize("part", ["issuer", "suite", "signer", "origin"])
def test_nothing_in_a_file_moves_the_cursor_or_the_text_around_it(small: Small, part: str) -> None:
    def lines(text: str) -> str:
        report = verify(hostile(small, part, text), small.trust, NOW)
        said = [check.sentence(language) for check in report.checks for language in LANGUAGES]
        return "\n".join([*said, *(str(value) for value in astuple(report.subject))])

    assert all(char.isprintable() or char == "\n" for char in lines(ESCAPES))
    # The control: what stands there is what is shown.
    assert "plain.example" in lines("plain.example")
    assert "⟨U+202E⟩" in lines(ESCAPES)


def test_every_sentence_has_both_languages_with_the_same_values() -> None:
    for code, (english, chinese) in _tables()["sentences"].items():
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), code
        assert english.endswith(".")
        assert chinese.endswith("。")


def test_reading_back_what_a_bundle_says(small: Small) -> None:
    evidence = small.evidence["good"]
    assert evidence.receipt is not None
    from verifier import write_bundle

    assert read_evidence(write_bundle(evidence.credential, evidence.receipt), "x") == evidence
