"""One award with all that proves it, made from seeds: no bank, no database, no clock.

The log has 300 entries, of which but one is an award. Entry 100 lies under a landmark, entry 290
under none yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from uuid import UUID

from credentials import (
    JCS,
    REVOCATION,
    SUSPENSION,
    Achievement,
    Award,
    Issuer,
    StatusList,
    StatusSlot,
    Terms,
    achievement_credential,
    commitment,
    format_moment,
    list_url,
    sign,
    status_list_credential,
)
from keys import Json, PrivateKey, b64u_encode, did_web, verification_method
from ledger import (
    Checkpoint,
    Entry,
    Grant,
    KeyPeriod,
    Receipt,
    SignedStatement,
    Statement,
    VerifierKey,
    inclusion_proof,
    leaf_hash,
    root_hash,
    sign_note,
)
from ledger.governance import Governance
from ledger.landmarks import HEIGHT, LandmarkReceipt, make_landmarks
from ledger.note import ED25519
from verifier import Evidence, Report, Trust, TrustedMember, verify

DOMAIN, ORIGIN = "bank.example", "bank.example/log"
BANK, MEMBER = did_web(DOMAIN), did_web(DOMAIN, "members", "north")
GOVERNANCE, BANK_KEY, LOG_KEY, SIGNING, APPROVING = (
    PrivateKey.from_seed(bytes([number]) * 32) for number in range(1, 6)
)
KEY, SECOND = (signer.public_key.multikey for signer in (SIGNING, APPROVING))
NAMES = {"en": "North University", "zh": "北方大学"}
URL = list_url(DOMAIN, 1, REVOCATION)
SIZE, PLACE, UNDER_NONE = 300, 100, 290
AWARDED, ISSUED = "2026-03-02", datetime(2026, 3, 10, 9, tzinfo=UTC)
AT = ISSUED + timedelta(hours=1)
CREATED = "2026-03-02T08:00:00Z"


def signed_by(
    signer: PrivateKey, document: dict[str, Json], did: str = MEMBER, terms: Terms | None = None
) -> dict[str, Json]:
    """The document with a JCS proof, which no RDF slows down."""
    method = verification_method(did, signer.public_key)
    return sign(document, signer, method, CREATED, (JCS,), terms or Terms())


def unsigned(
    credits: str | None = "3.5",
    until: str | None = None,
    learner: str = "张伟",
    slot: StatusSlot | None = None,
    field: str = "computing",
    since: str = "2026-03-01T00:00:00Z",
) -> dict[str, Json]:
    """The credential before it is signed; that of a qualification where it has no credits."""
    kind = "Course" if credits is not None else "Certificate"
    unit = f"https://{DOMAIN}/units/north/CS101/1"
    achievement = Achievement(
        unit, "CS101", "Programming 程序设计", "d", "c", Decimal(4), field, (), kind
    )
    earned = None if credits is None else Decimal(credits)
    award = Award(
        UUID(int=1), UUID(int=2), learner, earned, since, until, slot or StatusSlot(URL, 7), "A"
    )
    return achievement_credential(Issuer(MEMBER, "北方大学"), achievement, award)


CREDENTIAL = signed_by(SIGNING, unsigned())


def statement(
    credential: dict[str, Json] = CREDENTIAL, kind: str = "award", **changes: Json
) -> Statement:
    """What the log says of a credential; a change to None leaves the field out."""
    body: dict[str, Json] = {
        "commitment": b64u_encode(commitment(credential)),
        "level": "5",
        "lot": b64u_encode(bytes(16)),
        "status": {"index": 7, "list": 1},
    }
    if kind == "award":
        body |= {"credits": "3.5", "scheme": "national", "unit": "CS101@1"}
    if kind == "confer":
        body |= {"evaluation": b64u_encode(bytes(32)), "qualification": "DIP@1"}
    body |= changes
    return Statement.make(MEMBER, kind, {k: v for k, v in body.items() if v is not None})


def entry(signed: SignedStatement | None = None, index: int = PLACE) -> Entry:
    """The entry of a signed statement, by default of the good award."""
    time = f"{AWARDED}T08:00:01Z"
    return Entry.make(index, bytes(32), time, signed or statement().sign(SIGNING))


@cache
def filler(number: int) -> bytes:
    """The leaf of an entry that is nothing to us."""
    return leaf_hash(b"entry %d" % number)


@dataclass(frozen=True)
class Log:
    """A log that holds `entry` at `place`."""

    entry: bytes
    place: int = PLACE
    size: int = SIZE
    origin: str = ORIGIN
    last: int = 0
    """Makes another history: the number of its last leaf."""

    def root(self, lo: int, hi: int) -> bytes:
        """The hash over a range of leaves."""
        leaves = [filler(number) for number in range(self.size)]
        leaves[-1] = filler(self.last or self.size - 1)
        leaves[self.place] = leaf_hash(self.entry)
        return root_hash(leaves[lo:hi])

    def text(self) -> str:
        """The checkpoint's text."""
        return Checkpoint(self.origin, self.size, self.root(0, self.size)).text

    def note(self, signer: PrivateKey = LOG_KEY, name: str = ORIGIN) -> str:
        """The signed checkpoint."""
        return sign_note(self.text(), name, signer)

    def receipt(self, note: str = "") -> str:
        """The receipt, cosigned if so given."""
        path = inclusion_proof(self.place, self.size, self.root)
        return Receipt(self.entry, self.place, tuple(path), note or self.note()).encode()

    def short_receipt(self, origin: str = ORIGIN) -> str:
        """The receipt that goes with landmarks."""
        path = inclusion_proof(self.place, self.size, self.root)[:HEIGHT]
        path += [bytes(32)] * (HEIGHT - len(path))
        return LandmarkReceipt(self.entry, origin, self.place, tuple(path)).encode()


