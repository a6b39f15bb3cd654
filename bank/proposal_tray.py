"""Proposals that wait for signatures of the governance, as files in the bank's folder.

Every copy that somebody hands in is a file of its own, so two who hand in theirs at once lose
nothing; the copies of one proposal are put together when it is looked at. No private key is
needed for any of this, and none is ever here.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from bank.errors import BadRequest, NoSuchThing
from bank.proposals import Proposal, merge
from ledger import format_time
from ledger.body import GOVERNANCE_TYPES

_MOST = 500
_NAME = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal with all signatures that were handed in, and since when it is here."""

    name: str
    """The hash of its statement."""
    proposal: Proposal
    since: str


class ProposalTray:
    """The folder they lie in; safe to share between threads and servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, proposal: Proposal) -> str:
        """Keep a proposal, or one more copy of it; its name."""
        kind = proposal.statement.kind
        if kind not in GOVERNANCE_TYPES:
            raise BadRequest(
                f"this is a {kind}, which its institution signs and hands in itself; only what the "
                "governance signs waits here"
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name, data = proposal.statement.hash.hex(), proposal.encode()
        file = self._folder / f"{name}.{sha256(data).hexdigest()[:16]}.json"
        if not file.exists():
            if sum(1 for _ in self._folder.iterdir()) >= _MOST:
                raise BadRequest(
                    f"{_MOST} files of proposals wait already; put away those that are done with"
                )
            partial = file.with_suffix(".partial")
            partial.write_bytes(data)
            partial.replace(file)
        return name

    def waiting(self) -> list[Waiting]:
        """All of them, those that wait longest first."""
        found: dict[str, list[Path]] = {}
        for file in self._files("*"):
            found.setdefault(file.name.partition(".")[0], []).append(file)
        opened = [_open(name, files) for name, files in found.items()]
        return sorted(opened, key=lambda one: (one.since, one.name))

    def find(self, name: str) -> Waiting:
        """One of them; NoSuchThing if it is not here."""
        files = self._files(name) if _NAME.match(name) else []
        if not files:
            raise NoSuchThing("this proposal does not wait here any more")
        return _open(name, files)

    def put_away(self, name: str) -> None:
        """Let it wait no more: it was handed in, or is not wanted."""
        for file in self._files(name) if _NAME.match(name) else []:
            file.unlink(missing_ok=True)

    def _files(self, name: str) -> list[Path]:
        return sorted(self._folder.glob(f"{name}.*.json"))


def _open(name: str, files: list[Path]) -> Waiting:
    copies = [Proposal.parse(file.read_bytes()) for file in files]
    first = min(file.stat().st_mtime for file in files)
    return Waiting(name, merge(copies), format_time(datetime.fromtimestamp(first, UTC)))
