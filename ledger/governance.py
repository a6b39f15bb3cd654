"""The governance root: m of n keys, versioned and expiring, and how one hands over to the next.

In the manner of TUF (section 5.3): a rotation is signed by a threshold of the old root and by one
of the new, and its version is the next. So whoever trusts any root of the chain can walk to the
last, and nobody can leave one out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from keys import Json, PublicKey, encode
from ledger.checked import as_texts
from ledger.errors import Refused
from ledger.statement import SignedStatement, signers_of
from ledger.transfers import parties

ROTATE = "governance.rotate"


@dataclass(frozen=True, slots=True)
class Governance:
    """A root: `threshold` of these keys (Multikeys) decide, until `expires`."""

    keys: tuple[str, ...]
    threshold: int
    version: int = 1
    expires: str = ""
    """A ledger's time, or empty where it has no end."""
    rotation: SignedStatement | None = field(default=None, repr=False, compare=False)
    """The statement that made it the root; none made the first."""

    @property
    def fingerprint(self) -> str:
        """What a verifier pins: SHA-256 of the JCS of keys and threshold, 64 hexadecimal digits."""
        return sha256(encode(self.to_json())).hexdigest()

    def to_json(self) -> dict[str, Json]:
        """Its keys and threshold, as statements and trust bundles carry them."""
        return {"keys": list(self.keys), "threshold": self.threshold}

    def expired(self, time: str) -> bool:
        """Whether its end lies before `time`."""
        return bool(self.expires) and self.expires < time

    def signed_by(self, signed: SignedStatement) -> bool:
        """Whether enough of its keys signed."""
        return signers_of(signed, self.keys) >= self.threshold


def governance_of(value: Json, version: int = 1, expires: str = "") -> Governance:
    """The root that an object in a statement describes."""
    if not isinstance(value, dict) or not isinstance(value["threshold"], int):
        raise Refused("the log's governance is not keys and a threshold")
    keys = as_texts(value["keys"])
    for key in keys:
        PublicKey.from_multikey(key)
    return Governance(keys, value["threshold"], version, expires)


def rotated(old: Governance, signed: SignedStatement) -> Governance:
    """The root after a rotation whose signatures were verified; Refused where it does not hold."""
    body = signed.statement.body
    version = body["version"]
    if version != old.version + 1:
        raise Refused(
            f"a rotation goes to the next version of the root, {old.version + 1}; this one says "
            f"{version}"
        )
    new = governance_of(body["governance"], old.version + 1, str(body["expires"]))
    for root, which in ((old, "old"), (new, "new")):
        if not root.signed_by(signed):
            raise Refused(
                f"a rotation takes signatures by {root.threshold} of the {which} root's keys; "
                f"this one has {signers_of(signed, root.keys)}"
            )
    if signers_of(signed, {*old.keys, *new.keys}) < len(signed.signatures):
        raise Refused("a rotation is signed by keys of the old and the new root and nobody else")
    return Governance(new.keys, new.threshold, new.version, new.expires, signed)


def walk(first: Governance, rotations: Iterable[SignedStatement]) -> tuple[Governance, ...]:
    """Every root from `first` on; Refused at the first rotation that does not follow."""
    roots = [first]
    for signed in rotations:
        if signed.statement.kind != ROTATE:
            raise Refused(f"a {signed.statement.kind} statement changes no root")
        roots.append(rotated(roots[-1], signed))
    return tuple(roots)


def check_quorum(signed: SignedStatement, bank: str, root: Governance, time: str) -> None:
    """Refused unless the governance of `bank` states this: enough of its keys, nobody else."""
    kind = signed.statement.kind
    if signed.statement.author != bank:
        raise Refused(f"a {kind} statement is made in the name of {bank}")
    if kind == ROTATE:
        rotated(root, signed)
        if str(signed.statement.body["expires"]) <= time:
            raise Refused("a new root expires in the future, not before it is in force")
        return
    check_in_force(root, time)
    count = signers_of(signed, root.keys)
    if count < root.threshold or count < len(signed.signatures):
        raise Refused(
            f"a {kind} statement takes signatures by {root.threshold} of the governance "
            f"keys and by nobody else; this one has {count} of {len(signed.signatures)}"
        )


def check_in_force(root: Governance, time: str) -> None:
    """Refused where the root's end has passed: then it may only hand over."""
    if root.expired(time):
        raise Refused(
            f"the governance root of version {root.version} expired on {root.expires[:10]}; all "
            f"it can state now is {ROTATE}"
        )


def check_agreement(
    signed: SignedStatement,
    bank: str,
    log: tuple[str, frozenset[str]],
    root: Governance,
) -> None:
    """An agreement is the same statement on both logs, with a quorum of either governance.

    `log` is this log's origin and its keys.
    """
    banks = parties(signed.statement.body)
    names = [str(item["bank"]) for item in banks]
    if len(set(names)) != 2 or bank not in names or signed.statement.author not in names:
        raise Refused("an agreement is between this bank and one other, by one of the two")
    for item in banks:
        quorum = governance_of(item["governance"])
        if item["bank"] == bank:
            if (item["origin"], frozenset(as_texts(item["log"]))) != log:
                raise Refused("the agreement names another log of this bank than this one")
            quorum = root
        if not quorum.signed_by(signed):
            raise Refused(f"an agreement takes {quorum.threshold} signatures of {item['bank']}")


def check_opening(signed: SignedStatement) -> None:
    """Refused unless a log is opened by the governance that it names."""
    body: Mapping[str, Json] = signed.statement.body
    first = governance_of(body["governance"])
    if not first.signed_by(signed):
        raise Refused(
            f"opening a log takes signatures by {first.threshold} of the governance keys it names"
        )
