"""Statements: one exact form each, only the listed fields, nothing that names a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keys import PrivateKey, b64u_encode, encode
from ledger import STATUS_LIST_LENGTH, BadStatement, SignedStatement, Statement
from ledger.body import GOVERNANCE_TYPES, SHAPES
from ledger.cosignature import Ed25519Cosigner
from ledger.note import ED25519, VerifierKey
from ledger.statement import signers_of

ONE, TWO = (PrivateKey.from_seed(bytes([n]) * 32) for n in (1, 2))
KEY = ONE.public_key.multikey
AUTHOR = "did:web:bank.example:members:north"
NAMES = {"en": "North University", "zh": "北方大学"}
DAY, NUMBER = "2026-11-23", "110105194912310021"
WITNESS = Ed25519Cosigner("witness.example/w", ONE)
TIME, HASH, LOT = "2026-11-24T00:00:00Z", b64u_encode(bytes(32)), b64u_encode(bytes(16))
EVENT = {"appeal": DAY, "lot": LOT, "reason": "found-later"}
RECEIPT = "c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\nx\n\n— a AAAA\n"
FACTS = {
    "awarded": DAY,
    "credits": "4",
    "depth": 0,
    "expires": "2030-02-28",
    "institution": AUTHOR,
    "level": "5",
    "scheme": "national",
    "unit": "CS101@1",
}
MEMBER_KEY = {"key": KEY, "member": AUTHOR}

BODIES: dict[str, dict[str, Any]] = {
    "log.open": {
        "domain": "bank.example:8443",
        "governance": {"keys": [KEY, TWO.public_key.multikey], "threshold": 2},
        "log": [str(VerifierKey("bank.example/log", ED25519, ONE.public_key.raw))],
        "name": NAMES,
        "origin": "bank.example/log",
    },
    "member.admit": {
        "capacities": ["awarding", "receiving"],
        "member": AUTHOR,
        "name": NAMES,
        "uscc": "91350100M000100Y43",
    },
    "member.suspend": {"member": AUTHOR, "reason": "audit"},
    "key.add": MEMBER_KEY,
    "key.retire": MEMBER_KEY,
    "key.rotate": {"key": TWO.public_key.multikey, "replaces": KEY},
    "award.attest": {"statements": [HASH]},
    "governance.rotate": {
        "expires": TIME,
        "governance": {"keys": [KEY], "threshold": 1},
        "version": 2,
    },
    "key.suspect": {**MEMBER_KEY, "from_index": 7},
    "grant": {
        "fields": ["*", "computing"],
        "from": DAY,
        "level": "9",
        "member": AUTHOR,
        "until": "2030-02-28",
    },
    "unit.publish": {
        "credits": "4.5",
        "field": "computing",
        "framework": "national",
        "hours": "64",
        "level": "5",
        "scheme": "national",
        "title": NAMES,
        "unit": "CS101",
        "version": 1,
    },
    "witness.admit": {
        "keys": [str(WITNESS.key)],
        "operator": "jiangsu",
        "quorum": 1,
        "url": "https://witness.example",
    },
    "witness.retire": {"operator": "jiangsu", "quorum": 0},
    "award": {
        "commitment": b64u_encode(bytes(32)),
        "credits": "4",
        "level": "5",
        "lot": b64u_encode(bytes(16)),
        "scheme": "national",
        "status": {"index": 0, "list": 1},
        "unit": "CS101@1",
    },
    "member.reinstate": {"member": AUTHOR, "reason": "audit"},
    "grant.end": {"index": 3, "member": AUTHOR, "reason": "audit"},
    "framework.publish": {
        "crosswalks": [{"framework": "eqf", "levels": [{"from": "5", "to": "4"}]}],
        "framework": "national",
        "levels": [{"level": "5", "name": NAMES}],
        "name": NAMES,
        "version": 1,
    },
    "scheme.publish": {"hours": "16", "name": NAMES, "scheme": "national", "version": 1},
    "policy.publish": {"validity": 120},
    "agreement": {
        "banks": [
            {
                "bank": bank,
                "governance": {"keys": [KEY], "threshold": 1},
                "keys": [KEY],
                "log": [str(VerifierKey(f"{name}/log", ED25519, ONE.public_key.raw))],
                "name": NAMES,
                "origin": f"{name}/log",
            }
            for name, bank in (("a.example", "did:web:a.example"), ("b.example", AUTHOR))
        ],
        "from": DAY,
        "until": "2030-02-28",
    },
    "rule.publish": {
        "cap": "20",
        "code": "R1",
        "depth": 2,
        "from": DAY,
        "partner": "did:web:south.example",
        "rounding": {"mode": "down", "step": "0.5"},
        "sources": [
            {
                "age": 60,
                "fields": ["computing"],
                "framework": "national",
                "grade": "60",
                "grades": ["A"],
                "institutions": ["did:web:south.example"],
                "least": "2",
                "level": "4",
                "ratio": "0.5",
                "scheme": "national",
                "units": [{"institution": "did:web:south.example", "unit": "X1@1"}],
            },
            {"credits": "2"},
            {"exemption": True},
        ],
        "target": "CS101@1",
        "title": NAMES,
        "until": "2030-02-28",
        "validity": 36,
        "version": 1,
    },
    "rule.withdraw": {"code": "R1", "version": 1},
    "qualification.publish": {
        "caps": [{"credits": "10", "sources": ["rpl", "transfer"]}],
        "code": "Q1",
        "framework": "national",
        "from": DAY,
        "institution_cap": "20",
        "level": "5",
        "max_age_months": 96,
        "minima": [{"credits": "8", "fields": ["computing"], "level": "4"}],
        "period_caps": [{"credits": "42", "months": 12}],
        "residency": "10",
        "scheme": "national",
        "title": NAMES,
        "total": "30",
        "units": [{"institution": AUTHOR, "unit": "CS101@1"}],
        "until": "2030-02-28",
        "version": 1,
    },
    "qualification.withdraw": {"code": "Q1", "version": 1},
    "confer": {
        "commitment": HASH,
        "evaluation": HASH,
        "level": "5",
        "lot": LOT,
        "qualification": "Q1@1",
        "status": {"index": 1, "list": 1},
    },
    "reserve": {"application": HASH, "lot": LOT, "until": TIME},
    "release": {"lot": LOT},
    "redeem": {"evaluation": HASH, "lot": LOT},
    "convert": {
        "derived": {
            "commitment": HASH,
            "credits": "2",
            "level": "5",
            "lot": LOT,
            "scheme": "national",
            "status": {"index": 1, "list": 1},
            "unit": "CS101@1",
        },
        "evaluation": HASH,
        "facts": FACTS,
        "lot": LOT,
        "rule": "R1@1",
        "source": 0,
    },
    "supersede": {
        **EVENT,
        "successor": {
            "commitment": HASH,
            "credits": "2",
            "level": "5",
            "lot": LOT,
            "scheme": "national",
            "status": {"index": 1, "list": 1},
            "unit": "CS101@1",
        },
    },
    "revoke": EVENT,
    "suspend": EVENT,
    "reinstate": {"lot": EVENT["lot"], "reason": EVENT["reason"]},
    "review.open": {"lot": LOT, "reason": "grade-corrected"},
    "review.close": {"lot": LOT, "outcome": "stands"},
    "transfer.out": {
        "facts": FACTS,
        "lot": LOT,
        "to": "did:web:a.example",
        "transfer": LOT,
        "until": TIME,
    },
    "transfer.in": {"home": RECEIPT, "lot": LOT},
    "transfer.refuse": {"lot": LOT, "reason": "lapsed"},
    "transfer.final": {"lot": LOT, "sister": RECEIPT},
    "transfer.return": {"lot": LOT, "sister": RECEIPT},
    "exempt": {"evaluation": HASH, "rule": "R1@1"},
    "appeal": {"against": AUTHOR, "appeal": LOT, "due": DAY, "grounds": HASH, "of": 7},
    "appeal.decide": {"appeal": LOT, "outcome": "upheld", "reason": "new-evidence"},
    "batch.approve": {"awards": 1500, "root": HASH},
    "lots.root": {"root": HASH, "size": 9},
}


def make(kind: str, **changes: Any) -> Statement:
    return Statement.make(AUTHOR, kind, {**BODIES[kind], **changes})


def value(kind: str = "award", *signers: PrivateKey) -> dict[str, Any]:
    """A good signed statement as JSON, to be spoiled."""
    parsed = json.loads(make(kind).sign(*(signers or (ONE,))).data)
    assert isinstance(parsed, dict)
    return parsed


def test_every_type_has_an_example_here() -> None:
    assert BODIES.keys() == SHAPES.keys()
    assert SHAPES.keys() > GOVERNANCE_TYPES


@pytest.mark.parametrize("kind", BODIES)
def test_round_trip(kind: str) -> None:
    signed = make(kind).sign(ONE, TWO)
    again = SignedStatement.parse(signed.data)
    assert again == signed
    assert again.data == signed.data == encode(json.loads(signed.data))
    assert again.statement.hash == signed.statement.hash
    again.verify()
    assert signers_of(again, [KEY]) == 1
    assert signers_of(again, [KEY, TWO.public_key.multikey]) == 2


@pytest.mark.parametrize("kind", BODIES)
def test_a_missing_or_foreign_field_is_refused(kind: str) -> None:
    for field in SHAPES[kind].fields:
        body = {name: item for name, item in BODIES[kind].items() if name != field}
        with pytest.raises(BadStatement, match=f"lacks its field '{field}'"):
            Statement.make(AUTHOR, kind, body)
    for field in ("name2", "", "Reason", "learner"):
        with pytest.raises(BadStatement, match="only the listed fields"):
            make(kind, **{field: "x"})


@pytest.mark.parametrize("kind", BODIES)
def test_no_field_takes_a_value_of_another_kind(kind: str) -> None:
    for field in BODIES[kind]:
        for wrong in (None, True, -1, 1.5, "", [], [[]], {}, {"a": 1}, "x\n", "\x00", "x" * 999):
            with pytest.raises(BadStatement):
                make(kind, **{field: wrong})


@pytest.mark.parametrize("kind", BODIES)
def test_every_changed_byte_is_refused(kind: str) -> None:
    """Or the signature no longer matches: nothing changed stays good."""
    data = make(kind).sign(ONE).data
    for place in range(len(data)):
        for other in (data[place] ^ 1, data[place] ^ 0x20):
            changed = data[:place] + bytes([other]) + data[place + 1 :]
            with pytest.raises(BadStatement):
                SignedStatement.parse(changed).verify()


def test_bytes_that_are_not_canonical_are_refused() -> None:
    signed = make("award").sign(ONE)
    data = signed.data
    parsed = json.loads(data)
    spoilt = [
        json.dumps(parsed).encode(),
        json.dumps(parsed, separators=(",", ":"), sort_keys=True, indent=1).encode(),
        b" " + data,
        data + b"\n",
        b"\xef\xbb\xbf" + data,
        data.replace(b'"version":1', b'"version":1.0'),
        data.replace(b'"version":1', b'"version":1,"version":1'),
        data.replace(b'"version":1', b'"version":01'),
        data.replace(b"award", b"\\u0061ward"),
        b'{"statement":%s,"signatures":%s}' % (signed.statement.data, signed.signatures_data),
        data[:-1],
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b"[" * 100_000,
    ]
    for changed in spoilt:
        with pytest.raises(BadStatement):
            SignedStatement.parse(changed)
    SignedStatement.parse(data)


@pytest.mark.parametrize("field", ["author", "body", "suite", "type", "version"])
def test_the_envelope_has_all_its_fields_and_no_other(field: str) -> None:
    spoilt = value()
    del spoilt["statement"][field]
    with pytest.raises(BadStatement, match="has the fields"):
        SignedStatement.from_json(spoilt)
    for place in ("statement", None):
        spoilt = value()
        (spoilt[place] if place else spoilt)["more"] = 1
        with pytest.raises(BadStatement, match="has the fields"):
            SignedStatement.from_json(spoilt)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("version", 2),
        ("version", "1"),
        ("version", True),
        ("version", None),
        ("suite", "rsa"),
        ("suite", ["ed25519-jcs"]),
        ("author", 1),
        ("author", "north"),
        ("author", "web:bank.example"),
        ("type", 7),
        ("type", "awards"),
        ("type", ""),
        ("body", []),
        ("body", "x"),
    ],
)
def test_the_envelope_is_of_this_version(field: str, wrong: object) -> None:
    spoilt = value()
    spoilt["statement"][field] = wrong
    with pytest.raises(BadStatement):
        SignedStatement.from_json(spoilt)
    SignedStatement.from_json(value())


@pytest.mark.parametrize(
    "credits",
    [
        "0",
        "0.0",
        "0.0000",
        "-1",
        "+1",
        "1e2",
        "1E2",
        "1.00001",
        "1.23456",
        "1.50",
        "1.",
        ".5",
        "01",
        "00.5",
        "1,5",
        " 1",
        "1 ",
        "1\n",
        "1000000",
        "NaN",
        "Infinity",
        "１",
        "٤",
        "",
        4,
        4.5,
        None,
    ],
)
@pytest.mark.parametrize("kind", ["award", "unit.publish"])
def test_credits_are_exact_positive_decimals(kind: str, credits: object) -> None:
    with pytest.raises(BadStatement, match="'credits'"):
        make(kind, credits=credits)


@pytest.mark.parametrize("credits", ["1", "0.5", "0.0001", "1.2345", "999999.9999", "10"])
def test_control_good_credits(credits: str) -> None:
    for kind in ("award", "unit.publish"):
        SignedStatement.parse(make(kind, credits=credits).sign(ONE).data)


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "11010519491231002X",
        "11010519491231002x",
        f"Mr Li {NUMBER}",
        f"号{NUMBER}号",
        f"a{NUMBER}b",
        f"({NUMBER})",
        "１１０１０５１９４９１２３１００２１",
        "１１０１０５１９４９１２３１００２Ｘ",
    ],
)
def test_a_citizen_number_never_enters(text: str) -> None:
    for kind, field in (("log.open", "name"), ("member.admit", "name"), ("unit.publish", "title")):
        for language in ("en", "zh"):
            with pytest.raises(BadStatement, match="citizen identity number"):
                make(kind, **{field: {**NAMES, language: text}})
    with pytest.raises(BadStatement, match="citizen identity number"):
        make("log.open", origin=text)


@pytest.mark.parametrize("text", [NUMBER, "11010519491231002x", f"li-{NUMBER}", f"{NUMBER}.a"])
def test_nor_in_a_field_of_short_words(text: str) -> None:
    for kind, field in (
        ("suspend", "reason"),
        ("revoke", "reason"),
        ("reinstate", "reason"),
        ("member.suspend", "reason"),
        ("unit.publish", "field"),
        ("unit.publish", "framework"),
        ("unit.publish", "scheme"),
        ("unit.publish", "unit"),
        ("witness.admit", "operator"),
    ):
        with pytest.raises(BadStatement, match="citizen identity number"):
            make(kind, **{field: text})
    with pytest.raises(BadStatement):
        make("grant", fields=["computing", text])


def test_control_other_long_numbers_may_enter() -> None:
    for text in (NUMBER[:-1], NUMBER + "0", "1234 5678 9012 3456 78"):
        make("unit.publish", title={**NAMES, "en": text})
    make("unit.publish", unit="20260001")


@pytest.mark.parametrize(
    ("kind", "field", "wrong"),
    [
        ("award", "lot", b64u_encode(bytes(15))),
        ("award", "lot", b64u_encode(bytes(16)) + "=="),
        ("award", "lot", "AAAAAAAAAAAAAAAAAAAAAB"),
        ("award", "commitment", b64u_encode(bytes(31))),
        ("award", "commitment", "+" * 43),
        ("award", "level", "0"),
        ("award", "level", "100"),
        ("award", "level", 5),
        ("award", "status", {"index": STATUS_LIST_LENGTH, "list": 1}),
        ("award", "status", {"index": -1, "list": 1}),
        ("award", "status", {"index": 0, "list": 0}),
        ("award", "status", {"index": 0, "list": 1_000_000}),
        ("award", "status", {"index": True, "list": 1}),
        ("award", "status", {"index": 0}),
        ("award", "status", {"index": 0, "list": 1, "x": 1}),
        ("award", "unit", "CS101"),
        ("award", "unit", "CS101@0"),
        ("award", "unit", "CS 101@1"),
        ("award", "expires", "2026-02-30"),
        ("award", "expires", "2026-2-3"),
        ("award", "expires", "0000-01-01"),
        ("award", "expires", "２０２６-01-01"),
        ("grant", "fields", ["a", "a"]),
        ("grant", "fields", ["A"]),
        ("grant", "fields", [f"f{n}" for n in range(101)]),
        ("grant", "from", "2026-11-23T00:00:00Z"),
        ("member.admit", "capacities", ["ruling"]),
        ("member.admit", "uscc", "91350100m000100y43"),
        ("member.admit", "uscc", "91350100M000100Y4"),
        ("member.admit", "uscc", "91350100M000100O43"),
        ("member.admit", "member", "did:web:bank.example/north"),
        ("member.admit", "member", "did:example:x"),
        ("member.admit", "name", {"en": "North"}),
        ("member.admit", "name", {**NAMES, "fr": "Nord"}),
        ("member.admit", "name", {**NAMES, "en": "two\nlines"}),
        ("member.admit", "name", {**NAMES, "en": "bidi \u202e"}),
        ("member.admit", "name", {**NAMES, "en": "x" * 201}),
        ("key.add", "key", KEY[:-1]),
        ("key.add", "key", "did:key:" + KEY),
        ("key.suspect", "from_index", 2**53),
        ("unit.publish", "version", 0),
        ("unit.publish", "version", 10_000),
        ("unit.publish", "version", "1"),
        ("unit.publish", "hours", "-1"),
        ("log.open", "governance", {"keys": [KEY], "threshold": 2}),
        ("log.open", "governance", {"keys": [KEY], "threshold": 0}),
        ("log.open", "governance", {"keys": [KEY, KEY], "threshold": 1}),
        ("log.open", "governance", {"keys": [], "threshold": 1}),
        ("log.open", "governance", {"keys": [KEY], "threshold": True}),
        ("log.open", "log", [str(WITNESS.key)[:-2]]),
        ("log.open", "domain", "Bank.Example"),
        ("witness.admit", "url", "ftp://witness.example"),
        ("witness.admit", "url", "https://witness.example/?q"),
        ("witness.admit", "keys", ["witness.example+00000000+AQ=="]),
    ],
)
def test_a_value_out_of_shape_is_refused(kind: str, field: str, wrong: object) -> None:
    with pytest.raises(BadStatement, match="is not valid"):
        make(kind, **{field: wrong})
    make(kind)


def test_the_small_order_key_is_refused() -> None:
    """libsodium's rule: the neutral element as a Multikey."""
    from keys import base58_encode

    neutral = "z" + base58_encode(b"\xed\x01" + b"\1" + bytes(31))
    with pytest.raises(BadStatement, match="is not valid"):
        make("key.add", key=neutral)


