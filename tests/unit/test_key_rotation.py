"""A key hands over to the one it announced, is reported stolen, and its statements are attested."""

from __future__ import annotations

from typing import Any

import pytest

from keys import PrivateKey, b64u_encode
from ledger import Refused, SignedStatement, Statement
from ledger.key_periods import KeyPeriod, next_digest
from tests.chain_kit import (
    BANK,
    KEY,
    LOG,
    NEXT,
    NORTH,
    OTHER,
    SECOND,
    SOUTH,
    STRANGER,
    A,
    Chain,
    admit,
    award,
    governed,
    key,
    opening,
    published,
    started,
    unit,
)

THIEF = PrivateKey.from_seed(bytes([77]) * 32)


def rotate(
    old: PrivateKey,
    new: PrivateKey,
    *signers: PrivateKey,
    author: str = NORTH,
    then: PrivateKey | None = None,
) -> SignedStatement:
    body: dict[str, Any] = {"key": new.public_key.multikey, "replaces": old.public_key.multikey}
    if then is not None:
        body["next"] = next_digest(then.public_key.multikey)
    return Statement.make(author, "key.rotate", body).sign(*(signers or (old, new)))


def announcing(key_: PrivateKey, then: PrivateKey, member: str = NORTH) -> SignedStatement:
    digest = next_digest(then.public_key.multikey)
    return key("key.add", key_, member, next=digest, person="registrar")


@pytest.fixture
def chain() -> Chain:
    """North signs with KEY, which announced NEXT."""
    chain = Chain()
    grant = [one for one in started() if one.statement.kind == "grant"]
    for signed in (opening(), *published(), admit(), *grant, announcing(KEY, NEXT), unit()):
        chain.add(signed)
    return chain


def test_a_key_hands_over_to_the_one_it_announced_without_the_governance(chain: Chain) -> None:
    chain.add(award(1))
    chain.add(rotate(KEY, NEXT, then=OTHER))
    chain.refused(award(2), "was retired")
    chain.add(award(2, NEXT))
    period = chain.registry.members[NORTH].keys[NEXT.public_key.multikey]
    assert period.person == "registrar"
    chain.add(rotate(NEXT, OTHER))
    # The last one announced nothing, so the governance is needed again.
    chain.refused(rotate(OTHER, STRANGER), "announced no next one")
    chain.add(key("key.add", STRANGER))


def test_whoever_stole_the_key_cannot_hand_over_to_another(chain: Chain) -> None:
    for signers in ((KEY, THIEF), (KEY,), (THIEF,), (KEY, THIEF, OTHER)):
        expected = "not the one" if signers == (KEY, THIEF) else "by the key replaced and by the"
        chain.refused(rotate(KEY, THIEF, *signers), expected)
    # Nor with the announced key's name, which is public once it was used, but not its signature.
    chain.refused(rotate(KEY, NEXT, KEY, THIEF), "by the key replaced and by the new one")
    chain.refused(rotate(KEY, NEXT, KEY), "by the key replaced and by the new one")
    chain.add(rotate(KEY, NEXT))


def test_whoever_has_the_announced_key_alone_cannot_either(chain: Chain) -> None:
    chain.refused(rotate(KEY, NEXT, NEXT), "by the key replaced and by the new one")
    chain.refused(rotate(STRANGER, NEXT, STRANGER, NEXT), "is not registered for")


def test_a_key_reported_or_retired_hands_over_to_nothing(chain: Chain) -> None:
    retired = Chain()
    for signed in (opening(), admit(), announcing(KEY, NEXT), key("key.retire", KEY)):
        retired.add(signed)
    retired.refused(rotate(KEY, NEXT), "was retired")
    chain.add(key("key.suspect", KEY, from_index=chain.size))
    chain.refused(rotate(KEY, NEXT), "reported as suspect")
    chain.add(key("key.add", NEXT))


def test_a_key_hands_over_for_its_own_member_only(chain: Chain) -> None:
    chain.add(admit(SOUTH, "91350100M000100Y44"))
    chain.refused(rotate(KEY, NEXT, author=SOUTH), f"is not registered for {SOUTH}")
    chain.refused(rotate(KEY, NEXT, author=BANK), f"is not registered for {BANK}")
    chain.add(key("key.add", NEXT, SOUTH))
    chain.refused(rotate(KEY, NEXT), "a key is registered once")


