"""The routes wallets use (OpenID4VCI 1.0): metadata, token, nonce, credential."""

from collections.abc import Callable
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import Response

from bank.answers import NO_STORE, json_answer
from bank.api.request_bodies import json_body
from bank.openid4vci import (
    BadProofOfKey,
    BadToken,
    BadWalletRequest,
    WalletError,
    issuer_metadata,
    server_metadata,
)
from bank.openid4vci.metadata import CONFIGURATION, PRE_AUTHORIZED
from bank.openid4vci.store import TOKEN_SECONDS
from bank.service import Bank
from bank.threads import in_thread
from keys import Json, KeysError, parse

_LIMIT = 64 * 1024
_FORM = json_body({"type": "object"}, "application/x-www-form-urlencoded")
_OBJECT = json_body({"type": "object"})


def add_openid4vci(app: FastAPI, bank: Bank) -> None:
    """Have `app` deliver credentials of `bank` to wallets."""

    @app.get("/.well-known/openid-credential-issuer", tags=["wallets"])
    def issuer() -> Response:
        """The Credential Issuer Metadata."""
        return json_answer(issuer_metadata(bank.settings.public_url, bank.settings.names))

    @app.get("/.well-known/oauth-authorization-server", tags=["wallets"])
    def server() -> Response:
        """The Authorization Server Metadata."""
        return json_answer(server_metadata(bank.settings.public_url))

    @app.post("/openid4vci/nonce", tags=["wallets"])
    def nonce() -> Response:
        """A new nonce for a proof of key."""
        return json_answer({"c_nonce": bank.wallets.nonce()}, headers=NO_STORE)

    @app.post("/openid4vci/token", tags=["wallets"], openapi_extra=_FORM)
    async def token(request: Request) -> Response:
        """An access token for a pre-authorised code and its transaction code."""
        data = await request.body()
        return await _told(lambda: _token(bank, data))

    @app.post("/openid4vci/credential", tags=["wallets"], openapi_extra=_OBJECT)
    async def credential(request: Request) -> Response:
        """The credential an access token is for, against a proof of the wallet's key."""
        data, header = await request.body(), request.headers.get("authorization", "")
        return await _told(lambda: _credential(bank, data, header))


def _token(bank: Bank, data: bytes) -> Response:
    try:
        form = parse_qs(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise WalletError("a token request has at most 20 fields") from error
    if form.get("grant_type") != [PRE_AUTHORIZED]:
        raise _UnsupportedGrant("the grant_type here is the pre-authorised code's")
    code, tx_code = form.get("pre-authorized_code", []), form.get("tx_code", [])
    if len(code) != 1 or len(tx_code) != 1:
        raise WalletError("say one pre-authorized_code and the tx_code that came beside the offer")
    access, identifiers = bank.wallets.redeem(code[0], tx_code[0])
    names: list[Json] = list(identifiers)
    details: Json = [
        {
            "type": "openid_credential",
            "credential_configuration_id": CONFIGURATION,
            "credential_identifiers": names,
        }
    ]
    return json_answer(
        {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "authorization_details": details,
        },
        headers=NO_STORE,
    )


class _UnsupportedGrant(WalletError):
    code = "unsupported_grant_type"


def _credential(bank: Bank, data: bytes, header: str) -> Response:
    scheme, _, access = header.partition(" ")
    if scheme.lower() != "bearer" or not access:
        raise BadToken("give the access token as 'Authorization: Bearer …'")
    bank.wallets.opened(access)
    try:
        body = parse(data, limit=_LIMIT)
    except KeysError as error:
        raise BadWalletRequest(f"the request is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadWalletRequest("a credential request is an object")
    identifier = body.get("credential_identifier")
    configuration = body.get("credential_configuration_id")
    if (identifier is None) == (configuration is None):
        raise BadWalletRequest(
            "say credential_identifier or credential_configuration_id, one of the two"
        )
    if configuration not in (None, CONFIGURATION):
        raise _UnknownConfiguration(f"there is no configuration {configuration!r:.60} here")
    if "credential_response_encryption" in body:
        raise _Encryption("answers are not encrypted here beyond TLS")
    name = identifier if isinstance(identifier, str) else None
    issuer = bank.settings.public_url
    document = bank.wallets.deliver(access, name, _proof(body), issuer)
    return json_answer({"credentials": [{"credential": document}]}, headers=NO_STORE)


class _UnknownConfiguration(WalletError):
    code = "unknown_credential_configuration"


class _Encryption(WalletError):
    code = "invalid_encryption_parameters"


def _proof(body: dict[str, Json]) -> str:
    proofs = body.get("proofs")
    jwts = proofs.get("jwt") if isinstance(proofs, dict) and len(proofs) == 1 else None
    if not isinstance(jwts, list) or len(jwts) != 1 or not isinstance(jwts[0], str):
        raise BadProofOfKey("give one proof of the wallet's key, as proofs: {jwt: [one]}")
    return jwts[0]


async def _told(work: Callable[[], Response]) -> Response:
    try:
        return await in_thread(work)
    except WalletError as error:
        body: dict[str, Json] = {"error": error.code, "error_description": str(error)}
        headers = dict(NO_STORE)
        if error.status == 401:
            headers["WWW-Authenticate"] = f'Bearer error="{error.code}"'
        return json_answer(body, error.status, headers)
