"""Who may state what: every refusal of the registry and of the lots, and what stands beside it."""

from __future__ import annotations

from typing import Any

import pytest

from keys import b64u_encode
from ledger import (
    Grant,
    KeyPeriod,
    LotState,
    Refused,
    SignedStatement,
    Slot,
    Statement,
    VerifierKey,
)
from ledger.cosignature import Ed25519Cosigner
from ledger.lots import after, slot_of
from ledger.note import ED25519
from ledger.standing import Event
from tests.chain_kit import (
    BANK,
    GRANT,
    KEY,
    LOG,
    NEXT,
    NORTH,
    OTHER,
    SOUTH,
    STRANGER,
    A,
    B,
    Chain,
    admit,
    award,
    event,
    governed,
    key,
    opening,
    published,
    started,
    state,
    unit,
)


@pytest.fixture
def chain() -> Chain:
    """A log opened, with a member that may award one unit."""
    chain = Chain()
    for signed in started():
        chain.add(signed)
    return chain


def test_a_log_is_opened_once_and_first() -> None:
    empty = Chain()
    before = "first entry of a log is its log.open"
    for signed in (admit(), key("key.add", KEY), unit(), award(1), event("revoke", 1)):
        empty.refused(signed, before)
    empty.add(opening())
    empty.refused(opening(), "opened once")
    empty.refused(opening(origin="bank.example/other"), "opened once")
    late = Chain()
    late.size = 1
    late.refused(opening(), "opened once")


def test_a_log_is_opened_by_its_governance() -> None:
    for signers in ((A,), (A, STRANGER), (STRANGER,)):
        Chain().refused(opening(*signers), "signatures by 2 of the governance keys")
    Chain().add(opening(A, B))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("member.admit", {**admit().statement.body, "member": SOUTH}),
        ("member.suspend", {"member": NORTH, "reason": "audit"}),
        ("key.add", {"key": NEXT.public_key.multikey, "member": NORTH}),
        ("key.retire", {"key": KEY.public_key.multikey, "member": NORTH}),
        ("key.suspect", {"key": KEY.public_key.multikey, "member": NORTH, "from_index": 3}),
        ("grant", GRANT),
        ("witness.retire", {"operator": "jiangsu", "quorum": 0}),
    ],
)
def test_the_quorum_governs_and_nobody_else(chain: Chain, kind: str, body: dict[str, Any]) -> None:
    for signers in ((A,), (KEY,), (A, KEY), (A, B, KEY), (A, B, STRANGER)):
        chain.refused(governed(kind, body, *signers), "takes signatures by 2 of the governance")
    for author in (NORTH, SOUTH):
        signed = Statement.make(author, kind, body).sign(A, B)
        chain.refused(signed, f"made in the name of {BANK}")


def test_members_are_admitted_once(chain: Chain) -> None:
    chain.refused(admit(), "is a member already")
    chain.refused(admit(SOUTH), "social credit code 91350100M000100Y43 is another member's")
    chain.add(admit(SOUTH, "91350100M000100Y44"))


def test_what_concerns_a_member_concerns_one_that_is_there(chain: Chain) -> None:
    for signed in (
        governed("member.suspend", {"member": SOUTH, "reason": "audit"}),
        key("key.add", NEXT, SOUTH),
        key("key.retire", KEY, SOUTH),
        key("key.suspect", KEY, SOUTH, from_index=1),
        governed("grant", {**GRANT, "member": SOUTH}),
    ):
        chain.refused(signed, f"{SOUTH} is not a member")


def test_keys_are_registered_once_and_retired_once(chain: Chain) -> None:
    chain.add(admit(SOUTH, "91350100M000100Y44"))
    for member in (NORTH, SOUTH):
        chain.refused(key("key.add", KEY, member), "a key is registered once")
    for kind, more in (("key.retire", {}), ("key.suspect", {"from_index": 1})):
        chain.refused(key(kind, NEXT, **more), f"{NORTH} has no key")
        chain.refused(key(kind, KEY, SOUTH, **more), f"{SOUTH} has no key")
    chain.add(key("key.retire", KEY))
    chain.refused(key("key.retire", KEY), "is retired already")
    chain.refused(key("key.add", KEY), "a key is registered once")


