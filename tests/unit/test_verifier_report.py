"""What a report says when the ledger itself, the registry or the bank's own key holders lie.

The forged receipts here are signed by the log's real key: what is left to stop them is the
comparison of entry and credential, the signatures inside the entry, and the trust bundle.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bank.institution import Institution
from bank.opening import LocalBank, admit, create_bank, govern, open_bank, read_admissions
from bank.results import Learner, Result, UnitRef
from bank.service import Bank
from bank.settings import read_settings
from credentials import Terms, sign, verify_proofs
from credentials.proofs import JCS, RDFC
from keys import Json, PrivateKey, PublicKey, Signer, encode, open_signer, verification_method
from ledger import (
    Checkpoint,
    Entry,
    Grant,
    Receipt,
    SignedStatement,
    Statement,
    format_time,
    inclusion_proof,
    leaf_hash,
    open_note,
    root_hash,
    sign_note,
)
from ledger.cosignature import Ed25519Cosigner, MLDSA44Cosigner
from ledger.sequencer import Placed
from verifier import Evidence, Report, Trust, Witness, open_trust, verify
from verifier.sentences import _tables

NOW = datetime.now(UTC).replace(microsecond=0)
UNIT = UnitRef(
    "ACC101", 1, "Accounting", "会计", "business", "5", "48", "cq-lof", "standard-credit"
)


@dataclass(frozen=True)
class Forge:
    """A bank with two institutions, and the keys to lie about its log."""

    bank: Bank
    log_key: Signer
    governance: PrivateKey
    awards: dict[str, tuple[Evidence, int]]
    institutions: dict[str, Institution]
    trust: Trust

    @property
    def at(self) -> datetime:
        """The trust bundle's own time, however long other tests took before."""
        return self.trust.issued

    def evidence(self, name: str) -> Evidence:
        return self.awards[name][0]

    def entry(self, name: str) -> Entry:
        return Entry.parse(self.bank.log.entry(self.awards[name][1]))

    def receipt(self, entries: list[bytes], index: int, **changes: str) -> Receipt:
        """A receipt of `entries[index]` in a log of `entries`, signed by the log's key."""
        leaves = [leaf_hash(entry) for entry in entries]
        origin = changes.get("origin", self.trust.origin)
        note = sign_note(
            Checkpoint(origin, len(entries), root_hash(leaves)).text, origin, self.log_key
        )
        path = inclusion_proof(index, len(leaves), lambda lo, hi: root_hash(leaves[lo:hi]))
        return Receipt(entries[index], index, tuple(path), note)

    def appended(self, signed: SignedStatement, index: int | None = None) -> str:
        """The receipt of a statement that the real log does not hold."""
        entries = list(self.bank.log.entries())
        place = len(entries) if index is None else index
        entry = Entry.make(place, leaf_hash(entries[-1]), format_time(NOW), signed)
        return self.receipt([*entries, entry.data], len(entries)).encode()

    def shown(self, name: str, receipt: str, trust: Trust | None = None) -> Report:
        evidence = Evidence(self.evidence(name).credential, receipt, "bundle")
        return verify(evidence, trust or self.trust, self.at)


