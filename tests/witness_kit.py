"""Witnesses without a network: a memory that compares and swaps, and a port to a witness."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from keys import PrivateKey
from ledger import VerifierKey
from ledger.cosignature import Cosigner, Ed25519Cosigner
from ledger.witness import AddCheckpoint, Seen, Witness
from ledger.witnessing import WitnessUnreachable


class MemoryStore:
    """A WitnessStore that forgets when the process ends."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._lock = threading.Lock()

    def latest(self, origin: str) -> Seen | None:
        return self._seen.get(origin)

    def advance(self, origin: str, before: Seen | None, after: Seen) -> bool:
        with self._lock:
            if self._seen.get(origin) != before:
                return False
            self._seen[origin] = after
            return True


class CarelessStore(MemoryStore):
    """The control: it swaps without comparing."""

    def advance(self, origin: str, before: Seen | None, after: Seen) -> bool:
        self._seen[origin] = after
        return True


def cosigner(name: str) -> Ed25519Cosigner:
    """Always the same key for the same name."""
    return Ed25519Cosigner(name, PrivateKey.from_seed(sha256(name.encode()).digest()))


class Port:
    """A WitnessPort to a witness in this process, which can be out of reach."""

    def __init__(
        self, operator: str, log_keys: Sequence[VerifierKey], cosigners: Sequence[Cosigner] = ()
    ) -> None:
        self.operator = operator
        self.cosigners = cosigners or [cosigner(f"{operator}.example/w")]
        self.keys = [one.key for one in self.cosigners]
        self.store = MemoryStore()
        logs = {log_keys[0].name: log_keys}
        self.witness = Witness(logs, self.cosigners, self.store, lambda: datetime.now(UTC))
        self.reachable = True
        self.asked: list[AddCheckpoint] = []

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        self._reach()
        self.asked.append(request)
        return self.witness.add_checkpoint(AddCheckpoint.parse(request.encode()))

    def newest(self, origin: str) -> str | None:
        self._reach()
        return self.witness.newest(sha256(origin.encode()).hexdigest())

    def _reach(self) -> None:
        if not self.reachable:
            raise WitnessUnreachable(f"{self.operator} did not answer")
