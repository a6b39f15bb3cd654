"""Lots in doubt are not used until their institution attests them; the list of them is exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bank.doubts import attestation, doubts
from bank.errors import BadRequest
from keys import PrivateKey
from ledger import Entry, Member
from tests.bank_kit import SOUTH_UNIT, SmallBank, small_bank


def listed(small: SmallBank) -> list[tuple[int, str, str]]:
    found = doubts((Entry.parse(item) for item in small.bank.log.entries()), north(small))
    return [(doubt.index, doubt.kind, doubt.lot) for doubt in found]


def north(small: SmallBank) -> Member:
    return small.bank.registry().members[small.north.did]


def test_a_lot_in_doubt_is_used_again_once_it_is_attested(tmp_path: Path) -> None:
    with small_bank(tmp_path / "bank") as small:
        early, _ = small.award("li-1")
        first = small.bank.log.size()
        doubted, _ = small.award("li-2")
        other, _ = small.award("li-3", SOUTH_UNIT, "3")
        assert listed(small) == []
        key = small.north.signer.public_key.multikey
        small.govern("key.suspect", key=key, member=small.north.did, from_index=first)
        assert listed(small) == [(doubted.award_index, "award", doubted.lot)]

        says = f"the lot {doubted.lot} was made by a key of {small.north.did} that is suspect"
        assert says in small.declined(small.convert(doubted))
        with pytest.raises(BadRequest, match="is suspect since"):
            small.port.submit_together([small.convert(doubted)])
        hold: dict[str, Any] = {
            "application": "A" * 43,
            "lot": doubted.lot,
            "until": "2099-01-01T00:00:00Z",
        }
        reserve = small.state(small.south, "reserve", **hold)
        (outcome,) = small.bank.intake.append([reserve.signed])
        assert says in getattr(outcome, "reason", "")
        # What was made before, and by others, is used as ever.
        small.submit(small.convert(early))
        small.submit(small.state(small.south, "reserve", **{**hold, "lot": other.lot}))

        fresh = PrivateKey.generate()
        small.govern("key.add", key=fresh.public_key.multikey, member=small.north.did)
        chosen = list(doubts((Entry.parse(i) for i in small.bank.log.entries()), north(small)))
        signed = attestation(north(small), chosen).sign(fresh).signed()
        (outcome,) = small.bank.intake.append([signed])
        assert not hasattr(outcome, "reason"), outcome
        assert listed(small) == []
        small.submit(small.convert(doubted))
        assert small.bank.upkeep.audit().passed


def test_an_attestation_is_of_something_and_of_no_more_than_fits(tmp_path: Path) -> None:
    member = Member("did:web:cq.example:members:north", {}, "", (), True, {}, ())
    with pytest.raises(BadRequest, match="nothing of"):
        attestation(member, [])
    from bank.doubts import Doubt

    one = Doubt(1, "", "award", "", "A" * 43)
    many = [replace(one, statement=f"{n:042d}A") for n in range(1001)]
    with pytest.raises(BadRequest, match="1001 statements are too many"):
        attestation(member, many)
    assert len(attestation(member, many[:1000]).statement.data) < 60_000