def test_grants_make_sense(chain: Chain) -> None:
    backwards = {**GRANT, "from": "2027-01-01", "until": "2026-12-31"}
    chain.refused(governed("grant", backwards), "last day lies before its first")
    chain.add(admit(SOUTH, "91350100M000100Y44", capacities=["receiving"]))
    chain.refused(governed("grant", {**GRANT, "member": SOUTH}), "not admitted as an awarding")


def test_witnesses() -> None:
    chain = Chain()
    chain.add(opening())
    witness = str(Ed25519Cosigner("w.example", OTHER).key)
    log_key = str(VerifierKey("w.example", ED25519, OTHER.public_key.raw))
    body: dict[str, Any] = {
        "keys": [witness],
        "operator": "jiangsu",
        "quorum": 1,
        "url": "https://w.example",
    }
    chain.refused(governed("witness.admit", {**body, "quorum": 2}), "1 witnesses cannot give")
    chain.refused(governed("witness.admit", {**body, "keys": [log_key]}), "is a cosignature key")
    retire = {"operator": "jiangsu", "quorum": 0}
    chain.refused(governed("witness.retire", retire), "jiangsu is not a witness")
    chain.add(governed("witness.admit", body))
    second = {**body, "operator": "sichuan", "quorum": 2}
    chain.refused(governed("witness.admit", second), "is the witness jiangsu's already")
    renamed = [str(Ed25519Cosigner("v.example", OTHER).key)]
    chain.refused(
        governed("witness.admit", {**second, "keys": renamed}), "is the witness jiangsu's already"
    )
    itself = [str(Ed25519Cosigner("v.example", LOG).key)]
    chain.refused(governed("witness.admit", {**second, "keys": itself}), "no witness of itself")
    own = [str(Ed25519Cosigner("v.example", STRANGER).key)]
    chain.add(governed("witness.admit", {**second, "keys": own}))
    assert (set(chain.registry.witnesses), chain.registry.quorum) == ({"jiangsu", "sichuan"}, 2)
    # The same operator again has other keys, and is not one more.
    chain.refused(governed("witness.admit", {**body, "quorum": 3}), "2 witnesses cannot give")
    chain.refused(governed("witness.retire", {**retire, "quorum": 2}), "1 witnesses cannot give")
    chain.add(governed("witness.retire", retire))
    assert (set(chain.registry.witnesses), chain.registry.quorum) == ({"sichuan"}, 0)


def members_own() -> list[SignedStatement]:
    return [unit(version=2), award(9), event("suspend", 1)]


def test_members_speak_for_themselves(chain: Chain) -> None:
    chain.add(award(1))
    foreign = [unit(author=SOUTH), award(9, author=SOUTH), event("suspend", 1, SOUTH)]
    for signed in foreign:
        chain.refused(signed, f"{SOUTH} is not a member")
    for signed in members_own():
        for other in (STRANGER, NEXT, A):
            forged = signed.statement.sign(other)
            chain.refused(forged, "is not registered for")
        two = signed.statement.sign(KEY, STRANGER)
        chain.refused(two, "has one signature, its author's")


def test_another_members_key_is_no_key(chain: Chain) -> None:
    chain.add(admit(SOUTH, "91350100M000100Y44"))
    chain.add(key("key.add", OTHER, SOUTH))
    chain.refused(award(9, OTHER), f"is not registered for {NORTH}")
    chain.refused(unit(OTHER, version=2), f"is not registered for {NORTH}")
    chain.add(unit(OTHER, SOUTH))


def test_a_suspended_member_says_nothing_more(chain: Chain) -> None:
    chain.add(award(1))
    chain.add(governed("member.suspend", {"member": NORTH, "reason": "audit"}))
    for signed in members_own():
        chain.refused(signed, "is suspended as a member")


def test_a_retired_key_signs_nothing_more(chain: Chain) -> None:
    chain.add(award(1))
    chain.add(key("key.add", NEXT))
    chain.add(key("key.retire", KEY))
    for signed in members_own():
        chain.refused(signed, "was retired")
        chain.add(signed.statement.sign(NEXT))


