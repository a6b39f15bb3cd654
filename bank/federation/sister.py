"""A sister bank behind its HTTP API."""

from collections.abc import Callable
from datetime import datetime

import httpx

from bank.errors import BadRequest
from bank.federation.errors import SisterUnreachable
from bank.http_signature import FEDERATION, Target, sign_request
from keys import KeysError, Signer, encode, parse

PATH = "/federation/transfers"
_LARGEST = 200_000


class HttpSister:
    """A SisterPort over HTTP."""

    def __init__(
        self,
        http: httpx.Client,
        signer: Signer,
        clock: Callable[[], datetime],
        nonce: Callable[[], str],
    ) -> None:
        """`http` has the sister's base URL; `signer` is our own bank's key."""
        self._http, self._signer, self._clock, self._nonce = http, signer, clock, nonce

    def offer(self, receipt: str) -> str:
        """Its answer's receipt; BadRequest with its reason where it does not decide."""
        body = encode({"receipt": receipt})
        headers = {
            "Content-Type": "application/json",
            **sign_request(
                Target("POST", self._http.base_url.netloc.decode(), PATH),
                body,
                self._signer,
                FEDERATION,
                self._nonce(),
                self._clock(),
            ),
        }
        where = self._http.base_url
        try:
            response = self._http.post(PATH, content=body, headers=headers)
            value = parse(response.content[:_LARGEST])
        except (httpx.HTTPError, KeysError) as error:
            raise SisterUnreachable(
                f"the sister bank at {where} did not answer ({error}); asking again is safe"
            ) from error
        if not isinstance(value, dict):
            raise SisterUnreachable(f"the sister bank at {where} answered what no bank answers")
        if response.status_code in (400, 401):
            raise BadRequest(f"the sister bank does not decide: {value.get('detail')}")
        answer = value.get("receipt")
        if response.is_error or not isinstance(answer, str):
            raise SisterUnreachable(f"the sister bank at {where} answered {response.status_code}")
        return answer
