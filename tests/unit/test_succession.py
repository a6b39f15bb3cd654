"""A log whose key was lost ends, and another goes on; what the old one holds stays provable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bank.errors import BadSetup
from bank.opening import open_bank
from bank.settings import read_settings
from bank.succession import end_log, succeed
from keys import KeystoreError, encode
from ledger import Checkpoint, Entry, LedgerError, Refused, Slot, open_note
from tests.bank_kit import NORTH_UNIT, SmallBank, result, small_bank
from tests.chain_kit import Chain, opening
from verifier import Evidence, Verdict, open_trust, read_evidence, verify


@dataclass(frozen=True)
class Before:
    """A bank closed, with one award, and who governs it."""

    folder: Path
    small: SmallBank
    evidence: Evidence
    size: int
    note: str


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Before]:
    with small_bank(tmp_path / "old") as small:
        lot, credential = small.award("li-1")
        bundle = encode(small.bundle(credential, lot.award_index))
        found = Before(
            tmp_path / "old",
            small,
            read_evidence(bundle, "the bundle"),
            small.bank.log.size(),
            small.bank.log.checkpoint(),
        )
    return found


def test_a_log_ends_without_its_key_and_stays_provable(before: Before) -> None:
    (before.folder / "keys" / "log.keystore").unlink()
    with pytest.raises(KeystoreError, match="cannot be read"):
        open_bank(before.folder, "p")
    key = end_log(before.folder)
    assert read_settings(before.folder).keys["log"] == f"public:{key}"
    governance = [before.small.governance]
    with closing(open_bank(before.folder, "p")) as bank:
        made = before.small.north.award(
            result("wu-1"), Decimal(4), Slot(1, 77), before.small.bank.now()
        )
        with pytest.raises(LedgerError, match="has ended: its key was set aside"):
            bank.intake.submit([made])
        assert bank.log.size() == before.size
        assert bank.upkeep.audit().passed
        # Its bundles go on, with fresh status lists, and old receipts hold under them.
        trust = open_trust(bank.trust.export(governance))
        assert verify(before.evidence, trust, bank.now()).verdict is Verdict.VERIFIED
        with pytest.raises(KeystoreError, match="it signs no more"):
            bank.checkpoints._checkpointer._signer.sign(b"checkpoint")


def test_another_log_goes_on(before: Before, tmp_path: Path) -> None:
    governance, north = [before.small.governance], before.small.north
    with (
        closing(open_bank(before.folder, "p")) as old,
        pytest.raises(BadSetup, match="has not ended"),
    ):
        succeed(old, tmp_path / "new", governance, "p")
    end_log(before.folder)
    with closing(open_bank(before.folder, "p")) as old:
        settings, members = succeed(old, tmp_path / "new", governance, "p")
        old_trust = open_trust(old.trust.export(governance))
    assert (settings.origin != old_trust.origin, members) == (True, 2)
    with closing(open_bank(tmp_path / "new", "p")) as bank:
        first = Entry.parse(bank.log.entry(0)).signed.statement.body
        assert first["predecessor"] == before.note
        last = Checkpoint.parse(open_note(before.note, old_trust.log_keys).text)
        assert (last.origin, last.size) == (old_trust.origin, before.size)
        # The same member goes on with the same key, once it has published its unit again.
        new = SmallBank(bank, north, before.small.south, before.small.governance)
        new.submit(north.publish_unit(NORTH_UNIT, Decimal(4)))
        lot, credential = new.award("wu-1")
        trust = open_trust(bank.trust.export(governance))
        assert trust.predecessor == before.note
        assert trust.governance.fingerprint == old_trust.governance.fingerprint
        bundle: dict[str, Any] = new.bundle(credential, lot.award_index)
        fresh = read_evidence(encode(bundle), "the bundle")
        assert verify(fresh, trust, bank.now()).verdict is Verdict.VERIFIED
        # Neither log's receipt holds under the other's bundle.
        for evidence, other in ((fresh, old_trust), (before.evidence, trust)):
            (ledger,) = [
                one for one in verify(evidence, other, bank.now()).checks if one.name == "ledger"
            ]
            assert ledger.outcome.value == "failed"
        assert bank.upkeep.audit().passed


def test_a_log_goes_on_from_another_and_from_a_checkpoint(before: Before) -> None:
    Chain().add(opening(predecessor=before.note))
    itself = before.note.replace(before.note.split("\n")[0], "bank.example/log")
    Chain().refused(opening(predecessor=itself), "does not go on from itself")
    Chain().refused(opening(predecessor="no\n\nnote"), "is not a log's last checkpoint")
    with pytest.raises(Refused):
        Chain().add(opening(predecessor=itself))
