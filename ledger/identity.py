"""What a log is: its name and keys, fixed by its first entry, and the roots that govern it."""

from collections.abc import Mapping
from dataclasses import dataclass

from keys import Json
from ledger.checked import as_names, as_texts
from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerError, Refused
from ledger.governance import Governance, governance_of
from ledger.note import VerifierKey, open_note


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """What entry 0 fixed, and who governs the log now: the last of its roots."""

    bank: str
    domain: str
    names: Mapping[str, str]
    origin: str
    log_keys: tuple[VerifierKey, ...]
    roots: tuple[Governance, ...]
    predecessor: str = ""
    """The last checkpoint (a signed note) of the log that this one goes on from, or empty."""

    @property
    def root(self) -> Governance:
        """The root in force."""
        return self.roots[-1]

    @property
    def governance(self) -> tuple[str, ...]:
        """Its keys (Multikeys)."""
        return self.root.keys

    @property
    def threshold(self) -> int:
        """How many of them sign together."""
        return self.root.threshold


def check_predecessor(identity: LogIdentity) -> None:
    """Refused unless the log that this one goes on from is another, named by a checkpoint."""
    if not identity.predecessor:
        return
    try:
        last = Checkpoint.parse(open_note(identity.predecessor, ()).text)
    except LedgerError as error:
        raise Refused(f"the predecessor is not a log's last checkpoint: {error}") from error
    if last.origin == identity.origin:
        raise Refused("a log does not go on from itself: it takes a new origin")


def identity_of(author: str, body: Mapping[str, Json]) -> LogIdentity:
    """The identity of a log that `author` opened with `body`."""
    return LogIdentity(
        author,
        str(body["domain"]),
        as_names(body["name"]),
        str(body["origin"]),
        tuple(map(VerifierKey.parse, as_texts(body["log"]))),
        (governance_of(body["governance"], expires=str(body.get("expires", ""))),),
        str(body.get("predecessor", "")),
    )
