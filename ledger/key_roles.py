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
    """Which role each key on a log has, and who has it."""

    def __init__(
        self,
        log_keys: Iterable[VerifierKey],
        roots: Iterable[Governance],
        parties: Iterable[Member],
        witnesses: Iterable[WitnessRecord],
    ) -> None:
        self._holders: dict[str, dict[str, tuple[str, str]]] = {}
        """Of a key, by whoever holds it: the role, and whose the key is."""
        for key in log_keys:
            self._note(_name(key), "the log", ("log", "the log's"))
        for root in roots:
            for known in root.keys:
                whose = f"of the governance, root {root.version}"
                self._note(known, "the governance", ("governance", whose))
        for party in parties:
            for known in party.keys:
                self._note(known, party.did, ("party", f"{party.did}'s"))
        for witness in witnesses:
            holder = f"the witness {witness.operator}"
            for key in witness.keys:
                self._note(_name(key), holder, ("witness", f"{holder}'s"))

    def _note(self, key: str, holder: str, role: tuple[str, str]) -> None:
        self._holders.setdefault(key, {})[holder] = role

    @property
    def keys(self) -> frozenset[str]:
        """Every key that has one: Multikeys, and in hex those that are no Ed25519 keys."""
        return frozenset(self._holders)

    def check(self, role: str, keys: Iterable[str]) -> None:
        """Refused where one of `keys` (Multikeys) has another role than `role` already.

        `role` is `log`, `governance`, `party` (a member or the bank itself) or `witness`.
        """
        for key in keys:
            holders = self._holders.get(key, {})
            # Of several the last: so ledgers that are older than this check fold as they did.
            known, whose = next(reversed(holders.values()), (role, ""))
            if known != role:
                raise Refused(f"the key {key} is {whose}: each role takes a key of its own")

    def shared(self) -> list[list[str]]:
        """Of each key that more than one holds, who they are."""
        return [sorted(holders) for holders in self._holders.values() if len(holders) > 1]


def _name(key: VerifierKey) -> str:
    return next(multikeys([key]), key.raw.hex())