def test_a_suspect_key_signs_nothing_more(chain: Chain) -> None:
    chain.add(award(1))
    chain.add(key("key.suspect", KEY, from_index=chain.size))
    for signed in members_own():
        chain.refused(signed, "reported as suspect")
    # Whoever reports it again cannot bring it back.
    chain.add(key("key.suspect", KEY, from_index=1000))
    for signed in members_own():
        chain.refused(signed, "reported as suspect")


def test_a_key_suspect_from_an_entry_to_come_ends_there(chain: Chain) -> None:
    """However many awards of the same sort it signed before."""
    chain.add(key("key.suspect", KEY, from_index=chain.size + 3))
    for number in (1, 2):
        chain.add(award(number))
    chain.refused(award(3), "reported as suspect")
    chain.refused(unit(version=2), "reported as suspect")


def test_key_periods() -> None:
    period = KeyPeriod("k", 5, 9, 7)
    assert [index for index in range(12) if period.good_at(index)] == [5, 6]
    assert [index for index in range(12) if KeyPeriod("k", 5, 9).good_at(index)] == [5, 6, 7, 8]
    assert KeyPeriod("k", 5).good_at(10**9)


def test_a_version_of_a_unit_never_changes(chain: Chain) -> None:
    chain.refused(unit(credits="5"), "a version never changes")
    chain.refused(unit(), "a version never changes")
    chain.add(unit(version=2, credits="5"))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"unit": "CS101@2"}, "has not published unit CS101@2"),
        ({"unit": "cs101@1"}, "has not published unit"),
        ({"level": "6"}, "is of level 5 in national, the award says level 6 in national"),
        ({"level": "4"}, "the award says level 4"),
        ({"scheme": "other"}, "the award says level 5 in other"),
        ({"credits": "4.0001"}, "gives 4 credits, the award 4.0001"),
        ({"credits": "40"}, "gives 4 credits, the award 40"),
    ],
)
def test_awards_keep_to_the_unit(chain: Chain, changes: dict[str, Any], match: str) -> None:
    chain.refused(award(1, **changes), match)
    # Nor after a good one of the same day has been decided.
    chain.add(award(2))
    chain.refused(award(1, **changes), match)
    chain.add(award(1, credits="3.9999"))


@pytest.mark.parametrize(
    ("field", "level", "day", "good"),
    [
        ("computing", 6, "2026-01-01", True),
        ("computing", 1, "2027-12-31", True),
        ("computing", 7, "2026-06-01", False),
        ("law", 6, "2026-06-01", False),
        ("computing", 6, "2025-12-31", False),
        ("computing", 6, "2028-01-01", False),
    ],
)
def test_awards_keep_to_the_grant(field: str, level: int, day: str, good: bool) -> None:
    grant = Grant(2, ("computing",), 6, "2026-01-01", "2027-12-31")
    assert grant.covers(field, level, day) is good
    assert Grant(2, ("*",), 6, "2026-01-01", "2027-12-31").covers("law", 6, "2026-06-01")
    chain = Chain()
    for signed in (opening(), *published(), admit(), governed("grant", GRANT), key("key.add", KEY)):
        chain.add(signed)
    chain.add(unit(field=field, level=str(level)))
    chain.day = day
    made = award(1, level=str(level))
    if good:
        chain.add(made)
        return
    chain.refused(made, "holds no grant in force for field")
    wider = {**GRANT, "fields": ["*"], "level": "9", "from": "2020-01-01", "until": "2030-01-01"}
    chain.add(governed("grant", wider))
    chain.add(made)


def test_a_grant_that_ran_out_overnight(chain: Chain) -> None:
    chain.day = "2027-12-31"
    chain.add(award(1))
    chain.day = "2028-01-01"
    chain.refused(award(2), "holds no grant in force")


def test_without_a_grant_nothing_is_awarded() -> None:
    chain = Chain()
    for signed in (opening(), *published(), admit(), key("key.add", KEY), unit()):
        chain.add(signed)
    chain.refused(award(1), "holds no grant in force")


