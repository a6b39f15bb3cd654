"""A registry and a book of lots fed entry by entry, and statements to feed them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from keys import PrivateKey, b64u_encode
from ledger import Entry, LotBook, Refused, Registry, SignedStatement, Statement, VerifierKey
from ledger.note import ED25519

BANK, NORTH, SOUTH = "did:web:bank.example", "did:web:north.example", "did:web:south.example"
A, B, STRANGER, KEY, NEXT, OTHER, LOG, SECOND = (
    PrivateKey.from_seed(bytes([n]) * 32) for n in range(1, 9)
)
NAMES = {"en": "North", "zh": "北方"}
UNIT = {
    "credits": "4",
    "field": "computing",
    "framework": "national",
    "hours": "64",
    "level": "5",
    "scheme": "national",
    "title": NAMES,
    "unit": "CS101",
    "version": 1,
}
GRANT = {
    "fields": ["computing"],
    "from": "2026-01-01",
    "level": "6",
    "member": NORTH,
    "until": "2027-12-31",
}


class Chain:
    """A registry and a book of lots, fed entry by entry."""

    def __init__(self) -> None:
        self.registry, self.book, self.size = Registry(), LotBook(), 0
        self.day = "2026-11-23"

    def add(self, signed: SignedStatement) -> Entry:
        time = f"{self.day}T18:18:22Z"
        self.registry.check(signed, self.size, time)
        entry = Entry.make(self.size, bytes(32), time, signed)
        self.book.take(entry)
        self.registry.apply(entry)
        self.size += 1
        return entry

    def refused(self, signed: SignedStatement, match: str) -> None:
        """Refused, and nothing has changed."""
        before = state(self.registry)
        lots = dict(self.book.lots)
        with pytest.raises(Refused, match=match):
            self.add(signed)
        assert state(self.registry) == before
        assert self.book.lots == lots


def state(registry: Registry) -> tuple[Any, ...]:
    found = (registry.identity, registry.members, registry.units, registry.witnesses)
    return copy.deepcopy((*found, registry.quorum))


def governed(kind: str, body: dict[str, Any], *signers: PrivateKey) -> SignedStatement:
    return Statement.make(BANK, kind, body).sign(*(signers or (A, B)))


def opening(*signers: PrivateKey, **changes: Any) -> SignedStatement:
    body = {
        "domain": "bank.example",
        "governance": {"keys": [A.public_key.multikey, B.public_key.multikey], "threshold": 2},
        "log": [str(VerifierKey("bank.example/log", ED25519, LOG.public_key.raw))],
        "name": NAMES,
        "origin": "bank.example/log",
        **changes,
    }
    return governed("log.open", body, *signers)


def admit(member: str = NORTH, uscc: str = "91350100M000100Y43", **changes: Any) -> SignedStatement:
    body = {"capacities": ["awarding"], "member": member, "name": NAMES, "uscc": uscc, **changes}
    return governed("member.admit", body)


def key(kind: str, key: PrivateKey, member: str = NORTH, **more: Any) -> SignedStatement:
    return governed(kind, {"key": key.public_key.multikey, "member": member, **more})


def published() -> list[SignedStatement]:
    """The framework and the scheme that units here are of."""
    levels = [{"level": str(n), "name": NAMES} for n in range(1, 10)]
    framework = {"framework": "national", "levels": levels, "name": NAMES, "version": 1}
    scheme = {"hours": "16", "name": NAMES, "scheme": "national", "version": 1}
    return [governed("framework.publish", framework), governed("scheme.publish", scheme)]


def unit(by: PrivateKey = KEY, author: str = NORTH, **changes: Any) -> SignedStatement:
    return Statement.make(author, "unit.publish", {**UNIT, **changes}).sign(by)


def award(number: int, *by: PrivateKey, author: str = NORTH, **changes: Any) -> SignedStatement:
    body = {
        "commitment": b64u_encode(bytes([number]) * 32),
        "credits": "4",
        "level": "5",
        "lot": b64u_encode(bytes([number]) * 16),
        "scheme": "national",
        "status": {"index": number, "list": 1},
        "unit": "CS101@1",
        **changes,
    }
    return Statement.make(author, "award", body).sign(*(by or (KEY,)))


def event(kind: str, number: int, author: str = NORTH, *by: PrivateKey) -> SignedStatement:
    body = {"lot": b64u_encode(bytes([number]) * 16), "reason": "test"}
    if kind != "reinstate":
        body["appeal"] = "2099-01-01"
    signers = by or ((KEY, SECOND) if kind == "revoke" else (KEY,))
    return Statement.make(author, kind, body).sign(*signers)


def started() -> list[SignedStatement]:
    keys = [key("key.add", KEY, person="registrar"), key("key.add", SECOND, person="approver")]
    return [opening(), *published(), admit(), governed("grant", GRANT), *keys, unit()]