def fresh(folder: Path, slug: str, names: dict[str, str], key: Signer) -> Institution:
    return Institution("cq.example", slug, names, key, folder.name.encode().ljust(32)[:32])


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Iterator[Forge]:
    folder = tmp_path_factory.mktemp("forge")
    governance = PrivateKey.generate()
    public = [governance.public_key.multikey]
    create_bank(folder, "cq.example", {"en": "CQ", "zh": "重庆"}, public, 1, "p")
    bank = open_bank(folder, "p")
    bank.found([governance])
    port = LocalBank(bank)
    awards: dict[str, tuple[Evidence, int]] = {}
    institutions = {}

    def award(name: str, by: Institution, expires: date | None = None) -> int:
        learner = Learner(name, "Zoë 王")
        result = Result(2, name, learner, by.slug, UNIT, "3.5", "A", date(2024, 7, 1), expires)
        (slot,) = port.slots(by, [by.lot(name)])
        submission = by.award(result, Decimal(4), slot, NOW)
        (outcome,) = port.submit([submission])
        assert isinstance(outcome, Placed), outcome
        assert submission.credential is not None
        receipt = bank.log.receipt(outcome.index).encode()
        awards[name] = Evidence(submission.credential, receipt, "bundle"), outcome.index
        return outcome.index

    for admission in read_admissions(repo / "docs" / "samples" / "institutions.toml")[:2]:
        key = PrivateKey.generate()
        admit(bank, admission, key.public_key, [governance])
        own = fresh(folder, admission.slug, admission.names, key)
        port.submit([own.publish_unit(UNIT, Decimal(4))])
        institutions[admission.slug] = own
    first, other = institutions.values()
    # Three keys in turn: one retired, one in doubt from its second award on, and a good one.
    award("retired key", first)
    second, third = (replace(first, signer=PrivateKey.generate()) for _ in range(2))
    for one in (second, third):
        body: dict[str, Json] = {"key": one.signer.public_key.multikey, "member": first.did}
        govern(bank, [("key.add", body)], [governance])
    retire: dict[str, Json] = {"key": first.signer.public_key.multikey, "member": first.did}
    govern(bank, [("key.retire", retire)], [governance])
    award("before doubt", second)
    doubtful = award("in doubt", second)
    suspect: dict[str, Json] = {
        "from_index": doubtful,
        "key": second.signer.public_key.multikey,
        "member": first.did,
    }
    govern(bank, [("key.suspect", suspect)], [governance])
    award("good", third)
    award("ending", third, date(2030, 1, 1))
    award("suspended member", other)
    govern(bank, [("member.suspend", {"member": other.did, "reason": "audit"})], [governance])
    institutions |= {"now": third}
    trust = open_trust(bank.trust.export([governance]))
    log_key = open_signer(f"file:{read_settings(folder).keystore('log')}", "p")
    yield Forge(bank, log_key, governance, awards, institutions, trust)
    bank.close()


def codes(report: Report) -> dict[str, str]:
    return {check.name: check.code for check in report.checks}


def said(report: Report, name: str) -> str:
    return next(check.sentence("en") for check in report.checks if check.name == name)


@pytest.mark.parametrize(
    ("name", "bundle", "bare"),
    [
        ("good", (0, "issuer.good"), (3, "issuer.registered")),
        # Without a receipt nobody can tell what came first, so a key no longer good counts for
        # nothing; with one, the place in the ledger decides.
        ("retired key", (0, "issuer.good"), (1, "issuer.dead-key")),
        ("before doubt", (0, "issuer.good"), (1, "issuer.dead-key")),
        ("in doubt", (1, "issuer.doubtful-key"), (1, "issuer.dead-key")),
        ("suspended member", (0, "issuer.good"), (1, "issuer.suspended")),
    ],
)
def test_authority_is_decided_by_the_place_in_the_ledger(
    forge: Forge, name: str, bundle: tuple[int, str], bare: tuple[int, str]
) -> None:
    report = verify(forge.evidence(name), forge.trust, forge.at)
    assert (report.exit_code, codes(report)["issuer"]) == bundle
    alone = Evidence(forge.evidence(name).credential, None, "credential")
    report = verify(alone, forge.trust, forge.at)
    assert (report.exit_code, codes(report)["issuer"]) == bare


def test_a_retired_key_cannot_award_later_even_with_the_log_on_its_side(forge: Forge) -> None:
    late = forge.appended(forge.entry("retired key").signed)
    report = forge.shown("retired key", late)
    assert (report.exit_code, codes(report)["issuer"]) == (1, "issuer.dead-key")
    assert codes(report)["ledger"] == "ledger.good"


def test_the_statement_counts_as_well_as_the_credential(forge: Forge) -> None:
    """A credential signed by a good key, its award by a key that nobody registered."""
    statement = forge.entry("good").signed.statement
    stranger = PrivateKey.generate()
    report = forge.shown("good", forge.appended(statement.sign(stranger)))
    assert (report.exit_code, codes(report)["issuer"]) == (1, "issuer.foreign-key")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "issuer.good"),
        ({"fields": ("medicine",)}, "issuer.no-grant"),
        ({"fields": ("business",)}, "issuer.good"),
        ({"level": 4}, "issuer.no-grant"),
        ({"level": 5}, "issuer.good"),
        ({"start": NOW.date().isoformat()}, "issuer.good"),
        ({"start": (NOW + timedelta(days=2)).date().isoformat()}, "issuer.no-grant"),
        ({"until": (NOW - timedelta(days=2)).date().isoformat()}, "issuer.no-grant"),
        ({"index": 10_000}, "issuer.no-grant"),
    ],
)
def test_a_grant_covers_field_level_day_and_only_what_comes_after_it(
    forge: Forge, change: dict[str, object], code: str
) -> None:
    did = forge.institutions["now"].did
    member = forge.trust.members[did]
    grants: list[Grant] = [replace(member.grants[0], **change)]  # type: ignore[arg-type]
    trust = replace(forge.trust, members={did: replace(member, grants=tuple(grants))})
    assert codes(verify(forge.evidence("good"), trust, forge.at))["issuer"] == code


