"""The governance root changes on the ledger: who signs that, what it takes, and when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from bank.proposals import Proposal, describe
from keys import PrivateKey
from ledger import SignedStatement, Statement
from tests.chain_kit import (
    BANK,
    NORTH,
    SOUTH,
    STRANGER,
    A,
    B,
    Chain,
    admit,
    governed,
    opening,
)

C, D = (PrivateKey.from_seed(bytes([n]) * 32) for n in (80, 81))


def rotate(
    *signers: PrivateKey,
    to: tuple[PrivateKey, ...] = (C, D),
    threshold: int = 2,
    version: int = 2,
    expires: str = "2030-01-01T00:00:00Z",
    author: str = BANK,
) -> SignedStatement:
    keys: list[Any] = [key.public_key.multikey for key in to]
    body: dict[str, Any] = {
        "expires": expires,
        "governance": {"keys": keys, "threshold": threshold},
        "version": version,
    }
    return Statement.make(author, "governance.rotate", body).sign(*(signers or (A, B, C, D)))


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.add(opening())
    return chain


def test_the_new_root_governs_and_the_old_one_no_more(chain: Chain) -> None:
    old = admit()
    chain.add(rotate())
    chain.refused(old, "takes signatures by 2 of the governance")
    chain.add(old.statement.sign(C, D))
    identity = chain.registry.identity
    assert identity is not None
    assert [root.version for root in identity.roots] == [1, 2]
    assert identity.roots[1].rotation == rotate()
    chain.add(rotate(A, B, C, D, to=(A, B), version=3))
    chain.add(governed("member.suspend", {"member": NORTH, "reason": "audit"}))


@pytest.mark.parametrize(
    ("signed", "says"),
    [
        (rotate(A, B), "2 of the new root's keys; this one has 0"),
        (rotate(C, D), "2 of the old root's keys; this one has 0"),
        (rotate(A, C), "2 of the old root's keys; this one has 1"),
        (rotate(A, B, C), "2 of the new root's keys; this one has 1"),
        (rotate(A, B, C, D, STRANGER), "and nobody else"),
        (rotate(version=1), "next version of the root, 2; this one says 1"),
        (rotate(version=3), "next version of the root, 2; this one says 3"),
        (rotate(author=SOUTH), f"made in the name of {BANK}"),
        (rotate(expires="2026-11-23T18:18:22Z"), "expires in the future"),
    ],
)
def test_what_no_rotation_is(chain: Chain, signed: SignedStatement, says: str) -> None:
    chain.refused(signed, says)
    chain.add(rotate())


def test_a_rotation_holds_once(chain: Chain) -> None:
    chain.add(rotate())
    chain.refused(rotate(), "next version of the root, 3")


def test_a_key_of_both_roots_counts_for_both(chain: Chain) -> None:
    chain.add(rotate(A, B, C, to=(B, C)))
    chain.add(admit().statement.sign(B, C))


def test_a_root_past_its_end_only_hands_over() -> None:
    chain = Chain()
    chain.add(opening(expires="2026-11-24T00:00:00Z"))
    chain.add(admit())
    chain.day = "2026-11-24"
    second = admit(SOUTH, "91350100M000100Y44")
    chain.refused(second, "root of version 1 expired on 2026-11-24; all it can state now is")
    chain.add(rotate())
    chain.add(second.statement.sign(C, D))


def test_a_copy_keeps_its_root(chain: Chain) -> None:
    copied = chain.registry.copy()
    chain.add(rotate())
    assert copied.identity is not None
    assert copied.identity.governance == (A.public_key.multikey, B.public_key.multikey)
    copied.check(admit(), chain.size, "2026-11-23T18:18:22Z")


def test_whoever_reads_it_sees_which_root_a_signer_is_of(chain: Chain) -> None:
    lines = describe(Proposal.parse(rotate(A, C).data), chain.registry)
    told = {line.partition(", ")[2] for line in lines if line.startswith("signed by")}
    assert told == {"of the governance", "of the root that is to come"}
