"""Calling a bank's API as an institution's software does: API keys, signed requests, sessions."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi.testclient import TestClient

from bank.api.app import make_app
from bank.http_signature import API, Target, sign_request
from bank.service import Bank
from keys import PrivateKey, Signer


def new_key(bank: Bank, institution: str) -> PrivateKey:
    """A new API key of an institution, registered."""
    key = PrivateKey.generate()
    bank.api_keys.add(institution, key.public_key.multikey, "tests")
    return key


def new_token(bank: Bank, institution: str) -> str:
    """The token of a session that a new key began."""
    return bank.api_keys.begin(new_key(bank, institution).public_key.multikey)[0]


class Signing(httpx.Auth):
    """Signs each request of an HTTP client by RFC 9421."""

    requires_request_body = True

    def __init__(self, bank: Bank, key: Signer, tag: str = API) -> None:
        self._bank, self._key, self._tag = bank, key, tag

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        parts = urlsplit(str(request.url))
        target = Target(request.method, parts.netloc, parts.path, parts.query or None)
        nonce, now = secrets.token_urlsafe(18), self._bank.now()
        signed = sign_request(target, request.content, self._key, self._tag, nonce, now)
        request.headers.update(signed)
        yield request


def client(bank: Bank, institution: str | None = None, **options: Any) -> TestClient:
    """A client that signs as an institution, each request by itself; without one, as nobody."""
    http = TestClient(make_app(bank), follow_redirects=False, **options)
    if institution is not None:
        http.auth = Signing(bank, new_key(bank, institution))
    return http