def test_an_entry_that_says_something_else_is_no_proof(forge: Forge) -> None:
    key = forge.institutions["now"].signer
    statement = forge.entry("good").signed.statement

    def award(**changes: Json) -> str:
        body = {**statement.body, **changes}
        return forge.appended(Statement.make(statement.author, "award", body).sign(key))

    same = forge.shown("good", award())
    assert (same.exit_code, codes(same)["ledger"]) == (0, "ledger.good")
    status = statement.body["status"]
    assert isinstance(status, dict)
    other = forge.entry("ending").signed.statement.body["commitment"]
    for changes, reason in (
        ({"credits": "9"}, "the ledger says 9 credits, the credential differs"),
        ({"commitment": other}, "its entry is about another credential than this one"),
        ({"expires": "2030-01-01"}, "name different days of expiry"),
        ({"status": {**status, "list": 2}}, "names another status slot"),
    ):
        report = forge.shown("good", award(**changes))
        assert report.exit_code == 1
        assert codes(report)["ledger"] == "ledger.bad"
        assert reason in said(report, "ledger")
        assert codes(report)["witnesses"] == "witnesses.no-receipt"
    # The other way round: the credential ends, and the ledger does not say so.
    ending = forge.entry("ending").signed.statement
    body = {name: value for name, value in ending.body.items() if name != "expires"}
    endless = forge.appended(Statement.make(ending.author, "award", body).sign(key))
    assert "different days of expiry" in said(forge.shown("ending", endless), "ledger")


def test_an_entry_of_another_kind_or_author_or_badly_signed_is_no_proof(forge: Forge) -> None:
    own = forge.institutions["now"]
    revoke = own.move_lot("revoke", "good", "misconduct", NOW.date()).signed
    assert "is not an award by this" in said(forge.shown("good", forge.appended(revoke)), "ledger")
    signed = forge.entry("good").signed
    stranger = next(x for x in forge.institutions.values() if x.did != own.did)
    theirs = Statement.make(stranger.did, "award", dict(signed.statement.body))
    report = forge.shown("good", forge.appended(theirs.sign(stranger.signer)))
    assert "is not an award by this" in said(report, "ledger")
    ((key, value),) = signed.signatures
    forged = replace(signed, signatures=((key, bytes(64 - len(value)) + value[::-1]),))
    assert forge.shown("good", forge.appended(forged)).exit_code == 1
    report = forge.shown("good", forge.appended(signed, index=7))
    assert "the entry says it is 7, the receipt" in said(report, "ledger")


def test_receipts_that_do_not_add_up(forge: Forge) -> None:
    index = forge.awards["good"][1]
    entries = list(forge.bank.log.entries())
    real = forge.receipt(entries, index)
    assert forge.shown("good", real.encode()).exit_code == 0
    short, swapped = real.path[:-1], (real.path[1], real.path[0], *real.path[2:])
    broken = [
        replace(real, path=short),
        replace(real, path=(*real.path, bytes(32))),
        replace(real, path=swapped),
        replace(real, index=index + 1),
        replace(real, index=len(entries)),
        replace(real, entry=entries[index + 1]),
        forge.receipt(entries, index, origin="other.example/log"),
    ]
    texts = [receipt.encode() for receipt in broken]
    texts += ["", "\n\n", real.encode().replace("\n", "\r\n"), real.encode() + "\n", "x" * 70_000]
    texts += [
        real.encode().partition("\n\n")[0] + "\n\n",
        real.encode().replace("index ", "index 0"),
    ]
    for text in texts:
        report = forge.shown("good", text)
        assert (report.exit_code, codes(report)["ledger"]) == (1, "ledger.bad"), text[:300]


