"""Custody transfers between banks: agreements, and what one log's receipt proves to another.

Two phases: `transfer.out` locks a lot at home, `transfer.in` or `transfer.refuse` at the sister
bank decides, `transfer.final` or `transfer.return` closes it at home with the sister's receipt.
The name of the lot at the sister bank is the transfer's own, so that it decides once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keys import Json
from ledger.checked import as_names, as_objects, as_texts
from ledger.checkpoint import Checkpoint
from ledger.entry import Entry
from ledger.errors import BadReceipt, LedgerError, Refused
from ledger.note import ED25519, VerifierKey, lines_by, open_note
from ledger.receipt import Receipt
from ledger.tree import leaf_hash, verify_inclusion

KINDS = frozenset(
    ("transfer.final", "transfer.in", "transfer.out", "transfer.refuse", "transfer.return")
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A mutual recognition agreement with another bank: its log, and from when until when."""

    bank: str
    names: Mapping[str, str]
    origin: str
    log_keys: tuple[VerifierKey, ...]
    keys: tuple[str, ...]
    """Multikeys by which it signs what it asks of us."""
    start: str
    until: str

    def in_force(self, day: str) -> bool:
        """Whether lots may be sent on `day`."""
        return self.start <= day <= self.until


def agreement_of(bank: str, body: Mapping[str, Json]) -> Agreement:
    """The agreement as `bank` sees it, of a body whose shape was checked: about the other one."""
    (other,) = [item for item in parties(body) if item["bank"] != bank]
    return Agreement(
        str(other["bank"]),
        as_names(other["name"]),
        str(other["origin"]),
        tuple(map(VerifierKey.parse, as_texts(other["log"]))),
        as_texts(other["keys"]),
        str(body["from"]),
        str(body["until"]),
    )


def parties(body: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The two banks of an agreement."""
    return as_objects(body["banks"])


def trim(receipt: str, log_keys: Sequence[VerifierKey]) -> str:
    """A receipt with no signature but the log's own Ed25519 one, as statements carry it."""
    whole = Receipt.parse(receipt)
    own = [key for key in log_keys if key.kind == ED25519]
    text = open_note(whole.checkpoint, ()).text
    return replace(whole, checkpoint=f"{text}\n{lines_by(whole.checkpoint, own)}").encode()


def open_receipt(text: str, agreement: Agreement) -> Entry:
    """The entry that a receipt proves to be in the other bank's log; Refused if it does not."""
    try:
        receipt = Receipt.parse(text)
        opened = open_note(receipt.checkpoint, agreement.log_keys)
        checkpoint = Checkpoint.parse(opened.text)
        if not opened.signatures or checkpoint.origin != agreement.origin:
            raise BadReceipt(f"its checkpoint is not one of {agreement.origin}")
        verify_inclusion(
            leaf_hash(receipt.entry), receipt.index, checkpoint.size, receipt.path, checkpoint.root
        )
        entry = Entry.parse(receipt.entry)
        if entry.index != receipt.index:
            raise BadReceipt(f"its entry is {entry.index}, not {receipt.index}")
        entry.signed.verify()
    except LedgerError as error:
        raise Refused(f"the receipt of {agreement.bank} does not hold: {error}") from error
    return entry


def check_transfer(
    kind: str,
    body: Mapping[str, Json],
    bank: str,
    agreements: Mapping[str, Agreement],
    time: str,
) -> None:
    """Refused unless `bank` may state this of a transfer at `time`."""
    match kind:
        case "transfer.out":
            agreement = _agreement(str(body["to"]), agreements)
            if not agreement.in_force(time[:10]):
                raise Refused(
                    f"the agreement with {agreement.bank} holds from {agreement.start} until "
                    f"{agreement.until}"
                )
        case "transfer.in":
            _check_arrival(body, bank, agreements, time)
        case "transfer.final" | "transfer.return":
            wanted = "transfer.in" if kind == "transfer.final" else "transfer.refuse"
            entry = _from_other(str(body["sister"]), agreements)
            if entry.signed.statement.kind != wanted:
                raise Refused(f"a {kind} carries the other bank's {wanted}")
        case _:
            pass


def _check_arrival(
    body: Mapping[str, Json], bank: str, agreements: Mapping[str, Agreement], time: str
) -> None:
    entry = _from_other(str(body["home"]), agreements)
    statement = entry.signed.statement
    if statement.kind != "transfer.out" or statement.body["to"] != bank:
        raise Refused("the receipt is not of a lot that is on its way to this bank")
    if statement.body["transfer"] != body["lot"]:
        raise Refused(f"the receipt is of the transfer {statement.body['transfer']}")
    if str(statement.body["until"]) < time:
        raise Refused(f"the transfer {body['lot']} lapsed at {statement.body['until']}")
    if not agreements[statement.author].in_force(time[:10]):
        raise Refused(f"the agreement with {statement.author} does not hold on {time[:10]}")


def _from_other(text: str, agreements: Mapping[str, Agreement]) -> Entry:
    """The entry of a receipt, under the agreement with the bank that its statement names."""
    try:
        author = Entry.parse(Receipt.parse(text).entry).signed.statement.author
    except LedgerError as error:
        raise Refused(f"the other bank's receipt is malformed: {error}") from error
    return open_receipt(text, _agreement(author, agreements))


def _agreement(bank: str, agreements: Mapping[str, Agreement]) -> Agreement:
    agreement = agreements.get(bank)
    if agreement is None:
        raise Refused(f"there is no agreement with {bank}")
    return agreement
