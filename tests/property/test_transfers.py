"""Custody transfers between two logs: one lot has one custodian, whatever becomes of messages."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys import PrivateKey, b64u_encode
from ledger import (
    Checkpoint,
    Entry,
    LotBook,
    LotState,
    Receipt,
    Refused,
    Registry,
    SignedStatement,
    Statement,
    VerifierKey,
    format_time,
    inclusion_proof,
    leaf_hash,
    root_hash,
    sign_note,
)
from ledger.note import ED25519
from ledger.standing import Facts
from ledger.transfers import trim

NAMES = {"en": "Bank", "zh": "银行"}
START = datetime(2026, 11, 23, tzinfo=UTC)
FAST, SLOW = 1_000, 100_000


class Bank:
    """A bank's log in memory: what is appended is checked, and proved by receipts."""

    def __init__(self, name: str, seed: int) -> None:
        self.did, self.origin = f"did:web:{name}", f"{name}/log"
        self.log_key, self.governor, self.desk, self.member_key = (
            PrivateKey.from_seed(bytes([seed + n]) * 32) for n in range(4)
        )
        self.member = f"{self.did}:members:m"
        self.verifier = VerifierKey(self.origin, ED25519, self.log_key.public_key.raw)
        self.registry, self.book = Registry(), LotBook()
        self.entries: list[bytes] = []
        self.prev = bytes(32)
        self.now = START

    def append(self, signed: SignedStatement) -> int:
        """The entry's index; a statement that is there already keeps its place."""
        for index, data in enumerate(self.entries):
            if Entry.parse(data).signed.statement.hash == signed.statement.hash:
                return index
        signed.verify()
        time, index = format_time(self.now), len(self.entries)
        self.registry.check(signed, index, time)
        entry = Entry.make(index, self.prev, time, signed)
        self.book.take(entry)
        self.registry.apply(entry)
        self.entries.append(entry.data)
        self.prev = entry.leaf
        return index

    def receipt(self, index: int) -> str:
        leaves = [leaf_hash(data) for data in self.entries]
        note = Checkpoint(self.origin, len(leaves), root_hash(leaves)).text
        path = tuple(inclusion_proof(index, len(leaves), lambda lo, hi: root_hash(leaves[lo:hi])))
        whole = Receipt(
            self.entries[index], index, path, sign_note(note, self.origin, self.log_key)
        )
        return trim(whole.encode(), [self.verifier])

    def state(self, kind: str, **body: Any) -> int:
        """What the bank states with its own key."""
        return self.append(Statement.make(self.did, kind, body).sign(self.desk))

    def govern(self, kind: str, **body: Any) -> int:
        return self.append(Statement.make(self.did, kind, body).sign(self.governor))

    def party(self) -> dict[str, Any]:
        governance = {"keys": [self.governor.public_key.multikey], "threshold": 1}
        return {
            "bank": self.did,
            "governance": governance,
            "keys": [self.desk.public_key.multikey],
            "log": [str(self.verifier)],
            "name": NAMES,
            "origin": self.origin,
        }

    def open(self) -> None:
        party = self.party()
        body = {name: party[name] for name in ("governance", "log", "name", "origin")}
        self.govern("log.open", domain=self.did.removeprefix("did:web:"), **body)
        levels = [{"level": "5", "name": NAMES}]
        self.govern("framework.publish", framework="f", levels=levels, name=NAMES, version=1)
        self.govern("scheme.publish", hours="16", name=NAMES, scheme="s", version=1)
        self.govern(
            "member.admit",
            capacities=["awarding", "receiving"],
            member=self.member,
            name=NAMES,
            uscc="91350100M000100Y43",
        )
        span = {"from": "2026-01-01", "until": "2030-01-01"}
        self.govern("grant", fields=["*"], level="8", member=self.member, **span)
        for key, member in ((self.member_key, self.member), (self.desk, self.did)):
            self.govern("key.add", key=key.public_key.multikey, member=member)
        self.own(
            "unit.publish",
            credits="4",
            field="ict",
            framework="f",
            hours="64",
            level="5",
            scheme="s",
            title=NAMES,
            unit="U",
            version=1,
        )

    def own(self, kind: str, **body: Any) -> int:
        """What its one member states."""
        return self.append(Statement.make(self.member, kind, body).sign(self.member_key))

    def award(self, lot: str, slot: int) -> int:
        return self.own(
            "award",
            commitment=b64u_encode(bytes(32)),
            credits="4",
            level="5",
            lot=lot,
            scheme="s",
            status={"index": slot, "list": 1},
            unit="U@1",
        )

    def where(self, lot: str) -> LotState | None:
        found = self.book.lots.get(lot)
        return None if found is None else found.standing.at(format_time(self.now))


def agree(*banks: Bank, until: str = "2030-01-01") -> None:
    """The same co-signed statement on both logs."""
    body = {"banks": [bank.party() for bank in banks], "from": "2026-01-01", "until": until}
    statement = Statement.make(banks[0].did, "agreement", body)  # type: ignore[arg-type]
    signed = statement.sign(*(bank.governor for bank in banks))
    for bank in banks:
        bank.append(signed)