def test_two_histories_of_one_size_are_seen(forge: Forge) -> None:
    """The log's own key signs another last entry: the award's own path is as good as before."""
    entries = list(forge.bank.log.entries())
    last, later = Entry.parse(entries[-1]), forge.at + timedelta(minutes=1)
    other = Entry.make(last.index, last.prev, format_time(later), last.signed)
    index = forge.awards["good"][1]
    report = forge.shown("good", forge.receipt([*entries[:-1], other.data], index).encode())
    assert (report.exit_code, codes(report)["ledger"]) == (1, "ledger.bad")
    assert f"two histories of {len(entries)} entries" in said(report, "ledger")


def rewritten(forge: Forge, place: int) -> list[bytes]:
    """The log's entries, all chained anew from a changed one on."""
    entries: list[bytes] = []
    for number, data in enumerate(forge.bank.log.entries()):
        entry = Entry.parse(data)
        prev = leaf_hash(entries[-1]) if entries else entry.prev
        # Later than it was: what was appended within one second would come out the same.
        time = format_time(forge.at + timedelta(minutes=1)) if number >= place else entry.time
        entries.append(Entry.make(number, prev, time, entry.signed).data)
    return entries


@pytest.mark.parametrize("more", [-1, 1, 40, 300])
def test_a_receipt_of_another_history_is_seen_whatever_its_size(forge: Forge, more: int) -> None:
    """The log's own key signs another tree, which no witness need have seen."""
    entries = list(forge.bank.log.entries())
    padding = [b"%d" % number for number in range(more)]
    index = forge.awards["retired key"][1]

    def shown(history: list[bytes]) -> Report:
        tree = [*history, *padding] if more > 0 else history[:more]
        return forge.shown("retired key", forge.receipt(tree, index).encode())

    # The control: the true history, which the log went on with or had not yet finished.
    assert codes(shown(entries))["ledger"] == "ledger.good"
    report = shown(rewritten(forge, index))
    assert (report.exit_code, codes(report)["ledger"]) == (1, "ledger.bad")
    assert f"two histories: at {index} the" in said(report, "ledger")
    # And where the entry itself is the true one, and another beside it.
    report = shown(rewritten(forge, index + 1))
    assert (report.exit_code, codes(report)["ledger"]) == (1, "ledger.bad")


def test_a_quorum_counts_operators_whichever_of_their_keys_signs(forge: Forge) -> None:
    name = "w.example/witness"
    old = Ed25519Cosigner(name, PrivateKey.generate())
    new = MLDSA44Cosigner(name, bytes(range(32)))
    other = Ed25519Cosigner("v.example/witness", PrivateKey.generate())
    witnesses = tuple(
        Witness(operator, cosigner.key)
        for operator, cosigner in (("w", old), ("w", new), ("v", other))
    )
    trust = replace(forge.trust, witnesses=witnesses, quorum=2)
    receipt = forge.evidence("good").receipt
    assert receipt is not None
    text = open_note(receipt.partition("\n\n")[2], ()).text
    then = int(NOW.timestamp())

    def cosigned(*cosigners: Ed25519Cosigner | MLDSA44Cosigner) -> tuple[int, str, str]:
        lines = "".join(cosigner.cosign(text, then) for cosigner in cosigners)
        report = forge.shown("good", receipt + lines, trust)
        check = next(check for check in report.checks if check.name == "witnesses")
        return report.exit_code, check.code, check.values["count"]

    assert cosigned() == (3, "witnesses.few", "0")
    assert cosigned(old) == (3, "witnesses.few", "1")
    assert cosigned(old, new) == (3, "witnesses.few", "1")
    assert cosigned(new, other) == (0, "witnesses.good", "2")
    assert cosigned(old, new, other) == (0, "witnesses.good", "2")
    # A witness whose line does not hold fails the receipt, however many others hold.
    wrong = Ed25519Cosigner(name, PrivateKey.generate())
    wrong.key = old.key
    lines = "".join(one.cosign(text, then) for one in (wrong, new, other))
    report = forge.shown("good", receipt + lines, trust)
    assert (report.exit_code, codes(report)["ledger"]) == (1, "ledger.bad")


def resigned(forge: Forge, suites: tuple[str, ...] = (RDFC, JCS), **fields: Json) -> Evidence:
    """The good credential with other fields, signed anew by its own institution."""
    own = forge.institutions["now"]
    document = {**copy.deepcopy(forge.evidence("good").credential), **fields}
    document = {name: value for name, value in document.items() if value is not None}
    method = verification_method(own.did, own.signer.public_key)
    return Evidence(
        sign(document, own.signer, method, "2024-07-02T00:00:00Z", suites), None, "credential"
    )


