"""Deposits: the credentials that come with awards, checked and sealed for their learners."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, select

from bank.errors import BadRequest, NoSuchThing, NotAllowed
from bank.institution import Submission
from bank.tables import accounts, credentials, erased_accounts, lots
from bank.vault import AccountKey, Vault, token_hash
from credentials import (
    CredentialsError,
    commitment,
    key_in_method,
    read_credential,
    verify_proofs,
)
from keys import Json, b64u_encode, encode, parse
from ledger.bulk import Row, insert_rows, select_rows
from ledger.lots import certified_by
from ledger.store import fetch, glance

_SEALED = (
    "SELECT accounts.account, credentials.sealed, lots.award_index, accounts.key "
    "FROM credentials JOIN lots ON lots.lot = credentials.lot "
    "JOIN accounts ON accounts.account = credentials.account "
    "WHERE accounts.key IS NOT NULL AND credentials.identifier = ? AND"
)
_OF_ACCOUNT = f"{_SEALED} credentials.account = ?"
_OF_TOKEN = f"{_SEALED} accounts.token = ?"
ACCOUNT_ERASED = (
    "the learner's account that this award is for was erased and is not opened again: hand the "
    "credential to the learner yourself, or deposit under a new reference if the learner asks for "
    "an account"
)


def check_deposit(submission: Submission) -> None:
    """BadRequest unless the credential is what its award statement commits to, and well signed."""
    statement, credential = submission.signed.statement, submission.credential
    if credential is None:
        return
    certified = certified_by(statement)
    if certified is None or not submission.learner or len(submission.learner) > 64:
        raise BadRequest(
            "a credential comes with the statement that it is of, such as an award, and a "
            "learner's reference"
        )
    try:
        facts = read_credential(credential)
        if b64u_encode(commitment(credential)) != certified["commitment"]:
            raise BadRequest("the award's commitment is to another credential than the one given")
        if facts.issuer != statement.author:
            raise BadRequest("the credential is another institution's than the award")
        results = verify_proofs(credential, key_in_method)
    except CredentialsError as error:
        raise BadRequest(f"the credential cannot be accepted: {error}") from error
    signers = {key for key, _ in submission.signed.signatures}
    for result in results:
        if result.error is not None or not result.understood:
            raise BadRequest(f"a proof of the credential does not hold: {result.error}")
        if result.method.partition("#")[2] not in signers:
            raise BadRequest("the credential and its award are signed by different keys")


def account_of(submission: Submission) -> str:
    """The account a deposit belongs to: one for each institution's learner."""
    return f"{submission.signed.statement.author}|{submission.learner}"


def known_account_keys(
    connection: Connection, vault: Vault, names: Sequence[str]
) -> dict[str, AccountKey]:
    """The keys of those accounts that exist and were not erased."""
    return _unwrapped(vault, _wrapped_keys(connection, names))


def account_keys(
    connection: Connection, vault: Vault, names: Sequence[str]
) -> dict[str, AccountKey]:
    """The keys of accounts, opened where they do not exist yet; none for those that were erased."""
    wrapped = _wrapped_keys(connection, names)
    missing = [name for name in dict.fromkeys(names) if name not in wrapped]
    erased = _erased(connection, vault, missing)
    new = [name for name in missing if name not in erased]
    if new:
        rows = [(name, vault.new_key(name), token_hash(vault.token(name))) for name in new]
        # Another server may be opening the same account: then its key is the one that stays.
        insert_rows(connection, accounts, rows, unless_there=True)
        wrapped |= _wrapped_keys(connection, new)
    return _unwrapped(vault, wrapped)


def _wrapped_keys(connection: Connection, names: Sequence[str]) -> dict[str, bytes | None]:
    """The key of each of those accounts that exists, as it is stored.

    None of one that an earlier program erased, which left its row there.
    """
    wanted = [(name,) for name in dict.fromkeys(names)]
    found = select_rows(connection, accounts, ("account", "key"), ("account",), wanted)
    return {row.account: row.key for row in found}


