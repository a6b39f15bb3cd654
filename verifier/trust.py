"""The trust bundle: all a verifier must know of a credit bank, in one signed file.

JCS of `{"signatures": [{key, value}], "trust": {...}}`. What is signed, by a threshold of the
governance keys, is `creditbank trust v1\\n` and the JCS of `trust`. A verifier pins the
fingerprint of a governance root, and never goes back to an older version (as TUF does). The
bundle carries the first root and every rotation since, as they stand on the log: whoever pinned
any root of that chain walks to the last one, which signed the bundle.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keys import Json, KeysError, PublicKey, Signer, b64u_decode, b64u_encode, encode, parse_exact
from ledger import (
    Checkpoint,
    Grant,
    KeyPeriod,
    LedgerError,
    SignedStatement,
    VerifierKey,
    format_time,
    open_note,
    parse_time,
)
from ledger.governance import Governance, walk
from ledger.landmarks import Landmarks, check_landmarks, joined, split
from verifier.errors import BadTrust

_CONTEXT = b"creditbank trust v1\n"
_LIMIT = 64 * 1024 * 1024
_MOST_KEYS = 100
_FINGERPRINT = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TrustedMember:
    """An institution as the registry knows it."""

    did: str
    names: Mapping[str, str]
    active: bool
    keys: tuple[KeyPeriod, ...]
    grants: tuple[Grant, ...]
    attested: frozenset[str] = frozenset()
    """Hashes (base64url) of statements by a key in doubt that it stands by."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness's key, and the operator it counts for in a quorum."""

    operator: str
    key: VerifierKey


@dataclass(frozen=True, slots=True)
class Trust:
    """What the bank says, at `issued`, about itself, its members and its log."""

    version: int
    issued: datetime
    next_update: datetime
    expires: datetime
    bank: str
    domain: str
    origin: str
    names: Mapping[str, str]
    bank_keys: tuple[str, ...]
    roots: tuple[Governance, ...]
    """The first root and those after it; the last one governs."""
    log_keys: tuple[VerifierKey, ...]
    checkpoint: str
    members: Mapping[str, TrustedMember]
    witnesses: tuple[Witness, ...]
    quorum: int
    status_lists: Mapping[str, dict[str, Json]]
    landmarks: Landmarks
    predecessor: str = ""
    """The last checkpoint of the log that this one goes on from, or empty."""

    @property
    def governance(self) -> Governance:
        """The root in force, which signs the bundle."""
        return self.roots[-1]

    def to_json(self) -> dict[str, Json]:
        """The `trust` object that is signed."""
        more: dict[str, Json] = {"predecessor": self.predecessor} if self.predecessor else {}
        return more | {
            "bank": {
                "did": self.bank,
                "domain": self.domain,
                "keys": list(self.bank_keys),
                "name": dict(self.names),
                "origin": self.origin,
            },
            "checkpoint": self.checkpoint,
            "expires": format_time(self.expires),
            "governance": _roots_json(self.roots),
            "issued": format_time(self.issued),
            "landmarks": {
                "hashes": b64u_encode(joined(self.landmarks.hashes)),
                "rest": b64u_encode(joined(self.landmarks.rest)),
            },
            "log_keys": [str(key) for key in self.log_keys],
            "members": [_member_json(member) for member in self.members.values()],
            "next_update": format_time(self.next_update),
            "status_lists": list(self.status_lists.values()),
            "version": self.version,
            "witnesses": {
                "keys": [
                    {"operator": witness.operator, "vkey": str(witness.key)}
                    for witness in self.witnesses
                ],
                "threshold": self.quorum,
            },
        }

    def sign(self, signers: Sequence[Signer]) -> bytes:
        """The bundle's exact bytes, signed by each of `signers`."""
        trust = self.to_json()
        message = _CONTEXT + encode(trust)
        signatures: list[Json] = [
            {"key": signer.public_key.multikey, "value": b64u_encode(signer.sign(message))}
            for signer in signers
        ]
        return encode({"signatures": signatures, "trust": trust})


def fingerprint(text: str) -> str:
    """The fingerprint of a governance root as a person gives it; BadTrust where it is none.

    Nothing, which is what an unset variable of a shell comes to, would pin nothing.
    """
    given = text.strip().lower()
    if not _FINGERPRINT.fullmatch(given):
        raise BadTrust(
            f"the fingerprint of a root has 64 hexadecimal digits, which {text[:70]!r} has not: "
            "'creditbank trust show' prints it"
        )
    return given


