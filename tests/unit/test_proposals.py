"""Proposals: statements that several people sign on files, each where their key is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank.errors import BadRequest
from bank.proposals import Proposal, describe, merge, propose, read_value
from keys import PrivateKey

BANK = "did:web:cq.example"
MEMBER = "did:web:cq.example:members:bayu"
SIGNERS = [PrivateKey.from_seed(bytes([number]) * 32) for number in range(3)]


def suspension() -> Proposal:
    return propose(BANK, "member.suspend", {"member": MEMBER, "reason": "audit"})


def test_a_file_goes_round_and_comes_back_with_signatures() -> None:
    file = suspension().encode()
    for signer in SIGNERS:
        file = Proposal.parse(file).sign(signer).encode()
    back = Proposal.parse(file)
    assert len(back.signatures) == 3
    back.signed().verify()
    assert back.encode() == file


def test_copies_signed_apart_are_put_together() -> None:
    copies = [suspension().sign(signer) for signer in SIGNERS]
    merged = merge(copies)
    assert merged == merge([*reversed(copies), copies[0]])
    assert [key for key, _ in merged.signatures] == sorted(s.public_key.multikey for s in SIGNERS)
    other = propose(BANK, "member.suspend", {"member": MEMBER, "reason": "fraud"})
    with pytest.raises(BadRequest, match="different statements"):
        merge([copies[0], other.sign(SIGNERS[0])])


def test_nobody_signs_twice_and_nothing_unsigned_is_handed_in() -> None:
    once = suspension().sign(SIGNERS[0])
    with pytest.raises(BadRequest, match="has signed this proposal already"):
        once.sign(SIGNERS[0])
    with pytest.raises(BadRequest, match="nobody has signed"):
        suspension().signed()


def test_what_was_signed_cannot_be_changed() -> None:
    value = json.loads(suspension().sign(SIGNERS[0]).encode())
    assert Proposal.parse(json.dumps(value).encode())
    value["statement"]["body"]["reason"] = "fraud"
    with pytest.raises(BadRequest, match="does not hold"):
        Proposal.parse(json.dumps(value).encode())


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_another_proposal_or_none(place: int, change: int) -> None:
    signed = suspension().sign(SIGNERS[0])
    data = bytearray(signed.encode())
    data[place % len(data)] ^= change
    try:
        found = Proposal.parse(bytes(data))
    except BadRequest:
        return
    assert found == signed  # white space alone


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("member.suspnd", {}, "no statement type 'member.suspnd'; did you mean member.admit"),
        ("member.suspend", {"member": MEMBER}, "lacks its field 'reason'"),
        ("member.suspend", {"member": MEMBER, "reason": "a", "x": 1}, "has no field 'x'"),
        ("member.suspend", {"member": "bayu", "reason": "a"}, "field 'member'.*not valid"),
        ("member.suspend", {"member": MEMBER, "reason": 1.5}, "field 'reason'.*not valid"),
    ],
)
def test_a_proposal_that_no_log_takes_is_refused_at_once(
    kind: str, body: dict[str, object], said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        propose(BANK, kind, body)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"signatures":[],"statement":1}'])
def test_other_files_are_told_apart(data: bytes) -> None:
    with pytest.raises(BadRequest, match="proposal"):
        Proposal.parse(data)


def test_values_on_a_command_line_are_what_the_field_wants() -> None:
    assert read_value("grant.end", "index", "12") == 12
    assert read_value("grant.end", "reason", "12") == "12"
    assert read_value("grant", "fields", '["ict","law"]') == ["ict", "law"]
    assert read_value("grant", "fields", "ict") == "ict"  # refused when the statement is made
    assert read_value("nothing", "fields", "1") == "1"


def test_it_says_what_it_is_and_who_signed() -> None:
    lines = describe(suspension(), None)
    assert lines == [
        f"member.suspend by {BANK}",
        f"  member: {MEMBER}",
        "  reason: audit",
        "signed by nobody yet",
    ]
    assert describe(suspension().sign(SIGNERS[0]), None)[-1].startswith("signed by z6Mk")