LOG = Log(entry().data)
RECEIPT = LOG.receipt()


def status_list(
    purpose: str, *places: int, since: datetime = ISSUED, until: datetime | None = None
) -> dict[str, Json]:
    """A list of the bank's before it is signed, with the bits at `places` set."""
    times = [format_moment(one) for one in (since, until or since + timedelta(days=7))]
    url = list_url(DOMAIN, 1, purpose)
    return status_list_credential(url, BANK, purpose, StatusList.of(places), times[0], times[1])


def by_bank(document: dict[str, Json]) -> dict[str, Json]:
    """The document as the bank signs it."""
    return signed_by(BANK_KEY, document, BANK)


LISTS = {
    list_url(DOMAIN, 1, purpose): by_bank(status_list(purpose))
    for purpose in (REVOCATION, SUSPENSION)
}
GRANT = Grant(2, ("computing",), 6, "2026-01-01", "2026-12-31")
TRUSTED = TrustedMember(MEMBER, NAMES, True, (KeyPeriod(KEY, 3), KeyPeriod(SECOND, 4)), (GRANT,))
TRUST = Trust(
    version=9,
    issued=ISSUED,
    next_update=ISSUED + timedelta(days=7),
    expires=ISSUED + timedelta(days=30),
    bank=BANK,
    domain=DOMAIN,
    origin=ORIGIN,
    names={"en": "Credit Bank", "zh": "学分银行"},
    bank_keys=(BANK_KEY.public_key.multikey,),
    roots=(Governance((GOVERNANCE.public_key.multikey,), 1),),
    log_keys=(VerifierKey(ORIGIN, ED25519, LOG_KEY.public_key.raw),),
    checkpoint=LOG.note(),
    members={MEMBER: TRUSTED},
    witnesses=(),
    quorum=0,
    status_lists=LISTS,
    landmarks=make_landmarks(SIZE, LOG.root),
)


def trusting(keys: Sequence[KeyPeriod] = TRUSTED.keys, **changes: object) -> Trust:
    """The trust bundle with something else said of the member."""
    member = replace(TRUSTED, keys=tuple(keys), **changes)  # type: ignore[arg-type]
    return replace(TRUST, members={MEMBER: member})


def report(
    credential: dict[str, Json] = CREDENTIAL,
    receipt: str | None = RECEIPT,
    trust: Trust = TRUST,
    at: datetime = AT,
) -> Report:
    """What a verifier says."""
    return verify(Evidence(credential, receipt, "bundle"), trust, at)


def holding(entry: Entry, trust: Trust = TRUST) -> tuple[str, Trust]:
    """The receipt where the log holds another entry, and the bundle of a bank with that log.

    The log grew by an entry since.
    """
    log = Log(entry.data)
    landmarks = make_landmarks(SIZE, log.root)
    receipt = Log(entry.data, size=SIZE + 1).receipt()
    return receipt, replace(trust, checkpoint=log.note(), landmarks=landmarks)


def shown(signed: SignedStatement, credential: dict[str, Json] = CREDENTIAL) -> Report:
    """What a verifier says where the log holds another statement."""
    return report(credential, *holding(entry(signed)))