def open_trust(data: bytes, root: str | None = None) -> Trust:
    """The trust bundle of its exact bytes, its signatures checked; BadTrust otherwise.

    `root` is the pinned fingerprint of a governance root, from which the bundle's rotations must
    lead to its own; without it the bundle's own governance is believed, which is only right for
    whoever chose the bundle on purpose.
    """
    try:
        value = parse_exact(data, limit=_LIMIT)
        if not isinstance(value, dict) or set(value) != {"signatures", "trust"}:
            raise BadTrust("not a trust bundle: it has not the fields signatures and trust")
        trust = _read(_Object(value["trust"], "trust"))
    except KeysError as error:
        raise BadTrust(f"the trust bundle is damaged: {error}") from error
    except LedgerError as error:
        raise BadTrust(f"the trust bundle is malformed: {error}") from error
    if root is not None and root not in {known.fingerprint for known in trust.roots}:
        raise BadTrust(
            "the trust bundle is signed by another root than the pinned one: its governance is "
            f"{trust.governance.fingerprint[:16]}…, pinned is {root[:16]}…"
        )
    _check_signatures(value["signatures"], _CONTEXT + encode(value["trust"]), trust.governance)
    return trust


def _check_signatures(value: Json, message: bytes, governance: Governance) -> None:
    signed: set[str] = set()
    for item in value if isinstance(value, list) else ():
        key = _Object(item, "a signature").text("key")
        if key not in governance.keys:
            raise BadTrust(f"the trust bundle is signed by a key that does not govern: {key[:60]}")
        try:
            signature = b64u_decode(_Object(item, "a signature").text("value"), 64)
            PublicKey.from_multikey(key).verify(message, signature)
        except KeysError as error:
            raise BadTrust(f"the trust bundle's signature by {key[:60]}: {error}") from error
        signed.add(key)
    if len(signed) < governance.threshold:
        raise BadTrust(
            f"the trust bundle has {len(signed)} signatures by its governance, it takes "
            f"{governance.threshold}"
        )


def _read(trust: "_Object") -> Trust:
    bank, governance = trust.object("bank"), trust.object("governance")
    witnesses = trust.object("witnesses")
    members = [_read_member(member) for member in trust.objects("members")]
    lists = [item.value for item in trust.objects("status_lists")]
    result = Trust(
        trust.number("version"),
        parse_time(trust.text("issued")),
        parse_time(trust.text("next_update")),
        parse_time(trust.text("expires")),
        bank.text("did"),
        bank.text("domain"),
        bank.text("origin"),
        bank.names("name"),
        bank.texts("keys"),
        _read_roots(governance, bank.text("did")),
        tuple(VerifierKey.parse(key) for key in trust.texts("log_keys")),
        trust.text("checkpoint"),
        {member.did: member for member in members},
        tuple(
            Witness(item.text("operator"), VerifierKey.parse(item.text("vkey")))
            for item in witnesses.objects("keys")
        ),
        witnesses.number("threshold"),
        {_Object(item, "a status list").text("id"): item for item in lists},
        _read_landmarks(trust.object("landmarks")),
        trust.text("predecessor") if "predecessor" in trust.value else "",
    )
    check_landmarks(result.landmarks, _checkpoint(result))
    for key in result.bank_keys:
        PublicKey.from_multikey(key)
    if encode(result.to_json()) != encode(trust.value):
        raise BadTrust("the trust bundle has fields that are not understood, or names one twice")
    return result


def _read_roots(value: "_Object", bank: str) -> tuple[Governance, ...]:
    """The first root and every rotation from it on, each signed by the root before and its own."""
    expires = value.text("expires") if "expires" in value.value else ""
    if expires:
        parse_time(expires)
    first = Governance(value.texts("keys"), value.number("threshold"), expires=expires)
    if not 0 < first.threshold <= len(set(first.keys)) == len(first.keys) <= _MOST_KEYS:
        raise BadTrust(
            "the trust bundle's governance takes no signature at all, or names a key twice"
        )
    for key in first.keys:
        PublicKey.from_multikey(key)
    items = value.objects("rotations") if "rotations" in value.value else []
    rotations = [SignedStatement.from_json(item.value) for item in items]
    for signed in rotations:
        signed.verify()
        if signed.statement.author != bank:
            raise BadTrust(f"the trust bundle has a rotation of {signed.statement.author[:60]}'s")
    return walk(first, rotations)


