"""A bank behind its HTTP API, as an institution's software uses it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from bank.errors import BankError
from bank.http_signature import API, Target, sign_request
from bank.institution import Institution, Submission
from keys import Json, KeysError, Signer, b64u_decode, b64u_encode, encode, parse
from ledger import SignedStatement, Slot, parse_time
from ledger.sequencer import Declined, Outcome, Placed

_SOON = timedelta(seconds=30)


class BankUnreachable(BankError):
    """The bank did not answer, or not as a bank does. What was sent can be sent again."""


@dataclass
class _Session:
    key: Signer
    ends: datetime
    token: str = ""


class RemoteBank:
    """A BankPort over HTTP: a signed request begins a session, whose token goes with the rest."""

    def __init__(
        self,
        http: httpx.Client,
        clock: Callable[[], datetime],
        keys: Mapping[str, Signer],
        nonce: Callable[[], str] = lambda: secrets.token_urlsafe(18),
    ) -> None:
        """`http` has the bank's base URL; `keys` are API keys, by the DID of whose they are."""
        self._http = http
        self._clock = clock
        self._nonce = nonce
        self._sessions = {did: _Session(key, clock()) for did, key in keys.items()}

    def slots(self, institution: Institution, lots: Sequence[str]) -> list[Slot]:
        """A status slot for each lot, the same one whenever it is asked for.

        Asked by an API key of the institution.
        """
        answer = self._post("/slots", {"lots": list(lots)}, institution.did)
        slots = answer.get("slots")
        if not isinstance(slots, list):
            raise BankUnreachable("the bank's answer has no slots")
        return [_slot(item) for item in slots]

    def alone(self, institution: Institution) -> int:
        """How many awards it may still hand in today on one person's signature."""
        left = self._asked("GET", "/batches/alone", institution.did).get("left")
        if not isinstance(left, int):
            raise BankUnreachable("the bank's answer does not say how many awards are left")
        return left

    def approve_batch(self, signed: SignedStatement, awards: Sequence[bytes]) -> Outcome:
        """Let awards be handed in beyond that; `signed` is their `batch.approve` by two persons."""
        names: list[Json] = [b64u_encode(award) for award in awards]
        body: dict[str, Json] = {"awards": names, "signed": parse(signed.data)}
        return _outcome(self._post("/batches", body, signed.statement.author))

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append statements and deposit credentials; one outcome each, in order."""
        return self._submit(submissions, {})

    def submit_together(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `submit`, but all of them or none."""
        return self._submit(submissions, {"together": True})

    def _submit(self, submissions: Sequence[Submission], how: dict[str, Json]) -> list[Outcome]:
        items: list[Json] = [_item(submission) for submission in submissions]
        author = submissions[0].signed.statement.author if submissions else ""
        answer = self._post("/statements", {"statements": items, **how}, author)
        outcomes = answer.get("outcomes")
        if not isinstance(outcomes, list) or len(outcomes) != len(submissions):
            raise BankUnreachable("the bank's answer has not an outcome for each statement")
        return [_outcome(item) for item in outcomes]

    def _post(self, path: str, body: dict[str, Json], author: str) -> dict[str, Json]:
        return self._asked("POST", path, author, encode(body))

    def _asked(self, method: str, path: str, author: str, body: bytes = b"") -> dict[str, Json]:
        session = self._session(author)
        if self._clock() + _SOON > session.ends:
            self._begin(session)
        response = self._send(method, path, body, _bearing(session))
        if response.status_code == 401:
            # Ended before its time, as when the bank's database was restored.
            self._begin(session)
            response = self._send(method, path, body, _bearing(session))
        return self._read(path, response)

    def _session(self, author: str) -> _Session:
        """That of the author's own key; without one anybody's, for statements may be carried."""
        if not self._sessions:
            raise BankUnreachable("there is no API key at hand to call the bank with")
        return self._sessions.get(author) or next(iter(self._sessions.values()))

    def _begin(self, session: _Session) -> None:
        path, base = "/sessions", self._http.base_url
        if not base.host:
            raise BankUnreachable(
                f"the bank at {base} did not answer (it names no server); trying again is safe"
            )
        target = Target("POST", base.netloc.decode(), path)
        signed = sign_request(target, b"", session.key, API, self._nonce(), self._clock())
        answer = self._read(path, self._send("POST", path, b"", signed))
        token, ends = answer.get("token"), answer.get("expires")
        if not isinstance(token, str) or not isinstance(ends, str):
            raise BankUnreachable("the bank's answer has no session")
        session.token, session.ends = token, parse_time(ends)

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        if method == "POST":
            headers = {"Content-Type": "application/json", **headers}
        try:
            return self._http.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise BankUnreachable(
                f"the bank at {self._http.base_url} did not answer ({error}); trying again is safe"
            ) from error

    def _read(self, path: str, response: httpx.Response) -> dict[str, Json]:
        try:
            value = parse(response.content)
        except KeysError as error:
            raise BankUnreachable(f"the bank's answer to {path} is not JSON") from error
        if not isinstance(value, dict) or response.is_error:
            detail = value.get("detail") if isinstance(value, dict) else None
            raise BankUnreachable(f"the bank refused {path}: {detail or response.status_code}")
        return value


def _bearing(session: _Session) -> dict[str, str]:
    return {"Authorization": f"Bearer {session.token}"}


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