def test_signatures_are_sorted_and_one_for_each_key() -> None:
    good = value("award", ONE, TWO)
    first, second = good["signatures"]
    assert first["key"] < second["key"]
    SignedStatement.from_json(good)
    for signatures in ([second, first], [first, first], [], None, {}, [first] * 17):
        with pytest.raises(BadStatement, match="signatures"):
            SignedStatement.from_json({**good, "signatures": signatures})


@pytest.mark.parametrize(
    "signature",
    [
        {"key": KEY},
        {"key": KEY, "value": "AA"},
        {"key": KEY, "value": 1},
        {"key": 1, "value": b64u_encode(bytes(64))},
        {"key": KEY, "value": b64u_encode(bytes(64)) + "="},
        {"key": KEY, "value": "_" * 86},
        {"key": "z6Mkx", "value": b64u_encode(bytes(64))},
        {"key": KEY, "value": b64u_encode(bytes(64)), "alg": "none"},
        "x",
        None,
    ],
)
def test_a_malformed_signature_is_refused(signature: object) -> None:
    with pytest.raises(BadStatement):
        SignedStatement.from_json({**value(), "signatures": [signature]})


def test_verify_names_the_signature_that_fails() -> None:
    signed = make("award").sign(ONE, TWO)
    signed.verify()
    other = make("award", credits="3").sign(ONE, TWO)
    mixed = SignedStatement(signed.statement, other.signatures)
    with pytest.raises(BadStatement, match="does not match"):
        mixed.verify()
    one_bad = tuple(
        (key, bytes(64) if key == TWO.public_key.multikey else data)
        for key, data in signed.signatures
    )
    with pytest.raises(BadStatement, match=TWO.public_key.multikey):
        SignedStatement(signed.statement, one_bad).verify()


def test_the_signed_bytes_are_named_for_what_they_are() -> None:
    """A signature over the bare JSON, as for another purpose, is none over a statement."""
    statement = make("award")
    bare = SignedStatement(statement, ((KEY, ONE.sign(statement.data)),))
    with pytest.raises(BadStatement):
        bare.verify()
    ONE.public_key.verify(
        b"creditbank statement v1\n" + statement.data, statement.sign(ONE).signatures[0][1]
    )


def test_oversize_is_refused_before_it_is_read() -> None:
    data = make("award").sign(ONE).data
    with pytest.raises(BadStatement, match="over the limit"):
        SignedStatement.parse(data + b" " * 60_000)