def test_a_unit_is_its_publishers(chain: Chain) -> None:
    chain.add(admit(SOUTH, "91350100M000100Y44"))
    chain.add(key("key.add", OTHER, SOUTH))
    chain.add(governed("grant", {**GRANT, "member": SOUTH}))
    chain.refused(award(1, OTHER, author=SOUTH), f"{SOUTH} has not published unit")


def test_a_lot_and_a_status_slot_are_awarded_once(chain: Chain) -> None:
    chain.add(award(1))
    chain.refused(award(1), "was awarded already")
    chain.refused(award(1, status={"index": 2, "list": 1}), "was awarded already")
    chain.refused(award(2, status={"index": 1, "list": 1}), "the status slot 1#1 is taken")
    chain.add(award(2, status={"index": 1, "list": 2}))
    assert chain.book.lots[b64u_encode(b"\1" * 16)].slot == Slot(1, 1)


def test_lots_move_as_their_states_allow(chain: Chain) -> None:
    lot = b64u_encode(b"\1" * 16)
    chain.refused(event("suspend", 1), f"there is no lot {lot}")
    chain.add(award(1))
    chain.refused(event("reinstate", 1), "is active; it cannot reinstate")
    chain.add(event("suspend", 1))
    assert chain.book.lots[lot].state is LotState.SUSPENDED
    chain.refused(event("suspend", 1), "is suspended; it cannot suspend")
    chain.add(event("reinstate", 1))
    assert chain.book.lots[lot].state is LotState.ACTIVE
    chain.add(event("suspend", 1))
    chain.add(event("revoke", 1))
    for kind in ("suspend", "reinstate", "revoke"):
        chain.refused(event(kind, 1), f"is revoked; it cannot {kind}")
    assert chain.book.lots[lot].state is LotState.REVOKED
    # A revoked lot's name and slot are not free again.
    chain.refused(award(1), "was awarded already")


def test_a_lot_is_moved_by_its_institution_alone(chain: Chain) -> None:
    chain.add(admit(SOUTH, "91350100M000100Y44"))
    chain.add(key("key.add", OTHER, SOUTH, person="registrar"))
    chain.add(award(1))
    chain.add(key("key.add", NEXT, SOUTH, person="approver"))
    for kind, signers in (("suspend", (OTHER,)), ("revoke", (OTHER, NEXT))):
        chain.refused(event(kind, 1, SOUTH, *signers), f"only {NORTH} may {kind} its lot")
    body = event("revoke", 1).statement.body
    with pytest.raises(Refused, match="there is no lot"):
        after(None, Event("x", "revoke", NORTH, body, 9, "2026-11-24T00:00:00Z"))


def test_a_lot_known_before_holds_its_slot(chain: Chain) -> None:
    lot = chain.book.lots
    chain.add(award(1))
    (known,) = lot.values()
    other = Chain()
    other.book.know(known)
    for signed in started():
        other.add(signed)
    other.refused(award(2, status={"index": 1, "list": 1}), "is taken")


def test_a_copy_is_not_changed_by_what_follows(chain: Chain) -> None:
    copied = chain.registry.copy()
    before = state(copied)
    assert before == state(chain.registry)
    chain.add(key("key.add", NEXT))
    chain.add(admit(SOUTH, "91350100M000100Y44"))
    chain.add(unit(version=2))
    assert state(copied) == before
    copied.check(award(1), chain.size, "2026-11-23T00:00:00Z")
    with pytest.raises(Refused):
        copied.check(award(1, NEXT), chain.size, "2026-11-23T00:00:00Z")


def test_statements_made_past_the_shapes_are_refused_all_the_same() -> None:
    """No statement that was parsed comes here so; one put together in memory might."""
    good = opening()
    for governance in ([], {"keys": [A.public_key.multikey], "threshold": "1"}):
        body: dict[str, Any] = {**good.statement.body, "governance": governance}
        made = Statement(BANK, "log.open", body, good.statement.data)
        Chain().refused(SignedStatement(made, good.signatures), "is not keys and a threshold")
    body = {**award(1).statement.body, "status": "1#1"}
    with pytest.raises(KeyError):
        slot_of(Statement(NORTH, "award", body, b""))