@pytest.fixture
def banks() -> tuple[Bank, Bank]:
    home, sister = Bank("home.example", 10), Bank("sister.example", 20)
    for bank in (home, sister):
        bank.open()
    agree(home, sister)
    home.award(name(1), 1)
    return home, sister


def name(number: int) -> str:
    return b64u_encode(number.to_bytes(16, "big"))


def facts(bank: Bank) -> Facts:
    return Facts(bank.member, "U@1", "4", "s", "5", "2026-11-23", "")


def send(home: Bank, sister: Bank, lot: str, transfer: str, days: int = 7) -> str:
    """Lock a lot at home; the receipt that says so."""
    until = format_time(home.now + timedelta(days=days))
    body = {"facts": facts(home).to_json(), "lot": lot, "transfer": transfer, "until": until}
    return home.receipt(home.state("transfer.out", to=sister.did, **body))


def test_a_lot_moves_once(banks: tuple[Bank, Bank]) -> None:
    home, sister = banks
    out = send(home, sister, name(1), name(90))
    assert (home.where(name(1)), sister.where(name(90))) == (LotState.PENDING_OUT, None)
    arrived = sister.receipt(sister.state("transfer.in", home=out, lot=name(90)))
    home.state("transfer.final", lot=name(1), sister=arrived)
    assert (home.where(name(1)), sister.where(name(90))) == (
        LotState.TRANSFERRED,
        LotState.ACTIVE,
    )
    there = sister.book.lots[name(90)]
    assert (there.facts, there.origin, there.standing.keeper) == (
        facts(home),
        name(1),
        sister.did,
    )
    with pytest.raises(Refused, match="is transferred by entry"):
        send(home, sister, name(1), name(91))
    # It can go on to be used there, and be sent back as a lot of its own.
    with pytest.raises(Refused, match="was awarded already"):
        sister.state("transfer.refuse", lot=name(90), reason="late")


def test_a_refusal_returns_it(banks: tuple[Bank, Bank]) -> None:
    home, sister = banks
    out = send(home, sister, name(1), name(90))
    home.now = sister.now = START + timedelta(days=8)
    with pytest.raises(Refused, match="lapsed at"):
        sister.state("transfer.in", home=out, lot=name(90))
    refused = sister.receipt(sister.state("transfer.refuse", lot=name(90), reason="lapsed"))
    with pytest.raises(Refused, match="carries the other bank's transfer"):
        home.state("transfer.final", lot=name(1), sister=refused)
    home.state("transfer.return", lot=name(1), sister=refused)
    assert home.where(name(1)) is LotState.ACTIVE
    send(home, sister, name(1), name(91))
    # The old refusal, proved anew under a later checkpoint, says nothing of the new transfer.
    sister.award(name(5), 5)
    again = sister.receipt(Entry.parse(Receipt.parse(refused).entry).index)
    with pytest.raises(Refused, match="on another transfer"):
        home.state("transfer.return", lot=name(1), sister=again)


def test_what_the_receipt_must_be(banks: tuple[Bank, Bank]) -> None:
    home, sister = banks
    out = send(home, sister, name(1), name(90))
    with pytest.raises(Refused, match="receipt is of the transfer"):
        sister.state("transfer.in", home=out, lot=name(91))
    awarded = home.receipt(len(home.entries) - 2)
    for text, match in (
        (awarded, "no agreement with did:web:home.example:members:m"),
        (out.replace("\nindex 1", "\nindex 2"), "does not hold|malformed"),
        (out[:-20] + "AAAA" + out[-16:], "does not hold|malformed"),
    ):
        with pytest.raises(Refused, match=match):
            sister.state("transfer.in", home=text, lot=name(90))
    third, fourth = Bank("third.example", 30), Bank("fourth.example", 40)
    third.open()
    agree(home, third)
    fourth.open()
    for bank, match in ((third, "not of a lot that is on its way to this"), (fourth, "no agree")):
        with pytest.raises(Refused, match=match):
            bank.state("transfer.in", home=out, lot=name(90))


def test_an_agreement_is_signed_by_both_and_has_an_end(banks: tuple[Bank, Bank]) -> None:
    home, sister = banks
    body = {"banks": [home.party(), sister.party()], "from": "2026-01-01", "until": "2030-01-01"}
    made = Statement.make(home.did, "agreement", body)
    for signers, who in (((home.governor,), sister), ((sister.governor,), home)):
        with pytest.raises(Refused, match=f"signatures of {who.did}"):
            home.append(Statement.make(sister.did, "agreement", body).sign(*signers))
    forged = {**home.party(), "origin": "home.example/other"}
    other = Statement.make(home.did, "agreement", {**body, "banks": [forged, sister.party()]})
    with pytest.raises(Refused, match="another log of this bank"):
        home.append(other.sign(home.governor, sister.governor))
    assert made.hash
    agree(home, sister, until="2026-11-22")
    with pytest.raises(Refused, match="holds from 2026-01-01 until 2026-11-22"):
        send(home, sister, name(1), name(90))


