"""Submissions as they travel in requests and answers, as JSON."""

from collections.abc import Sequence

from bank.errors import BadRequest
from bank.institution import Submission
from keys import Json, KeysError, b64u_decode, b64u_encode
from ledger import LedgerError, SignedStatement, Slot
from ledger.body import MOST_IN_BATCH
from ledger.sequencer import Declined, Outcome

MOST_STATEMENTS = 2000
MOST_LOTS = 5000


def read_submissions(value: Json) -> list[Submission]:
    """The submissions in `{"statements": [...]}`; BadRequest names the first that is wrong."""
    items = value.get("statements") if isinstance(value, dict) else None
    if not isinstance(items, list) or not 0 < len(items) <= MOST_STATEMENTS:
        raise BadRequest(f"a request has 1 to {MOST_STATEMENTS} statements under 'statements'")
    return [_submission(position, item) for position, item in enumerate(items)]


def wants_together(value: Json) -> bool:
    """Whether a request wants all of its statements appended or none."""
    together = value.get("together", False) if isinstance(value, dict) else False
    if not isinstance(together, bool):
        raise BadRequest("together is true or false")
    return together


def outcomes_json(outcomes: Sequence[Outcome]) -> dict[str, Json]:
    """The answer to a submission: one outcome for each statement, in order."""
    return {"outcomes": [outcome_json(outcome) for outcome in outcomes]}


def read_lots(value: Json) -> list[str]:
    """The lots that slots are asked for, in `{"lots": [...]}`; BadRequest says what is wrong."""
    lots = value.get("lots") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(lots, list) or len(lots) > MOST_LOTS:
        raise BadRequest(f"a request for slots has up to {MOST_LOTS} lots, under 'lots'")
    names = [lot for lot in lots if isinstance(lot, str)]
    try:
        for name in names:
            b64u_decode(name, 16)
    except KeysError as error:
        raise BadRequest(f"a lot is 16 bytes in base64url: {error}") from error
    if len(names) != len(lots):
        raise BadRequest("a lot is text: 16 bytes in base64url")
    return names


def slots_json(slots: Sequence[Slot]) -> dict[str, Json]:
    """The answer to that: a slot for each lot, in order."""
    return {"slots": [{"list": slot.list, "index": slot.index} for slot in slots]}


def read_batch(value: Json) -> tuple[SignedStatement, list[bytes]]:
    """Statement and awards in `{"awards": [...], "signed": {...}}`: hashes as base64url."""
    if not isinstance(value, dict) or not {"awards", "signed"} <= set(value):
        raise BadRequest("a batch has the fields awards and signed")
    awards = value["awards"]
    if not isinstance(awards, list) or not 0 < len(awards) <= MOST_IN_BATCH:
        raise BadRequest(f"a batch has 1 to {MOST_IN_BATCH} awards; hand them in by several")
    try:
        hashes = [b64u_decode(str(award), 32) for award in awards]
        return SignedStatement.from_json(value["signed"]), hashes
    except (KeysError, LedgerError) as error:
        raise BadRequest(f"the batch: {error}") from error


def _submission(position: int, item: Json) -> Submission:
    if not isinstance(item, dict) or not {"signed"} <= set(item) <= {
        "signed",
        "credential",
        "learner",
    }:
        raise BadRequest(
            f"statement {position}: its fields are signed and, for an award, credential, learner"
        )
    credential, learner = item.get("credential"), item.get("learner")
    if credential is not None and not isinstance(credential, dict):
        raise BadRequest(f"statement {position}: credential is not an object")
    if learner is not None and not isinstance(learner, str):
        raise BadRequest(f"statement {position}: learner is not text")
    try:
        return Submission(SignedStatement.from_json(item["signed"]), credential, learner)
    except LedgerError as error:
        raise BadRequest(f"statement {position}: {error}") from error


def outcome_json(outcome: Outcome) -> dict[str, Json]:
    """What became of one statement."""
    if isinstance(outcome, Declined):
        return {"outcome": "declined", "reason": outcome.reason}
    return {
        "outcome": "appended",
        "index": outcome.index,
        "leaf": b64u_encode(outcome.leaf),
        "repeated": outcome.repeated,
    }
