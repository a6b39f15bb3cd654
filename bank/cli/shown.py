"""What a learner shows at an institution's counter: a credential with its receipt, verified."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bank.cli.counter import Counter
from bank.errors import BadRequest

if TYPE_CHECKING:
    from credentials.certificate import CertificateFacts
    from ledger import Lot


@dataclass(frozen=True)
class Shown:
    """A credential that verifies, and its lot as it stands now."""

    lot: "Lot"
    facts: "CertificateFacts"


def read_shown(bundle: Path, here: Counter, now: datetime) -> Shown:
    """What is shown in a file; BadRequest where it does not verify with its receipt."""
    from credentials.certificate import certificate_facts
    from ledger import Entry, Receipt
    from ledger.lots import certified_by
    from verifier import open_trust, read_evidence, verify
    from verifier.files import read_limited

    evidence = read_evidence(read_limited(bundle), str(bundle))
    report = verify(evidence, open_trust(here.trust()), now)
    if report.exit_code or evidence.receipt is None:
        raise BadRequest(
            f"{bundle} does not verify with its receipt, so nothing is recognised of it: run "
            "'creditbank verify' to see why"
        )
    statement = Entry.parse(Receipt.parse(evidence.receipt).entry).signed.statement
    lot = here.know(str((certified_by(statement) or {})["lot"]))
    return Shown(lot, certificate_facts(evidence.credential))
