"""The registers over HTTP say what the registry says."""

from __future__ import annotations

from pathlib import Path

from tests.api_kit import client
from tests.bank_kit import QUALIFICATION, small_bank


def test_registers_are_what_the_ledger_has(tmp_path: Path) -> None:
    with small_bank(tmp_path) as small:
        small.submit(small.state(small.south, "qualification.publish", **QUALIFICATION))
        http, south = client(small.bank), small.south.did
        members = {item["member"]: item for item in http.get("/members").json()["members"]}
        assert set(members) == {small.north.did, south}
        assert small.north.signer.public_key.multikey in members[small.north.did]["keys"]
        units = http.get("/units").json()["units"]
        assert {item["unit"] for item in units} == {"CS101@1", "LAW1@1", "SE201@1"}
        (own,) = http.get("/units", params={"author": south}).json()["units"]
        assert (own["unit"], own["credits"], own["title"]["zh"]) == ("SE201@1", "3", "软件")
        (rule,) = http.get("/rules").json()["rules"]
        assert (rule["author"], rule["rule"], rule["withdrawn"]) == (south, "R1@1", "")
        assert http.get("/rules", params={"author": small.north.did}).json() == {"rules": []}
        (known,) = http.get("/qualifications").json()["qualifications"]
        assert known["body"]["total"] == "7"
        small.award("li-1")
        day = small.bank.now().date()
        small.submit(small.north.lot_event("suspend", small.north.lot("li-1"), "review", day))
        assert http.get("/appeals").json() == {"appeals": []}
        small.govern("member.suspend", member=south, reason="audit")
        after = {item["member"]: item["active"] for item in http.get("/members").json()["members"]}
        assert after == {small.north.did: True, south: False}
