"""What is handed in as the bank closes: refused, and nothing of it kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import LedgerError
from tests.bank_kit import result, small_bank


def test_a_credential_is_expected_no_more_once_its_award_is_refused(tmp_path: Path) -> None:
    with small_bank(tmp_path / "bank") as small:
        offered = small.offer(small.north, result("li-1"))
        small.bank._group.close()
        with pytest.raises(LedgerError, match="shutting down"):
            small.bank.intake.submit([offered])
        assert not small.bank.intake._projection._deposits
