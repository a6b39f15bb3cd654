"""The fast way to read an award entry and the general way never disagree."""

import re

from hypothesis import given
from hypothesis import strategies as st

from keys import PrivateKey, b64u_encode
from ledger import Entry, LedgerError, Statement
from ledger.award_entry import read_award_entry

SIGNER = PrivateKey.from_seed(bytes(32))
BODY = {
    "commitment": b64u_encode(bytes(range(32))),
    "credits": "3.5",
    "level": "5",
    "lot": b64u_encode(bytes(range(16))),
    "scheme": "standard",
    "status": {"index": 77, "list": 1},
    "unit": "ACC.101@1",
}


def entry(**body: object) -> bytes:
    statement = Statement.make("did:web:cq.example:members:a", "award", {**BODY, **body})  # type: ignore[dict-item]
    return Entry.make(9, bytes(range(32)), "2026-11-23T12:00:00Z", statement.sign(SIGNER)).data


GOOD = [entry(), entry(expires="2030-02-28"), entry(credits="0.0001"), entry(credits="12")]
# Characters that matter to JSON, base64url, numbers and dates.
BYTES = st.sampled_from(list(b'"\\{}[]:,0159-_.@AQgwZz \n\x00\xe4\xff'))


def both(data: bytes) -> None:
    fast = read_award_entry(data)
    try:
        slow = Entry._parse_any(data)
    except LedgerError:
        assert fast is None
        return
    assert fast is None or Entry(*fast, data) == slow


def test_the_fast_way_is_taken() -> None:
    for data in GOOD:
        assert read_award_entry(data) is not None
        both(data)


@given(st.sampled_from(GOOD), st.data())
def test_any_changed_byte(good: bytes, choice: st.DataObject) -> None:
    place = choice.draw(st.integers(0, len(good) - 1))
    both(good[:place] + bytes([choice.draw(BYTES)]) + good[place + 1 :])


@given(st.sampled_from(GOOD), st.data())
def test_any_byte_put_in_or_left_out(good: bytes, choice: st.DataObject) -> None:
    place = choice.draw(st.integers(0, len(good) - 1))
    both(good[:place] + bytes([choice.draw(BYTES)]) + good[place:])
    both(good[:place] + good[place + 1 :])


def test_every_byte_in_turn() -> None:
    for good in GOOD[:2]:
        for place in range(len(good)):
            for byte in b'"\\0A9_ \xff':
                both(good[:place] + bytes([byte]) + good[place + 1 :])


def test_shapes_that_only_look_right() -> None:
    base = GOOD[1]
    for pattern, text in (
        (rb'"credits":"[^"]*"', b'"credits":"0"'),
        (rb'"credits":"[^"]*"', b'"credits":"1.50"'),
        (rb'"credits":"[^"]*"', b'"credits":"0.0"'),
        (rb'"expires":"[^"]*"', b'"expires":"2030-02-30"'),
        (rb'"index":77', b'"index":131072'),
        (rb'"index":77', b'"index":077'),
        (rb'"time":"[^"]*"', b'"time":"2026-13-23T12:00:00Z"'),
        (rb'"time":"[^"]*"', b'"time":"2026-11-23T12:00:60Z"'),
        (rb'"level":"5"', b'"level":"0"'),
        (rb'"list":1', b'"list":0'),
        (rb'"list":1\}', b'"list":1000000}'),
        (rb'"index":9,', b'"index":9007199254740993,'),
        (rb'"version":1\}', b'"version":2}'),
    ):
        changed = re.sub(pattern, text, base, count=1)
        assert changed != base
        both(changed)
        assert read_award_entry(changed) is None
