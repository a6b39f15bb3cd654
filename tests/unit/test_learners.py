"""A learner's record at the counter: every operation once, twice, and where it is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bank.learners import BadConsent, BadIdentity, Conflict, Document, NoSuchRecord, read_terms
from keys import b64u_decode, parse
from tests.learner_kit import CITIZEN_ID, NAME, NUMBER, PASSPORT, START, Kit, learner_bank, terms


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with learner_bank(tmp_path) as made:
        yield made


def kinds(kit: Kit, learner: str) -> list[str]:
    return [event.kind for event in kit.learners.events(learner)]


def test_an_identifier_is_128_random_bits(kit: Kit) -> None:
    one, other = kit.learners.open(NAME), kit.learners.open(NAME)
    assert one != other
    assert len(b64u_decode(one, 16)) == 16


def test_opening_twice_with_a_document_opens_one(kit: Kit) -> None:
    learner = kit.learners.open(NAME, CITIZEN_ID)
    assert kit.learners.open(f" {NAME} ", CITIZEN_ID) == learner
    assert kinds(kit, learner) == ["opened", "matched"]
    assert kit.learners.find(CITIZEN_ID) == learner
    with pytest.raises(Conflict, match="under another name") as refused:
        kit.learners.open("另一人", CITIZEN_ID)
    assert NUMBER not in str(refused.value)
    assert NAME not in str(refused.value)


def test_opening_twice_with_an_identifier_opens_one(kit: Kit) -> None:
    chosen = kit.learners.new_identifier()
    for _ in range(2):
        assert kit.learners.open(NAME, None, chosen) == chosen
    assert kinds(kit, chosen) == ["opened"]
    with pytest.raises(Conflict, match="take a new identifier"):
        kit.learners.open("另一人", None, chosen)
    for wrong in ("", "short", "!" * 22, "A" * 21 + "B"):
        with pytest.raises(BadIdentity, match="22 characters"):
            kit.learners.open(NAME, None, wrong)


def test_a_document_nobody_has_is_not_found(kit: Kit) -> None:
    kit.learners.open(NAME, CITIZEN_ID)
    with pytest.raises(NoSuchRecord, match="no learner here has this identity document"):
        kit.learners.find(PASSPORT)
    # The same number in another kind is another document.
    with pytest.raises(NoSuchRecord):
        kit.learners.find(Document("passport/CHN", NUMBER))


def test_an_account_is_one_learners(kit: Kit) -> None:
    account = kit.award("ana")
    learner, other = kit.learners.open(NAME, CITIZEN_ID), kit.learners.open("另一人")
    for _ in range(2):
        kit.learners.link(learner, account)
    assert kit.learners.accounts(learner) == [account]
    assert kinds(kit, learner) == ["opened", "linked"]
    with pytest.raises(Conflict, match="merge them"):
        kit.learners.link(other, account)
    with pytest.raises(NoSuchRecord, match="no account did:web:nowhere"):
        kit.learners.link(other, "did:web:nowhere|x")
    with pytest.raises(NoSuchRecord, match="no learner AAAA"):
        kit.learners.link("A" * 22, account)


def test_two_records_of_one_person_become_one(kit: Kit) -> None:
    first, second = kit.learners.open(NAME), kit.learners.open("欧阳晓明", CITIZEN_ID)
    accounts = [kit.award("ana"), kit.award("anna")]
    kit.learners.link(first, accounts[0])
    kit.learners.link(second, accounts[1])
    given = kit.learners.consent(second, terms())
    before = {event.number for event in kit.learners.events(second)}
    for _ in range(2):
        assert kit.learners.merge(first, second) == first
    assert kit.learners.accounts(first) == sorted(accounts)
    assert kit.learners.consents(first) == [given]
    assert kit.learners.find(CITIZEN_ID) == first
    assert kit.learners.identity(first).name == NAME
    assert kit.learners.identity(first).document == CITIZEN_ID
    assert kinds(kit, first) == ["opened", "opened", "linked", "linked", "consent given", "merged"]
    # The second's identifier may be written down somewhere: it means the first from now on.
    assert kit.learners.identity(second) == kit.learners.identity(first)
    detail: Any = kit.learners.events(first)[-1].detail
    assert detail["learner"] == second
    assert detail["accounts"] == [accounts[1]]
    assert detail["consents"] == [given.consent]
    assert set(detail["events"]) == before
    assert detail["identity"]["name"] == "欧阳晓明"
    # The other way round it is done already.
    assert kit.learners.merge(second, first) == first


def test_a_chain_of_merges_ends_in_one(kit: Kit) -> None:
    one, two, three = (kit.learners.open(NAME) for _ in range(3))
    kit.learners.merge(two, three)
    assert kit.learners.merge(one, three) == one
    for name in (one, two, three):
        assert kinds(kit, name) == ["opened", "opened", "opened", "merged", "merged"]
    assert kit.learners.erase(two)
    for name in (one, two, three):
        assert not kit.learners.erase(name)


def test_people_with_different_documents_are_not_merged(kit: Kit) -> None:
    first, second = kit.learners.open(NAME, CITIZEN_ID), kit.learners.open(NAME, PASSPORT)
    with pytest.raises(Conflict, match="different identity documents") as refused:
        kit.learners.merge(first, second)
    assert str(refused.value).count(".") == 0
    assert NUMBER not in str(refused.value)
    assert kit.learners.find(PASSPORT) == second
    with pytest.raises(Conflict, match="with itself"):
        kit.learners.merge(first, first)


def test_old_names_are_kept_and_credentials_stay_as_issued(kit: Kit) -> None:
    account = kit.award("ana")
    learner = kit.learners.open(NAME, CITIZEN_ID)
    kit.learners.link(learner, account)
    (identifier,) = kit.credentials("ana")
    before = kit.bank.accounts.bundle(kit.bank.vault.token(account), identifier)
    kit.now += timedelta(days=1)
    for _ in range(2):
        kit.learners.rename(learner, "欧阳大明")
    identity = kit.learners.identity(learner)
    assert identity.name == "欧阳大明"
    assert [(old.name, old.until) for old in identity.former] == [(NAME, "2026-11-25T08:00:00Z")]
    assert kinds(kit, learner) == ["opened", "linked", "renamed"]
    assert kit.bank.accounts.bundle(kit.bank.vault.token(account), identifier) == before
    assert kit.learners.find(CITIZEN_ID) == learner


def test_consent_is_given_listed_and_withdrawn(kit: Kit) -> None:
    account = kit.award("ana")
    learner = kit.learners.open(NAME)
    kit.learners.link(learner, account)
    given = kit.learners.consent(learner, terms())
    assert kit.learners.consent(learner, terms()) == given
    one = kit.learners.consent(learner, terms(credentials=kit.credentials("ana")))
    assert {item.consent for item in kit.learners.consents(learner)} == {given.consent, one.consent}
    assert given.in_force(START)
    assert not given.in_force(START.replace(year=2028))
    assert not given.in_force(START - timedelta(days=1))
    kit.now += timedelta(hours=1)
    ended = kit.learners.withdraw(learner, given.consent)
    kit.now += timedelta(hours=1)
    assert kit.learners.withdraw(learner, given.consent) == ended
    assert ended.withdrawn == "2026-11-24T09:00:00Z"
    assert not ended.in_force(START)
    # Agreeing anew after a withdrawal is another consent.
    assert kit.learners.consent(learner, terms()).consent != given.consent
    with pytest.raises(NoSuchRecord, match="gave no consent"):
        kit.learners.withdraw(learner, "nothing")
    with pytest.raises(NoSuchRecord, match="hold no credential urn:uuid:0"):
        kit.learners.consent(learner, terms(credentials=["urn:uuid:0"]))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "an object with"),
        ({"purpose": "", "recipient": "x", "credentials": "all", "until": "2027-01-01"}, "purpose"),
        ({"purpose": "x", "credentials": "all", "until": "2027-01-01"}, "recipient"),
        ({"purpose": "x", "recipient": "x", "until": "2027-01-01"}, "credentials are 'all'"),
        ({"purpose": "x", "recipient": "x", "credentials": [], "until": "2027-01-01"}, "list of"),
        ({"purpose": "x", "recipient": "x", "credentials": "all"}, "until is a day"),
        ({"purpose": "x", "recipient": "x", "credentials": "all", "until": "20270101"}, "until"),
        ({"purpose": "x", "recipient": "x", "credentials": "all", "until": "2026-11-23"}, "before"),
        ({"who": "x"}, "no others"),
    ],
)
def test_what_is_no_consent(value: Any, says: str) -> None:
    with pytest.raises(BadConsent, match=says):
        read_terms(value, START.date())


def test_the_export_holds_everything_and_is_the_same_twice(kit: Kit) -> None:
    account = kit.award("ana", 3)
    other = kit.award("ana-evening", 1)
    learner = kit.learners.open(NAME, CITIZEN_ID)
    kit.learners.link(learner, account)
    kit.learners.link(learner, other)
    kit.learners.rename(learner, "欧阳大明")
    token, owned = kit.bank.vault.token(account), kit.credentials("ana")
    share, secret = kit.bank.shares.make(token, owned[:1], 7)
    kit.bank.shares.open(secret)
    offer = kit.bank.wallets.offer(token, owned[:1])
    kit.bank.wallets.redeem(offer.code, offer.tx_code)
    kit.bank.wallets.bind(account, "did:key:z6Mk", kit.bank.wallets.nonce())
    consent = kit.learners.consent(learner, terms())
    data = kit.learners.export(learner)
    assert kit.learners.export(learner) == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    read = {name: json.loads(content) for name, content in files.items() if ".json" in name}
    everything = owned + kit.credentials("ana-evening")
    assert {name for name in files if name.startswith("bundles/")} == {
        f"bundles/{identifier.removeprefix('urn:uuid:')}.bundle.json" for identifier in everything
    }
    for identifier in owned:
        name = f"bundles/{identifier.removeprefix('urn:uuid:')}.bundle.json"
        assert files[name] == kit.bank.accounts.bundle(token, identifier)
    assert read["identity.json"]["name"] == "欧阳大明"
    assert read["identity.json"]["former"][0]["name"] == NAME
    assert read["identity.json"]["document"]["number"] == NUMBER
    assert [len(item["awards"]) for item in read["accounts.json"]["accounts"]] in ([3, 1], [1, 3])
    (shared,) = read["shares.json"]["shares"]
    assert (shared["share"], shared["openings"]) == (share.share, ["2026-11-24T08:00:00Z"])
    wallet = next(item for item in read["wallets.json"]["wallets"] if item["account"] == account)
    assert [key["did"] for key in wallet["keys"]] == ["did:key:z6Mk"]
    assert len(wallet["offers"]) == len(wallet["access"]) == 1
    assert read["consents.json"]["consents"][0]["consent"] == consent.consent
    assert [event["kind"] for event in read["events.json"]["events"]] == kinds(kit, learner)
    assert kinds(kit, learner)[-1] == "exported"
    readme = files["README.txt"].decode()
    assert all(name in readme for name in files if "/" not in name and name != "README.txt")
    assert "您" in readme
    # No secret that opens anything is handed about with it.
    assert token.encode() not in data
    assert secret.encode() not in data
    kit.now += timedelta(seconds=1)
    assert kit.learners.export(learner) != data


def test_an_exported_bundle_is_strict_json(kit: Kit) -> None:
    learner = kit.learners.open(NAME)
    kit.learners.link(learner, kit.award("ana"))
    with zipfile.ZipFile(io.BytesIO(kit.learners.export(learner))) as archive:
        for name in archive.namelist():
            assert name == "README.txt" or parse(archive.read(name))


def test_nothing_of_a_person_is_in_the_database_in_the_clear(kit: Kit) -> None:
    account = kit.award("ana")
    learner = kit.learners.open(NAME, CITIZEN_ID)
    kit.learners.link(learner, account)
    kit.learners.consent(learner, terms(recipient="渝州公司"))
    kit.learners.rename(learner, "欧阳大明")
    kit.learners.merge(learner, kit.learners.open("欧阳晓明"))
    stored = kit.on_disk()
    for text in (NAME, "欧阳大明", "欧阳晓明", NUMBER, "渝州公司"):
        assert text.encode() not in stored
    assert account.encode() in stored
    assert learner.encode() in stored