def test_only_the_bank_sends(banks: tuple[Bank, Bank]) -> None:
    home, sister = banks
    body = {
        "facts": facts(home).to_json(),
        "lot": name(1),
        "to": sister.did,
        "transfer": name(90),
        "until": "2026-12-01T00:00:00Z",
    }
    with pytest.raises(Refused, match=f"is made by {home.did}"):
        home.own("transfer.out", **body)


@dataclass
class Desk:
    """A bank's side of the protocol: it acts on what arrives, and says again what it said."""

    bank: Bank
    heard: dict[str, str] = field(default_factory=dict)

    def arrive(self, transfer: str, out: str) -> str | None:
        """Answer a transfer with the receipt of what was decided, once and for all."""
        known = self.bank.book.lots.get(transfer)
        if known is not None:
            return self.bank.receipt(known.award_index)
        try:
            return self.bank.receipt(self.bank.state("transfer.in", home=out, lot=transfer))
        except Refused:
            refusal = {"lot": transfer, "reason": "refused"}
            return self.bank.receipt(self.bank.state("transfer.refuse", **refusal))

    def answered(self, lot: str, answer: str) -> None:
        """Close a transfer at home; what does not fit any more changes nothing."""
        kind = Entry.parse(Receipt.parse(answer).entry).signed.statement.kind
        closing = "transfer.final" if kind == "transfer.in" else "transfer.return"
        try:
            self.bank.state(closing, lot=lot, sister=answer)
        except Refused:
            return


def custodians(home: Bank, sister: Bank, lot: str, transfers: list[str]) -> int:
    """How many banks let the lot be used."""
    usable = (LotState.ACTIVE, LotState.RESERVED, LotState.SUSPENDED)
    there = sum(sister.where(transfer) in usable for transfer in transfers)
    return int(home.where(lot) in usable) + there


def simulate(seed: int, careless: bool = False) -> None:
    """One lot sent up to three times, over a network that loses, delays and repeats."""
    dice = random.Random(seed)
    home, sister = Bank("home.example", 10), Bank("sister.example", 20)
    for bank in (home, sister):
        bank.open()
    agree(home, sister)
    lot = name(1)
    home.award(lot, 1)
    ours, theirs = Desk(home), Desk(sister)
    transfers: list[str] = []
    wire: list[tuple[str, str, str]] = []
    current = ""
    for _ in range(dice.randint(8, 24)):
        step = timedelta(hours=dice.choice((0, 1, 30, 100)))
        home.now += step
        sister.now = home.now
        if home.where(lot) is LotState.ACTIVE and len(transfers) < 3:
            transfer = name(100 + len(transfers))
            current = send(home, sister, lot, transfer, days=5)
            transfers.append(transfer)
            wire.append(("out", transfer, current))
        if home.where(lot) is LotState.PENDING_OUT and dice.random() < 0.3:
            wire.append(("out", transfers[-1], current))  # asked again
            if careless:
                careless_return(home, lot)
        if wire and dice.random() < 0.7:
            place = dice.randrange(len(wire))
            message = wire[place] if dice.random() < 0.3 else wire.pop(place)
            if dice.random() < 0.25:
                continue  # lost
            deliver(message, lot, ours, theirs, wire)
        assert custodians(home, sister, lot, transfers) <= 1
    for _ in range(2):
        # In the end the network works: every transfer comes to an end on both sides.
        if home.where(lot) is LotState.PENDING_OUT:
            deliver(("out", transfers[-1], current), lot, ours, theirs, wire)
        while wire:
            deliver(wire.pop(), lot, ours, theirs, wire)
    assert home.where(lot) is not LotState.PENDING_OUT
    assert custodians(home, sister, lot, transfers) == 1


def deliver(
    message: tuple[str, str, str],
    lot: str,
    ours: Desk,
    theirs: Desk,
    wire: list[tuple[str, str, str]],
) -> None:
    what, transfer, text = message
    if what == "answer":
        ours.answered(lot, text)
        return
    answer = theirs.arrive(transfer, text)
    if answer is not None:
        wire.append(("answer", transfer, answer))


def careless_return(home: Bank, lot: str) -> None:
    """What a bank without the sister's receipt would do at a time-out: take the lot back."""
    from dataclasses import replace

    known = home.book.lots[lot]
    if known.standing.until < format_time(home.now - timedelta(hours=1)):
        standing = replace(known.standing, state=LotState.ACTIVE)
        home.book.lots[lot] = replace(known, standing=standing)


@pytest.mark.parametrize("part", range(10))
def test_one_custodian_whatever_happens_to_messages(part: int) -> None:
    for seed in range(part, FAST, 10):
        simulate(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_one_custodian_over_many_seeds(part: int) -> None:
    for seed in range(FAST + part, SLOW, 10):
        simulate(seed)


def test_control_a_time_out_without_the_sisters_word_doubles_a_lot() -> None:
    doubled = 0
    for seed in range(100):
        try:
            simulate(seed, careless=True)
        except AssertionError:
            doubled += 1
    assert doubled
