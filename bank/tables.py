"""The bank's own tables: those derived from the ledger, and those only the bank has.

Derived tables are a cache: dropped and folded again from the log they come out the same.
Private ones hold learner data: credentials sealed under their account's key, names, consents and
the journal under their learner's.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.lot_rows import lot_columns

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

derived = MetaData()
private = MetaData()

lots = Table(
    "lots",
    derived,
    *lot_columns(),
    UniqueConstraint("award_index"),
    UniqueConstraint("list", "slot"),
    Index("ix_lots_institution", "institution", "award_index"),
    Index("ix_lots_commitment", "commitment"),
)

lot_map = Table(
    "lot_map",
    private,
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("held", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("leaves", LargeBinary, nullable=False),
)

lot_map_head = Table(
    "lot_map_head",
    private,
    Column("size", _NUMBER, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
)

slots = Table(
    "slots",
    private,
    Column("lot", Text, primary_key=True),
    Column("institution", Text, nullable=False),
    Column("list", Integer, nullable=False),
    Column("slot", Integer, nullable=False),
    UniqueConstraint("list", "slot"),
)

accounts = Table(
    "accounts",
    private,
    Column("account", Text, primary_key=True),
    Column("key", LargeBinary),
    Column("token", LargeBinary, nullable=False, unique=True),
)

credentials = Table(
    "credentials",
    private,
    Column("identifier", Text, primary_key=True),
    Column("lot", Text, nullable=False, unique=True),
    Column("account", Text, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
)

trust_bundles = Table(
    "trust_bundles",
    private,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

shares = Table(
    "shares",
    private,
    Column("share", Text, primary_key=True),
    Column("token", LargeBinary, nullable=False, unique=True),
    Column("account", Text, nullable=False, index=True),
    Column("credentials", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("withdrawn", Text, nullable=False),
)

share_openings = Table(
    "share_openings",
    private,
    Column("number", _NUMBER, primary_key=True),
    Column("share", Text, nullable=False, index=True),
    Column("time", Text, nullable=False),
)

wallet_offers = Table(
    "wallet_offers",
    private,
    Column("code", LargeBinary, primary_key=True),
    Column("tx_code", LargeBinary, nullable=False),
    Column("account", Text, nullable=False),
    Column("credentials", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("used", Text, nullable=False),
)

wallet_tokens = Table(
    "wallet_tokens",
    private,
    Column("token", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False),
    Column("credentials", Text, nullable=False),
    Column("expires", Text, nullable=False),
)

wallet_nonces = Table(
    "wallet_nonces",
    private,
    Column("nonce", LargeBinary, primary_key=True),
    Column("expires", Text, nullable=False),
)

holder_keys = Table(
    "holder_keys",
    private,
    Column("account", Text, primary_key=True),
    Column("did", Text, primary_key=True),
    Column("added", Text, nullable=False),
)

learners = Table(
    "learners",
    private,
    Column("learner", Text, primary_key=True),
    Column("key", LargeBinary),
    Column("sealed", LargeBinary),
    Column("document", LargeBinary, unique=True),
    Column("merged_into", Text, index=True),
    Column("erased", Text, nullable=False),
)

learner_accounts = Table(
    "learner_accounts",
    private,
    Column("account", Text, primary_key=True),
    Column("learner", Text, nullable=False, index=True),
)

consents = Table(
    "consents",
    private,
    Column("consent", Text, primary_key=True),
    Column("learner", Text, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
)

learner_events = Table(
    "learner_events",
    private,
    Column("number", _NUMBER, primary_key=True),
    Column("learner", Text, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
)

# A row says that an account was erased, to whoever can name the account already; without the
# bank's secret it says nothing, and with it a name can be tested but not found. So it is no data
# about a person, and without it the next award would quietly open the account again.
erased_accounts = Table(
    "erased_accounts",
    private,
    Column("tombstone", LargeBinary, primary_key=True),
)

# Who may sign in to the pages, and how. `scope` is an institution's short name, a learner's record,
# or empty for those who serve the whole bank.
people = Table(
    "people",
    private,
    Column("person", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scope", Text, nullable=False, index=True),
    Column("password", Text, nullable=False),
    Column("totp", LargeBinary),
    Column("totp_step", _NUMBER, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("ended", Text, nullable=False),
)

passkeys = Table(
    "passkeys",
    private,
    Column("credential", LargeBinary, primary_key=True),
    Column("person", Text, nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("count", _NUMBER, nullable=False),
    Column("name", Text, nullable=False),
    Column("added", Text, nullable=False),
)

identities = Table(
    "identities",
    private,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("person", Text, nullable=False, index=True),
)

sessions = Table(
    "sessions",
    private,
    Column("session", LargeBinary, primary_key=True),
    Column("person", Text, nullable=False, index=True),
    Column("made", Text, nullable=False),
    Column("seen", Text, nullable=False),
)

invitations = Table(
    "invitations",
    private,
    Column("code", LargeBinary, primary_key=True),
    Column("role", Text, nullable=False),
    Column("scope", Text, nullable=False, index=True),
    Column("expires", Text, nullable=False),
)

challenges = Table(
    "challenges",
    private,
    Column("challenge", LargeBinary, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("expires", Text, nullable=False),
)

uploads = Table(
    "uploads",
    private,
    Column("upload", Text, primary_key=True),
    Column("institution", Text, nullable=False, index=True),
    Column("made", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("key", LargeBinary),
    Column("sealed", LargeBinary),
)

# Statements that wait for the signature of a second person of the same institution.
approvals = Table(
    "approvals",
    private,
    Column("approval", Text, primary_key=True),
    Column("institution", Text, nullable=False, index=True),
    Column("made", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("signed", LargeBinary, nullable=False),
)

# Awards in bulk that two persons of an institution approve by one statement, whose hash `batch` is.
batches = Table(
    "batches",
    private,
    Column("batch", LargeBinary, primary_key=True),
    Column("institution", Text, nullable=False, index=True),
    Column("approved", Boolean, nullable=False),
)

batch_awards = Table(
    "batch_awards",
    private,
    Column("award", LargeBinary, primary_key=True),
    Column("batch", LargeBinary, primary_key=True, index=True),
)

# How many awards an institution handed in on the last of its days on one person's signature.
alone = Table(
    "alone",
    private,
    Column("institution", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("awards", Integer, nullable=False),
)

column_mappings = Table(
    "column_mappings",
    private,
    Column("institution", Text, primary_key=True),
    Column("header", LargeBinary, primary_key=True),
    Column("mapping", Text, nullable=False),
)

# Who may call the API, by the DID of an institution or of the bank itself. A key that was retired
# stays, so that it is never registered again.
api_keys = Table(
    "api_keys",
    private,
    Column("key", Text, primary_key=True),
    Column("institution", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("added", Text, nullable=False),
    Column("retired", Text, nullable=False),
)

api_sessions = Table(
    "api_sessions",
    private,
    Column("token", LargeBinary, primary_key=True),
    Column("key", Text, nullable=False, index=True),
    Column("expires", Text, nullable=False, index=True),
)

request_nonces = Table(
    "request_nonces",
    private,
    Column("nonce", LargeBinary, primary_key=True),
    Column("expires", Text, nullable=False, index=True),
)
