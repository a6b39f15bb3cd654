"""Statements: one fact each, signed by whoever has the authority to state it.

The signed bytes are `creditbank statement v1\\n` and the statement's JCS. A statement names
its suite, so that another (SM2, say) can be added beside `ed25519-jcs`.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from keys import Json, KeysError, PublicKey, Signer, b64u_decode, b64u_encode, encode, parse_exact
from ledger.body import check_body
from ledger.errors import BadStatement

SUITE = "ed25519-jcs"
VERSION = 1
_CONTEXT = b"creditbank statement v1\n"
_FIELDS = {"author", "body", "suite", "type", "version"}
_MAX_BYTES = 60_000
_MAX_SIGNATURES = 16


def signed_message(statement: bytes) -> bytes:
    """What is signed of a statement, given its exact bytes."""
    return _CONTEXT + statement


@dataclass(frozen=True, slots=True)
class Statement:
    """What `author` (a DID) states: a `kind` of fact and its `body`."""

    author: str
    kind: str
    body: Mapping[str, Json] = field(hash=False)
    data: bytes = field(repr=False)
    """The statement's exact bytes (JCS)."""
    hash: bytes = field(init=False, repr=False, compare=False)
    """SHA-256 of the exact bytes: the statement's identity."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", sha256(self.data).digest())

    @classmethod
    def make(cls, author: str, kind: str, body: dict[str, Json]) -> "Statement":
        """A new statement; BadStatement if its body is not one of `kind`."""
        check_body(kind, body)
        data = encode(
            {"author": author, "body": body, "suite": SUITE, "type": kind, "version": VERSION}
        )
        return cls(author, kind, body, data)

    @classmethod
    def from_json(cls, value: Json) -> "Statement":
        """The statement of its JSON object; BadStatement says what is wrong with it."""
        if not isinstance(value, dict) or set(value) != _FIELDS:
            raise BadStatement(f"a statement has the fields {', '.join(sorted(_FIELDS))}")
        author, kind, body = value["author"], value["type"], value["body"]
        version = value["version"]
        if type(version) is not int or version != VERSION or value["suite"] != SUITE:
            raise BadStatement(
                f"statement version {version!r:.40} with suite {value['suite']!r:.40} is not "
                f"known here; this is version {VERSION} with {SUITE}"
            )
        if not (isinstance(author, str) and isinstance(kind, str) and isinstance(body, dict)):
            raise BadStatement("a statement's author and type are text and its body an object")
        if not author.startswith("did:"):
            raise BadStatement(f"a statement's author is a DID, not {author[:60]!r}")
        check_body(kind, body)
        try:
            return cls(author, kind, body, encode(value))
        except KeysError as error:
            raise BadStatement(f"the statement {error}") from error

    def sign(self, *signers: Signer) -> "SignedStatement":
        """This statement with a signature by each of `signers`."""
        message = signed_message(self.data)
        signed = ((signer.public_key.multikey, signer.sign(message)) for signer in signers)
        return SignedStatement(self, tuple(sorted(signed)))


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement and its signatures, (Multikey, 64 bytes) each, sorted by key."""

    statement: Statement
    signatures: tuple[tuple[str, bytes], ...]
    data: bytes = field(init=False, repr=False, compare=False)
    """The exact bytes (JCS) of `{"signatures", "statement"}`, as submitted."""

    def __post_init__(self) -> None:
        parts = (self.signatures_data, self.statement.data)
        object.__setattr__(self, "data", b'{"signatures":%b,"statement":%b}' % parts)

    @classmethod
    def as_read(
        cls, statement: Statement, signatures: tuple[tuple[str, bytes], ...], data: bytes
    ) -> "SignedStatement":
        """That of which the exact bytes `data` were read: they are not made a second time."""
        made = object.__new__(cls)
        for name, value in (("statement", statement), ("signatures", signatures), ("data", data)):
            object.__setattr__(made, name, value)
        return made

    @property
    def signatures_data(self) -> bytes:
        """The signatures' exact bytes (JCS)."""
        texts = [f'{{"key":"{k}","value":"{b64u_encode(value)}"}}' for k, value in self.signatures]
        return f"[{','.join(texts)}]".encode()

    @classmethod
    def parse(cls, data: bytes) -> "SignedStatement":
        """The signed statement of its exact bytes; BadStatement if they are not canonical."""
        try:
            value = parse_exact(data, limit=_MAX_BYTES, depth=12)
        except KeysError as error:
            raise BadStatement(f"the signed statement: {error}") from error
        return cls.from_json(value)

    @classmethod
    def from_json(cls, value: Json) -> "SignedStatement":
        """The signed statement of its JSON object; BadStatement says what is wrong with it."""
        if not isinstance(value, dict) or set(value) != {"signatures", "statement"}:
            raise BadStatement("a signed statement has the fields signatures and statement")
        return cls(Statement.from_json(value["statement"]), _signatures(value["signatures"]))

    def verify(self) -> None:
        """Check every signature, not its authority; BadStatement names the one that fails."""
        message = signed_message(self.statement.data)
        for key, value in self.signatures:
            try:
                PublicKey.from_multikey(key).verify(message, value)
            except KeysError as error:
                raise BadStatement(f"the statement's signature by {key}: {error}") from error


def _signatures(value: Json) -> tuple[tuple[str, bytes], ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_SIGNATURES:
        raise BadStatement(f"a statement has 1 to {_MAX_SIGNATURES} signatures")
    signatures = tuple(_signature(item) for item in value)
    names = [key for key, _ in signatures]
    if any(left >= right for left, right in itertools.pairwise(names)):
        raise BadStatement("a statement's signatures are sorted by key, one for each key")
    return signatures


def _signature(item: Json) -> tuple[str, bytes]:
    if isinstance(item, dict) and set(item) == {"key", "value"}:
        key, value = item["key"], item["value"]
        if isinstance(key, str) and isinstance(value, str):
            try:
                PublicKey.from_multikey(key)
                return key, b64u_decode(value, 64)
            except KeysError as error:
                raise BadStatement(f"a statement's signature: {error}") from error
    raise BadStatement("a statement's signature has the text fields key and value")


def signers_of(signed: SignedStatement, keys: Iterable[str]) -> int:
    """How many of `keys` (Multikeys) signed."""
    return len({key for key, _ in signed.signatures} & set(keys))