def test_one_proof_is_enough_and_the_report_names_it(forge: Forge) -> None:
    for suite in (RDFC, JCS):
        report = verify(resigned(forge, (suite,)), forge.trust, forge.at)
        assert (report.exit_code, codes(report)["signature"]) == (3, "signature.good")
        assert suite in said(report, "signature")


@pytest.mark.parametrize("strange", [{}, {"type": ""}, {"type": "X"}, {"cryptosuite": "sm2-2030"}])
def test_a_proof_of_no_known_kind_is_never_passed_over(forge: Forge, strange: Json) -> None:
    good = forge.evidence("good")
    proofs = good.credential["proof"]
    assert isinstance(proofs, list)
    for proof in ([*proofs, strange], [strange, proofs[0]]):
        evidence = replace(good, credential={**good.credential, "proof": proof})
        report = verify(evidence, forge.trust, forge.at)
        assert (report.exit_code, codes(report)["signature"]) == (3, "signature.partly")
    alone = replace(good, credential={**good.credential, "proof": strange})
    assert codes(verify(alone, forge.trust, forge.at))["signature"] == "signature.unknown"


WRONG: list[Json] = [None, True, -1, 1.5, 2**53 - 1, "", "x", [], {}, [[]], {"a": 1}, "z" * 5000]
WRONG += ["9" * 400, "2024-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "１", "NaN", "\u202e"]


def places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where there is a value inside a value."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore
    for name, item in inner:
        if isinstance(item, dict | list):
            yield from places(item, (*path, name))
        else:
            yield (*path, name)


def test_any_value_in_any_place_is_a_report_and_never_a_crash(forge: Forge) -> None:
    """And verified it is only where the value was that before, or made a proof unknown."""
    good = forge.evidence("good")
    for path in places(good.credential):
        for value in WRONG:
            credential = copy.deepcopy(good.credential)
            inner: Json = credential
            for name in path[:-1]:
                inner = inner[name]  # type: ignore
            if inner[path[-1]] == value:  # type: ignore
                continue
            inner[path[-1]] = value  # type: ignore
            report = verify(replace(good, credential=credential), forge.trust, forge.at)
            assert report.to_json("zh")["exit_code"] == report.exit_code
            if report.exit_code != 1:
                assert report.exit_code == 3, (path, value)
                assert codes(report)["signature"] == "signature.partly", (path, value)


@pytest.mark.parametrize("suite", [RDFC, JCS])
def test_a_proof_that_has_expired(forge: Forge, suite: str) -> None:
    own = forge.institutions["now"]
    method = verification_method(own.did, own.signer.public_key)
    credential = sign(
        forge.evidence("good").credential,
        own.signer,
        method,
        "2024-07-02T00:00:00Z",
        (suite,),
        Terms(expires="2025-01-01T00:00:00Z"),
    )
    (result,) = verify_proofs(credential, lambda method: own.signer.public_key)
    assert result.passed
    evidence = Evidence(credential, None, "credential")
    report = verify(evidence, forge.trust, forge.at)
    assert (report.exit_code, codes(report)["signature"]) == (1, "signature.expired")
    assert "2025-01-01" in said(report, "signature")
    before = verify(evidence, forge.trust, datetime(2024, 12, 31, tzinfo=UTC))
    assert codes(before)["signature"] == "signature.good"


def test_a_credential_without_a_status_is_not_verified_outright(forge: Forge) -> None:
    report = verify(resigned(forge, credentialStatus=None), forge.trust, forge.at)
    assert (report.exit_code, codes(report)["status"]) == (4, "status.none")


def test_status_lists_that_a_verifier_must_not_believe(forge: Forge) -> None:
    lists = forge.trust.status_lists
    (url,) = [url for url in lists if not url.endswith("/suspension")]
    suspension = f"{url}/suspension"
    swapped = {url: lists[suspension], suspension: lists[url]}
    by_member = sign(
        {k: v for k, v in lists[url].items() if k != "proof"},
        forge.institutions["now"].signer,
        verification_method(
            forge.institutions["now"].did, forge.institutions["now"].signer.public_key
        ),
        "2024-07-02T00:00:00Z",
    )
    changed = {**lists[url], "validUntil": "2099-01-01T00:00:00Z"}
    for replaced in (
        swapped,
        {**lists, url: by_member},
        {**lists, url: changed},
        {**lists, suspension: {**lists[suspension], "validUntil": "2099-01-01T00:00:00Z"}},
        {**lists, url: {"id": url}},
        {**lists, suspension: {"id": suspension, "proof": []}},
    ):
        report = verify(
            forge.evidence("good"), replace(forge.trust, status_lists=replaced), forge.at
        )
        assert (report.exit_code, codes(report)["status"]) == (1, "status.bad")
    for missing in (url, suspension):
        left = {name: one for name, one in lists.items() if name != missing}
        report = verify(forge.evidence("good"), replace(forge.trust, status_lists=left), forge.at)
        assert (report.exit_code, codes(report)["status"]) == (4, "status.absent")


@pytest.mark.parametrize("which", ["revocation", "suspension"])
def test_the_older_of_the_two_lists_says_how_fresh_the_status_is(forge: Forge, which: str) -> None:
    bank_key = open_signer(f"file:{forge.bank.settings.keystore('bank')}", "p")
    lists = forge.trust.status_lists
    url = next(name for name in lists if name.endswith("/suspension") is (which == "suspension"))
    old = {**lists[url], "validUntil": format_time(NOW - timedelta(days=1))}
    assert bank_key.public_key.multikey in forge.trust.bank_keys
    method = verification_method(forge.trust.bank, bank_key.public_key)
    aged = {**lists, url: sign(old, bank_key, method, "2024-07-02T00:00:00Z")}
    report = verify(forge.evidence("good"), replace(forge.trust, status_lists=aged), forge.at)
    assert (report.exit_code, codes(report)["status"]) == (3, "status.stale")


def test_the_moments_of_a_check_are_inclusive(forge: Forge) -> None:
    """At the very second a trust bundle ends it still counts; a second later it does not."""
    until = forge.trust.expires
    assert codes(verify(forge.evidence("good"), forge.trust, until))["trust"] == "trust.due"
    due = forge.trust.next_update
    assert codes(verify(forge.evidence("good"), forge.trust, due))["trust"] == "trust.good"
    later = verify(forge.evidence("good"), forge.trust, until + timedelta(seconds=1))
    assert codes(later)["trust"] == "trust.expired"
    assert codes(verify(forge.evidence("good"), forge.trust, forge.trust.issued))["trust"] == (
        "trust.good"
    )


def test_every_code_in_the_source_has_a_sentence_and_every_sentence_a_use(repo: Path) -> None:
    """With both languages, and with values that fill both."""
    used: set[str] = set()
    for path in (repo / "verifier").glob("*.py"):
        if path.name != "sentences.py":
            text = path.read_text(encoding="utf-8")
            used |= {
                code
                for code in re.findall(r'"((?:[a-z]+\.)?[a-z-]+)"', text)
                if code in _tables()["sentences"]
                or (code.partition(".")[0] in _ABOUT and "." in code)
            }
    assert used == set(_tables()["sentences"])


_ABOUT = {code.partition(".")[0] for code in _tables()["sentences"]} - {"trust"}


def test_no_sentence_is_left_with_a_gap(forge: Forge) -> None:
    for name in forge.awards:
        for receipt in (forge.evidence(name).receipt, None, "x"):
            evidence = Evidence(forge.evidence(name).credential, receipt, "bundle")
            report = verify(evidence, forge.trust, forge.at)
            for language in ("en", "zh"):
                for check in report.checks:
                    assert "{" not in check.sentence(language)
                assert encode(report.to_json(language))


def test_small_order_keys_open_nothing(forge: Forge) -> None:
    """A key of small order verifies one signature for every message, unless it is refused."""
    from keys import KeysError

    with pytest.raises(KeysError, match="small order"):
        PublicKey(bytes(32))
    credential = copy.deepcopy(forge.evidence("good").credential)
    proofs = credential["proof"]
    assert isinstance(proofs, list)
    for proof in proofs:
        assert isinstance(proof, dict)
        did = str(proof["verificationMethod"]).partition("#")[0]
        proof["verificationMethod"] = f"{did}#z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP"
    report = verify(Evidence(credential, None, "credential"), forge.trust, forge.at)
    assert (report.exit_code, codes(report)["signature"]) == (1, "signature.bad")
    assert "small order" in said(report, "signature")