def _roots_json(roots: Sequence[Governance]) -> dict[str, Json]:
    first = roots[0]
    value = first.to_json() | ({"expires": first.expires} if first.expires else {})
    rotations: list[Json] = [
        parse_exact(root.rotation.data) for root in roots[1:] if root.rotation is not None
    ]
    return {**value, "rotations": rotations} if rotations else value


def _checkpoint(trust: Trust) -> Checkpoint:
    """The checkpoint in the bundle, signed by the log's own key."""
    opened = open_note(trust.checkpoint, trust.log_keys)
    checkpoint = Checkpoint.parse(opened.text)
    if not opened.signatures or checkpoint.origin != trust.origin:
        raise BadTrust("the trust bundle's checkpoint is not signed by the log it names")
    return checkpoint


def _read_landmarks(landmarks: "_Object") -> Landmarks:
    return Landmarks(
        split(b64u_decode(landmarks.text("hashes"))), split(b64u_decode(landmarks.text("rest")))
    )


def _member_json(member: TrustedMember) -> dict[str, Json]:
    attested: list[Json] = list(sorted(member.attested))
    more: dict[str, Json] = {"attested": attested} if attested else {}
    return more | {
        "did": member.did,
        "grants": [
            {
                "fields": list(grant.fields),
                "from": grant.start,
                "from_index": grant.index,
                "level": str(grant.level),
                "until": grant.until,
            }
            for grant in member.grants
        ],
        "keys": [_key_json(period) for period in member.keys],
        "name": dict(member.names),
        "standing": "active" if member.active else "suspended",
    }


def _key_json(period: KeyPeriod) -> dict[str, Json]:
    value: dict[str, Json] = {"from": period.start, "key": period.key}
    if period.end is not None:
        value["until"] = period.end
    if period.suspect_from is not None:
        value["suspect_from"] = period.suspect_from
    if period.suspect_at is not None:
        value["suspect_at"] = period.suspect_at
    return value


def _read_member(member: "_Object") -> TrustedMember:
    return TrustedMember(
        member.text("did"),
        member.names("name"),
        member.text("standing") == "active",
        tuple(
            KeyPeriod(
                period.text("key"),
                period.number("from"),
                period.number("until") if "until" in period.value else None,
                period.number("suspect_from") if "suspect_from" in period.value else None,
                suspect_at=period.number("suspect_at") if "suspect_at" in period.value else None,
            )
            for period in member.objects("keys")
        ),
        tuple(
            Grant(
                grant.number("from_index"),
                grant.texts("fields"),
                int(grant.text("level")) if grant.text("level").isdecimal() else 0,
                grant.text("from"),
                grant.text("until"),
            )
            for grant in member.objects("grants")
        ),
        frozenset(member.texts("attested")) if "attested" in member.value else frozenset(),
    )


class _Object:
    """A JSON object whose fields are read by type; BadTrust names the one that is wrong."""

    def __init__(self, value: Json, name: str) -> None:
        if not isinstance(value, dict):
            raise BadTrust(f"the trust bundle's {name} is not an object")
        self.value = value
        self._name = name

    def text(self, field: str) -> str:
        value = self.value.get(field)
        if not isinstance(value, str):
            raise self._wrong(field, "text")
        return value

    def number(self, field: str) -> int:
        value = self.value.get(field)
        if type(value) is not int or value < 0:
            raise self._wrong(field, "a whole number")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self.value.get(field)
        if not isinstance(value, list):
            raise self._wrong(field, "a list of texts")
        texts = tuple(item for item in value if isinstance(item, str))
        if len(texts) != len(value):
            raise self._wrong(field, "a list of texts")
        return texts

    def names(self, field: str) -> dict[str, str]:
        named = self.object(field)
        return {"en": named.text("en"), "zh": named.text("zh")}

    def object(self, field: str) -> "_Object":
        return _Object(self.value.get(field), field)

    def objects(self, field: str) -> "list[_Object]":
        value = self.value.get(field)
        if not isinstance(value, list):
            raise self._wrong(field, "a list")
        return [_Object(item, f"{field} item") for item in value]

    def _wrong(self, field: str, what: str) -> BadTrust:
        return BadTrust(f"the trust bundle's {self._name}.{field} is not {what}")
