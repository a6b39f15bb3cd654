"""One key, one role: whoever steals the key of one role must not come by another with it."""

from collections.abc import Iterable, Iterator, Mapping

from keys import PublicKey
from ledger.errors import Refused
from ledger.governance import Governance
from ledger.members import Member
from ledger.note import VerifierKey
from ledger.witness_roll import WitnessRecord

_RAW = 32
"""Bytes of an Ed25519 key; keys of the log and of witnesses may be of another kind."""


def check_distinct(roles: Mapping[str, str]) -> None:
    """Refused where two roles, named as people know them, have the same key (a Multikey)."""
    seen: dict[str, str] = {}
    for role, key in roles.items():
        if key in seen:
            raise Refused(f"{role} is also {seen[key]}: each role takes a key of its own")
        seen[key] = role


def multikeys(keys: Iterable[VerifierKey]) -> Iterator[str]:
    """The Multikeys of those keys of a log or witness that are Ed25519 keys."""
    for key in keys:
        if len(key.raw) == _RAW:
            yield PublicKey(key.raw).multikey


class Roles:
    """Which role each key on a log has."""

    def __init__(
        self,
        log_keys: Iterable[VerifierKey],
        roots: Iterable[Governance],
        parties: Iterable[Member],
        witnesses: Iterable[WitnessRecord],
    ) -> None:
        self._roles: dict[str, tuple[str, str]] = {}
        for key in multikeys(log_keys):
            self._roles[key] = ("log", "the log's")
        for root in roots:
            for key in root.keys:
                self._roles[key] = ("governance", f"of the governance, root {root.version}")
        for party in parties:
            for key in party.keys:
                self._roles[key] = ("party", f"{party.did}'s")
        for witness in witnesses:
            for key in multikeys(witness.keys):
                self._roles[key] = ("witness", f"the witness {witness.operator}'s")

    @property
    def keys(self) -> frozenset[str]:
        """Every key that has one (Multikeys)."""
        return frozenset(self._roles)

    def check(self, role: str, keys: Iterable[str]) -> None:
        """Refused where one of `keys` (Multikeys) has another role than `role` already.

        `role` is `log`, `governance`, `party` (a member or the bank itself) or `witness`.
        """
        for key in keys:
            known, whose = self._roles.get(key, (role, ""))
            if known != role:
                raise Refused(f"the key {key} is {whose}: each role takes a key of its own")