def test_the_banks_own_key_hands_over_too() -> None:
    chain = Chain()
    for signed in (opening(), announcing(KEY, NEXT, BANK)):
        chain.add(signed)
    chain.add(rotate(KEY, NEXT, author=BANK))
    assert chain.registry.operator is not None
    assert set(chain.registry.operator.keys) == {
        KEY.public_key.multikey,
        NEXT.public_key.multikey,
    }


@pytest.mark.parametrize(
    ("reports", "start", "at"),
    [
        ([(10, 4)], 4, 10),
        ([(10, 4), (20, 3)], 3, 10),
        ([(10, 4), (20, 15)], 4, 10),
        ([(10, 30)], 30, 30),
        ([(10, 30), (20, 5)], 5, 20),
        ([(10, 30), (20, 40)], 30, 30),
    ],
)
def test_a_doubt_lies_between_where_it_begins_and_where_it_was_told(
    reports: list[tuple[int, int]], start: int, at: int
) -> None:
    """(entry that reports, from which entry on): a key reported again can only lose."""
    from ledger.key_periods import after

    periods = {"k": KeyPeriod("k", 0)}
    for index, first in reports:
        periods = after("key.suspect", {"key": "k", "from_index": first}, periods, index)
    period = periods["k"]
    assert (period.suspect_from, period.suspect_at) == (start, at)
    places = range(60)
    assert [n for n in places if period.good_at(n)] == list(range(start))
    assert [n for n in places if period.doubtful_at(n)] == list(range(start, at))
    assert [n for n in places if period.good_at(n, attested=True)] == list(range(at))


def attest(*statements: SignedStatement, by: PrivateKey, author: str = NORTH) -> SignedStatement:
    hashes: list[Any] = [b64u_encode(one.statement.hash) for one in statements]
    return Statement.make(author, "award.attest", {"statements": hashes}).sign(by)


def test_only_a_good_key_of_the_member_attests_and_only_in_doubt(chain: Chain) -> None:
    first, second = award(1), award(2)
    chain.add(first)
    chain.refused(attest(first, by=KEY), "no key of did:web:north.example is in doubt")
    chain.add(second)
    chain.add(key("key.suspect", KEY, from_index=chain.size - 1))
    chain.add(key("key.add", OTHER))
    chain.add(admit(SOUTH, "91350100M000100Y44"))
    chain.add(key("key.add", STRANGER, SOUTH))
    chain.refused(attest(second, by=KEY), "reported as suspect")
    chain.refused(attest(second, by=STRANGER), f"is not registered for {NORTH}")
    chain.refused(attest(second, by=STRANGER, author=SOUTH), "is in doubt, so it has nothing")
    chain.refused(attest(second, by=A, author=BANK), "made by a member institution")
    chain.add(attest(second, by=OTHER))
    assert chain.registry.members[NORTH].attested == {b64u_encode(second.statement.hash)}
    assert chain.registry.copy().members[NORTH].attested
    chain.refused(attest(first, second, by=OTHER), "attested the statement .* already")
    chain.add(attest(first, by=OTHER))


def test_an_attestation_is_bounded(chain: Chain) -> None:
    hashes = [b64u_encode(bytes([n // 256, n % 256]) * 16) for n in range(1001)]
    Statement.make(NORTH, "award.attest", {"statements": list(hashes[:1000])})
    from ledger import BadStatement

    for bad in (hashes, [], [hashes[0]] * 2, ["short"]):
        with pytest.raises(BadStatement, match="statements"):
            Statement.make(NORTH, "award.attest", {"statements": list(bad)})


def test_distinct_keys_are_not_confused_with_distinct_texts() -> None:
    assert next_digest(KEY.public_key.multikey) != next_digest(NEXT.public_key.multikey)
    assert len({one.public_key.raw for one in (KEY, NEXT, OTHER, LOG, SECOND)}) == 5
    with pytest.raises(Refused):
        Chain().add(governed("key.add", {"key": KEY.public_key.multikey, "member": NORTH}))