def _unwrapped(vault: Vault, wrapped: Mapping[str, bytes | None]) -> dict[str, AccountKey]:
    return {
        name: vault.unwrap(name, bytes(key)) for name, key in wrapped.items() if key is not None
    }


def _erased(connection: Connection, vault: Vault, names: Sequence[str]) -> set[str]:
    marks = {vault.tombstone(name): name for name in names}
    wanted = [(mark,) for mark in marks]
    found = select_rows(connection, erased_accounts, ("tombstone",), ("tombstone",), wanted)
    return {marks[bytes(row.tombstone)] for row in found}


def hold_accounts(connection: Connection, names: Sequence[str]) -> set[str]:
    """Those of the accounts that exist; none of them is erased before this transaction ends."""
    wanted = [(name,) for name in sorted(set(names))]
    found = select_rows(connection, accounts, ("account", "key"), ("account",), wanted, hold=True)
    return {row.account for row in found if row.key is not None}


def keep_credentials(connection: Connection, rows: Sequence[Row]) -> None:
    """Store deposits, but for accounts erased since they were sealed: those stay erased."""
    there = hold_accounts(connection, [str(row[2]) for row in rows])
    kept = [row for row in rows if row[2] in there]
    if kept:
        insert_rows(connection, credentials, kept)


def deposit_row(submission: Submission, key: AccountKey) -> Row:
    """The row that keeps a credential, sealed."""
    credential = submission.credential or {}
    identifier = str(credential["id"])
    lot = str((certified_by(submission.signed.statement) or {})["lot"])
    return (identifier, lot, account_of(submission), key.seal(encode(credential), identifier))


def find_by_token(store: Engine | Connection, token: str, *, hold: bool = False) -> str:
    """The account whose owner's token this is; NotAllowed if there is none.

    With `hold` the account is not erased before this transaction, which writes, ends.
    """
    digest = (token_hash(token),)
    if isinstance(store, Engine):
        rows = glance(store, "SELECT account FROM accounts WHERE token = ?", digest)
    else:
        rows = list(select_rows(store, accounts, ("account",), ("token",), [digest], hold=hold))
    if not rows:
        raise NotAllowed("this token opens no account here")
    return str(rows[0][0])


def list_credentials(connection: Connection, account: str) -> list[tuple[str, int]]:
    """Identifier and award's ledger index of each credential in an account."""
    query = (
        select(credentials.c.identifier, lots.c.award_index)
        .join(lots, lots.c.lot == credentials.c.lot)
        .where(credentials.c.account == account)
        .order_by(lots.c.award_index)
    )
    return [(row.identifier, row.award_index) for row in connection.execute(query)]


def open_credential(
    connection: Connection, vault: Vault, account: str, identifier: str
) -> tuple[dict[str, Json], int]:
    """A credential and the ledger index of its award; NoSuchThing if the account has none such."""
    return _opened(fetch(connection, _OF_ACCOUNT, (identifier, account)), vault, identifier)


def open_owned(
    engine: Engine, vault: Vault, token: str, identifier: str
) -> tuple[dict[str, Json], int]:
    """As `open_credential`, of the account whose owner's token this is; NotAllowed if none."""
    rows = glance(engine, _OF_TOKEN, (identifier, token_hash(token)))
    if not rows:
        find_by_token(engine, token)
    return _opened(rows, vault, identifier)


def _opened(
    rows: Sequence[tuple[str, bytes, int, bytes]], vault: Vault, identifier: str
) -> tuple[dict[str, Json], int]:
    if not rows:
        raise NoSuchThing(f"this account holds no credential {identifier[:60]}")
    ((account, sealed, index, key),) = rows
    document = parse(vault.unwrap(account, bytes(key)).open(bytes(sealed), identifier))
    if not isinstance(document, dict):
        raise NoSuchThing(f"the credential {identifier[:60]} is damaged")
    return document, index
