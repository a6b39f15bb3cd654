"""A bank behind its HTTP API, as an institution's software uses it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote

import httpx

from bank.errors import BankError
from bank.institution import Institution, Submission
from bank.requests import sign_slot_request
from keys import Json, KeysError, b64u_decode, b64u_encode, encode, parse
from ledger import SignedStatement, Slot
from ledger.sequencer import Declined, Outcome, Placed


class BankUnreachable(BankError):
    """The bank did not answer, or not as a bank does. What was sent can be sent again."""


class RemoteBank:
    """A BankPort over HTTP."""

    def __init__(self, http: httpx.Client, clock: Callable[[], datetime]) -> None:
        """`http` has the bank's base URL."""
        self._http = http
        self._clock = clock

    def slots(self, institution: Institution, lots: Sequence[str]) -> list[Slot]:
        """A status slot for each lot, the same one whenever it is asked for."""
        request = sign_slot_request(institution.did, lots, institution.signer, self._clock())
        answer = self._post("/slots", request)
        slots = answer.get("slots")
        if not isinstance(slots, list):
            raise BankUnreachable("the bank's answer has no slots")
        return [_slot(item) for item in slots]

    def alone(self, institution: Institution) -> int:
        """How many awards it may still hand in today on one person's signature."""
        left = self._asked("GET", f"/batches/alone?institution={quote(institution.did)}").get(
            "left"
        )
        if not isinstance(left, int):
            raise BankUnreachable("the bank's answer does not say how many awards are left")
        return left

    def approve_batch(self, signed: SignedStatement, awards: Sequence[bytes]) -> Outcome:
        """Let awards be handed in beyond that; `signed` is their `batch.approve` by two persons."""
        names: list[Json] = [b64u_encode(award) for award in awards]
        return _outcome(self._post("/batches", {"awards": names, "signed": parse(signed.data)}))

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append statements and deposit credentials; one outcome each, in order."""
        return self._submit(submissions, {})

    def submit_together(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `submit`, but all of them or none."""
        return self._submit(submissions, {"together": True})

    def _submit(self, submissions: Sequence[Submission], how: dict[str, Json]) -> list[Outcome]:
        items: list[Json] = [_item(submission) for submission in submissions]
        answer = self._post("/statements", {"statements": items, **how})
        outcomes = answer.get("outcomes")
        if not isinstance(outcomes, list) or len(outcomes) != len(submissions):
            raise BankUnreachable("the bank's answer has not an outcome for each statement")
        return [_outcome(item) for item in outcomes]

    def _post(self, path: str, body: dict[str, Json]) -> dict[str, Json]:
        return self._asked("POST", path, encode(body))

    def _asked(self, method: str, path: str, content: bytes = b"") -> dict[str, Json]:
        headers = {"content-type": "application/json"} if content else {}
        try:
            response = self._http.request(method, path, content=content or None, headers=headers)
        except httpx.HTTPError as error:
            raise BankUnreachable(
                f"the bank at {self._http.base_url} did not answer ({error}); trying again is safe"
            ) from error
        try:
            value = parse(response.content)
        except KeysError as error:
            raise BankUnreachable(f"the bank's answer to {path} is not JSON") from error
        if not isinstance(value, dict) or response.is_error:
            detail = value.get("detail") if isinstance(value, dict) else None
            raise BankUnreachable(f"the bank refused {path}: {detail or response.status_code}")
        return value


def _item(submission: Submission) -> Json:
    item: dict[str, Json] = {"signed": parse(submission.signed.data)}
    if submission.credential is not None:
        item |= {"credential": submission.credential, "learner": submission.learner}
    return item


def _slot(item: Json) -> Slot:
    if isinstance(item, dict):
        number, index = item.get("list"), item.get("index")
        if isinstance(number, int) and isinstance(index, int):
            return Slot(number, index)
    raise BankUnreachable("the bank's answer has a malformed slot")


def _outcome(item: Json) -> Outcome:
    if isinstance(item, dict):
        reason, index, leaf = item.get("reason"), item.get("index"), item.get("leaf")
        if isinstance(reason, str):
            return Declined(reason)
        if isinstance(index, int) and isinstance(leaf, str):
            return Placed(index, b64u_decode(leaf, 32), item.get("repeated") is True)
    raise BankUnreachable("the bank's answer has a malformed outcome")
