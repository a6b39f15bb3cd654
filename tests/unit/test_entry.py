"""Entries: a signed statement at its place, in one exact form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keys import PrivateKey, encode
from ledger import BadEntry, BadStatement, Entry, SignedStatement, Statement, leaf_hash
from ledger.award_entry import read_award_entry
from ledger.entry import MAX_BYTES
from tests.log_kit import GOVERNANCE, MEMBER, award, lot_event, opening

PREV, TIME = bytes(range(32)), "2026-11-23T18:18:22Z"
STATEMENTS = [*opening(), award(0), award(1, "0.5"), lot_event("suspend", 0)]


def entry(signed: SignedStatement, index: int = 9) -> Entry:
    return Entry.make(index, PREV, TIME, signed)


@pytest.mark.parametrize("signed", STATEMENTS, ids=lambda signed: signed.statement.kind)
def test_round_trip(signed: SignedStatement) -> None:
    made = entry(signed)
    assert made.data == encode(json.loads(made.data))
    for again in (Entry.parse(made.data), Entry._parse_any(made.data)):
        assert again == made
        assert again.leaf == made.leaf == leaf_hash(made.data)
        again.signed.verify()
        assert again.signed.data == signed.data


@pytest.mark.parametrize("signed", STATEMENTS, ids=lambda signed: signed.statement.kind)
def test_every_changed_byte_shows(signed: SignedStatement) -> None:
    """It is refused, or no longer verifies, or stands at another place of another chain."""
    made = entry(signed)
    for place in range(len(made.data)):
        data = made.data[:place] + bytes([made.data[place] ^ 1]) + made.data[place + 1 :]
        assert leaf_hash(data) != made.leaf
        try:
            again = Entry.parse(data)
            again.signed.verify()
        except (BadEntry, BadStatement):
            continue
        assert again.signed == made.signed
        assert (again.index, again.prev, again.time) != (made.index, made.prev, made.time)


@pytest.mark.parametrize("field", ["index", "prev", "signatures", "statement", "time"])
def test_missing_and_foreign_fields(field: str) -> None:
    value = json.loads(entry(award(0)).data)
    del value[field]
    with pytest.raises(BadEntry, match="has the fields"):
        Entry.parse(encode(value))
    value = json.loads(entry(award(0)).data)
    value[f"{field}2"] = value[field]
    with pytest.raises(BadEntry, match="has the fields"):
        Entry.parse(encode(value))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("index", -1),
        ("index", "9"),
        ("index", True),
        ("index", None),
        ("index", 9.5),
        ("prev", "00"),
        ("prev", PREV.hex().upper()),
        ("prev", "g" * 64),
        ("prev", PREV.hex() + "\n"),
        ("prev", None),
        ("time", "2026-11-23 18:18:22Z"),
        ("time", "2026-11-23T18:18:22+00:00"),
        ("time", "2026-11-23T18:18:22.0Z"),
        ("time", "2026-11-31T18:18:22Z"),
        ("time", "2026-11-23T24:00:00Z"),
        ("time", "2026-11-23T18:18:60Z"),
        ("time", "２026-11-23T18:18:22Z"),
        ("time", 0),
        ("signatures", []),
        ("statement", {}),
        ("statement", None),
    ],
)
def test_values_out_of_shape(field: str, wrong: Any) -> None:
    for signed in (award(0), opening()[0]):
        value = {**json.loads(entry(signed).data), field: wrong}
        with pytest.raises(BadEntry):
            Entry.parse(encode(value))


def test_bytes_that_are_not_canonical() -> None:
    for signed in (award(0), opening()[0]):
        data = entry(signed).data
        value = json.loads(data)
        for spoilt in (
            json.dumps(value).encode(),
            data + b"\n",
            b" " + data,
            data[:-1],
            data.replace(b'"index":9', b'"index":09'),
            data.replace(b'"index":9', b'"index":9.0'),
            data.replace(b'"index":9', b'"index":9,"index":9'),
            data.replace(b'"type"', b'"\\u0074ype"'),
            b"",
            b"null",
        ):
            with pytest.raises(BadEntry):
                Entry.parse(spoilt)
        assert Entry.parse(data).index == 9


def test_an_entry_fits_the_16_bits_of_a_bundle() -> None:
    """Names of 200 characters, 100 governance keys and as many log keys: about 30 kB, and fine."""
    names = {"en": "\U0001f393" * 200, "zh": "\U0001f393" * 200}
    seeds = [PrivateKey.from_seed(bytes([n]) * 32) for n in range(1, 101)]
    body: dict[str, Any] = {
        **opening()[0].statement.body,
        "governance": {"keys": [s.public_key.multikey for s in seeds], "threshold": 100},
        "name": names,
    }
    signed = Statement.make(MEMBER, "log.open", body).sign(*seeds)
    made = entry(signed)
    assert 10_000 < len(made.data) < MAX_BYTES
    # As parsed from outside it would have too many signatures, whatever its size.
    with pytest.raises(BadEntry, match="1 to 16 signatures"):
        Entry.parse(made.data)


def test_oversize_is_refused() -> None:
    good = opening()[0]
    text = Statement(good.statement.author, "log.open", good.statement.body, b" " * MAX_BYTES)
    with pytest.raises(BadStatement, match="over 65534"):
        entry(SignedStatement(text, good.signatures))
    data = entry(award(0)).data
    with pytest.raises(BadEntry, match="over the limit"):
        Entry.parse(data + b" " * MAX_BYTES)


def test_control_the_quick_way_reads_what_the_general_way_reads() -> None:
    data = entry(award(0)).data
    assert read_award_entry(data) is not None
    assert read_award_entry(entry(lot_event("suspend", 0)).data) is None
    # An index of 16 digits is beyond the quick way, and read all the same.
    far = Entry.make(2**53 - 1, PREV, TIME, award(0))
    assert read_award_entry(far.data) is None
    assert Entry.parse(far.data) == far


def test_a_statement_of_a_kind_not_known_is_refused() -> None:
    data = entry(award(0)).data
    assert b'"type":"award"' in data
    with pytest.raises(BadEntry, match="not known to this ledger"):
        Entry.parse(data.replace(b'"type":"award"', b'"type":"gift"'))


def test_governance_keys_sign_statements_like_any_other() -> None:
    signed = opening()[0]
    assert signed.signatures[0][0] == GOVERNANCE.public_key.multikey
    Entry.parse(entry(signed, 0).data).signed.verify()
